"""The forms of a report, from the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from tests.report.test_sarif import SCHEMA, fixed

CASES = sorted((Path(__file__).parents[2] / "fixtures" / "cases").iterdir())[::30]
ONLY = ("--select", "copy-over-add")
BEGINNINGS = {
    "sarif": '{\n  "$schema": "https://docs.oasis-open.org/sarif/',
    "github": "::warning file=Dockerfile,line=2,endLine=2,title=dfopt::",
    "markdown": "**dfopt**: 1 file: 1 would change (1 rewrite)",
    "html": "<!DOCTYPE html>\n",
}


@pytest.mark.parametrize("name", BEGINNINGS)
@pytest.mark.parametrize("command", [("diff",), ("rewrite", "--check")])
def test_a_report(project: Path, dfopt: Callable, name: str, command: tuple[str, ...]) -> None:
    ran = dfopt(*command, "--format", name, *ONLY)

    assert ran.code == 1
    assert ran.text.startswith(BEGINNINGS[name])
    assert "COPY app.txt /app.txt" in ran.text
    assert ran.err == ""
    assert "ADD" in (project / "Dockerfile").read_text()


@pytest.mark.parametrize("name", BEGINNINGS)
def test_a_report_of_what_cannot_be_read(folder: Path, dfopt: Callable, name: str) -> None:
    (folder / "Dockerfile").write_text("RUN true\n")

    ran = dfopt("diff", "--format", name)

    assert ran.code == 2
    assert "there is no FROM" in ran.text
    assert "there is no FROM" in ran.err


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_fixes_of_a_real_case(case: Path, dfopt: Callable) -> None:
    path = case / "context" / "Dockerfile"
    log = json.loads(dfopt("diff", str(case / "context"), "--level", "assumed", "--format", "sarif").text)

    assert not list(Draft7Validator(json.loads(SCHEMA.read_text())).iter_errors(log))
    rewritten = dfopt("rewrite", "--stdout", str(path), "--level", "assumed").text
    for result in log["runs"][0]["results"]:
        uris = {change["artifactLocation"]["uri"]: change for change in result["fixes"][0]["artifactChanges"]}
        own = next((change for uri, change in uris.items() if uri.endswith("context/Dockerfile")), None)
        alone = all("dockerignore" not in uri for uri in uris)
        if own is not None and alone:
            assert fixed(path.read_bytes().decode(), own["replacements"]) == rewritten
