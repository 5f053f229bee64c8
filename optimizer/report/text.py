"""The run for people: a hunk, its reason in one line, what was left alone and why, the totals."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from optimizer.engine import Result
from optimizer.report.entry import Entry
from optimizer.report.sections import Reason, Section, figures, left_alone, sections
from optimizer.report.sizes import change as compared
from optimizer.report.sizes import count, size
from optimizer.syntax.lazy_pattern import lazy_pattern

_LONGEST_LINE = 400
_CONTROL = lazy_pattern(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_COLOURS = {"bold": "1", "red": "31", "green": "32", "yellow": "33", "cyan": "36", "dim": "2"}


class Style(NamedTuple):
    """How the report looks: with colours or without; `written` when the files have been rewritten already.

    `proven` when what is shown held in builds, so that they stand in the place of assumptions.
    """

    colour: bool = False
    verbose: bool = False
    written: bool = False
    proven: bool = False

    def paint(self, text: str, colour: str) -> str:
        """Put a colour on a text."""
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self.colour else text


def text_report(entries: Sequence[Entry], style: Style) -> str:
    """Return the whole run as text; errors are not part of it, they have a stream of their own."""
    shown = [block for entry in entries if (block := "\n".join(_entry(entry, style)))]
    return "\n\n".join([*shown, totals(entries, style)]) + "\n"


def totals(entries: Sequence[Entry], style: Style) -> str:
    """Return the last line: files, changes, rewrites, places left alone, the estimated gain."""
    changed = sum(entry.changed for entry in entries)
    failed = sum(bool(entry.error) for entry in entries)
    results = [entry.result for entry in entries if entry.result and not entry.error]
    rewrites, declines = sum(len(r.applied) for r in results), sum(len(r.declined) for r in results)
    parts = [f"{count(len(entries), 'file')}: {_changed(changed, rewrites, style) if changed else 'nothing to do'}"]
    if failed and not changed:
        parts = [count(len(entries), "file")]
    if declines:
        parts.append(f"{count(declines, 'place')} left alone")
    if failed:
        parts.append(style.paint(count(failed, "error"), "red"))
    return style.paint(", ".join(parts), "bold") + _gain(entries)


def _changed(files: int, rewrites: int, style: Style) -> str:
    verb = "rewritten" if style.written else "would change"
    return f"{files:,} {verb} ({count(rewrites, 'rewrite')})"


def plain(text: str) -> str:
    """Make control characters visible, so that a file cannot drive the terminal; shorten endless lines."""
    text = _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
    return text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]}... ({len(text):,} characters)"


def _gain(entries: Iterable[Entry]) -> str:
    gains = [entry.gain for entry in entries]
    saved, layers = sum(g.bytes for g in gains), sum(g.layers for g in gains)
    parts = [f"{size(saved)} smaller"] if saved > 0 else []
    parts += [f"{count(layers, 'layer')} fewer"] if layers > 0 else []
    return f"; estimated {', '.join(parts)}" if parts else ""


def _entry(entry: Entry, style: Style) -> Iterator[str]:
    if entry.error or entry.result is None:
        return
    for section in sections(entry, proven=style.proven):
        yield from _section(section, style)
    if not entry.changes and style.verbose:
        yield style.paint(plain(entry.path), "bold") + ": nothing to do"
    yield from (style.paint(plain(line), "dim") for line in figures(entry))
    yield from _uncounted(entry.result, style)
    yield from _declines(entry, style)


def _uncounted(result: Result, style: Style) -> Iterator[str]:
    """Name what the predicted sizes leave out."""
    before, after = result.sizes
    if before is None or after is None or not style.verbose or not compared(before.bytes, after.bytes):
        return
    if unknown := dict.fromkeys((*before.unknown, *after.unknown)):
        yield style.paint(f"  not counted: {plain(', '.join(unknown))}", "dim")


def _section(section: Section, style: Style) -> Iterator[str]:
    change = section.change
    yield style.paint(plain(change.path) + (" (new file)" if change.before is None else ""), "bold")
    for part in section.parts:
        yield style.paint(part.hunk.header, "cyan")
        yield from (_line(line, style) for line in part.hunk.lines)
        yield from (_reason(reason, style) for reason in part.reasons)


def _line(line: str, style: Style) -> str:
    colour = {"-": "red", "+": "green"}.get(line[0])
    missing = "" if line.endswith("\n") else "  (no newline at the end)"
    text = plain(line.removesuffix("\n").removesuffix("\r")) + missing
    return style.paint(text, colour) if colour else text


def _reason(reason: Reason, style: Style) -> str:
    label = style.paint(f"[{reason.source}]" + (f" ({reason.places} places)" if reason.places > 1 else ""), "dim")
    return f"  {style.paint(f'=> {plain(reason.text)}', 'yellow')} {label}"


def _declines(entry: Entry, style: Style) -> Iterator[str]:
    found = left_alone(entry)
    if not found:
        return
    yield style.paint("left alone:", "dim")
    for left in found:
        more = f" (and {_lines(left.lines[1:])})" if len(left.lines) > 1 else ""
        yield f"  {plain(entry.path)}:{left.lines[0]} {left.transform}: {plain(left.reason)}{more}"


def _lines(lines: Sequence[int]) -> str:
    shown = ", ".join(map(str, lines[:8]))
    rest = f" and {len(lines) - 8} more" if len(lines) > 8 else ""  # noqa: PLR2004 (as many as fit on a line)
    return f"{'line' if len(lines) == 1 else 'lines'} {shown}{rest}"
