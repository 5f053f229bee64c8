"""Physical lines, and the logical line that continuations make of them, as BuildKit's `Parse` reads them.

The rules are those of moby/buildkit frontend/dockerfile/parser/parser.go: only a line feed ends a line, carriage
returns before it are dropped, white space is what Go calls white space.
"""

from typing import NamedTuple

from msgspec import Struct

from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.syntax.nodes import Joined, Span

SPACE = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
"""What Go's `unicode.IsSpace` takes for white space (Python's `isspace` takes four control characters more)."""

LINE_LIMIT = 65_535
"""The longest line, in bytes and without its line feed, that BuildKit's scanner reads (Go's bufio.MaxScanTokenSize)."""

BLANKS = lazy_pattern(r"[\t\v\f\r ]+")
"""What separates the keyword from the rest, and the words of COPY, ADD, FROM, EXPOSE and VOLUME."""


class Line(Struct, frozen=True, gc=False):
    """A physical line: where it starts, and its text without the line ending."""

    start: int
    text: str


class Logical(NamedTuple):
    """A logical line, the comment lines inside it, and the index of the first physical line below it."""

    joined: Joined
    comments: tuple[Span, ...]
    below: int


def split_lines(text: str, start: int) -> list[Line]:
    """Return the physical lines of `text` from offset `start` on."""
    lines = []
    offset = start
    for raw in text[start:].split("\n"):
        lines.append(Line(offset, raw.rstrip("\r")))
        offset += len(raw) + 1
    if lines[-1].start == len(text):
        lines.pop()
    return lines


def over_limit(text: str) -> frozenset[int]:
    """Return the indices of the lines that are too long for BuildKit."""
    if len(text) <= LINE_LIMIT // 4:
        return frozenset()
    return frozenset(
        index
        for index, line in enumerate(text.split("\n"))
        if len(line) > LINE_LIMIT // 4 and len(line.encode("utf-8", "surrogatepass")) > LINE_LIMIT
    )


def end_of(lines: list[Line], first: int, escape: str) -> int:
    """Return the index of the line below the logical line that begins at index `first`."""
    below = first + 1
    continued = _cut_continuation(lines[first].text.lstrip(SPACE), escape)[1]
    while continued and below < len(lines):
        text = lines[below].text
        stripped = text.lstrip(SPACE)
        continued = not stripped or stripped[0] == "#" or _cut_continuation(text, escape)[1]
        below += 1
    return below


def join_lines(lines: list[Line], first: int, escape: str) -> Logical:
    """Join the line at index `first` with those that continue it, dropping blank and comment lines between them."""
    start, text = lines[first].start, lines[first].text
    stripped = text.lstrip(SPACE)
    start += len(text) - len(stripped)
    part, continued = _cut_continuation(stripped, escape)
    parts, sources, comments = [part], [start], []
    below = first + 1
    while continued and below < len(lines):
        start, text = lines[below].start, lines[below].text
        below += 1
        if not (stripped := text.lstrip(SPACE)):
            continue
        if stripped[0] == "#":
            comments.append(Span(start, start + len(text)))
            continue
        part, continued = _cut_continuation(text, escape)
        parts.append(part)
        sources.append(start)
    return Logical(_joined(parts, sources), tuple(comments), below)


def _joined(parts: list[str], sources: list[int]) -> Joined:
    pieces = []
    offset = 0
    for part, source in zip(parts, sources, strict=True):
        if part:
            pieces.append((offset, source, len(part)))
            offset += len(part)
    return Joined("".join(parts), tuple(pieces) or ((0, sources[0], 0),))


def _cut_continuation(line: str, escape: str) -> tuple[str, bool]:
    """Return the line up to a trailing escape, and whether it has one; a doubled escape continues nothing."""
    if escape not in line:
        return line, False
    cut = line.rstrip(" \t")
    if cut.endswith(escape) and not cut.endswith(escape + escape):
        return cut[:-1], True
    return line, False
