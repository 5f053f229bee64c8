"""Why BuildKit would refuse an instruction, as in moby/buildkit frontend/dockerfile/instructions/parse.go."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from optimizer.syntax._heredocs import read_mark
from optimizer.syntax._lexer import MalformedError
from optimizer.syntax._lines import BLANKS
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.syntax.nodes import Flag
from optimizer.syntax.pairs import PairsError, read_pairs


class Arguments(NamedTuple):
    """What is judged: the name in upper case, the value, the words of the JSON form, the escape character."""

    name: str
    value: str
    json: tuple[str, ...] | None
    escape: str

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the JSON form, or of the value."""
        if self.json is not None:
            return self.json
        return tuple(BLANKS.split(self.value)) if self.value else ()


def find_problem(arguments: Arguments, flags: tuple[Flag, ...]) -> str | None:
    """Return why BuildKit would refuse the instruction, None where it would not."""
    check = _CHECKS.get(arguments.name)
    if check is None:
        return f"unknown instruction {arguments.name}".strip()
    return check(arguments) or _flag_problem(arguments.name, flags)


def _one_or_more(arguments: Arguments) -> str | None:
    if arguments.value:
        return None
    return f"{arguments.name} requires at least one argument"


def _from(arguments: Arguments) -> str | None:
    words = arguments.words
    if len(words) == 1:
        return None
    if len(words) != _FROM_WITH_NAME or words[1].upper() != "AS":
        return "FROM requires either one or three arguments"
    return None if _STAGE_NAME.fullmatch(words[2].lower()) else f"invalid name for build stage: {words[2]}"


def _sources(arguments: Arguments) -> str | None:
    if len(arguments.words) < _SOURCE_AND_DESTINATION:
        return f"{arguments.name} requires at least two arguments"
    try:
        mark = read_mark(arguments.words[-1])
    except MalformedError:
        mark = None
    return f"{arguments.name} cannot accept a heredoc as a destination" if mark else None


def _pairs(arguments: Arguments) -> str | None:
    try:
        found = read_pairs(arguments.name, arguments.value, arguments.escape)
    except PairsError as error:
        return str(error)
    if not all(name for name, _ in found):
        return f"{arguments.name} names can not be blank"
    return None if found else f"{arguments.name} requires at least one argument"


def _healthcheck(arguments: Arguments) -> str | None:
    kind, *command = re.split(r"[\t\n\v\f\r ]+", arguments.value, maxsplit=1)
    if kind.upper() == "NONE":
        return "HEALTHCHECK NONE takes no arguments" if command else None
    if not kind:
        return "HEALTHCHECK requires at least one argument"
    if kind.upper() != "CMD":
        return f"unknown type {kind} in HEALTHCHECK"
    return None if command and arguments.json != () else "missing command after HEALTHCHECK CMD"


def _volume(arguments: Arguments) -> str | None:
    if all(word.strip() for word in arguments.words):
        return None if arguments.words else "VOLUME requires at least one argument"
    return "VOLUME specified can not be an empty string"


def _shell(arguments: Arguments) -> str | None:
    if arguments.json is None and arguments.value:
        return "SHELL requires the arguments to be in JSON form"
    return None if arguments.json else "SHELL requires at least one argument"


def _flag_problem(name: str, flags: tuple[Flag, ...]) -> str | None:
    seen: set[str] = set()
    known = _FLAGS.get(name, {})
    for flag in flags:
        kind = known.get(flag.name)
        if kind is None:
            return f"unknown flag --{flag.name}"
        if flag.name in seen and kind != "many":
            return f"duplicate flag specified: --{flag.name}"
        seen.add(flag.name)
        if problem := _value_problem(flag, kind):
            return problem
    return None


def _value_problem(flag: Flag, kind: str) -> str | None:
    if not (flag.value or "").isascii():
        return f"a character outside ASCII in --{flag.name}, which BuildKit garbles"
    if kind != "switch":
        return f"missing a value on flag: --{flag.name}" if flag.value is None else None
    if flag.value == "":
        return f"missing a value on flag: --{flag.name}"
    if flag.value is not None and flag.value.lower() not in ("true", "false"):
        return f"expecting boolean value for flag --{flag.name}"
    return None


_FROM_WITH_NAME = 3
_SOURCE_AND_DESTINATION = 2
_STAGE_NAME = lazy_pattern(r"[a-z][a-z0-9-_.]*")

_CHECKS: Mapping[str, Callable[[Arguments], str | None]] = {
    "ADD": _sources,
    "ARG": _pairs,
    "CMD": _one_or_more,
    "COPY": _sources,
    "ENTRYPOINT": _one_or_more,
    "ENV": _pairs,
    "EXPOSE": _one_or_more,
    "FROM": _from,
    "HEALTHCHECK": _healthcheck,
    "LABEL": _pairs,
    "MAINTAINER": _one_or_more,
    "ONBUILD": _one_or_more,
    "RUN": _one_or_more,
    "SHELL": _shell,
    "STOPSIGNAL": _one_or_more,
    "USER": _one_or_more,
    "VOLUME": _volume,
    "WORKDIR": _one_or_more,
}

_COPY_FLAGS = {"chown": "one", "chmod": "one", "link": "switch", "exclude": "many"}
_FLAGS: Mapping[str, Mapping[str, str]] = {
    "ADD": {**_COPY_FLAGS, "keep-git-dir": "switch", "checksum": "one", "unpack": "switch"},
    "COPY": {**_COPY_FLAGS, "from": "one", "parents": "switch"},
    "FROM": {"platform": "one"},
    "HEALTHCHECK": dict.fromkeys(("interval", "timeout", "start-period", "start-interval", "retries"), "one"),
    "RUN": {"mount": "many", "network": "one", "security": "one", "device": "many"},
}
