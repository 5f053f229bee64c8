"""What a container starts: its command and its health check, followed through shells, wrappers, scripts and npm."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from posixpath import basename, join

from msgspec import Struct

from optimizer.shell import SHELLS, Call, calls, parse_script, resolve
from optimizer.verify.image import Image

START = "the start command"
HEALTH = "the health check"

_INITS = frozenset({"tini", "tini-static", "dumb-init", "docker-init", "catatonit"})
_TAKING = frozenset({"-p", "-e", "--rewrite", "-r"})  # options of these with an argument behind them
_SHELL = ("/bin/sh", "-c")
_RUNNERS = frozenset({"npm", "yarn", "pnpm", "bun"})
_NO_SCRIPTS = frozenset({"install", "add", "ci", "exec", "dlx", "x", "node", "config", "version"})
_ARGUMENTS = re.compile(r"\$\{?[@*]")
_DEPTH = 6


class Started(Struct, frozen=True):
    """A program that is started: by whom, with which words, in which directory; `folders` are looked in first."""

    by: str
    words: tuple[str, ...]
    directory: str
    folders: tuple[str, ...] = ()

    def path(self, image: Image) -> str | None:
        """Return where an image has the program, None where it has not."""
        name = self.words[0]
        if "/" in name:
            path = join(self.directory, name)
            return path if image.is_program(path) else None
        found = (join(folder, name) for folder in self.folders)
        return next((path for path in found if image.is_program(path)), None) or image.program(name)


def started(image: Image) -> tuple[Started, ...]:
    """Return all that is known to be started in an image, wrappers and scripts among it."""
    entry, command = image.words("Entrypoint"), image.words("Cmd")
    words = entry if entry[:2] == _SHELL else (*entry, *command)
    found = [*_from_words(image, Started(START, words, image.workdir), _DEPTH)]
    if entry and command and any(_ARGUMENTS.search(image.text(path) or "") for path in _scripts(image, found)):
        found += _from_words(image, Started(START, command, image.workdir), _DEPTH)
    check = image.config.get("Healthcheck")
    test = tuple(map(str, check.get("Test") or ())) if isinstance(check, Mapping) else ()
    if test[:1] == ("CMD-SHELL",):
        found += _from_words(image, Started(HEALTH, (*_SHELL, *test[1:]), image.workdir), _DEPTH)
    elif test[:1] == ("CMD",):
        found += _from_words(image, Started(HEALTH, test[1:], image.workdir), _DEPTH)
    return tuple(dict.fromkeys(found))


def _scripts(image: Image, found: list[Started]) -> Iterator[str]:
    return (path for one in found if (path := one.path(image)))


def _from_words(image: Image, one: Started, depth: int) -> Iterator[Started]:
    """Go through a program and what it starts in turn."""
    if not one.words or not depth:
        return
    yield one
    words = _behind_init(one.words)
    if words != one.words:
        yield from _from_words(image, Started(one.by, words, one.directory, one.folders), depth - 1)
        return
    name = basename(words[0])
    if name in SHELLS and "-c" not in words[1:2]:
        script = next((word for word in words[1:] if not word.startswith("-")), None)
        if script:
            yield from _from_script(image, join(one.directory, script), one, depth)
        return
    if name in _RUNNERS:
        yield from _from_package(image, one, depth)
        return
    if path := one.path(image):
        yield from _from_script(image, path, one, depth)
    for call in calls(parse_script(shlex.join(words)), one.directory, image.env):  # wrappers and `sh -c`
        if tuple(_values(call, image)) != words:
            yield from _from_call(image, call, one, depth)


def _behind_init(words: tuple[str, ...]) -> tuple[str, ...]:
    if basename(words[0]) not in _INITS:
        return words
    at = 1
    while at < len(words) and words[at].startswith("-"):
        if words[at] == "--":
            return words[at + 1 :]
        at += 2 if words[at] in _TAKING else 1
    return words[at:]


def _from_script(image: Image, path: str, by: Started, depth: int) -> Iterator[Started]:
    """Go through what a shell script starts."""
    entry, text = image.entry(path), image.text(path)
    if text is None or entry is None or not (entry.shebang or by.words[0] in SHELLS):
        return
    if entry.shebang and not SHELLS & {basename(word) for word in entry.shebang[:2]}:
        return
    for call in calls(parse_script(text), by.directory, image.env):
        yield from _from_call(image, call, Started(path, by.words, by.directory, by.folders), depth)


def _from_call(image: Image, call: Call, by: Started, depth: int) -> Iterator[Started]:
    words = tuple(_values(call, image))
    if words and words[0] and not call.own:
        yield from _from_words(image, Started(by.by, words, call.directory or by.directory, by.folders), depth - 1)


def _values(call: Call, image: Image) -> Iterator[str]:
    """Go through the words with the variables that are known; one that is not known is empty."""
    variables = {**image.env, **call.variables}
    return (resolve(word, variables) or "" for word in call.words)


def _from_package(image: Image, by: Started, depth: int) -> Iterator[Started]:
    """Go through what a script of package.json starts."""
    plain = [word for word in by.words[1:] if not word.startswith("-")]
    is_named = plain[:1] in (["run"], ["run-script"]) and len(plain) > 1
    name = plain[1] if is_named else "".join(plain[:1])
    scripts = package(image, by.directory).get("scripts")
    if (name in _NO_SCRIPTS and not is_named) or not isinstance(scripts, dict):
        return
    bins = (join(by.directory, "node_modules/.bin"), *by.folders)
    for each in (f"pre{name}", name, f"post{name}"):
        for call in calls(parse_script(str(scripts.get(each, ""))), by.directory, image.env):
            yield from _from_call(
                image, call, Started(f"{basename(by.words[0])} {name}", by.words, by.directory, bins), depth
            )


def package(image: Image, folder: str) -> dict[str, object]:
    """Return the package.json of a folder, empty where there is none that can be read."""
    try:
        found = json.loads(image.text(join(folder, "package.json")) or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
