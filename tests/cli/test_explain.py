"""`dfopt explain`: the table, what is supposed to change, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.conftest import Ran

Dfopt = Callable[..., Ran]
SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "reference" / "explain.schema.json").read_text())
NODE = 'FROM node:20-slim\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD ["node", "src/app.js"]\n'
STAGES = (
    "FROM golang:1.22 AS build\nCOPY . /src\nRUN go build -o /app /src\nFROM scratch\nCOPY --from=build /app /app\n"
)


@pytest.fixture
def node(folder: Path) -> Path:
    """A project whose install runs again after every edit."""
    (folder / "src").mkdir()
    (folder / "src" / "app.js").write_text("console.log(1)\n")
    (folder / "package.json").write_text('{"dependencies": {"express": "4.18.2"}}\n')
    packages = {"": {"dependencies": {"express": "4.18.2"}}, "node_modules/express": {"version": "4.18.2"}}
    (folder / "package-lock.json").write_text(json.dumps({"lockfileVersion": 3, "packages": packages}))
    (folder / ".dockerignore").write_text(".git\nnode_modules\n")
    (folder / "Dockerfile").write_text(NODE)
    return folder


def explained(dfopt: Dfopt, *arguments: str) -> dict[str, Any]:
    """Return the one file of a JSON report, which is as the schema says."""
    done = dfopt("explain", "--format", "json", *arguments)
    assert done.code == 0, done.err
    report = json.loads(done.text)
    jsonschema.validate(report, SCHEMA)
    found: dict[str, Any] = report["files"][0]
    return found


def fates(side: dict[str, Any]) -> dict[str, str]:
    return {row["instruction"].split()[0] + f" {row['step']}": row["fate"] for row in side["rows"]}


@pytest.mark.usefixtures("node")
def test_an_edit_of_a_source_runs_the_install_again_only_before_the_rewrite(dfopt: Dfopt) -> None:
    found = explained(dfopt)

    assert found["supposed"]["chosen"]
    assert found["supposed"]["files"] == ["src/app.js"]
    assert found["before"]["chain"] == "step 3 COPY . . reads src/app.js; step 4 RUN npm ci follows it"
    assert (found["before"]["steps_again"], found["after"]["steps_again"]) == (2, 1)
    assert found["after"]["chain"] == "step 5 COPY . . reads src/app.js"


@pytest.mark.usefixtures("node")
def test_the_table_says_it_in_a_line(dfopt: Dfopt) -> None:
    text = dfopt("explain").text

    assert "Dockerfile: after an edit of src/app.js 1 of 4 steps runs again instead of 2 of 3\n" in text
    assert "   4 RUN npm ci" in text
    assert "* runs again: follows step 3" in text
    assert "After dfopt's rewrite: 4 layers above the base image" in text
    assert "\x1b[" not in text


@pytest.mark.parametrize(
    ("arguments", "again"),
    [
        (["--changed", "package.json"], ["COPY 3", "RUN 4"]),
        (["--changed", "node_modules/x.js"], []),
        (["--changed", "src"], ["COPY 3", "RUN 4"]),
        (["--build-arg", "UNKNOWN=1"], []),
        (["--new-base"], ["WORKDIR 2", "COPY 3", "RUN 4"]),
    ],
)
def test_what_is_supposed_decides_what_runs_again(
    arguments: list[str], again: list[str], node: Path, dfopt: Dfopt
) -> None:
    found = explained(dfopt, *arguments)

    assert [name for name, fate in fates(found["before"]).items() if fate == "runs"] == again
    assert not found["supposed"]["chosen"], node


def test_a_build_argument_runs_every_later_command_again(folder: Path, dfopt: Dfopt) -> None:
    (folder / "Dockerfile").write_text("FROM alpine:3.20\nRUN true\nARG V=1\nRUN echo\nCOPY Dockerfile /\n")

    found = explained(dfopt, "--build-arg", "V=2")

    assert fates(found["before"]) == {
        "FROM 1": "free",
        "RUN 2": "cached",
        "ARG 3": "free",
        "RUN 4": "runs",
        "COPY 5": "runs",
    }
    assert "gets another value of V" in found["before"]["chain"]


def test_a_file_is_named_from_here_or_from_the_context(
    folder: Path, dfopt: Dfopt, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "api").mkdir()
    (folder / "api" / "Dockerfile").write_text("FROM alpine:3.20\nCOPY a.txt b.txt /\n")
    (folder / "api" / "a.txt").write_text("a")

    for name in ("api/a.txt", "a.txt"):
        assert explained(dfopt, "api", "--changed", name)["supposed"]["files"] == ["a.txt"]
    monkeypatch.chdir(folder / "api")
    assert explained(dfopt, "--changed", "a.txt")["supposed"]["files"] == ["a.txt"]


def test_a_file_outside_the_context_is_refused(node: Path, dfopt: Dfopt) -> None:
    done = dfopt("explain", "--changed", "../elsewhere.js")

    assert (done.code, done.text) == (2, "")
    assert "../elsewhere.js is not in the build context" in done.err, node


def test_what_another_stage_builds_is_left_open(folder: Path, dfopt: Dfopt) -> None:
    (folder / "main.go").write_text("package main\n")
    (folder / "Dockerfile").write_text(STAGES)

    done = dfopt("explain", "--select", "merge-run")

    assert "3 of 3 steps run again (1 of them perhaps)" in done.text
    assert "? may run again: copies from build, where step 3 runs again: cached if" in done.text
    assert "dfopt has nothing to rewrite here" in done.text


def test_the_older_builder_counts_every_instruction(folder: Path, dfopt: Dfopt) -> None:
    (folder / "a.txt").write_text("a")
    (folder / "Dockerfile").write_text("FROM alpine:3.20\nCOPY a.txt /\nLABEL a=b\nCMD true\n")

    before = explained(dfopt, "--legacy", "--changed", "a.txt")["before"]

    assert fates(before) == {"FROM 1": "free", "COPY 2": "runs", "LABEL 3": "runs", "CMD 4": "runs"}


@pytest.mark.usefixtures("node")
def test_a_build_argument_without_a_name_is_refused(dfopt: Dfopt) -> None:
    done = dfopt("explain", "--build-arg", "=1")

    assert done.code == 2
    assert "is not NAME=VALUE" in done.err


def test_a_file_that_cannot_be_read_does_not_stop_the_others(node: Path, dfopt: Dfopt) -> None:
    done = dfopt("explain", "missing", str(node))

    assert done.code == 2
    assert "missing" in done.err
    assert "1 of 4 steps runs again" in done.text


def test_an_image_without_an_engine_is_an_error(node: Path, dfopt: Dfopt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(node))

    done = dfopt("explain", "--image", "app:latest")

    assert done.code == 2
    assert "the image app:latest cannot be looked at" in done.err


CASES = sorted((Path(__file__).parents[2] / "fixtures" / "cases").glob("*/context/Dockerfile"))


@pytest.mark.parametrize("dockerfile", CASES[::12], ids=lambda path: path.parts[-3])
def test_every_dockerfile_is_explained_as_the_schema_says(dockerfile: Path, dfopt: Dfopt) -> None:
    found = explained(dfopt, str(dockerfile))

    assert len(found["before"]["rows"]) > 1
    assert found["before"]["steps"] == sum(
        row["fate"] in {"cached", "runs", "may run"} for row in found["before"]["rows"]
    )
