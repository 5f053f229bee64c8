"""The run for templates: as Markdown for a comment, and as one HTML page with both versions side by side."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from optimizer.report.diff import Hunk
from optimizer.report.entry import Entry
from optimizer.report.evidence_markdown import evidence_markdown
from optimizer.report.markup import code, escaped
from optimizer.report.sections import Left, Reason, Section, figures, left_alone, sections
from optimizer.report.text import Style, plain, totals

_END, _RETURN = "\n", "\r"


class Row(Struct, frozen=True):
    """A line of the old file beside the line of the new one; None where there is none. `changed` is not context."""

    number: int | None
    old: str | None
    new_number: int | None
    new: str | None
    changed: bool


def markdown_values(entries: Sequence[Entry]) -> dict[str, object]:
    """Return what `report/diff.md.j2` shows; all of it is Markdown already."""
    built = [entry.evidence for entry in entries if entry.evidence and entry.evidence.builder]
    files = [
        {
            "path": code(section.change.patch_path),
            "new": section.change.before is None,
            "parts": [(_fenced(part.hunk), list(map(_reason, part.reasons))) for part in section.parts],
        }
        for section in _sections(entries)
    ]
    return {
        "files": files,
        "figures": [f"{code(entry.patch_path)}: {escaped(line)}" for entry in entries for line in figures(entry)],
        "left": [(code(entry.patch_path), list(map(_left, left_alone(entry)))) for entry in _declining(entries)],
        "errors": [
            f"{code(entry.patch_path or entry.path)}: {escaped(entry.error or '')}" for entry in _failed(entries)
        ],
        "evidence": evidence_markdown(built),
        "totals": totals(entries, Style()),
    }


def html_values(entries: Sequence[Entry]) -> dict[str, object]:
    """Return what `report/diff.html.j2` shows; the template escapes it."""
    files = [
        {
            "path": plain(section.change.patch_path),
            "new": section.change.before is None,
            "parts": [(part.hunk.header, list(rows(part.hunk)), part.reasons) for part in section.parts],
        }
        for section in _sections(entries)
    ]
    return {
        "files": files,
        "figures": [(plain(entry.patch_path), line) for entry in entries for line in figures(entry)],
        "left": [(plain(entry.patch_path), left_alone(entry)) for entry in _declining(entries)],
        "errors": [(plain(entry.patch_path or entry.path), entry.line, entry.error) for entry in _failed(entries)],
        "totals": totals(entries, Style()),
    }


def rows(hunk: Hunk) -> Iterator[Row]:
    """Put the lines of a hunk side by side: what goes beside what comes, in order."""
    number, new_number = hunk.start, hunk.new_start
    gone: list[Row] = []
    come: list[Row] = []
    for line in hunk.lines:
        text = plain(line[1:].removesuffix("\n").removesuffix("\r"))
        if line[0] == "-":
            gone.append(Row(number, text, None, None, changed=True))
        elif line[0] == "+":
            come.append(Row(None, None, new_number, text, changed=True))
        else:
            yield from _beside(gone, come)
            gone, come = [], []
            yield Row(number, text, new_number, text, changed=False)
        number += line[0] != "+"
        new_number += line[0] != "-"
    yield from _beside(gone, come)


def _beside(gone: Sequence[Row], come: Sequence[Row]) -> Iterator[Row]:
    for at in range(max(len(gone), len(come))):
        old = gone[at] if at < len(gone) else None
        new = come[at] if at < len(come) else None
        yield Row(
            old.number if old else None, old.old if old else None,
            new.new_number if new else None, new.new if new else None, changed=True,
        )  # fmt: skip


def _sections(entries: Sequence[Entry]) -> Iterator[Section]:
    for entry in entries:
        yield from sections(entry, proven=entry.evidence is not None and bool(entry.evidence.builder))


def _declining(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if not entry.error and left_alone(entry)]


def _failed(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.error]


def _fenced(hunk: Hunk) -> str:
    """Return a hunk as a block of code whose fence is longer than any in it."""
    text = "".join(f"{plain(line.removesuffix(_END).removesuffix(_RETURN))}\n" for line in hunk.lines)
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}diff\n{hunk.header}\n{text}{fence}"


def _reason(reason: Reason) -> str:
    places = f", {reason.places} places" if reason.places > 1 else ""
    return f"{escaped(reason.text)} ({code(reason.source)}{places})"


def _left(left: Left) -> str:
    lines = ", ".join(map(str, left.lines[:8])) + (", …" if len(left.lines) > 8 else "")  # noqa: PLR2004 (fit on a line)
    return f"line {lines}, {code(left.transform)}: {escaped(left.reason)}"
