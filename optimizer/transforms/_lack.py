"""What a small image lacks, whether a build or a container misses it, and which packages bring it."""

from collections.abc import Iterable

from msgspec import Struct

from optimizer.syntax.lazy_pattern import lazy_pattern

_STEM = lazy_pattern(r"lib[a-z]+(?:[+-](?=[a-z])(?!dev\b)[a-z]+)*")
_LIBRARY = lazy_pattern(r"lib.*\d(?:t64)?(?:-[a-z]+)?|libgl1.*")
_BESIDE = lazy_pattern(r".*-(?:dev|bin|common|data|doc|dbg|tools|utils|headers|perl)|.*-dev-.*")


class Lack(Struct, frozen=True):
    """A reason against a small image, as a clause.

    With `built` it is the build alone that needs what is lacking, so that a container does without it, given
    `packages`; without, a container needs them, and where there are none, nothing is known to mend it.
    """

    reason: str
    built: bool = False
    packages: tuple[str, ...] = ()


def is_among(package: str, packages: frozenset[str]) -> bool:
    """Tell whether a package is among others, for a library by its name without version and ABI."""
    stem = _STEM.match(package)
    if not stem:
        return package in packages
    return any((found := _STEM.match(other)) and found[0] == stem[0] for other in packages)


def named_in(wanted: Iterable[str], packages: frozenset[str]) -> tuple[str, ...]:
    """Return the packages that are wanted under the names that a release gives them, which are among `packages`.

    A library has its version in its name, and the tables know those of some releases only.
    """
    found: dict[str, None] = {}
    for package in wanted:
        if package in packages:
            found[package] = None
        elif stem := _STEM.match(package):
            found.update(dict.fromkeys(_alike(stem[0], packages)))
    return tuple(found)


def _alike(stem: str, packages: frozenset[str]) -> list[str]:
    return sorted(
        package
        for package in packages
        if package.startswith(stem)
        and (match := _STEM.match(package))
        and match[0] == stem
        and _LIBRARY.fullmatch(package)
        and not _BESIDE.fullmatch(package)
    )
