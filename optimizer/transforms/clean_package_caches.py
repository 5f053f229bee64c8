"""Keep the download caches of package managers out of the layers.

Package managers keep what they downloaded for the next install: package lists, indexes, archives. In an image
nothing reads them again, so they only make the layer larger. A flag that avoids them is used where there is one;
else they are removed in the same RUN, for a removal in a later one leaves them in the earlier layer.
"""

from collections.abc import Iterator
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from optimizer.ecosystems import Ecosystem
from optimizer.ecosystems._system import SystemManager
from optimizer.model import Run, Step
from optimizer.shell import Compound, Kind
from optimizer.transforms._behind import why_not_last
from optimizer.transforms._cache_uses import why_missed
from optimizer.transforms._caches_left import Left, caches_left, why_refused
from optimizer.transforms._cleanup_place import as_started, insert_behind, place_of, replaces_itself
from optimizer.transforms._finding import Decline, Edit, Finding, Gain, Level, Rewrite
from optimizer.transforms._layout import chain_operator, insert_word
from optimizer.transforms._mounts import mounted
from optimizer.transforms._package_lists import reader_behind, reader_of_lists, refreshes, why_configured
from optimizer.transforms._transform import Example, Subject, transform
from optimizer.transforms._unread import ANY_INSTALL, unread

# Bytes that a cache takes at least, by ecosystem: apt's lists of Debian 12 as measured, the rest rough.
_SIZES = {"apt": 20_000_000, "apk": 2_000_000, "dnf": 60_000_000, "zypper": 30_000_000}
_SIZE = 10_000_000
_FETCHING = frozenset({"-U", "--update-cache", "--update"})  # apk's options to fetch the index anew
_ROOT = frozenset({None, "root", "0", "root:root", "0:0"})


@transform(
    level=Level.EXACT,
    gain="size",
    aliases=(
        "hadolint:DL3009", "hadolint:DL3019", "hadolint:DL3032", "hadolint:DL3036", "hadolint:DL3040",
        "hadolint:DL3042", "hadolint:DL3060",
    ),
    examples=(
        Example(
            "apt's lists go in the RUN that fetched them",
            before="""
                FROM debian:12
                RUN apt-get update && apt-get install -y curl
                """,
            after="""
                FROM debian:12
                RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*
                """,
        ),
        Example(
            "the layout of the file is kept",
            before=r"""
                FROM debian:12
                RUN apt-get update \
                 && apt-get install -y \
                      curl \
                      git
                """,
            after=r"""
                FROM debian:12
                RUN apt-get update \
                 && apt-get install -y \
                      curl \
                      git \
                 && rm -rf /var/lib/apt/lists/*
                """,
        ),
        Example(
            "apk has a flag",
            before="""
                FROM alpine:3.20
                RUN apk add curl
                """,
            after="""
                FROM alpine:3.20
                RUN apk add --no-cache curl
                """,
        ),
        Example(
            "npm cleans up before something may take it away",
            before="""
                FROM node:22
                RUN npm ci && ./harden.sh
                """,
            after="""
                FROM node:22
                RUN npm ci && npm cache clean --force && ./harden.sh
                """,
        ),
        Example(
            "a later removal would fail",
            before="""
                FROM alpine:3.20
                RUN apk add curl
                RUN rm /var/cache/apk/*
                """,
            because="the rm of line 3 fails where there is nothing to remove",
        ),
        Example(
            "a later install still reads the lists",
            before="""
                FROM debian:12
                RUN apt-get update && apt-get install -y curl
                RUN apt-get install -y git
                """,
            because="line 3 installs packages and needs the lists",
        ),
        Example(
            "a cache mount keeps them out of the layer already",
            before="""
                FROM debian:12
                RUN --mount=type=cache,target=/var/lib/apt apt-get update && apt-get install -y curl
                """,
            because="a cache mount",
        ),
        Example(
            "a script that is not known might install more",
            before="""
                FROM debian:12
                RUN apt-get update && apt-get install -y curl
                RUN /opt/setup.sh
                """,
            because="could need the lists",
        ),
    ),
)  # fmt: skip
def clean_package_caches(subject: Subject) -> Iterator[Finding]:
    """Add the flag or the removal to every RUN of a shipped stage that fills a cache."""
    shipped = subject.dockerfile.shipped
    for step in subject.dockerfile:
        if step.run is None or step.stage not in shipped:
            continue
        if not_read := unread(step, ANY_INSTALL):
            yield not_read
        flagged: list[Left] = []
        cleaned: list[_Removal] = []
        for group in caches_left(subject.dockerfile, subject.context, step):
            found = _judged(subject, step, group)
            if isinstance(found, Decline):
                yield found
            elif isinstance(found, _Removal):
                cleaned.append(found)
            else:
                flagged += found
        if flagged or cleaned:
            yield _rewrite(subject, step, flagged, cleaned)


