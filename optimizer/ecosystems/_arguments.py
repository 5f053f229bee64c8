"""The arguments of a call, read with tables of the options that its program knows.

An option that is in no table is a refusal: it may take the next word as its value, or name a file to read.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from posixpath import join, normpath

from msgspec import Struct

from optimizer.ecosystems._files import Refused
from optimizer.ecosystems.ecosystem import Project, Refusal
from optimizer.shell import Call, Word, resolve
from optimizer.syntax.lazy_pattern import lazy_pattern

_SHOWN = 60
_RECURSIVE = lazy_pattern(r"-[a-zA-Z]*[rR][a-zA-Z]*|--recursive")
# `uvicorn[standard]` and `.[dev]` are patterns to a shell, which keeps them where no file matches.
_EXTRAS = lazy_pattern(r"[\w./-]*\[[\w,.-]+\]", re.ASCII)


class Options(Struct, frozen=True):
    """The options of a program: `switches` stand alone, `values` take one (`--name=x`, `--name x`, `-nx`).

    With `negatable`, `--no-name` and `--name=false` stand for every long option that is known.
    """

    switches: frozenset[str]
    values: frozenset[str]
    negatable: bool = False

    @classmethod
    def of(cls, switches: str, values: str, *, negatable: bool = False) -> "Options":
        """Make the tables of words separated by white space."""
        return cls(frozenset(switches.split()), frozenset(values.split()), negatable)

    def __or__(self, other: "Options") -> "Options":
        """Join two sets of tables."""
        return Options(self.switches | other.switches, self.values | other.values, self.negatable or other.negatable)


class Argument(Struct, frozen=True):
    """A word that is no option. `value` is None where a variable hides it; `text` is as written, without quotes."""

    value: str | None
    text: str
    word: Word


class Arguments(Struct, frozen=True):
    """What a program was given: the plain words and the options in order (a switch has the value "")."""

    plain: tuple[Argument, ...]
    options: tuple[tuple[str, str | None], ...]

    def has(self, *names: str) -> bool:
        """Tell whether one of these options is given and not switched off (`--production=false`)."""
        return any(name in names and value != "false" for name, value in self.options)

    def denies(self, name: str) -> bool:
        """Tell whether a switch is given as off (`--no-save`, `--save=false`)."""
        return (name, "false") in self.options

    def all(self, *names: str) -> tuple[str | None, ...]:
        """Return the values of these options, in order."""
        return tuple(value for name, value in self.options if name in names)

    def hidden(self, *names: str) -> bool:
        """Tell whether one of these options has a value that cannot be told."""
        return None in self.all(*names)

    def last(self, *names: str) -> str | None:
        """Return the value of the last of these options."""
        return next(iter(reversed(self.all(*names))), None)


def parse(words: Sequence[Word], known: Options, variables: Mapping[str, str | None]) -> Arguments | Refusal:
    """Read the words behind the program; say which word cannot be understood."""
    try:
        return _parse(words, known, variables)
    except Refused as refused:
        return Refusal(str(refused))


def _parse(words: Sequence[Word], known: Options, variables: Mapping[str, str | None]) -> Arguments:
    plain: list[Argument] = []
    options: list[tuple[str, str | None]] = []
    rest = iter(words)
    for word in rest:
        value = _value(word, variables)
        text = _bare(word.text) if value is None else value
        if text == "--":
            plain += [Argument(resolve(w, variables), _bare(w.text), w) for w in rest]
        elif not text.startswith("-") or text == "-":
            plain.append(Argument(value, text, word))
        elif (found := _option(text, hidden=value is None, known=known, rest=rest, variables=variables)) is None:
            raise Refused(f"the option {_short(word.text)} is not known")
        else:
            options += found
    return Arguments(tuple(plain), tuple(options))


def command_of(words: Sequence[Word], known: Options) -> Word | None:
    """Return the first word that is no option nor its value, None where that cannot be told."""
    rest = iter(words)
    for word in rest:
        text = word.text if word.value is None else word.value
        if not text.startswith("-"):
            return None if word.value is None else word
        if text in known.values:
            next(rest, None)
        elif _option(text, hidden=word.value is None, known=known, rest=iter(()), variables={}) is None:
            return None
    return None


def variables_of(call: Call, env: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return the variables that the program sees: those of the image and those of the script.

    One that is not known of the image stays so: the script may have taken it over from there.
    """
    return {**env, **{name: value for name, value in call.variables.items() if env.get(name, "") is not None}}


