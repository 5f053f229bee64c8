import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.engine.edits import apply, compatible, line_of, line_starts, moved, ordered, origins, placed, written
from optimizer.syntax import Span
from optimizer.transforms import Edit, Rewrite


def edit(start: int, end: int, text: str) -> Edit:
    return Edit(Span(start, end), text)


def rewrite(*edits: Edit) -> Rewrite:
    return Rewrite(1, "", "", edits)


@pytest.mark.parametrize(
    ("edits", "after"),
    [
        ([edit(0, 0, ">")], ">abc"),
        ([edit(3, 3, "!"), edit(0, 1, "")], "bc!"),
        ([edit(1, 2, "xyz")], "axyzc"),
    ],
)
def test_apply(edits: list[Edit], after: str) -> None:
    assert apply("abc", edits) == after


def test_a_missing_final_newline_stays_missing() -> None:
    assert apply("ab\ncd", [edit(0, 0, "cd\n"), edit(3, 5, "")]) == "cd\nab"
    assert apply("ab\ncd\n", [edit(0, 0, "cd\n"), edit(3, 6, "")]) == "cd\nab\n"


def test_rewrites_that_meet_wait_for_the_next_round() -> None:
    first, touching, apart = rewrite(edit(2, 5, "")), rewrite(edit(5, 6, "")), rewrite(edit(7, 8, ""))

    assert compatible([first, touching, apart]) == [first, apart]


@st.composite
def texts_with_edits(draw: st.DrawFn) -> tuple[str, list[Edit], Span]:
    text = draw(st.text("ab\n", min_size=2, max_size=40))
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), min_size=2, max_size=6)))
    pairs = list(zip(cuts[::2], cuts[1::2], strict=False))
    edits = [edit(a, b, draw(st.text("xy\n", max_size=4))) for a, b in pairs]
    free = [0, *(p for pair in pairs for p in pair), len(text)]
    gap = draw(st.integers(0, len(free) // 2 - 1))
    return f"{text}\n", edits, Span(free[2 * gap], free[2 * gap + 1])


@given(texts_with_edits())
@settings(max_examples=200)
def test_a_span_between_the_edits_keeps_its_text(drawn: tuple[str, list[Edit], Span]) -> None:
    text, edits, span = drawn
    after = moved(span, ordered(edits))

    if span.end > span.start:
        assert apply(text, edits)[after.start : after.end] == text[span.start : span.end]


@given(texts_with_edits())
@settings(max_examples=200)
def test_every_line_goes_back_to_a_line_of_the_source(drawn: tuple[str, list[Edit], Span]) -> None:
    text, edits, _ = drawn
    known = list(range(1, text.count("\n") + 2))
    back = origins(text, ordered(edits), known)

    assert len(back) == apply(text, edits).count("\n") + 1
    assert set(back) <= set(known)
    assert back == sorted(back)


def test_what_a_rewrite_wrote() -> None:
    edits = ordered([edit(0, 1, "long"), edit(2, 3, "x")])

    assert written(rewrite(edits[1]), edits, placed(edits)) == Span(5, 6)


def test_only_a_newline_ends_a_line() -> None:
    starts = line_starts("a\u2028b\x0c\r\nc")

    assert starts == (0, 6)
    assert [line_of(starts, offset) for offset in (0, 5, 6)] == [1, 1, 2]
