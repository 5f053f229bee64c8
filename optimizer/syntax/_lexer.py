"""BuildKit's own small shell lexer: quotes, escapes, variables, and the marks of here-documents.

It follows moby/buildkit frontend/dockerfile/shell/lex.go to its oddities, since the builder's reading decides:
a nested `${x:-y}` loses what the word in front of it held when words are split, and an escape inside double
quotes is doubled when escapes are kept.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from optimizer.syntax._lines import SPACE
from optimizer.syntax._patterns import replace, trim_prefix, trim_suffix
from optimizer.syntax.lazy_pattern import lazy_pattern

_DEEPEST = 50
_SPACES = lazy_pattern(f"([{SPACE}]+)")
_SPECIAL = frozenset("@*#?-$!0")


class MalformedError(Exception):
    """The word is one that BuildKit refuses."""


class TooDeepError(MalformedError):
    """The word nests deeper than dfopt follows it."""


class Lexer:
    """One pass over one text; `None` in the place of a string means that the value is not known."""

    def __init__(
        self,
        text: str,
        lookup: Mapping[str, str | None],
        *,
        escape: str = "\\",
        raw_quotes: bool = False,
        raw_escapes: bool = False,
        skip_unset: bool = False,
    ) -> None:
        """Set the text, what is known of the variables, and what is kept as written."""
        self._text = text.removeprefix("\ufeff")
        self._lookup = lookup
        self._escape = escape
        self._raw_quotes = raw_quotes
        self._raw_escapes = raw_escapes
        self._skip_unset = skip_unset
        self._position = 0
        self._depth = 0
        self._buffer: list[str] = []
        self.words: list[str] = []
        self.names: set[str] = set()

    def run(self) -> str | None:
        """Return the whole text expanded; afterwards `words` and `names` hold its words and its variables.

        Raises MalformedError where BuildKit refuses the text.
        """
        return self._until("", raw_escapes=self._raw_escapes)

    def _until(self, stop: str, *, raw_escapes: bool) -> str | None:
        """Expand up to `stop`, which is consumed, or to the end."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise TooDeepError("variables are nested too deeply")
        before, self._raw_escapes = self._raw_escapes, raw_escapes
        self._buffer.clear()
        words: list[str] = []
        parts: list[str | None] = []
        plain = _plain(self._escape, stop)
        while (char := self._peek()) and char != stop:
            if match := plain.match(self._text, self._position):
                self._position = match.end()
                self._split(match[0], words)
                parts.append(match[0])
            elif char == "$":
                parts.append(self._dollar())
                self._split(parts[-1] or "", words)
            else:
                parts.append(self._marked(char))
                self._buffer.append(parts[-1] or "")
        if stop and not self._next():
            raise MalformedError(f"unexpected end while looking for {stop}")
        self._flush(words)
        self.words = words
        self._raw_escapes = before
        self._depth -= 1
        return _concatenate(parts)

    def _marked(self, char: str) -> str | None:
        if char == "'":
            return self._single_quoted()
        if char == '"':
            return self._double_quoted()
        if char == "<":
            return self._less_than()
        self._position += 1
        return (char if self._raw_escapes else "") + self._next()

    def _single_quoted(self) -> str:
        end = self._text.find("'", self._position + 1)
        if end < 0:
            raise MalformedError("unexpected end while looking for matching single-quote")
        start, self._position = self._position, end + 1
        return self._text[start : end + 1] if self._raw_quotes else self._text[start + 1 : end]

    def _double_quoted(self) -> str | None:
        self._position += 1
        quote = '"' if self._raw_quotes else ""
        parts: list[str | None] = [quote]
        plain = _quoted(self._escape)
        while char := self._peek():
            if match := plain.match(self._text, self._position):
                self._position = match.end()
                parts.append(match[0])
            elif char == "$":
                parts.append(self._dollar())
            else:
                self._position += 1
                if char == '"':
                    return _concatenate([*parts, quote])
                parts.append(self._quoted_escape())
        raise MalformedError("unexpected end while looking for matching double-quote")

    def _quoted_escape(self) -> str:
        kept = self._escape if self._raw_escapes else ""
        if (following := self._peek()) and following in ('"', "$", self._escape):
            return kept + self._next()
        return kept + self._escape

    def _less_than(self) -> str:
        start = self._position
        self._position += 1
        if self._peek() == "<":
            self._position += 1
            while (char := self._peek()) and char in "\t\r ":
                self._position += 1
        return self._text[start : self._position]

    def _dollar(self) -> str | None:
        self._position += 1
        if self._peek() != "{":
            name = self._name()
            return self._value(name, f"${name}") if name else "$"
        self._position += 1
        if self._peek() in ("", "{", "}", ":"):
            raise MalformedError("bad substitution")
        name = self._name()
        operator = self._next()
        if operator == "}":
            return self._value(name, f"${{{name}}}")
        if operator == "/":
            return self._replaced(name)
        return self._modified(name, operator)

    def _modified(self, name: str, operator: str) -> str | None:
        colon = operator == ":"
        if colon:
            operator = self._next()
        if operator in ("#", "%") if colon else operator not in ("+", "-", "?", "#", "%"):
            raise MalformedError(f"unsupported modifier {operator!r} in substitution")
        word = self._until("}", raw_escapes=operator in ("#", "%"))
        known, value = self._get(name)
        if self._skip_unset and not known:
            return f"${{{name}{':' if colon else ''}{operator}{word or ''}}}"
        if operator in ("#", "%"):
            return _trimmed(value, operator, word)
        return _chosen(operator, word, value, known=known, colon=colon)

    def _replaced(self, name: str) -> str | None:
        every = self._peek() == "/"
        if every:
            self._position += 1
        pattern = self._until("/", raw_escapes=True)
        replacement = self._until("}", raw_escapes=True)
        known, value = self._get(name)
        if self._skip_unset and not known:
            return f"${{{name}/{pattern or ''}/{replacement or ''}}}"
        if pattern is None or replacement is None or value is None:
            return None
        return _checked(replace(pattern, replacement, value, every=every))

    def _name(self) -> str:
        start = self._position
        first = self._peek()
        if first.isdecimal():
            while self._peek().isdecimal():
                self._position += 1
        elif first in _SPECIAL:
            self._position += 1
        else:
            while (char := self._peek()).isalpha() or char.isdecimal() or char == "_":
                self._position += 1
        return self._text[start : self._position]

    def _value(self, name: str, written: str) -> str | None:
        known, value = self._get(name)
        return written if self._skip_unset and not known else value

    def _get(self, name: str) -> tuple[bool, str | None]:
        self.names.add(name)
        return name in self._lookup, self._lookup.get(name, "")

    def _peek(self) -> str:
        return self._text[self._position : self._position + 1]

    def _next(self) -> str:
        char = self._peek()
        self._position += len(char)
        return char

    def _split(self, text: str, words: list[str]) -> None:
        for index, piece in enumerate(_SPACES.split(text)):
            if index % 2:
                self._flush(words)
            elif piece:
                self._buffer.append(piece)

    def _flush(self, words: list[str]) -> None:
        if word := "".join(self._buffer):
            words.append(word)
        self._buffer.clear()


