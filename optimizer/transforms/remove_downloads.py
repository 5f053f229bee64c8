"""Remove a downloaded archive in the RUN that unpacks it.

What a RUN leaves behind is in its layer for good: an archive that is fetched, unpacked and forgotten makes the image
larger by its whole size, and a later `rm` does not make it smaller again.
"""

import posixpath
import re
from collections.abc import Iterator

from msgspec import Struct

from optimizer.model import BASE_WORKDIR, Step
from optimizer.shell import state_changes
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._behind import why_not_behind
from optimizer.transforms._cleanup_place import insert_behind, why_rm_lost
from optimizer.transforms._download_uses import is_named, is_removed, later_use, other_use
from optimizer.transforms._downloads import File, fetched, unpacked
from optimizer.transforms._finding import Decline, Finding, Gain, Level, Rewrite
from optimizer.transforms._layout import chain_operator
from optimizer.transforms._mounts import mounted
from optimizer.transforms._transform import Example, Subject, transform
from optimizer.transforms._unread import UNPACKING, unread

_SIZE = 10_000_000  # bytes of an archive, where nothing is known of it
_IN_USE = lazy_pattern(r"\.(?:[jwe]ar|aar|whl|egg|phar|pyz|[hj]pi|nupkg|vsix)$", re.IGNORECASE)
_PLAIN = lazy_pattern(r"[\w./+-]+", re.ASCII)


@transform(
    level=Level.EXACT,
    gain="size",
    examples=(
        Example(
            "an archive is left behind",
            before="""
                FROM debian:12
                RUN curl -fsSLO https://example.com/tool.tgz && tar xzf tool.tgz
                """,
            after="""
                FROM debian:12
                RUN curl -fsSLO https://example.com/tool.tgz && tar xzf tool.tgz && rm tool.tgz
                """,
        ),
        Example(
            "the directory has changed since",
            before=r"""
                FROM debian:12
                RUN cd /tmp \
                 && wget -q https://example.com/tool-$VERSION.tar.gz \
                 && tar xzf tool-$VERSION.tar.gz \
                 && cd tool \
                 && make install
                """,
            after=r"""
                FROM debian:12
                RUN cd /tmp \
                 && wget -q https://example.com/tool-$VERSION.tar.gz \
                 && tar xzf tool-$VERSION.tar.gz \
                 && cd tool \
                 && make install \
                 && rm /tmp/tool-$VERSION.tar.gz
                """,
        ),
        Example(
            "it is removed already",
            before="""
                FROM debian:12
                RUN wget https://example.com/x.deb && dpkg -i x.deb && rm -f *.deb
                """,
        ),
        Example(
            "a later step uses it",
            before="""
                FROM debian:12
                RUN wget https://example.com/data.zip && unzip data.zip
                RUN cp data.zip /srv
                """,
            because="line 3 may use data.zip",
        ),
        Example(
            "it is unpacked in another layer",
            before="""
                FROM debian:12
                RUN wget https://example.com/data.zip
                RUN unzip data.zip
                """,
            because="data.zip is unpacked in line 3, in another layer",
        ),
    ),
)
def remove_downloads(subject: Subject) -> Iterator[Finding]:
    """Add the removal to every RUN of a shipped stage that fetches an archive and unpacks it."""
    unpacks = _unpacks(subject)
    for step in subject.dockerfile:
        if step.run is None or step.stage not in subject.dockerfile.shipped:
            continue
        if not_read := unread(step, UNPACKING):
            yield not_read
        left: list[_Left] = []
        for found in _found(subject, step, unpacks):
            if isinstance(found, _Left):
                left.append(found)
            else:
                yield found
        if left:
            yield _rewrite(subject, step, left)


class _Left(Struct, frozen=True):
    """A file to be removed, and how rm is told."""

    file: File
    text: str
    place: int  # the part of the script that the removal goes behind


def _unpacks(subject: Subject) -> dict[str, list[Step]]:
    """Return the RUNs that unpack or install a file, by its path."""
    found: dict[str, list[Step]] = {}
    for step in subject.dockerfile:
        env = {**step.state.args, **step.state.env} if step.run else {}
        for call in step.run.calls if step.run else ():
            for file in unpacked(call, env):
                found.setdefault(file.path, []).append(step)
    return found


