"""The examples of every transform are its tests."""

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize
from optimizer.transforms import Example, Level, Transform, all_transforms

EXAMPLES = [(t, e) for t in all_transforms() for e in t.examples]
DECLINED = [(t, e) for t, e in EXAMPLES if e.because]


def titled(pairs: list[tuple[Transform, Example]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("transform", "example"), pairs, ids=[f"{t.id}: {e.title}" for t, e in pairs])


def run(transform: Transform, text: str, files: dict[str, str]) -> Result:
    plan = Plan(level=Level.ASSUMED, select=frozenset({transform.id}))
    return optimize(text, Context.of(files), plan)


@titled(EXAMPLES)
def test_example(transform: Transform, example: Example) -> None:
    before, after = example.texts()

    result = run(transform, before, dict(example.context))

    assert result.after == after
    assert {a.path: a.content for a in result.artifacts} == dict(example.artifacts)


@titled(EXAMPLES)
def test_second_run_finds_nothing(transform: Transform, example: Example) -> None:
    _, after = example.texts()

    result = run(transform, after, dict(example.context) | dict(example.artifacts))

    assert (result.after, result.artifacts) == (after, ())


@titled(EXAMPLES)
def test_example_with_other_line_endings(transform: Transform, example: Example) -> None:
    before, after = example.texts()

    result = run(transform, before.replace("\n", "\r\n"), dict(example.context))

    assert result.after == after.replace("\n", "\r\n")


@titled(DECLINED)
def test_declines_for_the_reason_given(transform: Transform, example: Example) -> None:
    before, _ = example.texts()

    declined = run(transform, before, dict(example.context)).declined

    assert any(example.because in d.reason for d in declined), [d.reason for d in declined]


@pytest.mark.parametrize("transform", all_transforms(), ids=lambda t: t.id)
def test_is_documented(transform: Transform) -> None:
    assert transform.summary.endswith(".")
    assert any(e.after for e in transform.examples), "one example must show a change"
    assert any(e.because for e in transform.examples), "one example must show a decline"


def test_decline_reasons_are_clauses() -> None:
    for transform, example in DECLINED:
        for d in run(transform, example.texts()[0], dict(example.context)).declined:
            assert not d.reason.endswith("."), f"{transform.id}: {d.reason}"
