"""The cases that a real build must prove: each goes through the same proof as `dfopt verify`."""

import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from optimizer.cli.disk import read_context
from optimizer.engine import Plan, Result, optimize
from optimizer.layers.keys import makes_layer
from optimizer.model import read
from optimizer.report import Check, Evidence, Rebuild, Verdict
from optimizer.syntax import parse
from optimizer.transforms import Level
from optimizer.verify.builder import Builder, BuildRequest
from optimizer.verify.evidence import Settings, Subject, proving

FIXTURES = Path(__file__).parents[2] / "fixtures" / "cases"


@dataclass(frozen=True, slots=True)
class Case:
    """A case that says `build = true`."""

    name: str
    level: Level
    rebuild: dict[str, str] = field(hash=False)
    gone: tuple[str, ...]  # files that the rewrite says it leaves out

    @property
    def context(self) -> Path:
        return FIXTURES / self.name / "context"


def _cases() -> Iterator[Case]:
    for file in sorted(FIXTURES.glob("*/case.toml")):
        case: dict[str, Any] = tomllib.loads(file.read_text())
        if case.get("build"):
            level = Level[case["level"].upper()]
            yield Case(file.parent.name, level, case.get("rebuild", {}), tuple(case.get("gone", ())))


CASES = list(_cases())


def of(cases: list[Case]) -> pytest.MarkDecorator:
    """Give a test these cases; all the tests of a case run in one process, which proves it once."""
    marked = [pytest.param(case, id=case.name, marks=pytest.mark.xdist_group(case.name)) for case in cases]
    return pytest.mark.parametrize("case", marked)


def _rewritten(case: Case) -> tuple[Subject, Result]:
    dockerfile = case.context / "Dockerfile"
    context = read_context(case.context, dockerfile)
    return Subject("Dockerfile", case.context, context), optimize(
        dockerfile.read_text(), context, Plan(level=case.level)
    )


@pytest.fixture(scope="module")
def proved(builder: Builder) -> Callable[[Case], Evidence]:
    """Prove the rewrite of a case, once for all the tests; steps that the builder knows are not run again."""

    @cache
    def prove(case: Case) -> Evidence:
        subject, result = _rewritten(case)
        settings = Settings(fresh=False, rebuild="touch" in case.rebuild)
        with proving(builder, subject, settings, lambda _: None) as proof:
            return proof.prove(result, case.level)

    return prove


@of(CASES)
def test_the_evidence_holds(case: Case, proved: Callable[[Case], Evidence]) -> None:
    evidence = proved(case)

    assert evidence.problem is None
    assert evidence.unclaimed == ()
    assert evidence.verdict is Verdict.HOLDS
    assert evidence.smoke, "the case itself must run and print something"


@of(CASES)
def test_the_layers_are_those_that_the_model_tells(case: Case, proved: Callable[[Case], Evidence]) -> None:
    evidence, (_, result) = proved(case), _rewritten(case)
    assert evidence.before and evidence.after  # noqa: PT018 - for the types

    for text, built in ((result.before, evidence.before), (result.after, evidence.after)):
        dockerfile = read(parse(text))
        own = [step for at in sorted(dockerfile.lineage(dockerfile.target)) for step in dockerfile.stages[at].body]
        told = [(step.name, makes_layer(step)) for step in own]
        rows = built.layers[len(built.layers) - len(own) :]
        assert [(name, not row.empty) for (name, _), row in zip(told, rows, strict=True)] == told
        assert all(step.name in row.created_by or step.name == "RUN" for step, row in zip(own, rows, strict=True))


@of([case for case in CASES if case.level is Level.EXACT])
def test_only_what_was_announced_is_left_out(case: Case, proved: Callable[[Case], Evidence]) -> None:
    caches = {"clean-package-caches", "cache-mounts"}
    gone = {d.subject for d in proved(case).differences if d.check is Check.FILES and d.claimed_by not in caches}

    assert gone == {f"/{path}" for path in case.gone}


@of([case for case in CASES if "touch" in case.rebuild])
def test_the_install_is_cached_only_after_the_rewrite(case: Case, proved: Callable[[Case], Evidence]) -> None:
    evidence = proved(case)
    assert evidence.before and evidence.after  # noqa: PT018 - for the types
    before, after = evidence.before.rebuild, evidence.after.rebuild
    assert before and after  # noqa: PT018

    assert _is_run(case.rebuild.get("before", case.rebuild["step"]), before)
    assert not _is_run(case.rebuild["step"], after)


def _is_run(text: str, rebuild: Rebuild) -> bool:
    """Tell whether a RUN whose text holds `text` was run, and not taken from the cache."""
    found = {name for name in (*rebuild.executed, *rebuild.cached) if "] RUN " in name and text in name}
    assert found, (text, rebuild)
    return not found.isdisjoint(rebuild.executed)


@of([case for case in CASES if "build_arg" in case.rebuild])
def test_another_build_argument_leaves_the_install_cached(case: Case, builder: Builder, tmp_path: Path) -> None:
    _, result = _rewritten(case)
    cached: list[list[bool]] = []
    for name, text in (("found", result.before), ("rewritten", result.after)):
        dockerfile = tmp_path / name
        dockerfile.write_text(text)
        for stamp in ("1", str(time.time_ns())):
            request = BuildRequest(case.context, dockerfile, build_args={case.rebuild["build_arg"]: stamp})
            build = builder.build(request, lambda _: None)
            builder.remove(build.image)
        cached.append(
            [step.cached for step in build.steps if "] RUN " in step.name and case.rebuild["step"] in step.name]
        )

    assert cached == [[False], [True]]