class _Removal(Struct, frozen=True):
    """Commands that remove a cache, and the part of the script that they go behind."""

    left: Left
    commands: tuple[str, ...]
    place: int


def _judged(subject: Subject, step: Step, group: list[Left]) -> list[Left] | _Removal | Decline:
    """Return the calls that get a flag, or the removal, or why the cache is left alone."""
    reason = _why_not(step, group) or next((w for o in group if (w := why_missed(subject.dockerfile, step, o))), None)
    if reason:
        return Decline(step.line, reason)
    if not group[0].cache.cleanup:
        reason = _why_not_flagged(subject, step, group)
        return Decline(step.line, reason) if reason else group
    reason = _why_not_cleaned(subject, step, group)
    return Decline(step.line, reason) if reason else _removal(subject, step, group)


def _why_not(step: Step, group: list[Left]) -> str | None:
    """Say why a cache is left alone, None where it need not be."""
    run, cache = step.run, group[0].cache
    off = next((left.cache.off for left in group if left.cache.off), None)
    if off or run is None or not run.editable:
        return off or (run.why_not_editable if run else None)
    if any(mounted(step, target) for target in cache.targets):
        return f"a cache mount keeps {cache.name} out of the layer already"
    if any(left.call.nested for left in group):
        return "the install stands in a script within the script"
    if not all(left.call.certain or _is_removed_anyway(run, left) for left in group):
        return "the install runs under a condition only"
    return None


def _is_removed_anyway(run: Run, left: Left) -> bool:
    """Tell whether an install stands in a loop, which hardly ever has no turn, and its removal does no harm if so."""
    part = run.script.root.parts[left.call.step]
    looping = isinstance(part, Compound) and part.kind is Kind.LOOP
    return looping and bool(left.cache.cleanup) and all(c.startswith("rm -rf /") for c in left.cache.cleanup)


def _why_not_flagged(subject: Subject, step: Step, group: list[Left]) -> str | None:
    """Say why a flag would not do: the release is too old for it, or a later install lives on what this one fetches."""
    if reason := why_refused(subject.dockerfile, step, group[0].cache.flag or ""):
        return reason
    stores = any(word.value in _FETCHING for left in group for word in left.call.arguments)
    manager = group[0].ecosystem.id
    return reader_of_lists(subject.dockerfile, subject.context, step, manager, flags_come=True) if stores else None


def _why_not_cleaned(subject: Subject, step: Step, group: list[Left]) -> str | None:
    manager, cleanup = group[0].ecosystem.id, group[0].cache.cleanup
    if any(left.call.user is not None for left in group):
        return "the install runs as another user than the rest of the RUN"
    if step.state.user not in _ROOT and any(command.startswith("rm ") for command in cleanup):
        return f"the user is {step.state.user}"
    needs_tool = not all(command.startswith("rm -rf /") for command in cleanup)
    refused = (why_refused(subject.dockerfile, step, word) for command in cleanup for word in command.split())
    first = min(left.call.step for left in group) if needs_tool else None
    if reason := next(filter(None, refused), None) or why_not_last(step, first):
        return reason
    if not _is_used(step, group[0].ecosystem):
        return "no install of the RUN uses what it fetches"
    if not refreshes(subject.dockerfile, subject.context, step, manager):
        return "the lists come from an earlier layer, which a removal here would not make smaller"
    configured = why_configured(subject.dockerfile, step) if manager == "apt" else None
    return configured or reader_of_lists(subject.dockerfile, subject.context, step, manager)


