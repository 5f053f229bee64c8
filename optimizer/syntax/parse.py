"""Text to a `Document`, as BuildKit reads it and without losing a character.

The rules are those of moby/buildkit frontend/dockerfile/parser/parser.go. Where BuildKit stops with an error, the
instruction gets a `problem` and reading goes on, so that every text has a document.
"""

from typing import NamedTuple

from optimizer.syntax._directives import read_header
from optimizer.syntax._flags import Parts, split_command
from optimizer.syntax._heredocs import Mark, find_marks, read_bodies
from optimizer.syntax._json_form import NotStringsError, read_json
from optimizer.syntax._lexer import MalformedError
from optimizer.syntax._lines import LINE_LIMIT, SPACE, Line, Logical, join_lines, over_limit, split_lines
from optimizer.syntax._problems import Arguments, find_problem
from optimizer.syntax.nodes import Document, Heredoc, Instruction, Span

_BOM = "\ufeff"
_JSON = frozenset({"ADD", "CMD", "COPY", "ENTRYPOINT", "HEALTHCHECK", "RUN", "SHELL", "VOLUME"})
_HEREDOC = frozenset({"ADD", "COPY", "RUN"})
_NOT_TRIGGERS = frozenset({"FROM", "MAINTAINER", "ONBUILD"})


class _Source(NamedTuple):
    text: str
    lines: list[Line]
    escape: str

    def start(self, index: int) -> int:
        """Return the offset of a line, the end of the text below the last one."""
        return self.lines[index].start if index < len(self.lines) else len(self.text)


class _Place(NamedTuple):
    """What an instruction has around its words; a trigger shares it with its ONBUILD."""

    leading: str
    span: Span
    line: int
    end_line: int
    comments: tuple[Span, ...]
    heredocs: tuple[Heredoc, ...]
    problem: str | None


def parse(text: str) -> Document:
    """Read a Dockerfile; `str()` of the result is `text`, whatever it holds. Never raises."""
    bom = _BOM if text.startswith(_BOM) else ""
    lines = split_lines(text, len(bom))
    header = read_header(lines)
    source = _Source(text, lines, header.escape)
    too_long = over_limit(text)
    instructions: list[Instruction] = []
    above, index, problem = len(bom), 0, header.problem
    while index < len(lines):
        if _is_between(lines[index].text):
            problem = problem or _length_problem(too_long, index, index + 1)
            index += 1
            continue
        instruction, below = _instruction(source, index, above, problem or _length_problem(too_long, index, index + 1))
        instructions.append(instruction)
        above, index, problem = source.start(below), below, None
    return Document(text, bom, header.directives, tuple(instructions), text[above:])


def _is_between(line: str) -> bool:
    stripped = line.lstrip(SPACE)
    return not stripped or stripped[0] == "#"


def _length_problem(too_long: frozenset[int], first: int, below: int) -> str | None:
    if too_long and any(index in too_long for index in range(first, below)):
        return f"a line is longer than the {LINE_LIMIT} bytes that BuildKit reads"
    return None


def _instruction(source: _Source, index: int, above: int, problem: str | None) -> tuple[Instruction, int]:
    """Read the instruction at line `index`; return it and the index of the line below it."""
    logical = join_lines(source.lines, index, source.escape)
    parts = split_command(logical.joined, source.escape)
    heredocs, below, unread = _read_heredocs(source, logical, parts)
    start = source.start(index)
    place = _Place(
        leading=source.text[above:start],
        span=Span(start, source.start(below)),
        line=index + 1,
        end_line=below,
        comments=logical.comments,
        heredocs=heredocs,
        problem=problem or unread,
    )
    return _build(source, parts, place), below


def _build(source: _Source, parts: Parts, place: _Place) -> Instruction:
    """Put the instruction together, its trigger first, whose problems are its own."""
    name = _name(parts.keyword)
    trigger = _trigger(source, parts, place) if name == "ONBUILD" and parts.value.text else None
    problem = place.problem
    json = None
    try:
        json = _json(name, parts.value.text)
    except NotStringsError:
        problem = problem or "a JSON array of arguments must hold strings only"
    problem = problem or find_problem(Arguments(name, parts.value.text, json, source.escape), parts.flags)
    return Instruction(
        leading=place.leading,
        text=source.text[place.span.start : place.span.end],
        start=place.span.start,
        keyword=parts.keyword,
        body=parts.body,
        value=parts.value,
        flags=parts.flags,
        json=json,
        heredocs=place.heredocs,
        trigger=trigger,
        comments=place.comments,
        line=place.line,
        end_line=place.end_line,
        problem=problem or (trigger.problem if trigger else None),
        escape=source.escape,
    )


def _trigger(source: _Source, parts: Parts, place: _Place) -> Instruction:
    inner = split_command(parts.value, source.escape)
    start = parts.value.at(0)
    name = _name(inner.keyword)
    place = place._replace(
        leading="",
        span=Span(start, place.span.end),
        line=place.line + source.text.count("\n", place.span.start, start),
        comments=tuple(comment for comment in place.comments if comment.start >= start),
        problem=place.problem or (f"{name} isn't allowed as an ONBUILD trigger" if name in _NOT_TRIGGERS else None),
    )
    # A trigger of a trigger is refused anyway, and following it would let a text nest without end.
    inner = inner if name != "ONBUILD" else inner._replace(value=inner.value.slice(0, 0))
    return _build(source, inner, place)


def _read_heredocs(source: _Source, logical: Logical, parts: Parts) -> tuple[tuple[Heredoc, ...], int, str | None]:
    """Return the here-documents, the index of the line below them, and why they cannot be read."""
    below = logical.below
    if "<<" not in logical.joined.text or not _takes_heredocs(parts, source.escape):
        return (), below, None
    try:
        marks: tuple[Mark, ...] = find_marks(logical.joined.text)
    except MalformedError as error:
        return (), below, str(error)
    return read_bodies(source.text, source.lines, below, marks)


def _takes_heredocs(parts: Parts, escape: str) -> bool:
    if _name(parts.keyword) == "ONBUILD":
        parts = split_command(parts.value, escape)
    name = _name(parts.keyword)
    try:
        return name in _HEREDOC and _json(name, parts.value.text) is None
    except NotStringsError:
        return False


def _json(name: str, value: str) -> tuple[str, ...] | None:
    if name not in _JSON:
        return None
    if name == "HEALTHCHECK":
        _, *command = value.split(maxsplit=1)
        return read_json(command[0]) if command else None
    return read_json(value)


def _name(keyword: str) -> str:
    """Return the keyword in upper case; BuildKit folds ASCII letters only in what it knows."""
    return keyword.upper() if keyword.isascii() else keyword
