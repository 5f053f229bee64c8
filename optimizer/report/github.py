"""The run as annotations of a GitHub workflow.

The form is that of https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands.
"""

from collections.abc import Iterator, Sequence

from optimizer.report.entry import Entry
from optimizer.report.sections import Part, sections
from optimizer.report.text import Style, totals
from optimizer.transforms import Level

_MESSAGE = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_MESSAGE, ":": "%3A", ",": "%2C"}


def github(entries: Sequence[Entry]) -> str:
    """Return an annotation for each stretch of lines that changes, at the lines as they are, and the totals."""
    lines = [line for entry in entries for line in _annotations(entry)]
    return "\n".join([*lines, totals(entries, Style())]) + "\n"


def _annotations(entry: Entry) -> Iterator[str]:
    path = entry.patch_path or entry.path
    if entry.error:
        yield _command("error", path, (entry.line or 1, entry.line or 1), "dfopt", entry.error)
    for section in sections(entry):
        new = section.change.before is None
        for part in section.parts:
            # A file that is not there yet can hold no annotation: the Dockerfile holds it.
            place = (path, (1, 1)) if new else (section.change.patch_path, _lines(part))
            kind = "notice" if all(r.source.endswith(f", {Level.ASSUMED}") for r in part.reasons) else "warning"
            yield _command(kind, *place, "dfopt", _said(part, section.change.patch_path if new else ""))


def _lines(part: Part) -> tuple[int, int]:
    """Return the first and the last old line that a hunk takes away; the one before it where it only adds."""
    number, found = part.hunk.start - 1, []
    for line in part.hunk.lines:
        number += line[0] != "+"
        if line[0] != " ":
            found.append(max(number, 1))
    return found[0], found[-1]


def _said(part: Part, created: str) -> str:
    marks = [at for at, line in enumerate(part.hunk.lines) if line[0] != " "]
    changed = part.hunk.lines[marks[0] : marks[-1] + 1]
    added = "".join(line[1:] for line in changed if line[0] != "-").rstrip("\n")
    reasons = (f"{reason.text} [{reason.source}]" for reason in part.reasons)
    return "\n".join([*reasons, "", f"{created}:" if created else "It would read:", added])


def _command(kind: str, path: str, lines: tuple[int, int], title: str, message: str) -> str:
    file, name = _escaped(path, _PROPERTY), _escaped(title, _PROPERTY)
    place = f"file={file},line={lines[0]},endLine={lines[1]},title={name}"
    return f"::{kind} {place}::{_escaped(message, _MESSAGE)}"


def _escaped(text: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(char, char) for char in text)
