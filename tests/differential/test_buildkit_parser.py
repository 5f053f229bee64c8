"""Our reading of a Dockerfile against BuildKit's own parser, as PyPI's `dockerfile` wraps it."""

import re
from pathlib import Path
from typing import NamedTuple

import dockerfile
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.syntax import Document, Heredoc, Instruction, pairs, parse, words

FIXTURES = Path(__file__).parents[2] / "fixtures"
NAMES = re.compile(r".*(Docker|Container)file.*(?<!\.dockerignore)")
FILES = sorted(path for path in FIXTURES.rglob("*") if NAMES.fullmatch(path.name) and path.is_file())

# What the wrapped parser cannot be asked about, each rule with its reason. A text that one matches is left out.
UNKNOWN_TO_THE_WRAPPER = {
    "it takes and gives C strings, which end at a NUL": re.compile(r"\0|\\u0000"),
    "it takes UTF-8, which has no lone surrogates": re.compile("[\ud800-\udfff]"),
    "it is older than white space between `<<` and the name": re.compile(r"<<-?(\\\r?\n|[\t\r ])"),
    "it is older than `${x#p}`, and gives up looking for here-documents there": re.compile(
        r"(?s)\$\{.*[#%/?].*<<|<<.*\$\{.*[#%/?]"
    ),
    "it reads flags byte by byte, so that other characters come out garbled": re.compile(r"(?s)--.*[^\x00-\x7f]"),
    "it is older than any white space between `#` and a directive": re.compile("#[ \\t]*[\v\x85\xa0\u2028]"),
    "it is older than the check directive": re.compile(r"(?is)check\s*=.*(escape|check)\s*="),
    "it is older than the escape directive's word on flags": re.compile(r"(?is)escape\s*=\s*`.*--.*[\\`]"),
    "it is older than line endings kept apart from here-document bodies": re.compile(r"(?s)<<.*\r"),
}


class Read(NamedTuple):
    """What both sides say about an instruction."""

    keyword: str
    trigger: str | None
    json: bool
    first: int
    last: int
    flags: tuple[str, ...]
    value: tuple[str, ...]
    heredocs: tuple[tuple[str, int, str], ...]


def theirs(text: str) -> list[Read] | None:
    try:
        commands = dockerfile.parse_string(text)
    except dockerfile.GoParseError:
        return None
    return [
        Read(
            c.cmd or "",  # the wrapper has no empty strings here
            c.sub_cmd,
            c.json,
            c.start_line,
            c.end_line,
            c.flags,
            c.value,
            () if c.sub_cmd else tuple((h.name, h.file_descriptor, h.content) for h in c.heredocs),
        )
        for c in commands
    ]


def ours(document: Document) -> list[Read]:
    return [_read(instruction, document.source) for instruction in document]


def _read(instruction: Instruction, source: str) -> Read:
    inner = instruction.trigger or instruction
    return Read(
        instruction.keyword,
        instruction.trigger.keyword if instruction.trigger else None,
        inner.json is not None,
        instruction.line,
        instruction.end_line,
        tuple(f"--{f.name}" if f.value is None else f"--{f.name}={f.value}" for f in instruction.flags),
        _value(inner),
        # The wrapper loses the here-documents of an ONBUILD.
        () if inner is not instruction else tuple(_heredoc(h, source) for h in instruction.heredocs),
    )


def _heredoc(heredoc: Heredoc, source: str) -> tuple[str, int, str]:
    """Put the body as BuildKit's parser has it, which leaves the tabs in."""
    return heredoc.name, heredoc.descriptor, source[heredoc.span.start : heredoc.span.end]


def _value(instruction: Instruction) -> tuple[str, ...]:
    """Put the value as the wrapper does: JSON words, names and values in a row, words, or the text as a whole."""
    name, text = instruction.name, instruction.value.text
    if name == "HEALTHCHECK":
        kind, *command = re.split(r"[\t\n\v\f\r ]+", text, maxsplit=1)
        return (*filter(None, [kind]), *(command if instruction.json is None else instruction.json))
    if instruction.json is not None:
        return instruction.json
    if name in ("ENV", "LABEL"):
        return tuple(part or "" for pair in pairs(instruction) for part in pair)
    if name == "ARG":
        return tuple(n if v is None else f"{n}={v}" for n, v in pairs(instruction))
    if name in ("ADD", "COPY", "EXPOSE", "FROM", "VOLUME"):
        return tuple(word for word, _ in words(instruction))
    if name == "ONBUILD":
        return ("",) if text else ()
    if instruction.problem and "unknown instruction" in instruction.problem:
        return ("",)
    return (text,) if text else ()


def refused(document: Document) -> bool:
    return not document.instructions or any(instruction.problem for instruction in document)


def compare(text: str) -> None:
    if any(pattern.search(text) for pattern in UNKNOWN_TO_THE_WRAPPER.values()):
        return
    document = parse(text)
    if any("behind a JSON array" in (instruction.problem or "") for instruction in document):
        return  # The wrapped version is from before BuildKit took such text for shell form.
    expected = theirs(text)
    if expected is None:
        assert refused(document)
    else:
        assert ours(document) == expected


def read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FIXTURES)))
def test_fixture(path: Path) -> None:
    compare(read(path))


PIECES = st.sampled_from(
    [
        *("FROM a", "RUN", "COPY", "ADD", "ENV", "ARG", "LABEL", "CMD", "ENTRYPOINT", "ONBUILD ", "HEALTHCHECK CMD "),
        *("EXPOSE", "VOLUME", "USER", "WORKDIR", "SHELL", "STOPSIGNAL", "MAINTAINER", "run", "Foo", "onbuild copy "),
        *(" ", "  ", "\t", "\n", "\n\n", "\r\n", "\\\n", " \\\n", " \\ \r\n", "`\n", "\\\\\n", "\\", "`", "\f", "\v"),
        *("#", "# note\n", "  # note\n", "# escape=`\n", "#check = x\n", "# syntax=a b\n", "\ufeff", "\r", "\x85"),
        *("[", "]", '["a"]', '["a", "b"]', "[1]", ",", '"', "'", '"a b"', "'c d'", "\\u00e9", '\\"', "[]"),
        *("a", "b=c", "=", "A=", "é", "\xa0", "\u2028", "/x/", "$x", "${x}", "${x:-", "}", "${x#*/}", "${x/a/b}"),
        *("--", " --a=b", " --link ", ' --mount="x y"', " --from=a", "--x='y z'", " -- ", "-"),
        *("<<EOF", " <<EOF", "<<-EOF", ' <<"EOF"', " 3<<E", "\nEOF\n", "\n\tEOF\n", "EOF", "<", "<<<", "<<", ";", "&&"),
    ]
)
LINES = st.lists(st.lists(PIECES, min_size=1, max_size=6).map("".join), max_size=6).map("\n".join)


@given(LINES)
@settings(max_examples=200, deadline=None)
def test_drawn_lines(text: str) -> None:
    compare(text)


@given(st.lists(PIECES, max_size=25).map("".join))
@settings(max_examples=200, deadline=None)
def test_drawn_pieces(text: str) -> None:
    compare(text)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_fixtures_changed_a_little(data: st.DataObject) -> None:
    text = read(data.draw(st.sampled_from(FILES)))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 5)))
        text = text[:start] + data.draw(PIECES) + text[end:]
    compare(text)
