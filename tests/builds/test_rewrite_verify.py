"""A plan whose boldest form fails in real builds ends with a smaller one that holds."""

from pathlib import Path

from optimizer.cli.disk import read_context
from optimizer.engine import Plan, Result, optimize
from optimizer.report import Evidence, Verdict
from optimizer.transforms import Level
from optimizer.verify.builder import Builder
from optimizer.verify.evidence import Settings, Subject, proving
from optimizer.verify.stepping_back import best

# The program starts logrotate, which is there only because apt installs what rsyslog recommends.
FILES = {
    "Dockerfile": """\
FROM node:20-slim
WORKDIR /app
ADD . .
RUN apt-get update
RUN apt-get install -y rsyslog
RUN npm install
CMD node app.js
""",
    "package.json": '{"name": "app", "version": "1.0.0", "dependencies": {"ms": "2.1.3"}}\n',
    "package-lock.json": """\
{
  "name": "app",
  "version": "1.0.0",
  "lockfileVersion": 3,
  "requires": true,
  "packages": {
    "": {
      "name": "app",
      "version": "1.0.0",
      "dependencies": {
        "ms": "2.1.3"
      }
    },
    "node_modules/ms": {
      "version": "2.1.3",
      "integrity": "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==",
      "license": "MIT"
    }
  }
}
""",
    "app.js": """\
const { spawnSync } = require("node:child_process");
console.log(require("ms")("2 days"), spawnSync("logrotate", ["--version"]).status);
""",
}


def test_a_plan_that_fails_ends_with_a_smaller_one_that_holds(builder: Builder, tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    context = read_context(tmp_path, tmp_path / "Dockerfile")
    plan = Plan(level=Level.ASSUMED)
    boldest = {applied.transform for applied in optimize(FILES["Dockerfile"], context, plan).applied}
    tried: list[str] = []

    with proving(builder, Subject("Dockerfile", tmp_path, context), Settings(), lambda _: None) as proof:

        def prove(result: Result, measured: bool) -> Evidence:  # noqa: FBT001 (as stepping back asks)
            tried.append(result.after)
            return proof.prove(result, Level.ASSUMED, measured=measured)

        found = best(FILES["Dockerfile"], context, plan, prove)

    assert found.evidence.verdict is Verdict.HOLDS
    assert [dropped.transform for dropped in found.evidence.dropped] == ["skip-recommends"]
    assert {applied.transform for applied in found.result.applied} == boldest - {"skip-recommends"}
    assert len(tried) < len(boldest)
