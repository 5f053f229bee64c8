"""Which lines of a file comments can stand at: those of the new side that a request's diff shows."""

import re
from collections.abc import Iterator

_HEADER = re.compile(r"^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)


def commentable(patch: str) -> tuple[tuple[int, int], ...]:
    """Return the ranges of lines that a patch shows of the new file, first and last line each."""
    return tuple(_ranges(patch))


def _ranges(patch: str) -> Iterator[tuple[int, int]]:
    for found in _HEADER.finditer(patch):
        first, length = int(found[1]), int(found[2] or 1)
        if length:
            yield first, first + length - 1
