"""What a runtime stage must not lose is named, though the rewrite announces that much of the full image is gone."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from optimizer.cli.disk import read_context
from optimizer.engine import Plan, Result, optimize
from optimizer.report import Verdict
from optimizer.transforms import Level
from optimizer.verify.builder import Builder
from optimizer.verify.evidence import Settings, Subject, proving

CONTEXT = Path(__file__).parents[2] / "fixtures" / "cases" / "multi_stage_c_program_of_one_compiler_call" / "context"

pytestmark = pytest.mark.xdist_group("multi-stage faults")  # they share the build stage


def rewritten() -> Result:
    dockerfile = CONTEXT / "Dockerfile"
    context = read_context(CONTEXT, dockerfile)
    return optimize(dockerfile.read_text(), context, Plan(select=frozenset({"multi-stage"})))


@pytest.mark.parametrize(
    ("line", "instead", "told"),
    [
        ("COPY --from=build /app /app\n", "", "/app/message.txt"),
        ("COPY --from=build /usr/local/bin/squeeze /usr/local/bin/squeeze\n", "", "squeeze"),
        ("COPY --from=build /app /app\n", "COPY --from=build --chown=daemon /app /app\n", "/app/message.txt"),
        ("WORKDIR /app\nCOPY --from=build", "WORKDIR /app\nENV MODE=x\nCOPY --from=build", "Env MODE"),
    ],
)
def test_what_is_lost_is_named(builder: Builder, line: str, instead: str, told: str) -> None:
    result = rewritten()
    wrong = result.after.replace(line, instead)
    assert wrong != result.after
    subject = Subject("Dockerfile", CONTEXT, read_context(CONTEXT, CONTEXT / "Dockerfile"))

    with proving(builder, subject, Settings(fresh=False), lambda _: None) as proof:
        evidence = proof.prove(replace(result, after=wrong), Level.EQUIVALENT)

    assert evidence.verdict is not Verdict.HOLDS
    assert any(told in one.subject for one in evidence.unclaimed), evidence.unclaimed