def _found(subject: Subject, step: Step, unpacks: dict[str, list[Step]]) -> Iterator[_Left | Decline]:
    """Go through the archives that a RUN fetches and does not remove."""
    calls = step.run.calls if step.run else ()
    env = {**step.state.args, **step.state.env}
    opened = [(at, file) for at, call in enumerate(calls) for file in unpacked(call, env)]
    for at, call in enumerate(calls):
        files = fetched(call, env)
        if files is None:
            known = {f.path for c in calls for f in fetched(c, env) or ()}
            if any(file.path not in known for number, file in opened if number > at):
                yield Decline(step.line, "the name of the downloaded file cannot be told")
            continue
        for file in files:
            uses = [(number, use) for number, use in opened if number > at and use.path == file.path]
            if not uses:
                yield from _unpacked_later(step, file, unpacks)
            elif (removed := is_removed(file, calls[uses[-1][0] + 1 :], env)) is not True:
                yield _judged(subject, step, file, uses[-1][1], doubtful=removed is None)


def _unpacked_later(step: Step, file: File, unpacks: dict[str, list[Step]]) -> Iterator[Decline]:
    later = (s for s in unpacks.get(file.path, ()) if s.stage == step.stage and s.index > step.index)
    if other := next(later, None):
        yield Decline(step.line, f"{file.name} is unpacked in line {other.line}, in another layer")


def _judged(subject: Subject, step: Step, file: File, use: File, *, doubtful: bool) -> _Left | Decline:
    reason = _why_not(subject, step, file, use, doubtful=doubtful)
    place = None if reason else _place(step, use)
    text = _text(step, use, place) if place is not None else None
    if text is None or place is None:
        return Decline(step.line, reason or f"the directory at the end of the RUN cannot be told, so {file.name} stays")
    return _Left(use, text, place)


def _place(step: Step, use: File) -> int:
    """Return the part of the script to remove a file behind: the last, or what unpacks it if a script follows."""
    run = step.run
    if run is None:
        return 0
    behind = run.calls[run.calls.index(use.call) + 1 :]
    is_risky = any(map(why_rm_lost, behind)) and not any(is_named(use, call) for call in behind)
    return use.call.step if is_risky else len(run.script.root.parts) - 1


def _why_not(subject: Subject, step: Step, file: File, use: File, *, doubtful: bool) -> str | None:
    run = step.run
    if run is None or not run.editable:
        return run.why_not_editable if run else None
    if doubtful or file.path.startswith("/var/cache/"):  # apt-get clean and the like remove what lies there
        return f"the RUN may remove or move {file.name} itself"
    if not all(f.call.certain and not f.call.nested and f.call.user is None for f in (file, use)):
        return f"{file.name} is fetched or unpacked under a condition, in a nested script or as another user"
    if _IN_USE.search(file.name):
        return f"{file.name} is used as it is, from a class path or a folder of plugins perhaps"
    if mounted(step, file.folder if file.path.startswith("/") else ""):
        return f"a mount keeps {file.name} out of the layer already"
    if other := other_use(file, run.calls, (file.call.command, use.call.command)):
        return f"{other} uses {file.name} as well"
    return why_not_behind(step) or later_use(subject.dockerfile, subject.context, step, file)


def _text(step: Step, use: File, place: int) -> str | None:
    """Return how the file is named behind a part of the script, None where that cannot be told."""
    parts = step.run.script.root.parts[use.call.step : place + 1] if step.run else ()
    changes: frozenset[str] = frozenset().union(*map(state_changes, parts))
    if use.word.variables and changes & {"variables", "source"}:
        return None
    text = use.word.text
    if text.lstrip("\"'").startswith("/") or not changes & {"cd", "source"}:
        return text
    folder = use.call.directory
    if folder is None or BASE_WORKDIR in folder or not _PLAIN.fullmatch(folder):
        return None
    quote = text[0] if text[0] in "\"'" else ""
    return f"{quote}{posixpath.join(folder, text.removeprefix(quote).removeprefix('./'))}"


def _rewrite(subject: Subject, step: Step, left: list[_Left]) -> Rewrite:
    document, operator = subject.dockerfile.document, chain_operator(step)
    names = list(dict.fromkeys(item.file.name for item in left))
    commands = {
        place: " ".join(["rm", *dict.fromkeys(item.text for item in left if item.place == place)])
        for place in dict.fromkeys(item.place for item in left)
    }
    return Rewrite(
        line=step.line,
        title=f"Remove {' and '.join(names)} once {'they are' if names[1:] else 'it is'} unpacked",
        why=f"Only what was in {'them' if names[1:] else 'it'} is used, and the layer would keep "
        f"the {'archives' if names[1:] else 'archive'} for good.",
        edits=tuple(insert_behind(document, step, place, (command,), 0) for place, command in commands.items()),
        added=(*commands.values(), *((";",) * len(commands) if operator == ";" else ())),
        gain=Gain(bytes=_SIZE * len(left)),
        leaves_out=tuple(dict.fromkeys(item.file.path for item in left)),
    )
