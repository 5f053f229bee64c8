"""Tags that lead to another release of the distribution one day, while packages keep the names of this one."""

from collections.abc import Iterable

from optimizer.images.apt import is_known
from optimizer.transforms.stages.nodes import Build

_RELEASES = ("bullseye", "bookworm", "trixie")  # those whose packages are known


def may_move(build: Build) -> bool:
    """Tell whether the tag of the base image is still built, and does not say on which release."""
    return build.full.last is None and build.release not in build.full.suffix.split("-")


def why_moved_away(build: Build, packages: Iterable[str]) -> str | None:
    """Name a package that another release may have under another name; those of the Dockerfile are its own concern."""
    if not may_move(build):
        return None
    own = (name for name in packages if name not in build.packages)
    found = next((name for name in own if not all(is_known(name, release) for release in _RELEASES)), None)
    return found and f"{build.full.name} may move to another release of Debian, which need not have {found}"
