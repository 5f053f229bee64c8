"""What the builds showed, for people: the verdict, the figures, what differs, and the layers before and after."""

from collections.abc import Iterator, Sequence

from optimizer.report.evidence import Difference, Dropped, Evidence, Measured, Verdict
from optimizer.report.layer_stack import Layer, Mark, stack
from optimizer.report.sizes import change, count, seconds, size
from optimizer.report.text import Style, plain

_VERDICTS = {
    Verdict.HOLDS: ("holds", "green"),
    Verdict.FAILS: ("fails", "red"),
    Verdict.NOT_JUDGED: ("not judged", "yellow"),
}
_MARKS = {Mark.BASE: " ", Mark.CACHED: "=", Mark.RUN: "*", Mark.UNKNOWN: " "}
_BAR = 16  # characters of the largest layer
_WIDEST = 60  # characters of an instruction
_SHOWN = 12  # differences that are written out, unless all are asked for


def evidence_report(found: Sequence[Evidence], style: Style) -> str:
    """Return the run as text: a block for each Dockerfile, and a line for all where there are several."""
    blocks = ["\n".join(_block(evidence, style)) for evidence in found]
    totals = [_totals(found, style)] if len(found) > 1 else []
    return "\n\n".join([*blocks, *totals]) + "\n" if found else ""


def _block(evidence: Evidence, style: Style) -> Iterator[str]:
    path = style.paint(plain(evidence.path), "bold")
    if not evidence.builder:
        yield f"{path}: nothing to prove"
        return
    said, colour = _VERDICTS[evidence.verdict]
    yield f"{path}: {style.paint(said, colour)} ({plain(evidence.builder)}, {count(evidence.builds, 'build')})"
    if evidence.problem:
        yield _row("reason", plain(evidence.problem))
    yield from _figures(evidence.before, evidence.after)
    yield from (_row("check", plain(text)) for text in evidence.smoke)
    yield from (_row("dropped", _dropped(one), style, "yellow") for one in evidence.dropped)
    yield from _differences("differs", evidence.unclaimed, style, "red")
    claimed = [one for one in evidence.differences if one.claimed_by]
    yield from _differences("as told", claimed, style, "dim")
    if evidence.log:
        yield _row("log", plain(evidence.log))
    if evidence.before and evidence.after:
        yield from _picture("before", evidence.before, style)
        yield from _picture("after", evidence.after, style)
        if evidence.after.rebuild:
            touched = plain(evidence.after.rebuild.touched)
            yield style.paint(f"  when {touched} is edited: = comes from the cache, * is run again", "dim")


def _figures(before: Measured | None, after: Measured | None) -> Iterator[str]:
    if before is None or after is None:
        return
    yield _row("image", _turns(size(before.size), size(after.size), change(before.size, after.size)))
    yield _row("layers", _turns(str(before.layer_count), str(after.layer_count)))
    yield _row("build", _turns(seconds(before.seconds), seconds(after.seconds)))
    if before.rebuild and after.rebuild:
        steps = [f"{len(each.executed)} run, {len(each.cached)} cached" for each in (before.rebuild, after.rebuild)]
        times = _turns(seconds(before.rebuild.seconds), seconds(after.rebuild.seconds))
        yield _row("rebuild", f"{times} after an edit of {plain(after.rebuild.touched)}; steps: {_turns(*steps)}")


def _turns(before: str, after: str, note: str = "") -> str:
    return (f"{before} -> {after}" if before != after else f"{after}, as before") + (f" ({note})" if note else "")


def _row(name: str, text: str, style: Style | None = None, colour: str = "") -> str:
    return f"  {style.paint(f'{name:8}', colour) if style and colour else f'{name:8}'} {text}"


def _dropped(one: Dropped) -> str:
    reasons = "; ".join(_told(difference) for difference in one.because[:3])
    return f"{one.transform} (line {one.line})" + (f": {reasons}" if reasons else "")


def _differences(name: str, found: Sequence[Difference], style: Style, colour: str) -> Iterator[str]:
    shown = found if style.verbose else found[:_SHOWN]
    for one in shown:
        told = _told(one) + (f" [{one.claimed_by}]" if one.claimed_by else "")
        yield _row(name, told, style, colour)
    if len(found) > len(shown):
        yield _row("", f"and {len(found) - len(shown)} more (--verbose shows them)")


def _told(one: Difference) -> str:
    before, after = (plain(value) if value is not None else "not there" for value in (one.before, one.after))
    more = f" (and {one.count} more)" if one.count else ""
    return f"{one.check}: {plain(one.subject)}{more}: {before} -> {after}"


def _picture(name: str, measured: Measured, style: Style) -> Iterator[str]:
    layers = stack(measured)
    largest = max((layer.size for layer in layers), default=0) or 1
    yield style.paint(f"  {name}", "bold")
    yield from (_layer(layer, largest, style) for layer in layers)


def _layer(layer: Layer, largest: int, style: Style) -> str:
    bar = "#" * max(round(_BAR * layer.size / largest), int(layer.size > 0))
    text = plain(layer.instruction)
    short = text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."
    mark = _MARKS[layer.mark]
    painted = style.paint(mark, "yellow") if layer.mark is Mark.RUN else mark
    return f"    {painted} {size(layer.size):>8} {bar:{_BAR}} {short}"


def _totals(found: Sequence[Evidence], style: Style) -> str:
    proven = [evidence for evidence in found if evidence.builder]
    parts = [f"{count(len(found), 'file')}: {len(proven)} proven by {count(sum(e.builds for e in proven), 'build')}"]
    for verdict, (said, colour) in _VERDICTS.items():
        number = sum(evidence.verdict is verdict for evidence in proven)
        parts += [style.paint(f"{number} {said}", colour)] if number else []
    sizes = [(e.before.size, e.after.size) for e in proven if e.before and e.after and e.verdict is Verdict.HOLDS]
    saved = sum(before - after for before, after in sizes)
    return ", ".join(parts) + (f"; {size(saved)} saved" if saved > 0 else "")
