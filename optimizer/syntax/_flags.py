"""Keyword, flags and the rest of a logical line, as in moby/buildkit frontend/dockerfile/parser/split_command.go."""

import re
from functools import lru_cache
from typing import NamedTuple

from optimizer.syntax._lines import BLANKS, SPACE
from optimizer.syntax.nodes import Flag, Joined

_ASCII_SPACE = "\t\n\v\f\r "


class Parts(NamedTuple):
    """A logical line taken apart; `start` and `end` are the keyword's offsets in the joined text."""

    keyword: str
    start: int
    body: Joined
    value: Joined
    flags: tuple[Flag, ...]


def split_command(joined: Joined, escape: str) -> Parts:
    """Take keyword, body, flags and value out of a logical line."""
    text = joined.text
    end = len(text.rstrip(SPACE))
    start = min(len(text) - len(text.lstrip(SPACE)), end)
    blank = BLANKS.search(text, start, end)
    if blank is None:
        rest = joined.slice(end, end)
        return Parts(text[start:end], start, rest, rest, ())
    behind = _skip(text, blank.end(), end, SPACE)
    flags, value = _read_flags(joined, blank.end(), end, escape)
    value = _skip(text, value, end, SPACE)
    body = joined.slice(behind, end)
    return Parts(text[start : blank.start()], start, body, joined.slice(value, end) if value > behind else body, flags)


def _read_flags(joined: Joined, position: int, end: int, escape: str) -> tuple[tuple[Flag, ...], int]:
    """Return the flags from `position` on, and where the rest starts."""
    text = joined.text
    flags: list[Flag] = []
    while True:
        position = _skip(text, position, end, _ASCII_SPACE)
        if not text.startswith("--", position, end):
            return tuple(flags), position
        word, behind = _read_word(text, position, end, escape)
        if word == "--":
            return tuple(flags), behind
        name, equals, value = word[2:].partition("=")
        flags.append(Flag(name, value if equals else None, joined.span(position, behind)))
        position = behind


def _read_word(text: str, position: int, end: int, escape: str) -> tuple[str, int]:
    """Return the flag at `position` without quotes and escapes, and where it ends; a quote may stay open."""
    parts = []
    outside, inside = _plain(_ASCII_SPACE + "'\"" + escape), {q: _plain(q + escape) for q in "'\""}
    quote = ""
    while position < end and (quote or text[position] not in _ASCII_SPACE):
        char = text[position]
        if match := (inside[quote] if quote else outside).match(text, position, end):
            parts.append(match[0])
            position = match.end()
        elif char == escape:
            parts.append(text[position + 1 : min(position + 2, end)])
            position = min(position + 2, end)
        else:
            quote = "" if quote else char
            position += 1
    return "".join(parts), position


def _skip(text: str, position: int, end: int, characters: str) -> int:
    while position < end and text[position] in characters:
        position += 1
    return position


@lru_cache(maxsize=16)
def _plain(excluded: str) -> re.Pattern[str]:
    return re.compile(f"[^{re.escape(excluded)}]+")
