"""What projects of PyPI and packages of npm take on the disk when they are installed.

Source: installed once and measured (November 2026, 64-bit Linux), the largest by hand; others count with what is usual.
"""

from collections.abc import Iterable

from optimizer.images._tables import installed_sizes
from optimizer.syntax.lazy_pattern import lazy_pattern

_SEPARATORS = lazy_pattern(r"[-_.]+")
_USUAL = {"pypi": 1_200, "npm": 60}  # kB of one that is not in the table
_BROUGHT = {"pypi": 3_000, "npm": 2_500}  # kB of one with what it brings along


def with_dependencies(registry: str, names: Iterable[str], *, whole: bool = False) -> int:
    """Return what they take together, in kB; unless they are the `whole` list, with what they bring along."""
    table = installed_sizes()[registry]
    left = [_SEPARATORS.sub("-", name).lower() if registry == "pypi" else name for name in names]
    usual = (_USUAL if whole else _BROUGHT)[registry]
    seen: set[str] = set()
    total = 0
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        entry = table.get(name)
        total += entry[0] if entry else usual
        if entry and not whole:
            left += entry[1]
    return total