@lru_cache(maxsize=16)
def _plain(escape: str, stop: str) -> re.Pattern[str]:
    return re.compile(f"[^$<'\"{re.escape(escape + stop)}]+")


@lru_cache(maxsize=4)
def _quoted(escape: str) -> re.Pattern[str]:
    return re.compile(f'[^$"{re.escape(escape)}]+')


def _concatenate(parts: list[str | None]) -> str | None:
    known = [part for part in parts if part is not None]
    return "".join(known) if len(known) == len(parts) else None


def _chosen(operator: str, word: str | None, value: str | None, *, known: bool, colon: bool) -> str | None:
    if known and colon and value is None:
        return None
    absent = not known or (colon and value == "")
    if operator == "-":
        return word if absent else value
    if operator == "+":
        return "" if absent else word
    if operator != "?":
        raise MalformedError(f"unsupported modifier {operator!r} in substitution")
    if absent:
        raise MalformedError("a variable is not allowed to be unset or empty")
    return value


def _trimmed(value: str | None, operator: str, word: str | None) -> str | None:
    if value is None or word is None:
        return None
    greedy = word.startswith(operator)
    trim = trim_prefix if operator == "#" else trim_suffix
    return _checked(trim(word[greedy:], value, greedy=greedy))


def _checked(result: str | None) -> str:
    if result is None:
        raise MalformedError("invalid pattern in substitution")
    return result
