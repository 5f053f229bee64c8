"""What packages of a Debian release take on the disk, with what they depend on and recommend."""

from collections import deque
from collections.abc import Iterable, Iterator

from debian import Release

from optimizer.images.apt import Packages


def costs(release: Release, names: Iterable[str]) -> Packages:
    """Return the table of the packages of some names, and of all that apt may install with them."""
    found = dict.fromkeys(filter(None, map(release.real, sorted(names))))
    left = deque(found)
    while left:
        package = release.packages[left.popleft()]
        for other in _first(release, (*package.depends, *package.recommends)):
            if other not in found:
                found[other] = None
                left.append(other)
    order = {name: at for at, name in enumerate(sorted(found))}
    packages = [release.packages[name] for name in order]
    return Packages(
        tuple(order),
        tuple(package.installed for package in packages),
        tuple(tuple(_choices(release, package.depends, order)) for package in packages),
        tuple(tuple(_choices(release, package.recommends, order)) for package in packages),
    )


def _first(release: Release, choices: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Go through what apt takes of each choice where nothing of it is there."""
    for choice in choices:
        yield from list(filter(None, map(release.real, choice)))[:1]


def _choices(
    release: Release, choices: Iterable[tuple[str, ...]], order: dict[str, int]
) -> Iterator[int | tuple[int, ...]]:
    """Go through the choices as numbers, the ones that the table does not hold left out."""
    for choice in choices:
        known = dict.fromkeys(order[one] for one in filter(None, map(release.real, choice)) if one in order)
        if known:
            yield next(iter(known)) if len(known) == 1 else tuple(known)
