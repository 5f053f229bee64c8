"""Keep the download caches of package managers out of the layers.

Package managers keep what they downloaded for the next install: package lists, indexes, archives. In an image
nothing reads them again, so they only make the layer larger. A flag that avoids them is used where there is one;
else they are removed in the same RUN, for a removal in a later one leaves them in the earlier layer.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

from optimizer.ecosystems import Cache, Ecosystem, all_ecosystems
from optimizer.ecosystems._system import SystemManager
from optimizer.model import Step
from optimizer.shell import Call
from optimizer.syntax import Document
from optimizer.transforms._behind import why_not_behind
from optimizer.transforms._finding import Decline, Edit, Finding, Gain, Level, Rewrite
from optimizer.transforms._layout import WIDTH, append_to_chain, chain_operator, continuation, insert_word
from optimizer.transforms._mounts import mounted
from optimizer.transforms._package_lists import reader_of_lists, refreshes
from optimizer.transforms._transform import Example, Subject, transform

# Bytes that a cache takes at least, by ecosystem: apt's lists of Debian 12 as measured, the rest rough.
_SIZES = {"apt": 20_000_000, "apk": 2_000_000, "dnf": 60_000_000, "zypper": 30_000_000}
_SIZE = 10_000_000
_FETCHING = frozenset({"-U", "--update-cache", "--update"})  # apk's options to fetch the index anew
# Flags that the tool of an old release refuses: pip before 6.0, which Debian 8 and Ubuntu 14.04 have, apk before 2.6.6
# (Alpine 3.3). By flag: a pattern for the tags of such releases.
_REFUSING = {
    "--no-cache-dir": re.compile(r"squeeze|wheezy|jessie|lucid|precise|trusty|1[0-4]\.(?:04|10)|debian:[678]\b"),
    "--no-cache": re.compile(r"alpine:?-?(?:2\.|3\.[0-2](?!\d))"),
}
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
    for step in subject.dockerfile:
        if step.run is None or step.stage not in subject.dockerfile.shipped:
            continue
        flagged: list[_Left] = []
        cleaned: list[_Left] = []
        for group in _groups(subject, step):
            reason = _why_not(subject, step, group)
            if reason:
                yield Decline(step.line, reason)
            elif group[0].cache.cleanup:
                cleaned.append(group[0])
            else:
                flagged += group
        if flagged or cleaned:
            yield _rewrite(subject, step, flagged, cleaned)


@dataclass(frozen=True, slots=True)
class _Left:
    """A cache that a call leaves behind."""

    ecosystem: Ecosystem
    call: Call
    cache: Cache


def _groups(subject: Subject, step: Step) -> list[list[_Left]]:
    """Return what a RUN leaves behind by cache; where one has to be removed, no flag is needed for it."""
    groups: dict[str, list[_Left]] = {}
    for left in _left(subject, step):
        groups.setdefault(left.cache.name, []).append(left)
    cleaned = {name: [left for left in group if left.cache.cleanup] for name, group in groups.items()}
    return [cleaned[name] or group for name, group in groups.items()]


def _left(subject: Subject, step: Step) -> Iterator[_Left]:
    calls = step.run.calls if step.run else ()
    env = {**step.state.args, **step.state.env}
    for at, call in enumerate(calls):
        found = ((e, cache) for e in all_ecosystems() if (cache := e.cache(call, {**env, **call.variables})))
        ecosystem, cache = next(found, (None, None))
        if ecosystem is None or cache is None or any(map(ecosystem.cleans, calls[at + 1 :])):
            continue
        if cache.decide:
            cache = cache.decide(subject.context)
        if not (cache.flag and any(word.value == cache.flag for word in call.arguments)):
            yield _Left(ecosystem, call, cache)


def _why_not(subject: Subject, step: Step, group: list[_Left]) -> str | None:
    """Say why a cache is left alone, None where it need not be."""
    run, cache = step.run, group[0].cache
    off = next((left.cache.off for left in group if left.cache.off), None)
    if off or run is None or not run.editable:
        return off or (run.why_not_editable if run else None)
    if any(mounted(step, target) for target in cache.targets):
        return f"a cache mount keeps {cache.name} out of the layer already"
    if any(left.call.nested for left in group):
        return "the install stands in a script within the script"
    if not all(left.call.certain for left in group):
        return "the install runs under a condition only"
    return _why_not_cleaned(subject, step, group) if cache.cleanup else _why_not_flagged(subject, step, group)


def _why_not_flagged(subject: Subject, step: Step, group: list[_Left]) -> str | None:
    """Say why a flag would not do: the release is too old for it, or a later install lives on what this one fetches."""
    flag = group[0].cache.flag or ""
    for stage in subject.dockerfile.lineage(step.stage):
        base = subject.dockerfile.stages[stage].base or ""
        if flag in _REFUSING and not base.startswith("python:") and _REFUSING[flag].search(base):
            return f"{base} may come with a release that does not know {flag}"
    stores = any(word.value in _FETCHING for left in group for word in left.call.arguments)
    manager = group[0].ecosystem.id
    return reader_of_lists(subject.dockerfile, subject.context, step, manager, flags_come=True) if stores else None


def _why_not_cleaned(subject: Subject, step: Step, group: list[_Left]) -> str | None:
    manager, cleanup = group[0].ecosystem.id, group[0].cache.cleanup
    if any(left.call.user is not None for left in group):
        return "the install runs as another user than the rest of the RUN"
    if step.state.user not in _ROOT and any(command.startswith("rm ") for command in cleanup):
        return f"the user is {step.state.user}"
    if reason := why_not_behind(step):
        return reason
    if not _is_used(step, group[0].ecosystem):
        return "no install of the RUN uses what it fetches"
    if not refreshes(subject.dockerfile, subject.context, step, manager):
        return "the lists come from an earlier layer, which a removal here would not make smaller"
    return reader_of_lists(subject.dockerfile, subject.context, step, manager)


def _is_used(step: Step, ecosystem: Ecosystem) -> bool:
    calls = step.run.calls if step.run else ()
    return not isinstance(ecosystem, SystemManager) or any(map(ecosystem.installs, calls))


def _rewrite(subject: Subject, step: Step, flagged: list[_Left], cleaned: list[_Left]) -> Rewrite:
    commands = list(dict.fromkeys(command for left in cleaned for command in left.cache.cleanup))
    operator = chain_operator(step)
    edits = [insert_word(step, after, left.cache.flag or "") for left in flagged if (after := left.cache.after)]
    if commands:
        edits.append(_appended(subject.dockerfile.document, step, commands, sum(len(e.text) for e in edits)))
    names = " and ".join(dict.fromkeys(left.cache.name for left in [*flagged, *cleaned]))
    managers = {left.ecosystem.id for left in [*flagged, *cleaned]}
    return Rewrite(
        line=step.line,
        title=f"Keep {names} out of the layer",
        why="Nothing in the image reads them again, and removing them in a later step would not make it smaller.",
        edits=tuple(edits),
        added=(*map(_with_flag, flagged), *commands, *((";",) * len(commands) if operator == ";" else ())),
        removed=tuple(str(left.call.command) for left in flagged),
        gain=Gain(bytes=sum(_SIZES.get(manager, _SIZE) for manager in managers)),
    )


def _appended(document: Document, step: Step, commands: list[str], widening: int) -> Edit:
    """Put commands behind the others; `widening` is what else makes a RUN of one line longer."""
    operator = chain_operator(step)
    edit = append_to_chain(document, step, commands, operator)
    line = step.instruction.text.rstrip("\r\n")
    if "\n" in line or len(line) + widening + len(edit.text) <= WIDTH:
        return edit
    joint = continuation(document, step.instruction, operator)
    return Edit(edit.span, "".join(joint + command for command in commands))


def _with_flag(left: _Left) -> str:
    """Return the command as it is with the flag in it."""
    command = left.call.command
    words = ((w, replace(w, text=left.cache.flag or "")) if w == left.cache.after else (w,) for w in command.words)
    return str(replace(command, words=tuple(chain.from_iterable(words))))
