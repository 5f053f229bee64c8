"""Comments that keep transforms away from a place.

`# dfopt: ignore=ID[,ID] reason` above an instruction (or inside it) spares that instruction, without ids from every
transform; `# dfopt: off` spares all until `# dfopt: on`. hadolint's `# hadolint ignore=DLxxxx` and
`# hadolint global ignore=DLxxxx` count for the transform that carries that alias.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from optimizer.syntax import Document, Instruction
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms import Transform

_IDS = r"[\w:.-]+(?:\s*,\s*[\w:.-]+)*"
_OURS = lazy_pattern(rf"#\s*dfopt\s*:\s*(?P<word>ignore|off|on)\b(?:\s*=\s*(?P<ids>{_IDS}))?", re.IGNORECASE)
_HADOLINT = lazy_pattern(rf"#\s*hadolint\s+(?P<scope>global\s+)?ignore\s*=\s*(?P<ids>{_IDS})", re.IGNORECASE)
_ALL = "*"


class _Spared(Struct, frozen=True):
    """What the comments say: up to each line (an instruction's last), the names that are kept away."""

    ends: tuple[int, ...]
    names: tuple[frozenset[str], ...]
    everywhere: frozenset[str]

    def at(self, line: int) -> frozenset[str]:
        """Return the names that are kept away from a line."""
        index = bisect_left(self.ends, line)
        return self.names[index] | self.everywhere if index < len(self.names) else self.everywhere


def suppressed(document: Document, transforms: Iterable[Transform]) -> Callable[[str, int], bool]:
    """Return a function that tells whether a transform (by id) must stay away from a line (1-based)."""
    source = document.source.lower()
    if "dfopt" not in source and "hadolint" not in source:
        return lambda _id, _line: False
    spared = _read(document)
    names = {transform.id: {_ALL, transform.id, *_codes(transform)} for transform in transforms}
    return lambda id_, line: not names.get(id_, {_ALL, id_}).isdisjoint(spared.at(line))


def _codes(transform: Transform) -> Iterator[str]:
    """Return a transform's aliases with and without the name of their tool, in lower case."""
    for alias in transform.aliases:
        yield alias.lower()
        yield alias.lower().rpartition(":")[2]


def _read(document: Document) -> _Spared:
    """Go through the comments from top to bottom."""
    off = False
    ends, names, everywhere = [], [], set[str]()
    for instruction in document.instructions:
        here = set[str]()
        for comment in _comments(instruction, document.source):
            off = _switched(comment, off=off)
            here |= _ids(_OURS, comment)
            if found := _HADOLINT.match(comment):
                (everywhere if found["scope"] else here).update(_ids(_HADOLINT, comment))
        ends.append(instruction.end_line)
        names.append(frozenset({_ALL} if off else here))
    return _Spared(tuple(ends), tuple(names), frozenset(everywhere))


def _comments(instruction: Instruction, source: str) -> Iterator[str]:
    """Return the comments above an instruction and inside it."""
    if "#" in instruction.leading:
        lines = (line.strip(" \t\r\ufeff") for line in instruction.leading.split("\n"))
        yield from (line for line in lines if line.startswith("#"))
    for span in instruction.comments:
        yield source[span.start : span.end].strip()


def _switched(comment: str, *, off: bool) -> bool:
    """Return the new state behind a comment that may be `off` or `on`."""
    found = _OURS.match(comment)
    word = found["word"].lower() if found else ""
    return word == "off" if word in {"off", "on"} else off


def _ids(pattern: re.Pattern[str], comment: str) -> set[str]:
    """Return the names that an ignore comment lists, all of them if it lists none."""
    found = pattern.match(comment)
    if not found or (pattern is _OURS and found["word"].lower() != "ignore"):
        return set()
    return {name.strip().lower() for name in found["ids"].split(",")} if found["ids"] else {_ALL}
