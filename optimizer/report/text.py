"""The run for people: a hunk, its reason in one line, what was left alone and why, the totals."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from optimizer.engine import Applied, Declined, Result
from optimizer.images.lifecycle import as_of
from optimizer.report.diff import Hunk, hunks
from optimizer.report.entry import Change, Entry
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
    reasons = list(entry.result.applied)
    for change in entry.changes:
        own = change.path == entry.path
        yield from _change(change, [a for a in reasons if _belongs(a, change, own=own)], style)
    if not entry.changes and style.verbose:
        yield style.paint(plain(entry.path), "bold") + ": nothing to do"
    yield from _sizes(entry.result, style)
    yield from _declines(entry, style)


def _sizes(result: Result, style: Style) -> Iterator[str]:
    """Say how large the images will be, where that differs and can be told."""
    before, after = result.sizes
    if before is None or after is None or not compared(before.bytes, after.bytes):
        return
    text = f"predicted size on the disk: {size(before.bytes)} before, {size(after.bytes)} after"
    yield style.paint(f"{text} ({compared(before.bytes, after.bytes)}; image facts of {as_of()})", "dim")
    if style.verbose and (unknown := dict.fromkeys((*before.unknown, *after.unknown))):
        yield style.paint(f"  not counted: {plain(', '.join(unknown))}", "dim")


def _belongs(applied: Applied, change: Change, *, own: bool) -> bool:
    """Tell whether a rewrite explains a file: its edits the Dockerfile, its artifacts theirs."""
    if own:
        return bool(applied.rewrite.edits) or not applied.rewrite.artifacts
    return any(f"/{change.path}".endswith(f"/{artifact.path}") for artifact in applied.rewrite.artifacts)


def _change(change: Change, reasons: Sequence[Applied], style: Style) -> Iterator[str]:
    yield style.paint(plain(change.path) + (" (new file)" if change.before is None else ""), "bold")
    found = hunks(change.before or "", change.after)
    groups = _by_hunk(found, reasons) if change.before is not None else [list(reasons) for _ in found]
    for hunk, group in zip(found, groups, strict=True):
        yield style.paint(hunk.header, "cyan")
        yield from (_line(line, style) for line in hunk.lines)
        yield from _reasons(group, style)


def _by_hunk(found: Sequence[Hunk], reasons: Iterable[Applied]) -> list[list[Applied]]:
    """Give each rewrite to the hunks that it overlaps, or else to the one behind it (at the end: before it)."""
    groups: list[list[Applied]] = [[] for _ in found]
    lasts = [hunk.new_start + max(hunk.new_length, 1) - 1 for hunk in found]
    for applied in reasons:
        first = bisect_left(lasts, applied.line)
        end = first
        while end < len(found) and found[end].new_start <= applied.end_line:
            end += 1
        for group in groups[first:end] or groups[first : first + 1] or groups[-1:]:
            group.append(applied)
    return groups


def _line(line: str, style: Style) -> str:
    colour = {"-": "red", "+": "green"}.get(line[0])
    missing = "" if line.endswith("\n") else "  (no newline at the end)"
    text = plain(line.removesuffix("\n").removesuffix("\r")) + missing
    return style.paint(text, colour) if colour else text


def _reasons(group: Iterable[Applied], style: Style) -> Iterator[str]:
    """Go through the reasons of a hunk from top to bottom, each said once."""
    places = Counter(_said(applied, style) for applied in sorted(group, key=lambda applied: applied.line))
    for (reason, source), often in places.items():
        label = style.paint(f"[{source}]" + (f" ({often} places)" if often > 1 else ""), "dim")
        yield f"  {style.paint(f'=> {plain(reason)}', 'yellow')} {label}"


def _said(applied: Applied, style: Style) -> tuple[str, str]:
    """Return the reason in a line, and who gives it."""
    rewrite = applied.rewrite
    assumes = "Assumed, and borne out by the builds" if style.proven else "Assumes"
    sentences = [rewrite.title, rewrite.why, f"{assumes}: {rewrite.assumption}" if rewrite.assumption else ""]
    reason = " ".join(f"{sentence.rstrip('.')}." for sentence in sentences if sentence)
    return reason, f"{applied.transform}, {applied.level}"


def _declines(entry: Entry, style: Style) -> Iterator[str]:
    if not entry.result or not entry.result.declined:
        return
    yield style.paint("left alone:", "dim")
    for transform, reason, lines in _grouped(entry.result.declined):
        more = f" (and {_lines(lines[1:])})" if len(lines) > 1 else ""
        yield f"  {plain(entry.path)}:{lines[0]} {transform}: {plain(reason)}{more}"


def _grouped(declined: Iterable[Declined]) -> list[tuple[str, str, list[int]]]:
    """Put the lines together that were declined for the same reason, in the order of the first."""
    groups: dict[tuple[str, str], list[int]] = {}
    for item in declined:
        groups.setdefault((item.transform, item.reason), []).append(item.line)
    return sorted(((*key, sorted(set(lines))) for key, lines in groups.items()), key=lambda group: group[2][0])


def _lines(lines: Sequence[int]) -> str:
    shown = ", ".join(map(str, lines[:8]))
    rest = f" and {len(lines) - 8} more" if len(lines) > 8 else ""  # noqa: PLR2004 (as many as fit on a line)
    return f"{'line' if len(lines) == 1 else 'lines'} {shown}{rest}"
