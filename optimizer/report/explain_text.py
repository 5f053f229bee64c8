"""The layers of a Dockerfile as a table for the terminal."""

from collections.abc import Iterator, Sequence

from optimizer.layers.nodes import Fate
from optimizer.layers.table import Row, Stack
from optimizer.report.explain import BuiltImage, Explained, Side, comparison
from optimizer.report.explain_history import history_lines
from optimizer.report.sizes import count, seconds, size
from optimizer.report.text import Style, plain

_BAR = 12  # characters of the largest layer
_WIDEST = 52  # characters of an instruction
_MARKS = {
    Fate.CACHED: ("= cached", "green"),
    Fate.RUNS: ("* runs again", "red"),
    Fate.MAY_RUN: ("? may run again", "yellow"),
    Fate.FREE: ("", "dim"),
    Fate.UNUSED: ("not needed", "dim"),
}
LEGEND = (
    "Each line is one instruction. Those with a size make a layer: ~ marks an estimate, ? what is not known, the bar\n"
    "shows the largest. = is taken from the cache, * is run again, ? hangs on what another stage gives."
)


def explain_text(found: Sequence[Explained], style: Style) -> str:
    """Return the tables, one Dockerfile after the other."""
    return "\n".join("\n".join(_block(one, style)) + "\n" for one in found)


def _block(one: Explained, style: Style) -> Iterator[str]:
    yield style.paint(plain(one.path), "bold") + f": {plain(comparison(one.before, one.after, one.supposed))}"
    if one.supposed.chosen:
        yield style.paint("dfopt chose the file; name another with --changed FILE", "dim")
    yield style.paint(LEGEND, "dim")
    for title, side in one.sides:
        yield ""
        yield style.paint(title[0].upper() + title[1:], "bold") + f": {_totals(side.stack)}"
        yield from _table(side, style)
    if one.after is None:
        yield style.paint("dfopt has nothing to rewrite here", "dim")
    if one.image:
        yield ""
        yield from _image(one.image, style)
    if one.history:
        yield ""
        yield from history_lines(one.history, style)


def _totals(stack: Stack) -> str:
    total = f", about {size(stack.bytes)}" if stack.bytes is not None else ""
    time = f"; what runs again takes about {seconds(stack.seconds_again)} by a rule of thumb" if stack.again else ""
    return f"{count(stack.layers, 'layer')} above the base image{total}{time}"


def _table(side: Side, style: Style) -> Iterator[str]:
    rows = side.stack.rows
    largest = max((row.weight.bytes for row in rows if row.weight), default=0)
    width = min(_WIDEST, max((len(row.text) for row in rows), default=0))
    stage = ""
    for row in rows:
        if row.stage != stage:
            stage = row.stage
            yield style.paint(f"     -- {plain(stage)} --", "cyan")
        mark, colour = _MARKS[row.fate]
        text = plain(_cut(row.text, width)).ljust(width)
        line = f"{row.number:4} {text} {_weight(row):>8} {_bar(row, largest):<{_BAR}} {style.paint(mark, colour)}"
        yield f"{line}{': ' + plain(row.why) if row.why else ''}".rstrip()
        if row.reads:
            yield style.paint(f"       takes in {plain('; '.join(row.reads))}", "dim")
    if side.chain:
        yield f"Why: {plain(side.chain)}."


def _weight(row: Row) -> str:
    if row.weight is None:
        return "?" if row.layer or row.text.upper().startswith("FROM") else ""
    if not row.layer and not row.text.upper().startswith("FROM"):
        return ""
    return f"{'' if row.weight.known else '~'}{size(row.weight.bytes)}"


def _bar(row: Row, largest: int) -> str:
    if row.weight is None or not row.weight.bytes or not largest:
        return ""
    return "█" * max(1, round(_BAR * row.weight.bytes / largest))


def _image(image: BuiltImage, style: Style) -> Iterator[str]:
    layers = [row.layer for row in image.rows if not row.layer.empty]
    yield style.paint(f"The image {plain(image.name)}", "bold") + (
        f": {count(len(layers), 'layer')}, {size(sum(layer.size for layer in layers))}, as the engine tells"
    )
    largest = max((row.layer.size for row in image.rows), default=0)
    for row in image.rows:
        number = "base" if row.number is None else str(row.number)
        bar = "█" * max(1, round(_BAR * row.layer.size / largest)) if row.layer.size else ""
        weight = "" if row.layer.empty else size(row.layer.size)
        yield f"{number:>4} {plain(_cut(row.text, _WIDEST)).ljust(_WIDEST)} {weight:>8} {bar}".rstrip()
    for text in image.missing:
        yield style.paint(f"   not in the image: {plain(_cut(text, _WIDEST))}", "yellow")


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."
