"""What a request says: the values that its templates are filled with."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from optimizer.bot.state import Notes, written
from optimizer.engine import Declined, Result
from optimizer.report import Entry
from optimizer.report.evidence_markdown import evidence_markdown
from optimizer.report.markup import code, escaped
from optimizer.report.sizes import change, count, size

Render = Callable[..., str]  # a template by its name, with its values

_LONGEST_PATH = 200  # GitHub's titles have 256 characters at most
_LONGEST = 60_000  # GitHub takes 65,536 characters
_MOST = 40  # places of one kind in one file that a reader may want to see
_TICKED = re.compile(r"^- \[[xX]\] (.+)$", re.MULTILINE)


class Texts(Struct, frozen=True):
    """What people read of a change: on the forge, and in the history."""

    title: str
    body: str
    message: str


class _File(Struct, frozen=True):
    """One Dockerfile in the body; all is Markdown already."""

    path: str
    layers: str
    saved: str
    again: str
    reasons: tuple[str, ...]
    declines: tuple[str, ...]
    more: int  # declines that are not shown


def title_of(paths: Sequence[str]) -> str:
    """Return the title of a request, which is the first line of its commit too."""
    if len(paths) > 1:
        return f"Optimize {len(paths)} Dockerfiles"
    path = _readable(" ".join(paths[0].split()))
    return f"Optimize {path if len(path) <= _LONGEST_PATH else '…' + path[-_LONGEST_PATH:]}"


def _readable(text: str) -> str:
    """Return a text that forges take: a name that is not UTF-8 has marks where it cannot be read."""
    return text.encode("utf-8", "replace").decode()


def message_of(entries: Sequence[Entry], render: Render) -> str:
    """Return the message of the commit."""
    changed = [entry for entry in entries if entry.changed]
    titles = [(entry.patch_path, tuple(_titles(entry))) for entry in changed]
    return render("pr/commit.txt.j2", title=title_of([path for path, _ in titles]), files=titles)


def body_of(entries: Sequence[Entry], notes: Notes, render: Render, *, before: str = "") -> str:
    """Return the body of a request; what was ticked in the body `before` stays ticked where it still stands."""
    body = _filled(entries, notes, render, declines=True)
    if len(body) > _LONGEST:
        body = _filled(entries, notes, render, declines=False)
    if len(body) > _LONGEST:
        head = body[:_LONGEST].rpartition("\n")[0]
        body = f"{head}\n\n(The rest is too long to show; `dfopt diff` tells it.)\n\n{written(notes)}\n"
    body = _readable(body)
    ticked = set(_TICKED.findall(before.replace("\r", "")))
    return re.sub(r"^- \[ \] (.+)$", lambda m: f"- [x] {m[1]}" if m[1] in ticked else m[0], body, flags=re.MULTILINE)


def _filled(entries: Sequence[Entry], notes: Notes, render: Render, *, declines: bool) -> str:
    changed = [entry for entry in entries if entry.changed]
    proven = [
        replace(entry.evidence, path=entry.patch_path) for entry in changed if entry.evidence and entry.evidence.builder
    ]
    return render(
        "pr/body.md.j2",
        files=[_file(entry) for entry in changed],
        others=sorted({code(c.patch_path) for e in changed for c in e.artifacts}),
        evidence=evidence_markdown(proven).rstrip() if proven else "",
        assumptions=list(dict.fromkeys(text for entry in changed for text in _assumptions(entry))),
        declines=declines,
        notes=written(notes),
    )


def _file(entry: Entry) -> _File:
    assert entry.result is not None  # noqa: S101 (for the types: it changed)
    before, after = entry.result.layers
    declines = _declines(entry.result.declined)
    return _File(
        path=code(entry.patch_path),
        layers=f"{before} → {after}" if before != after else str(after),
        saved=_size(entry.result),
        again=escaped(entry.after_edit.words) if entry.after_edit else "",
        reasons=tuple(_reasons(entry)),
        declines=tuple(declines[:_MOST]),
        more=max(0, len(declines) - _MOST),
    )


def _size(result: Result) -> str:
    """Say how large the image is before and after, or what little is known of that."""
    before, after = result.sizes
    if before is not None and after is not None and (percent := change(before.bytes, after.bytes)):
        return f"{size(before.bytes)} → {size(after.bytes)}, {percent}"
    return f"about {size(result.saved_bytes)} smaller" if result.saved_bytes > 0 else "as before"


def _titles(entry: Entry) -> Iterable[str]:
    applied = entry.result.applied if entry.result else ()
    return dict.fromkeys(one.rewrite.title for one in applied)


def _reasons(entry: Entry) -> Iterable[str]:
    """Go through the rewrites from top to bottom, each reason once."""
    applied = sorted(entry.result.applied, key=lambda one: one.line) if entry.result else []
    said = Counter((one.rewrite.title, one.rewrite.why, one.transform, str(one.level)) for one in applied)
    for (title, why, transform, level), often in said.items():
        places = f", {count(often, 'place')}" if often > 1 else ""
        yield f"**{escaped(title)}** ({code(transform)}, {level}{places}). {_sentence(escaped(why))}"


def _sentence(text: str) -> str:
    return f"{text.rstrip('.')}." if text else ""


def _assumptions(entry: Entry) -> Iterable[str]:
    for one in entry.result.applied if entry.result else ():
        if one.rewrite.assumption:
            yield f"{escaped(one.rewrite.assumption).rstrip('.')} ({code(one.transform)} in {code(entry.patch_path)})"


def _declines(declined: Iterable[Declined]) -> list[str]:
    places: dict[tuple[str, str], list[int]] = {}
    for one in declined:
        places.setdefault((one.transform, one.reason), []).append(one.line)
    return [
        f"line {', '.join(map(str, sorted(set(lines))[:8]))}, {code(transform)}: {escaped(reason)}"
        for (transform, reason), lines in sorted(places.items(), key=lambda item: item[1][0])
    ]
