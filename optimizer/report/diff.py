"""Line differences in bounded time.

Lines that occur once on both sides are matched first (the "patience" method), the rest only in the gaps between them.
A gap that is too large for a quadratic comparison becomes one block, so 100,000 lines take a second, not an hour.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_CONTEXT = 3
_LARGEST_GAP = 250_000  # cells of the comparison: 500 lines against 500


class Hunk(NamedTuple):
    """A stretch of lines that changed, with the unchanged lines around it.

    `lines` carry their mark (` `, `-`, `+`) and their own line ending; `start` and `new_start` are 1-based.
    """

    start: int
    new_start: int
    lines: tuple[str, ...]

    @property
    def length(self) -> int:
        """How many lines of the old text it covers."""
        return sum(not line.startswith("+") for line in self.lines)

    @property
    def new_length(self) -> int:
        """How many lines of the new text it covers."""
        return sum(not line.startswith("-") for line in self.lines)

    @property
    def header(self) -> str:
        """The `@@` line, without its newline."""
        return f"@@ -{_range(self.start, self.length)} +{_range(self.new_start, self.new_length)} @@"


class _Block(NamedTuple):
    """`old[start:end]` became `new[new_start:new_end]`."""

    start: int
    end: int
    new_start: int
    new_end: int


def lines_of(text: str) -> list[str]:
    r"""Split at `\n` only, as git does, keeping the line endings."""
    lines = text.split("\n")
    last = lines.pop()
    return [line + "\n" for line in lines] + ([last] if last else [])


def hunks(before: str, after: str) -> tuple[Hunk, ...]:
    """Return the differences of two texts with three lines around each."""
    old, new = lines_of(before), lines_of(after)
    return tuple(_hunk(old, new, group) for group in _groups(_blocks(old, new)))


def _range(start: int, length: int) -> str:
    """Write a range as diff does; the line before an empty one is named."""
    return str(start) if length == 1 else f"{start if length else start - 1},{length}"


def _hunk(old: Sequence[str], new: Sequence[str], group: Sequence[_Block]) -> Hunk:
    first, last = group[0], group[-1]
    start = max(0, first.start - _CONTEXT)
    lines, at = [], start
    for block in group:
        lines += [" " + line for line in old[at : block.start]]
        lines += ["-" + line for line in old[block.start : block.end]]
        lines += ["+" + line for line in new[block.new_start : block.new_end]]
        at = block.end
    lines += [" " + line for line in old[at : last.end + _CONTEXT]]
    return Hunk(start + 1, first.new_start - (first.start - start) + 1, tuple(lines))


def _groups(blocks: Sequence[_Block]) -> Iterator[list[_Block]]:
    """Put blocks together whose surroundings touch."""
    group: list[_Block] = []
    for block in blocks:
        if group and block.start - group[-1].end > 2 * _CONTEXT:
            yield group
            group = []
        group.append(block)
    if group:
        yield group


def _blocks(old: Sequence[str], new: Sequence[str]) -> list[_Block]:
    """Return what changed, in order; neighbouring blocks are joined."""
    blocks: list[_Block] = []
    for gap in _gaps(old, new):
        for found in _inside(old, new, gap):
            if blocks and blocks[-1].end == found.start and blocks[-1].new_end == found.new_start:
                blocks[-1] = _Block(blocks[-1].start, found.end, blocks[-1].new_start, found.new_end)
            else:
                blocks.append(found)
    return blocks


def _gaps(old: Sequence[str], new: Sequence[str]) -> Iterator[_Block]:
    """Return the stretches between the lines that certainly match."""
    whole = _trimmed(old, new, _Block(0, len(old), 0, len(new)))
    at, new_at = whole.start, whole.new_start
    for index, new_index in _anchors(old, new, whole):
        yield _trimmed(old, new, _Block(at, index, new_at, new_index))
        at, new_at = index + 1, new_index + 1
    yield _trimmed(old, new, _Block(at, whole.end, new_at, whole.new_end))


def _trimmed(old: Sequence[str], new: Sequence[str], block: _Block) -> _Block:
    """Take equal lines off both ends."""
    start, end, new_start, new_end = block.start, block.end, block.new_start, block.new_end
    while start < end and new_start < new_end and old[start] == new[new_start]:
        start, new_start = start + 1, new_start + 1
    while start < end and new_start < new_end and old[end - 1] == new[new_end - 1]:
        end, new_end = end - 1, new_end - 1
    return _Block(start, end, new_start, new_end)


def _anchors(old: Sequence[str], new: Sequence[str], whole: _Block) -> list[tuple[int, int]]:
    """Return the longest increasing run of pairs of lines that are unique on both sides."""
    before, after = old[whole.start : whole.end], new[whole.new_start : whole.new_end]
    often, new_often = Counter(before), Counter(after)
    places = {line: whole.new_start + i for i, line in enumerate(after) if new_often[line] == 1}
    pairs = [(whole.start + i, places[x]) for i, x in enumerate(before) if often[x] == 1 and x in places]
    return _longest_increasing(pairs)


def _longest_increasing(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest subsequence whose second members increase (patience sorting)."""
    tops: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, (_, value) in enumerate(pairs):
        pile = bisect_left(tops, value)
        before.append(ends[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [value]
        ends[pile : pile + 1] = [index]
    chain, index = [], ends[-1] if ends else -1
    while index >= 0:
        chain.append(pairs[index])
        index = before[index]
    return chain[::-1]


def _inside(old: Sequence[str], new: Sequence[str], gap: _Block) -> Iterator[_Block]:
    """Compare the lines of a gap."""
    length, new_length = gap.end - gap.start, gap.new_end - gap.new_start
    if not (length or new_length):
        return
    if not (length and new_length) or length * new_length > _LARGEST_GAP:
        yield gap
        return
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(None, old[gap.start : gap.end], new[gap.new_start : gap.new_end], autojunk=False)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag != "equal":
            yield _Block(gap.start + start, gap.start + end, gap.new_start + new_start, gap.new_start + new_end)
