"""What is shown of an entry, whatever the form: its files hunk by hunk with the reasons, and what was left alone."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from optimizer.engine import Applied, Declined
from optimizer.images.lifecycle import as_of
from optimizer.report.diff import Hunk, hunks
from optimizer.report.entry import Change, Entry
from optimizer.report.sizes import change as compared
from optimizer.report.sizes import size


class Reason(Struct, frozen=True):
    """Why lines change: `text` in sentences, `source` the transform and its level, at how many `places`."""

    text: str
    source: str
    places: int


class Part(Struct, frozen=True):
    """A hunk with its reasons, from top to bottom, each once."""

    hunk: Hunk
    reasons: tuple[Reason, ...]


class Section(Struct, frozen=True):
    """A file that changes."""

    change: Change
    parts: tuple[Part, ...]


class Left(Struct, frozen=True):
    """Places that were left alone for the same reason, by their lines."""

    transform: str
    reason: str
    lines: tuple[int, ...]


def sections(entry: Entry, *, proven: bool = False) -> tuple[Section, ...]:
    """Return the files of an entry that change, the Dockerfile first; `proven`: what is assumed held in builds."""
    if entry.error or entry.result is None:
        return ()
    applied = entry.result.applied
    return tuple(
        _section(change, [a for a in applied if _belongs(a, change, own=change.path == entry.path)], proven=proven)
        for change in entry.changes
    )


def left_alone(entry: Entry) -> tuple[Left, ...]:
    """Return what was left alone, in the order of the first line of each reason."""
    declined: Iterable[Declined] = entry.result.declined if entry.result else ()
    groups: dict[tuple[str, str], list[int]] = {}
    for item in declined:
        groups.setdefault((item.transform, item.reason), []).append(item.line)
    found = [Left(*key, tuple(sorted(set(lines)))) for key, lines in groups.items()]
    return tuple(sorted(found, key=lambda left: left.lines[0]))


def figures(entry: Entry) -> tuple[str, ...]:
    """Return what is predicted of a rewrite, a line each: the size of the image, the steps that an edit runs again."""
    before, after = entry.result.sizes if entry.result else (None, None)
    found: list[str] = []
    if before is not None and after is not None and (percent := compared(before.bytes, after.bytes)):
        sizes = f"predicted size on the disk: {size(before.bytes)} before, {size(after.bytes)} after"
        found.append(f"{sizes} ({percent}; image facts of {as_of()})")
    return (*found, *([entry.after_edit.words] if entry.after_edit else []))


def said(applied: Applied, *, proven: bool = False) -> str:
    """Return the reason of a rewrite in a line."""
    rewrite = applied.rewrite
    assumes = "Assumed, and borne out by the builds" if proven else "Assumes"
    sentences = [rewrite.title, rewrite.why, f"{assumes}: {rewrite.assumption}" if rewrite.assumption else ""]
    return " ".join(f"{sentence.rstrip('.')}." for sentence in sentences if sentence)


def _section(change: Change, reasons: Sequence[Applied], *, proven: bool) -> Section:
    found = hunks(change.before or "", change.after)
    groups = _by_hunk(found, reasons) if change.before is not None else [list(reasons) for _ in found]
    parts = (Part(hunk, _reasons(group, proven=proven)) for hunk, group in zip(found, groups, strict=True))
    return Section(change, tuple(parts))


def _belongs(applied: Applied, change: Change, *, own: bool) -> bool:
    """Tell whether a rewrite explains a file: its edits the Dockerfile, its artifacts theirs."""
    if own:
        return bool(applied.rewrite.edits) or not applied.rewrite.artifacts
    return any(f"/{change.path}".endswith(f"/{artifact.path}") for artifact in applied.rewrite.artifacts)


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


def _reasons(group: Iterable[Applied], *, proven: bool) -> tuple[Reason, ...]:
    """Go through the reasons of a hunk from top to bottom, each said once."""
    in_order = sorted(group, key=lambda applied: applied.line)
    places = Counter((said(one, proven=proven), f"{one.transform}, {one.level}") for one in in_order)
    return tuple(Reason(text, source, often) for (text, source), often in places.items())
