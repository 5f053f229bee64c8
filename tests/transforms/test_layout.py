"""Edits in the hand of the file that they go into."""

import pytest

from optimizer.engine.edits import apply
from optimizer.model import Dockerfile, read
from optimizer.syntax import parse
from optimizer.transforms import Edit
from optimizer.transforms._layout import (
    Style,
    continuation,
    insert_after,
    insert_before,
    insert_word,
    instruction_with_comments,
    move_before,
    normal_form,
    remove_instruction,
    replace_words,
    style,
    why_not_appendable,
    why_not_movable,
)


def opened(text: str) -> Dockerfile:
    return read(parse(text))


def applied(text: str, *edits: Edit) -> str:
    return apply(text, edits)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RUN a && b\n", Style()),
        ("RUN a \\\n  && b\n", Style("  ")),
        ("RUN a && \\\n\tb\n", Style("\t", leading=False)),
        ("RUN a; \\\n\tif x; then \\\n\t\ty; \\\n\tfi\n", Style("\t", leading=False)),
        ("RUN apt-get install \\\n      a \\\n      b \\\n   && c\n", Style("   ")),
        ("RUN apt-get install \\\n  a \\\n  b\n", Style("  ")),
        ("RUN a && \\\n  b\nRUN a \\\n && b\nRUN a \\\n && b\n", Style(" ")),
        ("RUN a \\\n  # x\n\n  && b\n", Style("  ")),
        ("RUN a && \\\n    if x; then \\\n        y; \\\n        \\\n    fi\n", Style("    ", leading=False)),
        ("RUN <<EOF\na && \\\n  b\nEOF\n", Style()),
        ("# escape=`\r\nFROM x\r\nRUN a `\r\n  && b\r\n", Style("  ", newline="\r\n", escape="`")),
    ],
)
def test_style(text: str, expected: Style) -> None:
    assert style(parse(text)) == expected


def test_style_of_one_instruction_comes_before_that_of_the_file() -> None:
    document = parse("RUN a \\\n  && b\nRUN a \\\n  && b\nRUN a && \\\n\tb\nRUN a \\\n   x\n")

    joints = [continuation(document, instruction) for instruction in document]

    assert joints[1:] == [" \\\n  && ", " && \\\n\t", " \\\n   && "]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("RUN a &\n", "background"),
        ("RUN a && exit 0\n", "nothing runs behind the RUN's exit"),
        ("RUN exec a\n", "nothing runs behind the RUN's exec"),
        ('RUN ["a"]\n', "exec form"),
        ("RUN <<EOF\na\nEOF\n", "here-document"),
        ("RUN a 'b\n", "not understood"),
        ("RUN a # b\n", None),
        ("RUN a # b \\\n && c\n", "a comment swallows"),
        ("RUN a || exit 1\n", None),
    ],
)
def test_says_why_nothing_can_be_appended(text: str, reason: str | None) -> None:
    why = why_not_appendable(opened("FROM x\n" + text).steps[1])

    assert why is None if reason is None else reason in (why or "")


