"""Comments in the file keep transforms away."""

from textwrap import dedent

import pytest

from optimizer.context import Context
from optimizer.engine.optimize import optimize
from optimizer.engine.plan import Plan
from optimizer.engine.suppressions import suppressed
from optimizer.syntax import parse
from optimizer.transforms import Level, Transform


def fake(name: str, *aliases: str) -> Transform:
    return Transform(name, "", Level.EXACT, frozenset(), "", aliases, (), lambda _subject: iter(()))


TRANSFORMS = (fake("merge-run", "hadolint:DL3059"), fake("skip-recommends", "hadolint:DL3015"), fake("copy-over-add"))

# The lines at which merge-run must stay away.
CASES = {
    "no comment": ("FROM a\nRUN b\n", []),
    "above": ("FROM a\n# dfopt: ignore=merge-run\nRUN b\nRUN c\n", [2, 3]),
    "with a reason": ("FROM a\n# dfopt: ignore=merge-run it is slow, slow\nRUN b\n", [2, 3]),
    "among others": ("FROM a\n#dfopt:ignore=copy-over-add, merge-run why\nRUN b\n", [2, 3]),
    "another transform": ("FROM a\n# dfopt: ignore=copy-over-add merge-run\nRUN b\n", []),
    "all transforms": ("FROM a\n# dfopt: ignore\nRUN b\nRUN c\n", [2, 3]),
    "letter case": ("FROM a\n# DFOPT: Ignore=Merge-Run\nRUN b\n", [2, 3]),
    "CRLF": ("FROM a\r\n# dfopt: ignore=merge-run\r\nRUN b\r\nRUN c\r\n", [2, 3]),
    "indented": ("FROM a\n   # dfopt: ignore=merge-run\nRUN b\n", [2, 3]),
    "with other comments and blank lines": ("FROM a\n# dfopt: ignore=merge-run\n\n# b\nRUN b\nRUN c\n", [2, 3, 4, 5]),
    "an instruction of several lines": ("FROM a\n# dfopt: ignore=merge-run\nRUN b \\\n  && c\nRUN c\n", [2, 3, 4]),
    "inside an instruction": ("FROM a\nRUN b \\\n  # dfopt: ignore=merge-run\n  && c\nRUN c\n", [2, 3, 4]),
    "off": ("FROM a\n# dfopt: off\nRUN b\nRUN c\n", [2, 3, 4]),
    "off and on": ("FROM a\n# dfopt: off\nRUN b\nRUN c\n# dfopt: on\nRUN d\n", [2, 3, 4]),
    "off from the top": ("# dfopt: off\nFROM a\nRUN b\n", [1, 2, 3]),
    "text in a heredoc": ("FROM a\nRUN <<E\n# dfopt: off\nE\nRUN c\n", []),
    "text in a command": ("FROM a\nRUN echo '# dfopt: off'\nRUN c\n", []),
    "prose": ("FROM a\n# see dfopt: ignore=merge-run\nRUN b\n", []),
    "hadolint": ("FROM a\n# hadolint ignore=DL3008,DL3059\nRUN b\nRUN c\n", [2, 3]),
    "hadolint, another rule": ("FROM a\n# hadolint ignore=DL3008\nRUN b\n", []),
    "hadolint, for the file": ("# hadolint global ignore=DL3059\nFROM a\nRUN b\n", [1, 2, 3]),
    "at the end": ("FROM a\nRUN b\n# dfopt: ignore=merge-run\n", []),
}


@pytest.mark.parametrize(("text", "lines"), CASES.values(), ids=CASES)
def test_lines_that_are_spared(text: str, lines: list[int]) -> None:
    is_off = suppressed(parse(text), TRANSFORMS)

    assert [line for line in range(1, text.count("\n") + 1) if is_off("merge-run", line)] == lines


def test_only_the_named_transform_stays_away() -> None:
    text = dedent("""\
        FROM a
        # dfopt: ignore=merge-run
        # hadolint ignore=DL3015
        RUN b
        """)
    is_off = suppressed(parse(text), TRANSFORMS)

    assert is_off("merge-run", 4)
    assert is_off("skip-recommends", 4)
    assert not is_off("copy-over-add", 4)


ABOVE, BELOW = "FROM python:3.12\nWORKDIR /app\n", "CMD a\n"
BETWEEN = "COPY . .\nEXPOSE 80\nRUN pip install -r requirements.txt\n"


def split_with_comment_above(line: str) -> bool:
    """Tell whether a file is changed that spares this line from split-manifest-copy."""
    text = (ABOVE + BETWEEN + BELOW).replace(line, f"# dfopt: ignore=split-manifest-copy\n{line}")
    context = Context.of({"requirements.txt": "flask==3.0.3\n", "main.py": ""})
    return bool(optimize(text, context, Plan(select=frozenset({"split-manifest-copy"}))).applied)


@pytest.mark.parametrize("line", BETWEEN.splitlines())
def test_nothing_moves_across_a_spared_instruction(line: str) -> None:
    assert not split_with_comment_above(line)


@pytest.mark.parametrize("line", (ABOVE + BELOW).splitlines())
def test_a_spared_instruction_above_or_below_is_no_obstacle(line: str) -> None:
    assert split_with_comment_above(line)
