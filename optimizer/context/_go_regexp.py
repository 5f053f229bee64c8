"""Go's regular expressions as Python's, as far as ignore patterns can hold them (Go: regexp/syntax/parse.go)."""

import re

from optimizer.syntax.lazy_pattern import lazy_pattern

_SIMPLE = {"a": "\\x07", "f": "\\x0c", "n": "\\n", "r": "\\r", "t": "\\t", "v": "\\x0b"}
_PERL = {
    "d": "0-9",
    "s": "\\t\\n\\f\\r ",
    "w": "0-9A-Za-z_",
    "D": "\\x00-/:-\\U0010ffff",
    "S": "\\x00-\\x08\\x0b\\x0e-\\x1f!-\\U0010ffff",
    "W": "\\x00-/:-@\\[-\\^`{-\\U0010ffff",
}
_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": "\\x00-\\x7f",
    "blank": "\\t ",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": "\\t\\n\\v\\f\\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_ASSERTIONS = {"A": "(?:\\A)", "b": "(?a:\\b)", "B": "(?a:\\B)", "z": "(?:\\Z)"}
_NAMED = lazy_pattern(r"\[:(\^?)([^:]*):\]")
_OCTAL = lazy_pattern(r"0[0-7]{0,2}|[1-7][0-7]{1,2}")
_HEX = lazy_pattern(r"x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))")
_LAST = 0x10FFFF
_REPEAT = lazy_pattern(r"\{(0|[1-9][0-9]*)(,(0|[1-9][0-9]*)?)?\}")
_MOST_REPEATS = 1000
_OPERATORS = frozenset("*?(|")
_PLAIN = {"^": "(?:^)", "$": "\\Z", "{": "\\{", "}": "\\}"}


class BadPatternError(ValueError):
    """Go would refuse the expression."""


def translate(expression: str) -> str:
    """Return the Python source whose `match` accepts what a Go expression finds anywhere in a text.

    Of the operators it knows those that an ignore pattern leads to. Raises `BadPatternError` where Go's compiler
    fails.
    """
    out: list[str] = []
    at = 0
    repeatable = False  # whether what stands before can be repeated
    while at < len(expression):
        repeat = _REPEAT.match(expression, at)
        if repeat:
            piece, at = _repeat(repeat, repeatable), repeat.end()
        elif expression[at] == "[":
            piece, at = _class(expression, at + 1)
        elif expression[at] == "\\":
            piece, at = _escape(expression, at + 1)
        else:
            piece, at = _PLAIN.get(expression[at], expression[at]), at + 1
        repeatable = not repeat and piece not in _OPERATORS
        out.append(piece)
    # `^a|b$` finds b anywhere.
    return "".join(out) if "|" not in out else f"[\\s\\S]*?(?:{''.join(out)})"


def character(code: int) -> str:
    """Return a character so that it means itself everywhere in a Python expression, in a set too."""
    return re.escape(chr(code)) if chr(code).isalnum() else f"\\U{code:08x}"


def _repeat(repeat: re.Match[str], repeatable: bool) -> str:  # noqa: FBT001 - a private step of translate
    low = int(repeat[1])
    high = int(repeat[3]) if repeat[3] else low
    if not repeatable or max(low, high) > _MOST_REPEATS or high < low:
        raise BadPatternError(repeat[0])
    return repeat[0]


def _escape(text: str, at: int) -> tuple[str, int]:
    char = text[at : at + 1]
    if char in _ASSERTIONS:
        return _ASSERTIONS[char], at + 1
    if char == "Q":
        literal, _, _ = text[at + 1 :].partition("\\E")
        return re.escape(literal), min(len(text), at + 1 + len(literal) + 2)
    if char in _PERL:
        return f"[{_PERL[char]}]", at + 1
    code, at = _escaped_character(text, at)
    return character(code), at


def _escaped_character(text: str, at: int) -> tuple[int, int]:
    if octal := _OCTAL.match(text, at):
        return int(octal[0], 8), octal.end()
    if hexadecimal := _HEX.match(text, at):
        code = int(hexadecimal[1] or hexadecimal[2], 16)
        if code > _LAST:
            raise BadPatternError(text)
        return code, hexadecimal.end()
    char = text[at : at + 1]
    if char in _SIMPLE:
        return ord(_SIMPLE[char].encode().decode("unicode_escape")), at + 1
    if not char or not char.isascii() or char.isalnum():
        raise BadPatternError(text)
    return ord(char), at + 1


def _class(text: str, at: int) -> tuple[str, int]:
    negated = text.startswith("^", at)
    at += negated
    items: list[str] = []
    while not items or not text.startswith("]", at):
        item, at = _class_item(text, at)
        items.append(item)
    return f"[{'^' if negated else ''}{''.join(items)}]", at + 1


def _class_item(text: str, at: int) -> tuple[str, int]:
    if named := _NAMED.match(text, at):
        return _named_class(named), named.end()
    if text.startswith("\\", at) and (perl := _PERL.get(text[at + 1 : at + 2])):
        return perl, at + 2
    low, at = _class_character(text, at)
    if not (text.startswith("-", at) and at + 1 < len(text) and text[at + 1] != "]"):
        return character(low), at
    high, at = _class_character(text, at + 1)
    if high < low:
        raise BadPatternError(text)
    return f"{character(low)}-{character(high)}", at


def _named_class(named: re.Match[str]) -> str:
    members = _POSIX.get(named[2])
    if members is None:
        raise BadPatternError(named[0])
    if not named[1]:
        return members
    # A negated class inside a set has no Python spelling but the list of what is left.
    inside = re.compile(f"[{members}]")
    outside = "".join(character(code) for code in range(128) if not inside.match(chr(code)))
    return outside + "\\x80-\\U0010ffff"


def _class_character(text: str, at: int) -> tuple[int, int]:
    if at >= len(text):
        raise BadPatternError(text)
    if text[at] == "\\":
        return _escaped_character(text, at + 1)
    return ord(text[at]), at + 1
