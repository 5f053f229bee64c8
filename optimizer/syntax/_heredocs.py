"""The marks of here-documents in a line, and their bodies, as in moby/buildkit frontend/dockerfile/parser/parser.go."""

import re
from typing import NamedTuple

from optimizer.syntax._lexer import Lexer, MalformedError, TooDeepError
from optimizer.syntax._lines import Line
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.syntax.nodes import Heredoc, Span

_MARK = lazy_pattern(r"([0-9]*)<<(-?)[\t\n\f\r ]*([^<]*)")
_TABS = lazy_pattern(r"^\t+", re.MULTILINE)
_LARGEST = 2**64 - 1


class Mark(NamedTuple):
    """What `<<NAME` asks for."""

    name: str
    expand: bool
    strip_tabs: bool
    descriptor: int


def find_marks(line: str) -> tuple[Mark, ...]:
    """Return the marks in a joined line, none where BuildKit's lexer gives the line up.

    Raises MalformedError for a mark that BuildKit refuses.
    """
    # BuildKit looks for here-documents with the backslash as escape, whatever the directive says.
    lexer = Lexer(line, {}, raw_quotes=True, raw_escapes=True, skip_unset=True)
    try:
        lexer.run()
    except TooDeepError:
        raise
    except MalformedError:
        return ()
    return tuple(mark for mark in map(read_mark, lexer.words) if mark)


def read_mark(word: str) -> Mark | None:
    """Return the mark that a word is, if it is one; raises MalformedError when its name cannot be read."""
    match = _MARK.fullmatch(word)
    if match is None or not match[3]:
        return None
    names = _words(match[3], raw_quotes=False)
    if len(names) != 1:
        return None
    raw = _words(match[3], raw_quotes=True)
    if len(raw) != 1:
        raise MalformedError(f"cannot read the name of the here-document in {word!r}")
    return Mark(names[0], _quotes(names[0]) == _quotes(raw[0]), bool(match[2]), _descriptor(match[1]))


def read_bodies(
    text: str, lines: list[Line], below: int, marks: tuple[Mark, ...]
) -> tuple[tuple[Heredoc, ...], int, str | None]:
    """Return the here-documents from line index `below` on, the index below them, and why they do not end."""
    found = []
    for mark in marks:
        end = below
        while end < len(lines) and not _terminates(lines[end].text, mark):
            end += 1
        span = Span(_start(text, lines, below), _start(text, lines, end))
        body = text[span.start : span.end]
        body = _TABS.sub("", body) if mark.strip_tabs else body
        found.append(Heredoc(mark.name, body, mark.expand, mark.strip_tabs, mark.descriptor, span))
        if end == len(lines):
            return tuple(found), end, f"unterminated heredoc {mark.name}"
        below = end + 1
    return tuple(found), below, None


def _terminates(line: str, mark: Mark) -> bool:
    return (line.lstrip("\t") if mark.strip_tabs else line) == mark.name


def _start(text: str, lines: list[Line], index: int) -> int:
    return lines[index].start if index < len(lines) else len(text)


def _words(text: str, *, raw_quotes: bool) -> list[str]:
    lexer = Lexer(text, {}, raw_quotes=raw_quotes, skip_unset=True)
    lexer.run()
    return lexer.words


def _quotes(word: str) -> int:
    return word.count("'") + word.count('"')


def _descriptor(digits: str) -> int:
    return min(int(digits[:30] or 0), _LARGEST)