def _is_used(step: Step, ecosystem: Ecosystem) -> bool:
    calls = step.run.calls if step.run else ()
    return not isinstance(ecosystem, SystemManager) or any(map(ecosystem.installs, calls))


def _removal(subject: Subject, step: Step, group: list[Left]) -> _Removal | Decline:
    run, left = step.run, group[-1]
    commands = dict.fromkeys(as_started(command, o.call) for o in group for command in o.cache.cleanup)
    if run is None or None in commands:
        return Decline(step.line, f"how {left.call.program} is started to clean up is not known")
    later = (c.program for o in subject.dockerfile.after(step) if o.run for c in o.run.calls if c.certain)
    if replaces_itself(step, left.call) and left.call.program not in later:
        return Decline(step.line, f"the install may leave an {left.call.program} that does not run")
    system = left.ecosystem if isinstance(left.ecosystem, SystemManager) else None
    users = [call for call in run.calls if system and system.installs(call)]
    place = place_of(step, [*users, *(o.call for o in group)], left.cache.cleanup[0])
    if isinstance(place, str):
        return Decline(step.line, place)
    rest = [call for call in run.calls if call.step > place]
    if reason := reader_behind(subject.dockerfile, subject.context, step, left.ecosystem.id, rest):
        return Decline(step.line, reason)
    return _Removal(left, tuple(filter(None, commands)), place)


def _rewrite(subject: Subject, step: Step, flagged: list[Left], cleaned: list[_Removal]) -> Rewrite:
    operator = chain_operator(step)
    lefts = [*flagged, *(removal.left for removal in cleaned)]
    edits = [insert_word(step, after, left.cache.flag or "") for left in flagged if (after := left.cache.after)]
    edits += _removals(subject, step, cleaned, sum(len(edit.text) for edit in edits))
    commands = _by_place(cleaned)
    added = [command for each in commands.values() for command in each]
    return Rewrite(
        line=step.line,
        title=f"Keep {' and '.join(dict.fromkeys(left.cache.name for left in lefts))} out of the layer",
        why="No container needs that again, and a removal in a later step would not make the image smaller.",
        edits=tuple(edits),
        added=(*map(_with_flag, flagged), *added, *((";",) * len(added) if operator == ";" else ())),
        removed=tuple(str(left.call.command) for left in flagged),
        gain=Gain(bytes=sum(_SIZES.get(manager, _SIZE) for manager in {left.ecosystem.id for left in lefts})),
        leaves_out=tuple(sorted({folder for left in lefts for folder in left.folders})),
    )


def _by_place(cleaned: list[_Removal]) -> dict[int, list[str]]:
    """Return the commands that go behind each part of the script, each once."""
    found: dict[int, list[str]] = {}
    for removal in cleaned:
        at = found.setdefault(removal.place, [])
        at += [command for command in removal.commands if command not in at]
    return found


def _removals(subject: Subject, step: Step, cleaned: list[_Removal], widening: int) -> Iterator[Edit]:
    """Put the removals in their places; `widening` is what else makes a RUN of one line longer."""
    for place, commands in _by_place(cleaned).items():
        yield insert_behind(subject.dockerfile.document, step, place, commands, widening)


def _with_flag(left: Left) -> str:
    """Return the command as it is with the flag in it."""
    command = left.call.command
    words = ((w, replace(w, text=left.cache.flag or "")) if w == left.cache.after else (w,) for w in command.words)
    return str(replace(command, words=tuple(chain.from_iterable(words))))
