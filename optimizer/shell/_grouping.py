"""Tokens of shell text grouped to commands, pipelines and lists."""

import re
from collections.abc import Iterator
from enum import Enum, auto
from itertools import pairwise
from typing import NamedTuple

from optimizer.shell.nodes import Command, Compound, Kind, Node, Redirect, Word
from optimizer.shell.words import names_in, value_of
from optimizer.syntax import Span
from optimizer.syntax.lazy_pattern import lazy_pattern

_ASSIGNMENT = lazy_pattern(r"([A-Za-z_]\w*)(\[[^]]*\])?(\+?)=", re.ASCII)
_RESERVED = frozenset({"then", "do", "done", "fi", "elif", "else", "esac", "}", "if", "for", "while", "until", "case"})


class NotUnderstoodError(Exception):
    """Text that is no shell, or shell that dfopt does not know, at an offset."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


class TokenKind(Enum):
    """The kinds of token."""

    WORD = auto()
    ASSIGNMENT = auto()
    REDIRECT = auto()
    COMPOUND = auto()
    OPERATOR = auto()


class Token(NamedTuple):
    """A token; `text` is set for words, assignments and operators (a newline is an operator)."""

    kind: TokenKind
    start: int
    end: int
    text: str
    compound: Compound | None = None
    redirect: Redirect | None = None


def make_word(text: str, start: int, end: int) -> Word:
    """Return the word at `text[start:end]`."""
    word = text[start:end]
    return Word(word, Span(start, end), value_of(word), names_in(word))


def group(text: str, tokens: list[Token]) -> Compound:
    """Return the list that the tokens make; raise NotUnderstoodError where they make none."""
    stream = [*_with_newlines(text, tokens)]
    parts: list[Node] = []
    operators: list[str] = []
    at = _skip_newlines(stream, 0)
    while at < len(stream):
        part, at = _pipeline(text, stream, at)
        parts.append(part)
        if at == len(stream):
            break
        operator = stream[at].text
        after = _skip_newlines(stream, at + 1)
        if after == len(stream) and operator in {"&&", "||"}:
            raise NotUnderstoodError(stream[at].start)
        if after < len(stream) or operator != "\n":
            operators.append(";" if operator == "\n" else operator)
        at = after
    span = Span(parts[0].span.start, stream[-1].end) if parts else Span(0, 0)
    return Compound(Kind.LIST, tuple(parts), span, tuple(operators))


def _with_newlines(text: str, tokens: list[Token]) -> Iterator[Token]:
    """Put in the newlines that end commands: those between tokens that no backslash hides."""
    end: int | None = None
    for token in tokens:
        if end is not None and _breaks(text, end, token.start):
            yield Token(TokenKind.OPERATOR, end, end, "\n")
        yield token
        end = token.end


def _breaks(text: str, start: int, end: int) -> bool:
    """Tell whether a newline that counts stands in `text[start:end]`."""
    at = text.find("\n", start, end)
    while at >= 0 and at > start and text[at - 1] == "\\":
        at = text.find("\n", at + 1, end)
    return at >= 0


def _skip_newlines(stream: list[Token], at: int) -> int:
    while at < len(stream) and stream[at].text == "\n":
        at += 1
    return at


def _pipeline(text: str, stream: list[Token], at: int) -> tuple[Node, int]:
    """Read commands joined by `|`, with a `!` before them."""
    start, negated = stream[at].start, 0
    while at < len(stream) and stream[at].kind is TokenKind.OPERATOR and stream[at].text == "!":
        negated, at = negated + 1, at + 1
    first, at = _item(text, stream, at)
    parts = [first]
    while at < len(stream) and stream[at].text in ("|", "|&") and stream[at].kind is TokenKind.OPERATOR:
        part, at = _item(text, stream, _skip_newlines(stream, at + 1))
        parts.append(part)
    span = Span(parts[0].span.start, parts[-1].span.end)
    node = parts[0] if len(parts) == 1 else Compound(Kind.PIPELINE, tuple(parts), span)
    if negated > 1:
        raise NotUnderstoodError(start)
    return (Compound(Kind.NEGATED, (node,), Span(start, span.end)) if negated else node), at


def _item(text: str, stream: list[Token], at: int) -> tuple[Node, int]:
    """Read one command, simple or compound."""
    end = at
    while end < len(stream) and stream[end].kind is not TokenKind.OPERATOR:
        end += 1
    tokens = stream[at:end]
    if not tokens:
        raise NotUnderstoodError(stream[min(at, len(stream) - 1)].start)
    _check_gaps(tokens)
    compounds = [t.compound for t in tokens if t.compound]
    node = _compound(tokens, compounds[0]) if compounds else _command(text, tokens)
    return node, end


def _check_gaps(tokens: list[Token]) -> None:
    """Refuse a word that touches the redirection before it: tree-sitter has cut the target short."""
    for before, after in pairwise(tokens):
        if before.end == after.start and before.redirect and before.redirect.target and after.kind is TokenKind.WORD:
            raise NotUnderstoodError(after.start)


def _command(text: str, tokens: list[Token]) -> Command:
    assignments: list[tuple[str, Word]] = []
    words: list[Word] = []
    for token in tokens:
        match = _ASSIGNMENT.match(token.text) if token.kind is TokenKind.ASSIGNMENT and not words else None
        if match:
            assignments.append((match[1], _assigned(text, token, match)))
        elif token.kind is not TokenKind.REDIRECT:
            words.append(make_word(text, token.start, token.end))
    if words and not assignments and words[0].text in _RESERVED:
        raise NotUnderstoodError(tokens[0].start)
    redirects = tuple(t.redirect for t in tokens if t.redirect)
    if assignments and redirects and not words:
        raise NotUnderstoodError(tokens[0].start)  # tree-sitter takes what follows for the command's name
    return Command(tuple(assignments), tuple(words), redirects, Span(tokens[0].start, tokens[-1].end))


def _assigned(text: str, token: Token, match: re.Match[str]) -> Word:
    """Return the value of an assignment; one that adds, or sets an element or a list, is unknown."""
    word = make_word(text, token.start + match.end(), token.end)
    value = value_of(token.text) if not (match[2] or match[3] or word.text.startswith("(")) else None
    return Word(word.text, word.span, None if value is None else word.value, word.variables)


def _compound(tokens: list[Token], compound: Compound) -> Compound:
    others = tokens[1:]
    if tokens[0].compound is None or any(t.redirect is None for t in others):
        raise NotUnderstoodError(tokens[0].start)
    if not others:
        return compound
    redirects = tuple(t.redirect for t in others if t.redirect)
    return Compound(Kind.REDIRECTED, (compound,), Span(tokens[0].start, tokens[-1].end), redirects=redirects)
