"""Which lines of a file comments can stand at: those of the new side that a request's diff shows."""

import re
from collections.abc import Iterator

_HEADER = re.compile(r"^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)


def commentable(patch: str) -> tuple[tuple[int, int], ...]:
    """Return the ranges of lines that a patch shows of the new file, first and last line each."""
    return tuple(_ranges(patch))


def unchanged(patch: str) -> dict[int, int]:
    """Return the lines that a patch shows on both sides: new number to old."""
    pairs: dict[int, int] = {}
    old = new = 0
    for line in patch.split("\n"):
        if found := _HEADER.match(line):
            old, new = int(found[1]), int(found[2])
            continue
        if line.startswith(" ") and new:
            pairs[new] = old
        old += line[:1] in {" ", "-"}
        new += line[:1] in {" ", "+"}
    return pairs


def _ranges(patch: str) -> Iterator[tuple[int, int]]:
    for found in _HEADER.finditer(patch):
        first, length = int(found[2]), int(found[3] or 1)
        if length:
            yield first, first + length - 1
