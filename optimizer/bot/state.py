"""The notes that dfopt keeps in the body of a request, as a comment that people do not see."""

import re
from collections.abc import Iterable

from msgspec import DecodeError, Struct
from msgspec.json import decode, encode

from optimizer.report import Change
from optimizer.report.diff import hunks

_NOTES = re.compile(r"<!-- dfopt (\{[^\n]*\}) -->")


class Notes(Struct, frozen=True, omit_defaults=True):
    """What dfopt did last.

    `change` names the change whatever it is applied to; `commit` is what dfopt pushed, `previous` what was there
    before it; `title` is the title that dfopt gave. `left`: it told that it leaves the branch to people; `done`: it
    closed the request itself, so that this was nobody's refusal.
    """

    change: str
    commit: str
    title: str = ""
    previous: str = ""
    left: bool = False
    done: bool = False


def written(notes: Notes) -> str:
    """Return the line that holds the notes; hashes, names and flags only, so that nothing ends the comment early."""
    return f"<!-- dfopt {encode(notes).decode()} -->"


def read(body: str) -> Notes | None:
    """Return the notes of a body, None where there are none that can be read."""
    found = _NOTES.findall(body)
    if not found:
        return None
    try:
        return decode(found[-1], type=Notes)
    except DecodeError:
        return None


def noted(body: str, notes: Notes) -> str:
    """Return a body with other notes, all else as it is."""
    return _NOTES.sub(lambda _: written(notes), body)


def change_id(changes: Iterable[Change]) -> str:
    """Name a change by the lines that go and come, so that an edit elsewhere in the file does not make it a new one."""
    lines = [
        f"{change.patch_path}\0{line}"
        for change in sorted(changes, key=lambda change: change.patch_path)
        for hunk in hunks(change.before or "", change.after)
        for line in hunk.lines
        if not line.startswith(" ")
    ]
    return digest("\n".join(lines))


def digest(text: str) -> str:
    """Return a short name for a text."""
    from hashlib import sha256

    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:20]