def is_on(value: str | None) -> bool:
    """Tell whether a variable's value means yes, as most tools read it."""
    return value is not None and value.lower() in {"1", "true", "yes", "on", "y", "t"}


def folder_of(call: Call, project: Project, arguments: Arguments, *names: str) -> str:
    """Return the context folder that a call works in, `names` being the options for another than its own.

    Raises `Refused` where it cannot be told or is outside of the copied files.
    """
    if call.directory is None or arguments.hidden(*names):
        raise Refused("the directory of the install is not known")
    name = arguments.last(*names) or "."
    folder = project.locate(name, call.directory)
    if folder is None:
        raise Refused(f"the install works in {normpath(join(call.directory, name))}, outside of the copied files")
    return folder


def refuse_paths(call: Call, project: Project, arguments: Arguments, *names: str) -> None:
    """Raise `Refused` where one of these options names a file or folder of the project, or cannot be told."""
    for name in names:
        for value in arguments.all(name):
            if value is None or project.locate(value, call.directory or "/") is not None:
                raise Refused(f"the option {name} names a place in the project")


def with_switch(call: Call, behind: Word, switch: str) -> str:
    """Return the text of a call with a switch put in behind one of its words."""
    return " ".join(f"{word.text} {switch}" if word is behind else word.text for word in call.words)


def whole(call: Call) -> str:
    """Return the text of the command that a call is part of, wrappers and assignments included."""
    assignments = [f"{name}={word.text}" for name, word in call.command.assignments]
    return " ".join([*assignments, *(word.text for word in call.command.words)])


def removes(call: Call, *ends: str) -> bool:
    """Tell whether the call is `rm -r` of a folder whose path ends so, or of its contents.

    What is below `.cache` goes with `~/.cache` whole as well.
    """
    if call.program != "rm":
        return False
    texts = [_bare(word.text).rstrip("/*") for word in call.arguments]
    recursive = any(_RECURSIVE.fullmatch(t) for t in texts)
    below = ("/.cache",) if any(".cache" in end for end in ends) else ()
    return recursive and any(t.endswith((*ends, *below)) for t in texts)


def _option(
    text: str, *, hidden: bool, known: Options, rest: Iterator[Word], variables: Mapping[str, str | None]
) -> list[tuple[str, str | None]] | None:
    """Return the options that a word holds, with their values; None where one is not known."""
    if text in known.switches and not hidden:
        return [(text, "")]
    if not text.startswith("--") and text[:2] in known.switches | known.values and text not in known.values:
        return None if hidden else _cluster(text, known, rest, variables)
    name, equals, value = text.partition("=")
    if hidden and (not equals or "$" in name):
        return None
    if name in known.values:
        if equals:
            return [(name, None if hidden else value)]
        following = next(rest, None)
        return None if following is None else [(name, _value(following, variables))]
    if name in known.switches:
        return [(name, None if hidden else value)]
    positive = name.replace("--no-", "--", 1)
    if known.negatable and positive != name and positive in known.switches | known.values:
        return [(positive, "false")]
    return None


def _cluster(
    text: str, known: Options, rest: Iterator[Word], variables: Mapping[str, str | None]
) -> list[tuple[str, str | None]] | None:
    found: list[tuple[str, str | None]] = []
    for at, letter in enumerate(text[1:], 1):
        name = f"-{letter}"
        if name in known.values:
            if tail := text[at + 1 :]:
                return [*found, (name, tail.removeprefix("="))]
            following = next(rest, None)
            return None if following is None else [*found, (name, _value(following, variables))]
        if name not in known.switches:
            return None
        found.append((name, ""))
    return found


def _value(word: Word, variables: Mapping[str, str | None]) -> str | None:
    """Return the value of a word, None where it is hidden; raise `Refused` where it may be no word or several."""
    value = resolve(word, variables)
    if value is None and _may_be_many(word):
        raise Refused(f"the word {_short(word.text)} is not known before the command runs")
    return value


def _may_be_many(word: Word) -> bool:
    """Tell whether a word whose value is not known may be none or several words, or a command's output."""
    if _EXTRAS.fullmatch(word.text):
        return False
    if not word.variables or "$(" in word.text or "`" in word.text or "$@" in word.text or "$*" in word.text:
        return True
    return word.text[:1] == "$"  # quoted, or with characters of its own in front, it stays one word


def _bare(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
