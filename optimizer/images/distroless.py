"""The images of gcr.io/distroless that hold no language: no shell, no package manager, a few packages of Debian.

Sources: the build files of github.com/GoogleContainerTools/distroless (packages and users), its registry (sizes).
"""

from optimizer.images._tables import distroless_images

_NUMBERS = {"bookworm": "12", "trixie": "13"}
# Of all of them; `nonroot` (65532) is one more that Debian's images do not have.
USERS = frozenset({"root", "nobody", "0", "65534"})
# What they have without its being in their list of packages.
_MORE = frozenset({"ca-certificates"})
_ON_DISK = {"static": 2_000_000, "base": 20_700_000, "cc": 23_500_000}


def distroless(kind: str, release: str) -> str | None:
    """Return the name of the image of a kind (`static`, `base`, `cc`) on a release of Debian; None for no such one."""
    tag = f"{kind}-debian{_NUMBERS.get(release)}"
    return f"gcr.io/distroless/{tag}" if tag in distroless_images() else None


def packages_of(name: str) -> frozenset[str]:
    """Return the packages of Debian in such an image."""
    return distroless_images()[name.rpartition("/")[2]] | _MORE


def on_disk(name: str) -> int | None:
    """Return the bytes of such an image's files, None for another image."""
    head, _, tail = name.rpartition("/")
    kind, found, _ = tail.partition("-debian")
    return _ON_DISK.get(kind) if found and head == "gcr.io/distroless" else None
