"""What packages of Debian take on the disk, with all that apt installs along with them.

Source: the package indices of deb.debian.org (Installed-Size, Depends, Recommends), for the packages that public
Dockerfiles name and what these bring along.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from functools import cache

from msgspec import Struct

from optimizer.images._tables import packages_of_release

_KIB = 1024


class Packages(Struct, frozen=True, array_like=True):
    """The packages of a release, each by its place in `names`.

    `needs` and `recommends` hold the places of what a package asks for; several in one entry are a choice.
    """

    names: tuple[str, ...]
    installed: tuple[int, ...]  # KiB
    needs: tuple[tuple[int | tuple[int, ...], ...], ...]
    recommends: tuple[tuple[int | tuple[int, ...], ...], ...]


class Cost(Struct, frozen=True):
    """What an installation adds: bytes on the disk, how many packages, and the names that are not known."""

    bytes: int
    packages: frozenset[str]
    unknown: tuple[str, ...]


def cost(names: Iterable[str], release: str, there: frozenset[str], *, recommends: bool) -> Cost | None:
    """Return what installing packages adds to an image that has those of `there`; None for an unknown release."""
    table, places = packages_of_release(release), _places(release)
    if table is None:
        return None
    wanted = list(names)
    present = {places[name] for name in there if name in places}
    found: set[int] = set()
    left = deque(places[name] for name in wanted if name in places)
    asked = frozenset(left)
    while left:
        at = left.popleft()
        if at in found or at in present:
            continue
        found.add(at)
        for choice in (*table.needs[at], *(table.recommends[at] if recommends else ())):
            one_of = (choice,) if isinstance(choice, int) else choice
            if not any(one in found or one in present or one in asked for one in one_of):
                left.append(one_of[0])
    unknown = tuple(name for name in wanted if name not in places and name not in there)
    return Cost(_KIB * sum(table.installed[at] for at in found), frozenset(table.names[at] for at in found), unknown)


def is_known(name: str, release: str) -> bool:
    """Tell whether a release is known to have a package of this name."""
    return name in _places(release)


@cache
def _places(release: str) -> Mapping[str, int]:
    """Return the place of each package, none where the release has no table."""
    table = packages_of_release(release)
    return {} if table is None else {name: at for at, name in enumerate(table.names)}
