"""Whether what a container starts is there and can be started: commands, interpreters, links, versions of Python."""

import re
from collections.abc import Iterator
from posixpath import basename, dirname, join

from msgspec.structs import replace

from optimizer.report.evidence import Check, Difference
from optimizer.verify._start import started
from optimizer.verify.image import Image, Kind

_PYTHON = re.compile(r"python(\d+\.\d+)")
_SITE = re.compile(r"(.*)/lib(?:64)?/python(\d+\.\d+)/(?:site|dist)-packages")
# What links may lead to when a container runs, and manuals, which slim images lack.
_NOT_FOLLOWED = re.compile(r"/(?:proc|sys|dev|run|var/run|tmp|usr/share/(?:man|doc|info))(?:/.*)?")
_MOST_TOLD = 20
_ENV = re.compile(r"-\w+|--[\w-]+|\w+=.*")  # options and assignments of env(1)


# Scripts that compile native modules, whose interpreter a slimmer base has not; and manuals, which it leaves out.
_COMPILES = re.compile(r".*/node_modules/(?:node-gyp/update-gyp\.py|(?:node-gyp/gyp|nan|flatted/python)/.*)")
_MANUALS = re.compile(r"/usr/share/(?:doc|groff|info|linda|lintian|locale|man)/.*")

# Programs that shells have of their own too.
_OF_SHELLS = {"[", "test", "echo", "printf", "true", "false", "kill", "pwd", "time"}


def program_differences(before: Image, after: Image, slimmer: str | None = None) -> Iterator[Difference]:
    """Go through what could be started or followed before and cannot be any more.

    `slimmer` is the transform that took a slimmer base image: what compiles, and manuals, it announces.
    """
    yield from _commands(before, after)
    yield from _interpreters(before, after, slimmer)
    yield from _links(before, after, slimmer)
    yield from _pythons(before, after)


def _commands(before: Image, after: Image) -> Iterator[Difference]:
    told = _OF_SHELLS - {*after.words("Entrypoint")[:1], *after.words("Cmd")[:1]}
    for one in (*started(before), *started(after)):
        name = one.words[0]
        there = one.path(before)
        if there and name not in told and not one.path(after):
            told.add(name)
            yield Difference(Check.FILES, f"command {name} of {one.by}", there, None)


def _interpreters(before: Image, after: Image, slimmer: str | None) -> Iterator[Difference]:
    lacking: dict[tuple[str, str | None], list[Difference]] = {}
    for path, entry in after.entries.items():
        if not entry.shebang or not entry.is_program or _interpreter(after, entry.shebang):
            continue
        old = before.entries.get(path)
        known = _interpreter(before, old.shebang) if old and old.shebang else entry.shebang[0]
        if known:
            told = Difference(Check.FILES, f"interpreter {' '.join(entry.shebang)} of {path}", known, None)
            claimed = slimmer if _COMPILES.fullmatch(path) else None
            lacking.setdefault((entry.shebang[-1], claimed), []).append(told)
    for (_, claimed), (first, *rest) in lacking.items():
        yield Difference(Check.FILES, first.subject, first.before, None, claimed, len(rest))


def _interpreter(image: Image, shebang: tuple[str, ...]) -> str | None:
    """Return the program that starts a script, None where there is none."""
    if not image.is_program(join("/", shebang[0])):
        return None
    if basename(shebang[0]) != "env":
        return shebang[0]
    name = next((word for word in shebang[1:] if not _ENV.fullmatch(word)), None)
    return image.program(name) if name else shebang[0]


def _links(before: Image, after: Image, slimmer: str | None) -> Iterator[Difference]:
    """Go through the links that lead nowhere; where they are many, the first of each folder is told."""
    found = list(_dangling(before, after, slimmer))
    groups: dict[tuple[str, str | None], list[Difference]] = {}
    for at, one in enumerate(found):
        folder = dirname(one.subject) if len(found) > _MOST_TOLD else str(at)
        groups.setdefault((folder, one.claimed_by), []).append(one)
    yield from (replace(group[0], count=len(group) - 1) for group in groups.values())


def _dangling(before: Image, after: Image, slimmer: str | None) -> Iterator[Difference]:
    for path, entry in after.entries.items():
        if entry.kind is not Kind.LINK or after.real(path) or _NOT_FOLLOWED.fullmatch(entry.content):
            continue
        if path not in before.entries or before.real(path):
            claimed = slimmer if _MANUALS.fullmatch(path) else None
            was = before.real(path) or "not there"
            yield Difference(Check.FILES, f"link {path}", was, f"leads nowhere: {entry.content}", claimed)


def _pythons(before: Image, after: Image) -> Iterator[Difference]:
    for name in ("python", "python3"):
        was, now = _minor(before, before.program(name)), _minor(after, after.program(name))
        if was and now and was != now:
            yield Difference(Check.FILES, f"version of {name}", was, now)
    for path, entry in after.entries.items():
        found = _SITE.fullmatch(path) if entry.kind is Kind.FOLDER else None
        if found is None or not any(name != "README.txt" for name in after.children(path)):
            continue
        now = _minor(after, join(found[1], "bin/python")) or _minor(after, join(found[1], "bin/python3"))
        was = _minor(before, join(found[1], "bin/python")) or _minor(before, join(found[1], "bin/python3"))
        if now != found[2] and (path not in before.entries or was == found[2]):
            yield Difference(Check.FILES, f"Python of {path}", found[2], now)


def _minor(image: Image, path: str | None) -> str | None:
    """Return the version of Python that the name behind all links tells."""
    real = image.real(path) if path else None
    found = _PYTHON.fullmatch(basename(real)) if real else None
    return found[1] if found else None