def test_edits_words_in_place() -> None:
    text = "FROM x\nRUN a \\\n  # c\n  && pip install \\\n    b\n"
    run = opened(text).steps[1]
    assert run.run
    words = run.run.calls[1].words

    assert applied(text, insert_word(run, words[1], "--q")) == text.replace("install", "install --q")
    assert applied(text, replace_words(run, words[0], words[1], "uv sync")) == text.replace("pip install", "uv sync")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM x\n# far\n\n# near\n#  too\nRUN a\n", "# near\n#  too\nRUN a\n"),
        ("FROM x\nRUN a", "RUN a\n"),
        ("# escape=`\n# near\nRUN a\n", "# near\nRUN a\n"),
        ("# syntax=x\nRUN a\n", "RUN a\n"),
        ("FROM x\n# dfopt: on\n# near\nRUN a\n", "# near\nRUN a\n"),
        ("FROM x\n  # near\n  RUN a \\\n# in\n  && b\n", "  # near\n  RUN a \\\n# in\n  && b\n"),
        ("FROM x\r\n# near\r\nRUN <<E\r\na\r\nE\r\n", "# near\r\nRUN <<E\r\na\r\nE\r\n"),
    ],
)
def test_comments_directly_above_belong_to_an_instruction(text: str, expected: str) -> None:
    document = parse(text)

    assert instruction_with_comments(document, document.instructions[-1]) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM x\nCOPY a b\nRUN a\nCMD c\n", "FROM x\nRUN a\nCOPY a b\nCMD c\n"),
        ("FROM x\nCOPY a b\nRUN a\n", "FROM x\nRUN a\nCOPY a b\n"),
        ("FROM x\nCOPY a b\nRUN a", "FROM x\nRUN a\nCOPY a b"),
        ("FROM x\r\nCOPY a b\r\nRUN a", "FROM x\r\nRUN a\r\nCOPY a b"),
        ("FROM x\n\nCOPY a b\n\nRUN a\n\nCMD c\n", "FROM x\n\nRUN a\n\nCOPY a b\n\nCMD c\n"),
        ("FROM x\n# c\nCOPY a b\n# r\nRUN a\nCMD c\n", "FROM x\n# r\nRUN a\n# c\nCOPY a b\nCMD c\n"),
        ("FROM x\n\n# c\nCOPY a b\n\n# r\nRUN a\n\n# e\n", "FROM x\n\n# r\nRUN a\n\n# c\nCOPY a b\n\n# e\n"),
        ("FROM x\nCOPY a b\n\n# far\n\nRUN a\n", "FROM x\nRUN a\n\nCOPY a b\n\n# far\n"),
        ("FROM x\nCOPY a b\n# far\n\nRUN a\nCMD c\n", "FROM x\nRUN a\n\nCOPY a b\n# far\n\nCMD c\n"),
    ],
)
def test_moves_an_instruction_up(text: str, expected: str) -> None:
    document = parse(text)
    copy, run = document.instructions[1:3]

    assert applied(text, *move_before(document, run, copy)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM x\n# r\nRUN a\nCMD c\n", "FROM x\nCMD c\n"),
        ("FROM x\n\nRUN a\n\nCMD c\n", "FROM x\n\nCMD c\n"),
        ("FROM x\n\n# r\nRUN a", "FROM x"),
        ("FROM x\n\n\nRUN a\n", "FROM x\n"),
    ],
)
def test_removes_an_instruction(text: str, expected: str) -> None:
    document = parse(text)

    assert applied(text, remove_instruction(document, document.instructions[1])) == expected


def test_inserts_around_an_instruction() -> None:
    text = "FROM x\n# r\nRUN a"
    document = parse(text)
    run = document.instructions[1]

    assert applied(text, insert_before(document, run, "RUN z")) == "FROM x\nRUN z\n# r\nRUN a"
    assert applied(text, insert_after(document, run, "RUN z\n")) == "FROM x\n# r\nRUN a\nRUN z"
    assert applied(text, insert_after(document, document.instructions[0], "RUN z")) == "FROM x\nRUN z\n# r\nRUN a"


@pytest.mark.parametrize("text", ["RUN a \\\n", "RUN a \\", "RUN a \\\n\n# x\n", "RUN a \\\n  # x\n"])
def test_an_instruction_that_is_never_ended_does_not_move(text: str) -> None:
    document = parse("FROM x\n" + text)

    assert why_not_movable(document, document.instructions[0]) is None
    assert why_not_movable(document, document.instructions[1]) == "the file ends in a continued line"


def test_normal_form_is_how_the_gate_counts() -> None:
    document = parse("copy  --chown=a \\\n # x\n b\tc\nADD <<E /d\nz\nE\n")

    assert [normal_form(i) for i in document] == ["COPY --chown=a b c", "ADD <<E /d\nz\n"]
