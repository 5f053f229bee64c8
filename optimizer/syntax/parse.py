"""Text to a `Document`, as BuildKit reads it and without losing a character.

The rules are those of moby/buildkit frontend/dockerfile/parser/parser.go. Where BuildKit stops with an error, the
instruction gets a `problem` and reading goes on, so that every text has a document.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from optimizer.syntax._directives import read_header
from optimizer.syntax._flags import Parts, split_command
from optimizer.syntax._heredocs import Mark, find_marks, read_bodies
from optimizer.syntax._json_form import NotStringsError, has_text_behind, read_json
from optimizer.syntax._lexer import MalformedError
from optimizer.syntax._lines import LINE_LIMIT, SPACE, Line, Logical, end_of, join_lines, over_limit, split_lines
from optimizer.syntax._problems import Arguments, find_problem
from optimizer.syntax.nodes import Document, Heredoc, Instruction, Span

_BOM = "\ufeff"
_JSON = frozenset({"ADD", "CMD", "COPY", "ENTRYPOINT", "RUN", "SHELL", "VOLUME"})
_HEREDOC = frozenset({"ADD", "COPY", "RUN"})
_TOO_LONG = f"a line is longer than the {LINE_LIMIT} bytes that BuildKit reads"
_NOT_TRIGGERS = frozenset({"FROM", "MAINTAINER", "ONBUILD"})


class _Source(NamedTuple):
    text: str
    lines: list[Line]
    starts: list[int]  # of the lines, and the end of the text
    escape: str

    @classmethod
    def of(cls, text: str, lines: list[Line], escape: str) -> "_Source":
        """Take a text with its lines."""
        return cls(text, lines, [*[line.start for line in lines], len(text)], escape)


class _Place(NamedTuple):
    """What an instruction has around its words; a trigger shares it with its ONBUILD."""

    leading: str
    span: Span
    line: int
    end_line: int
    comments: tuple[Span, ...]
    heredocs: tuple[Heredoc, ...]
    problem: str | None


@lru_cache(maxsize=16)
def parse(text: str) -> Document:
    """Read a Dockerfile; `str()` of the result is `text`, whatever it holds. Never raises."""
    bom = _BOM if text.startswith(_BOM) else ""
    lines = split_lines(text, len(bom))
    header = read_header(lines)
    source = _Source.of(text, lines, header.escape)
    too_long = over_limit(text)
    instructions: list[Instruction] = []
    above, index, problem = len(bom), 0, header.problem
    while index < len(lines):
        if index in too_long:
            problem = problem or _TOO_LONG
        if _is_between(lines[index].text):
            index += 1
            continue
        instruction, index = _instruction(source, index, above, problem)
        instructions.append(instruction)
        above, problem = source.starts[index], None
    return Document(text, bom, header.directives, tuple(instructions), text[above:])


def _is_between(line: str) -> bool:
    stripped = line.lstrip(SPACE)
    return not stripped or stripped[0] == "#"


def _instruction(source: _Source, index: int, above: int, problem: str | None) -> tuple[Instruction, int]:
    """Read the instruction at line `index`; return it and the index of the line below it."""
    below = end_of(source.lines, index, source.escape)
    start, end = source.starts[index], source.starts[below]
    if problem is not None or source.text.find("<<", start, end) >= 0:
        return _read(source, index, above, problem)
    return _placed(source.text[start:end], source.escape, source.text[above:start], start, index), below


@lru_cache(maxsize=1024)
def _placed(text: str, escape: str, leading: str, start: int, index: int) -> Instruction:
    """Read an instruction that stands at an offset and a line index of its file."""
    return _alone(text, escape).moved(start, index, leading=leading)


@lru_cache(maxsize=2048)
def _alone(text: str, escape: str) -> Instruction:
    """Read an instruction as if it were a file: a change of the file leaves most instructions as they are."""
    return _read(_Source.of(text, split_lines(text, 0), escape), 0, 0, None)[0]


def _read(source: _Source, index: int, above: int, problem: str | None) -> tuple[Instruction, int]:
    """Read the instruction at line `index` with what the text around it adds."""
    logical = join_lines(source.lines, index, source.escape)
    parts = split_command(logical.joined, source.escape)
    heredocs, below, unread = _read_heredocs(source, logical, parts)
    start = source.starts[index]
    place = _Place(
        leading=source.text[above:start],
        span=Span(start, source.starts[below]),
        line=index + 1,
        end_line=below,
        comments=logical.comments,
        heredocs=heredocs,
        problem=problem or unread,
    )
    trigger = _trigger(source, parts, place) if _name(parts.keyword) == "ONBUILD" and parts.value.text else None
    return _build(source, parts, place, trigger), below


def _build(source: _Source, parts: Parts, place: _Place, trigger: Instruction | None) -> Instruction:
    """Put the instruction together; the problem of its trigger is its own."""
    json, problem = _judge(parts, source.escape)
    return Instruction(
        leading=place.leading,
        text=source.text[place.span.start : place.span.end],
        start=place.span.start,
        keyword=parts.keyword,
        name=parts.keyword.upper(),
        body=parts.body,
        value=parts.value,
        flags=parts.flags,
        json=json,
        heredocs=place.heredocs,
        trigger=trigger,
        comments=place.comments,
        line=place.line,
        end_line=place.end_line,
        problem=place.problem or problem or (trigger.problem if trigger else None),
        escape=source.escape,
    )


def _judge(parts: Parts, escape: str) -> tuple[tuple[str, ...] | None, str | None]:
    """Return the words of the JSON form, and why BuildKit would refuse the instruction."""
    name, value = _name(parts.keyword), parts.value.text
    text = _json_text(name, value)
    try:
        json = read_json(text)
    except NotStringsError:
        return None, "a JSON array of arguments must hold strings only"
    if json is None and has_text_behind(text):
        return None, "text behind a JSON array, which versions of BuildKit read differently"
    return json, find_problem(Arguments(name, value, json, escape), parts.flags)


def _trigger(source: _Source, parts: Parts, place: _Place) -> Instruction:
    """Build what an ONBUILD registers; a trigger of a trigger is refused, and not followed."""
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
    return _build(source, inner, place, None)


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
        return name in _HEREDOC and read_json(parts.value.text) is None and not has_text_behind(parts.value.text)
    except NotStringsError:
        return False


def _json_text(name: str, value: str) -> str:
    """Return the part of the value that may be in JSON form."""
    if name == "HEALTHCHECK":
        return re.split(r"[\t\n\v\f\r ]+", f"{value} ", maxsplit=1)[1]
    return value if name in _JSON else ""


def _name(keyword: str) -> str:
    """Return the keyword in upper case; BuildKit folds ASCII letters only in what it knows."""
    return keyword.upper() if keyword.isascii() else keyword
