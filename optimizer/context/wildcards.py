"""Go's filepath.Match: what the sources of COPY and ADD mean."""

import re
from functools import lru_cache

from optimizer.context._go_regexp import character
from optimizer.syntax.lazy_pattern import lazy_pattern

NEVER = lazy_pattern(r"(?!)")
_WILD = lazy_pattern(r"[*?\[]")
_ESCAPED = lazy_pattern(r"\\.?", re.DOTALL)


@lru_cache(maxsize=256)
def go_match(pattern: str) -> re.Pattern[str]:
    """Return the expression whose `fullmatch` accepts what Go's filepath.Match accepts.

    `*` and `?` stop at `/`, a character class does not (Go: path/filepath/match.go). A malformed pattern
    matches nothing.
    """
    chunks = _chunks(pattern)
    out: list[str] = []
    for index, (star, chunk) in enumerate(chunks):
        expression = _chunk_expression(chunk)
        if expression is None:
            return NEVER
        if not star:
            out.append(expression)
        elif index == len(chunks) - 1:
            out.append(f"[^/]*{expression}")
        else:
            # Go takes the first place where a chunk fits and never looks for another.
            out.append(f"(?>[^/]*?{expression})")
    return re.compile("".join(out), re.DOTALL)


def has_wildcards(name: str) -> bool:
    """Tell whether a name in a COPY source is a pattern (an escaped character is not)."""
    return _WILD.search(_ESCAPED.sub("", name)) is not None


def is_well_formed(pattern: str) -> bool:
    """Tell whether filepath.Match(pattern, ".") reports no error: what BuildKit checks of an ignore pattern."""
    chunks = _chunks(pattern)
    name = "."
    for index, (star, chunk) in enumerate(chunks):
        expression = _chunk_expression(chunk)
        if expression is None:
            return False
        if star and not chunk:
            return True
        rest = _rest(expression, name, star=star, last=index == len(chunks) - 1)
        if rest is None:
            return True
        name = rest
    return True


def _rest(expression: str, name: str, *, star: bool, last: bool) -> str | None:
    """Return what a chunk leaves of the name, None where it does not fit."""
    for start in range(len(name) + 1 if star else 1):
        found = re.compile(expression, re.DOTALL).match(name, start)
        if found and (found.end() == len(name) or not last):
            return name[found.end() :]
    return None


def _chunks(pattern: str) -> list[tuple[bool, str]]:
    """Split at the stars outside character classes: (is there a star before it, text)."""
    chunks: list[tuple[bool, str]] = []
    at = 0
    while at < len(pattern):
        start = at
        while pattern.startswith("*", at):
            at += 1
        end = _chunk_end(pattern, at)
        chunks.append((at > start, pattern[at:end]))
        at = end
    return chunks


def _chunk_end(pattern: str, at: int) -> int:
    in_class = False
    while at < len(pattern):
        char = pattern[at]
        if char == "*" and not in_class:
            return at
        if char in "[]":
            in_class = char == "["
        at += 2 if char == "\\" else 1
    return len(pattern)


def _chunk_expression(chunk: str) -> str | None:
    """Return the Python expression of a chunk, None where it is malformed."""
    out: list[str] = []
    at = 0
    while at < len(chunk):
        char = chunk[at]
        at += 1
        if char == "[":
            found = _class(chunk, at)
            if found is None:
                return None
            expression, at = found
            out.append(expression)
        elif char == "?":
            out.append("[^/]")
        elif char == "\\":
            if at == len(chunk):
                return None
            out.append(character(ord(chunk[at])))
            at += 1
        else:
            out.append(character(ord(char)))
    return "".join(out)


def _class(chunk: str, at: int) -> tuple[str, int] | None:
    negated = chunk.startswith("^", at)
    at += negated
    items: list[str] = []
    count = 0
    while not (count and chunk.startswith("]", at)):
        low = _class_character(chunk, at)
        if low is None:
            return None
        high = _class_character(chunk, low[1] + 1) if chunk.startswith("-", low[1]) else low
        if high is None:
            return None
        count += 1
        at = high[1]
        if low[0] <= high[0]:
            items.append(f"{character(low[0])}-{character(high[0])}")
    if not items:
        return ("." if negated else "(?!)"), at + 1
    return f"[{'^' if negated else ''}{''.join(items)}]", at + 1


def _class_character(chunk: str, at: int) -> tuple[int, int] | None:
    if at >= len(chunk) or chunk[at] in "-]":
        return None
    if chunk[at] == "\\":
        at += 1
    if at + 1 >= len(chunk):
        return None
    return ord(chunk[at]), at + 1
