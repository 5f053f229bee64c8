"""The names and values of ENV, LABEL and ARG."""

import re
from functools import lru_cache

from optimizer.syntax._lines import BLANKS, SPACE
from optimizer.syntax.nodes import Instruction


class PairsError(Exception):
    """BuildKit refuses the pairs."""


def pairs(instruction: Instruction) -> tuple[tuple[str, str | None], ...]:
    """Return the names and values that an ENV, LABEL or ARG sets, quotes and escapes as written.

    An ARG without a value has None. Empty for other instructions, and where BuildKit refuses the text. The rules are
    those of `parseNameVal` and `parseNameOrNameVal` in moby/buildkit frontend/dockerfile/parser/line_parsers.go.
    """
    try:
        return read_pairs(instruction.name, instruction.value.text, instruction.escape)
    except PairsError:
        return ()


def read_pairs(name: str, text: str, escape: str) -> tuple[tuple[str, str | None], ...]:
    """Return the pairs in the value of the instruction called `name`; raises PairsError where BuildKit does."""
    if name == "ARG":
        return _declared(quoted_words(text, escape))
    if name in ("ENV", "LABEL"):
        return _set(name, text, quoted_words(text, escape))
    return ()


def quoted_words(text: str, escape: str) -> list[str]:
    """Split at white space outside quotes, as `parseWords` does; quotes and escapes stay, but for one at the end."""
    words = _word(escape).findall(text)
    if words and _ends_in_escape(escape).fullmatch(words[-1]):
        words[-1] = words[-1][:-1]
    return [word for word in words if word]


def _declared(words: list[str]) -> tuple[tuple[str, str | None], ...]:
    split = (word.partition("=") for word in words)
    return tuple((name, value if equals else None) for name, equals, value in split)


def _set(instruction: str, text: str, words: list[str]) -> tuple[tuple[str, str | None], ...]:
    if words and "=" not in words[0]:
        name, *rest = BLANKS.split(text, maxsplit=1)
        if not rest:
            raise PairsError(f"{instruction} must have two arguments")
        return ((name, rest[0]),)
    found = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise PairsError(f"can't find = in {word!r}, must be of the form name=value")
        found.append((name, value))
    return tuple(found)


@lru_cache(maxsize=4)
def _word(escape: str) -> re.Pattern[str]:
    return re.compile(_units(escape) + "+", re.DOTALL)


@lru_cache(maxsize=4)
def _ends_in_escape(escape: str) -> re.Pattern[str]:
    char = re.escape(escape)
    closed = rf"(?:[^'\"{char}]|{char}.|\"(?:[^\"{char}]|{char}.)*\"|'[^']*')*"
    return re.compile(rf"{closed}(?:\"(?:[^\"{char}]|{char}.)*)?{char}", re.DOTALL)


def _units(escape: str) -> str:
    """Return the pattern of one unit of a word; quotes may stay open at the end."""
    char = re.escape(escape)
    double = rf'"(?:[^"{char}]|{char}.)*(?:"|{char}?\Z)'
    return rf"(?:[^{SPACE}'\"{char}]|{char}.|{char}\Z|{double}|'[^']*(?:'|\Z))"
