"""What packages of npm need beside Node.js when they are installed.

Source: the packages' own installation notes and scripts.
"""

from msgspec import Struct

from optimizer.images._tables import packages_of_npm


class NativePackage(Struct, frozen=True):
    """A package with a part that is compiled or downloaded.

    `kind` tells how it comes: "pure" and "other-os" need nothing, "platform-packages" are parts of the registry,
    "prebuilt" and "download-or-build" are fetched by an install script that compiles where nothing fits. `build` are
    the Debian packages that compiling takes, `run` those that it loads.
    """

    kind: str
    build: tuple[str, ...] = ()
    run: tuple[str, ...] = ()

    @property
    def comes_ready(self) -> bool:
        """Whether the registry holds all of it, so that no compiler is asked for."""
        return self.kind in {"pure", "other-os", "platform-packages", "tool"}


def native_package(name: str) -> NativePackage | None:
    """Return what is known of a package by its name, None where it is not known to have such a part."""
    return packages_of_npm().get(name)
