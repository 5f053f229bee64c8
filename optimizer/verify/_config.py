"""The configurations of two images, compared field by field (OCI image specification, config.md)."""

import json
import signal
from collections.abc import Iterator, Mapping

from optimizer.report.evidence import Check, Difference
from optimizer.shell import Command, parse_script
from optimizer.verify.image import Image

# What says how the container was made in which the image was built, and what only Windows reads (ArgsEscaped).
_OF_THE_BUILD = frozenset(
    "ArgsEscaped AttachStderr AttachStdin AttachStdout Domainname Hostname Image MacAddress NetworkDisabled OpenStdin"
    " StdinOnce Tty".split()
)
_BY_NAME = frozenset({"Env", "Labels", "Volumes", "ExposedPorts"})
_SHELL = ("/bin/sh", "-c")
_START = ("Cmd", "Entrypoint")


def config_differences(
    before: Image, after: Image, start: str | None, variables: Mapping[str, str] | None = None
) -> Iterator[Difference]:
    """Go through the fields that differ.

    `start` is the transform that may have given the start its exec form; `variables` maps those that may be gone to
    the transform that says so.
    """
    for name in sorted((before.config.keys() | after.config.keys()) - _OF_THE_BUILD - _BY_NAME):
        was, now = (_plain(name, image.config.get(name)) for image in (before, after))
        if was != now:
            claimed = (
                start if name in _START and start and is_exec_form(before.words(name), after.words(name)) else None
            )
            yield Difference(Check.CONFIG, name, _told(was), _told(now), claimed)
    for name in sorted(_BY_NAME):
        was, now = (_named(name, image) for image in (before, after))
        for key in sorted(was.keys() | now.keys()):
            if was.get(key) != now.get(key):
                claimed = (variables or {}).get(key) if name == "Env" and _may_go(key, was, now) else None
                yield Difference(Check.CONFIG, f"{name} {key}", was.get(key), now.get(key), claimed)


def _may_go(key: str, was: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Tell whether a variable is gone, or PATH has lost folders at most: those of the tools that are gone."""
    if key != "PATH" or key not in now:
        return key not in now
    left = iter(was.get(key, "").split(":"))
    return all(folder in left for folder in now[key].split(":"))


def is_exec_form(before: tuple[str, ...], after: tuple[str, ...]) -> bool:
    """Tell whether a list of words starts what a shell would start for the line in another."""
    if before[:2] != _SHELL or len(before) != len(_SHELL) + 1:
        return False
    script = parse_script(before[2])
    command = script.root.parts[0] if script.problem is None and len(script.root.parts) == 1 else None
    if not isinstance(command, Command) or command.assignments or command.redirects or script.root.operators:
        return False
    words = [word.value for word in command.words]
    return words[words[:1] == ["exec"] :] == list(after)


def _plain(name: str, value: object) -> object:
    """Return a value in one of the ways to write it: a field that is not there has the value that holds without it."""
    if name == "User":
        return "root" if value in {None, "", "0", "root"} else value
    if name == "WorkingDir":
        return value or "/"
    if name == "StopSignal":
        return _signal(str(value or "SIGTERM"))
    return value or None


def _signal(name: str) -> str:
    if name.isdigit() and int(name) in set(signal.Signals):
        return signal.Signals(int(name)).name
    return name if name.startswith("SIG") or name.isdigit() else f"SIG{name}"


def _named(field: str, image: Image) -> Mapping[str, str]:
    """Return a field of the kind that is a mapping, by name."""
    if field == "Env":
        return image.env
    value = image.config.get(field)
    found = value if isinstance(value, Mapping) else {}
    if field == "Labels":
        return {str(name): str(text) for name, text in found.items()}
    if field == "ExposedPorts":
        return {name if "/" in name else f"{name}/tcp": "exposed" for name in map(str, found)}
    return {str(name).rstrip("/") or "/": "declared" for name in found}


def _told(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, sort_keys=True)
