"""Changes as a patch that `git apply` takes."""

from collections.abc import Iterable

from optimizer.report.diff import Hunk, hunks
from optimizer.report.entry import Change, Entry

_ESCAPES = {"\a": "\\a", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f", "\r": "\\r"}
_QUOTED = {**_ESCAPES, '"': '\\"', "\\": "\\\\"}


def patch(entries: Iterable[Entry]) -> str:
    """Return one patch for all changed files, paths relative to the root of the repository."""
    return "".join(file_patch(change) for entry in entries for change in entry.changes)


def file_patch(change: Change) -> str:
    """Return the patch of one file (git's diff format, see `git help diff`, "generating patch text with -p")."""
    old, new = _name("a", change.patch_path), _name("b", change.patch_path)
    created = change.before is None
    head = f"diff --git {old} {new}\n" + ("new file mode 100644\n" if created else "")
    found = hunks(change.before or "", change.after)
    if not found:
        return head
    source = "/dev/null" if created else _tabbed(old)
    return head + f"--- {source}\n+++ {_tabbed(new)}\n" + "".join(map(_hunk, found))


def _hunk(hunk: Hunk) -> str:
    return hunk.header + "\n" + "".join(map(_line, hunk.lines))


def _line(line: str) -> str:
    return line if line.endswith("\n") else line + "\n\\ No newline at end of file\n"


def _name(side: str, path: str) -> str:
    """Quote a path as git does where it holds control characters, quotes or back-slashes."""
    name = f"{side}/{path}"
    if not any(character in _QUOTED or character < " " or character == "\x7f" for character in name):
        return name
    return '"' + "".join(_QUOTED.get(c) or (c if " " <= c != "\x7f" else f"\\{ord(c):03o}") for c in name) + '"'


def _tabbed(name: str) -> str:
    """End a name that holds a space with a tab, where readers stop."""
    return name + "\t" if " " in name and not name.startswith('"') else name
