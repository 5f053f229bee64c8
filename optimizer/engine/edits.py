"""Edits applied to a text, and what becomes of places in it."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from functools import lru_cache

from optimizer.syntax import Span
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms import Edit, Rewrite

_NEWLINE = lazy_pattern("\n")


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with all edits made; they must not overlap. A missing final newline stays missing."""
    pieces, at = [], 0
    for edit in ordered(edits):
        pieces += [text[at : edit.span.start], edit.text]
        at = edit.span.end
    result = "".join([*pieces, text[at:]])
    return result if text.endswith("\n") else result.rstrip("\r\n")


def ordered(edits: Iterable[Edit]) -> list[Edit]:
    """Return the edits from the top of the text to its end."""
    return sorted(edits, key=lambda edit: edit.span)


def compatible(rewrites: Iterable[Rewrite]) -> list[Rewrite]:
    """Return the rewrites, first come first served, whose edits neither overlap nor touch."""
    taken: list[Span] = []
    chosen = []
    for rewrite in rewrites:
        spans = [edit.span for edit in rewrite.edits]
        if any(_meets(span, taken) for span in spans):
            continue
        for span in spans:
            insort(taken, span)
        chosen.append(rewrite)
    return chosen


def _meets(span: Span, taken: list[Span]) -> bool:
    at = bisect_right(taken, span)
    return any(other.start <= span.end and span.start <= other.end for other in taken[max(0, at - 1) : at + 1])


def moved(span: Span, edits: Sequence[Edit]) -> Span:
    """Return where a span stands after the (ordered) edits; it takes in an edit that crosses its border."""
    return Span(_forward(span.start, edits, end=False), _forward(span.end, edits, end=True))


def _forward(offset: int, edits: Sequence[Edit], *, end: bool) -> int:
    shift = 0
    for edit in edits:
        if edit.span.start >= offset and (end or edit.span.end > offset):
            break
        if edit.span.end > offset:
            return edit.span.start + shift + (len(edit.text) if end else 0)
        shift += len(edit.text) - (edit.span.end - edit.span.start)
    return offset + shift


def placed(edits: Sequence[Edit]) -> list[Span]:
    """Return where the text of each of the (ordered) edits stands when all are made."""
    spans, shift = [], 0
    for edit in edits:
        start = edit.span.start + shift
        spans.append(Span(start, start + len(edit.text)))
        shift += len(edit.text) - (edit.span.end - edit.span.start)
    return spans


def written(rewrite: Rewrite, edits: Sequence[Edit], there: Sequence[Span]) -> Span:
    """Return what a rewrite covers in the text after all (ordered) edits of its pass; `there` is their `placed`."""
    spans = [edit.span for edit in rewrite.edits]
    first = bisect_left(edits, min(spans), key=lambda edit: edit.span)
    last = bisect_right(edits, max(spans), key=lambda edit: edit.span) - 1
    return Span(there[first].start, there[last].end)


@lru_cache(maxsize=4)
def line_starts(text: str) -> tuple[int, ...]:
    """Return the offset at which each line starts; only a newline ends a line."""
    return (0, *[newline.end() for newline in _NEWLINE.finditer(text)])


def line_of(starts: Sequence[int], offset: int) -> int:
    """Return the 1-based number of the line that holds an offset."""
    return bisect_right(starts, offset)


def origins(before: str, edits: Sequence[Edit], known: Sequence[int]) -> list[int]:
    """Return for each line after the (ordered) edits the line of the first text that it goes back to.

    `known[i]` is that of line i+1 of `before`; a line that an edit wrote goes back to where the edit began.
    """
    starts, there = line_starts(before), placed(edits)
    result, shift, at = [], 0, 0
    for offset in line_starts(apply(before, edits)):
        while at < len(there) and offset >= there[at].end:
            shift = there[at].end - edits[at].span.end
            at += 1
        back = offset - shift
        if at < len(there) and offset > there[at].start:
            back = edits[at].span.start
        result.append(known[line_of(starts, back) - 1])
    return result
