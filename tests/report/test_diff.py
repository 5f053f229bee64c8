"""The line differences: they turn the old text into the new one, in bounded time."""

import time
from difflib import unified_diff

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.report.diff import Hunk, hunks, lines_of

LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "RUN x\r\n", "\n", "d\x0ce\n"]), max_size=30)


def patched(before: str, found: tuple[Hunk, ...]) -> str:
    """Apply hunks by their line numbers, checking what they say of the old text."""
    old, new, at = lines_of(before), [], 0
    for hunk in found:
        start = hunk.start - 1
        new += old[at:start]
        assert len(new) + 1 == hunk.new_start
        assert [line[1:] for line in hunk.lines if line[0] != "+"] == old[start : start + hunk.length]
        new += [line[1:] for line in hunk.lines if line[0] != "-"]
        at = start + hunk.length
    return "".join(new + old[at:])


@settings(max_examples=200)
@given(LINES, LINES, st.sampled_from(["", "end"]))
def test_hunks_turn_the_old_text_into_the_new(before: list[str], after: list[str], end: str) -> None:
    old, new = "".join(before) + end, "".join(after)

    assert patched(old, hunks(old, new)) == new


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\nb\nc\n", "a\nB\nc\n"),
        ("", "a\n"),
        ("a\n", ""),
        ("a", "a\n"),
        ("".join(f"{n}\n" for n in range(40)), "".join(f"{n}\n" for n in range(40) if n not in {3, 30})),
    ],
)
def test_same_headers_as_difflib(before: str, after: str) -> None:
    expected = [line.rstrip("\n") for line in unified_diff(lines_of(before), lines_of(after)) if line[:2] == "@@"]

    assert [hunk.header for hunk in hunks(before, after)] == expected


def test_equal_texts_have_no_hunks() -> None:
    assert hunks("a\nb", "a\nb") == ()


def test_only_newlines_separate_lines() -> None:
    assert lines_of("a\x0cb\u2028c\rd\ne") == ["a\x0cb\u2028c\rd\n", "e"]


@pytest.mark.parametrize("line", ["RUN echo {}\n", "RUN same\n"], ids=["all different", "all the same"])
def test_a_hundred_thousand_lines_take_seconds(line: str) -> None:
    before = "".join(line.format(n) for n in range(100_000))
    after = "FROM a\n" + before[: len(before) // 2] + "X\n" + before[len(before) // 2 :] + "Z\n"
    start = time.process_time()

    assert patched(before, hunks(before, after)) == after
    assert time.process_time() - start < 5


def test_a_megabyte_in_a_line_is_one_line() -> None:
    before = "RUN " + "x" * 1_000_000 + "\n"

    assert [len(hunk.lines) for hunk in hunks(before, before + "RUN y\n")] == [2]
