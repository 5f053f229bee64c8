"""Which plan is kept when the evidence speaks against some transforms, and how many builds that takes."""

from collections.abc import Callable

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result
from optimizer.report import Check, Difference, Evidence, Verdict
from optimizer.transforms import Level
from optimizer.verify.stepping_back import Held, best

DOCKERFILE = """\
FROM node:20
RUN apt-get update
RUN apt-get install curl
RUN cd /tmp && curl -fsSLO https://example.com/tool.tgz && tar xzf tool.tgz -C /opt
ADD index.js /srv/add/
WORKDIR /app
COPY . .
RUN npm ci
CMD npm start
"""
CONTEXT = Context.of(
    {
        "package.json": '{"name": "app", "version": "1.0.0"}',
        "package-lock.json": '{"lockfileVersion": 3, "packages": {"": {"name": "app", "version": "1.0.0"}}}',
        "index.js": "",
        "Dockerfile": DOCKERFILE,
    }
)


def proving(wrong: set[str], counted: list[frozenset[str]], dies_at: int = 0) -> Callable[[Result, bool], Evidence]:
    """Return a prover that finds fault with every plan in which a wrong transform takes part."""

    def prove(result: Result, measured: bool) -> Evidence:  # noqa: FBT001 (as the type says)
        used = frozenset(applied.transform for applied in result.applied)
        last.append(measured)
        counted.append(used)
        if dies_at and len(counted) >= dies_at:
            return Evidence("Dockerfile", Level.ASSUMED, Verdict.NOT_JUDGED, "fake", problem="no space", builds=1)
        faults = tuple(Difference(Check.FILES, name, "there", None) for name in sorted(used & wrong))
        verdict = Verdict.FAILS if faults else Verdict.HOLDS
        return Evidence("Dockerfile", Level.ASSUMED, verdict, "fake", faults, builds=1)

    return prove


def held(wrong: set[str], counted: list[frozenset[str]], dies_at: int = 0) -> Held:
    return best(DOCKERFILE, CONTEXT, Plan(level=Level.ASSUMED), proving(wrong, counted, dies_at))


def used(found: Held) -> frozenset[str]:
    return frozenset(applied.transform for applied in found.result.applied)


last: list[bool] = []
ALL = used(held(set(), []))


def test_a_plan_that_holds_is_built_once() -> None:
    counted: list[frozenset[str]] = []

    found = held(set(), counted)

    assert len(ALL) > 6  # else the cases below show nothing
    assert (used(found), found.evidence.dropped, len(counted)) == (ALL, (), 1)


@pytest.mark.parametrize("wrong", sorted(ALL))
def test_one_culprit_is_dropped_in_fewer_builds_than_there_are_transforms(wrong: str) -> None:
    counted: list[frozenset[str]] = []

    found = held({wrong}, counted)

    assert last[-1], "the plan that is kept is measured"
    assert wrong not in used(found)
    assert found.evidence.verdict is Verdict.HOLDS
    assert [dropped.transform for dropped in found.evidence.dropped] == [wrong]
    assert [one.subject for one in found.evidence.dropped[0].because] == [wrong]
    assert found.evidence.builds == len(counted) < len(ALL)


def test_every_culprit_is_named() -> None:
    wrong = {"split-manifest-copy", "exec-form"}

    found = held(wrong, [])

    assert {dropped.transform for dropped in found.evidence.dropped} == wrong
    assert not used(found) & wrong
    assert found.evidence.verdict is Verdict.HOLDS


def test_nothing_is_left_where_everything_is_wrong() -> None:
    found = held(set(ALL), [])

    assert found.result.after == DOCKERFILE
    assert found.result.artifacts == ()


def test_a_builder_that_dies_on_the_way_leaves_it_undecided() -> None:
    found = held({"exec-form"}, [], dies_at=3)

    assert (found.evidence.verdict, found.evidence.problem, found.evidence.builds) == (
        Verdict.NOT_JUDGED,
        "no space",
        3,
    )
