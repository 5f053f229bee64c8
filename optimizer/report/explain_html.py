"""The layers of a Dockerfile as the page shows them: both stacks side by side, drawn to one scale.

The page is `templates/report/explain.html.j2`; here are the numbers of its picture, in SVG's units.
"""

from collections.abc import Iterable, Iterator
from math import log1p

from msgspec import Struct

from optimizer.layers.nodes import Fate
from optimizer.layers.replay import Replayed
from optimizer.layers.table import Row, Stack
from optimizer.report.explain import BuiltImage, Explained, Side, comparison
from optimizer.report.explain_history import history_lines
from optimizer.report.sizes import count, seconds, size
from optimizer.report.text import Style, plain

WIDTH = 440  # of a stack
_GAP = 4
_LEAST, _MOST = 22.0, 96.0  # heights of a block
_CHARACTERS = 44  # of a block's text, at 12 units a line in a fixed-width face
_MARKS = {
    Fate.CACHED: ("cached", "="),
    Fate.RUNS: ("runs", "*"),
    Fate.MAY_RUN: ("may-run", "?"),
    Fate.FREE: ("free", ""),
    Fate.UNUSED: ("unused", ""),
}


class Block(Struct, frozen=True):
    """A rectangle of the picture: a layer, or the base image."""

    y: float
    height: float
    kind: str  # a class of the style sheet
    mark: str
    label: str
    size: str
    title: str  # what a reader of the picture hears, and what shows under the mouse


class Line(Struct, frozen=True):
    """A row of the table below the picture."""

    number: str
    text: str
    size: str
    mark: str
    kind: str
    note: str


class Picture(Struct, frozen=True):
    """A stack with its table."""

    title: str
    totals: str
    blocks: tuple[Block, ...]
    height: float
    lines: tuple[Line, ...]
    chain: str


class Page(Struct, frozen=True):
    """One Dockerfile."""

    path: str
    summary: str
    chosen: bool
    pictures: tuple[Picture, ...]
    height: float
    history: tuple[str, ...]
    image: BuiltImage | None
    image_lines: tuple[Line, ...]


def pictures(found: Iterable[Explained]) -> tuple[Page, ...]:
    """Return what the page shows of each Dockerfile."""
    return tuple(_page(one) for one in found)


def _page(one: Explained) -> Page:
    largest = max((row.weight.bytes for _, side in one.sides for row in side.stack.rows if row.weight), default=0)
    drawn = tuple(_picture(title, side, largest) for title, side in one.sides)
    return Page(
        plain(one.path),
        comparison(one.before, one.after, one.supposed),
        one.supposed.chosen,
        drawn,
        max(picture.height for picture in drawn),
        tuple(_history(one.history)) if one.history else (),
        one.image,
        tuple(_image(one.image)) if one.image else (),
    )


def _picture(title: str, side: Side, largest: int) -> Picture:
    rows = [row for row in side.stack.rows if _is_drawn(row)]
    blocks: list[Block] = []
    y = 0.0
    for row in reversed(rows):  # the base image lies at the bottom
        height = _height(row, largest)
        blocks.append(_block(row, y, height))
        y += height + _GAP
    lines = tuple(_line(row) for row in side.stack.rows)
    return Picture(title, _totals(side.stack), tuple(blocks), max(y - _GAP, 0.0), lines, plain(side.chain))


def _is_drawn(row: Row) -> bool:
    return row.final and (row.layer or row.text.upper().startswith("FROM"))


def _height(row: Row, largest: int) -> float:
    """Return a height that grows with the logarithm of the size: layers differ a thousandfold."""
    if row.weight is None or not row.weight.bytes or not largest:
        return _LEAST
    return round(_LEAST + (_MOST - _LEAST) * log1p(row.weight.bytes) / log1p(largest), 1)


def _block(row: Row, y: float, height: float) -> Block:
    kind, mark = _MARKS[row.fate]
    if not row.layer:
        kind, mark = "base", ""
    text = plain(row.text)
    label = f"{row.number} {text if len(text) <= _CHARACTERS else text[: _CHARACTERS - 3] + '...'}"
    said = ", ".join(part for part in (text, _weight(row), _fate(row)) if part)
    return Block(round(y, 1), height, kind, mark, label, _weight(row), said)


def _line(row: Row) -> Line:
    kind, mark = _MARKS[row.fate]
    notes = [row.why and f"{row.why}", f"takes in {'; '.join(row.reads)}" if row.reads else ""]
    stage = f" ({row.stage})" if row.stage and row.text.upper().startswith("FROM") else ""
    note = plain(". ".join(note[0].upper() + note[1:] for note in notes if note))
    return Line(str(row.number), plain(row.text) + stage, _weight(row), mark, kind, note)


def _weight(row: Row) -> str:
    if not row.layer and not row.text.upper().startswith("FROM"):
        return ""
    if row.weight is None:
        return "?"
    return f"{'' if row.weight.known else '~'}{size(row.weight.bytes)}"


def _fate(row: Row) -> str:
    words = {Fate.CACHED: "cached", Fate.RUNS: f"runs again: {row.why}", Fate.MAY_RUN: f"may run again: {row.why}"}
    return plain(words.get(row.fate, ""))


def _totals(stack: Stack) -> str:
    total = f", about {size(stack.bytes)}" if stack.bytes is not None else ""
    spent = f"; what runs again takes about {seconds(stack.seconds_again)} by a rule of thumb" if stack.again else ""
    return f"{count(stack.layers, 'layer')} above the base image{total}{spent}"


def _history(history: Replayed) -> Iterator[str]:
    return history_lines(history, Style())


def _image(image: BuiltImage) -> Iterator[Line]:
    for row in image.rows:
        weight = "" if row.layer.empty else size(row.layer.size)
        yield Line("base" if row.number is None else str(row.number), plain(row.text), weight, "", "free", "")
