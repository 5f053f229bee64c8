"""The places where people meet dfopt: the action, the hooks, the templates, the image."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from optimizer.cli.arguments import LevelName
from optimizer.cli.discover import is_dockerfile

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
ADDS = 'FROM alpine:3.20\nADD app.txt /app.txt\nCMD ["cat", "/app.txt"]\n'
FAKE = '#!/bin/sh\nprintf "%s\\n" "$@" > arguments\necho "${GITHUB_TOKEN:-none}" > token\nexit ${FAKE_EXIT:-0}\n'
NAMES = [
    "Dockerfile", "a/Dockerfile", "Dockerfile.dev", "api.Dockerfile", "Containerfile", "Containerfile.web",
    "Dockerfile.j2", "Dockerfile.dockerignore", "Dockerfile.md", "Dockerfile~",
    "NotADockerfile", "dockerfile.py", "Dockerfile.tmpl",
]  # fmt: skip


@pytest.mark.parametrize(
    ("schema", "file"), [("vendor.github-actions", "action.yml"), ("vendor.gitlab-ci", "ci/dfopt.gitlab-ci.yml")]
)
def test_what_others_read_is_valid(schema: str, file: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(ROOT / file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert not done.returncode, done.stdout + done.stderr


@pytest.fixture
def act(tmp_path: Path) -> Callable[..., tuple[int, list[str], str]]:
    """Run the last step of the action with inputs; return its code, what dfopt was called with, and its token."""
    steps = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]
    program = tmp_path / "runner" / "dfopt" / "bin" / "dfopt"
    program.parent.mkdir(parents=True)
    program.write_text(FAKE)
    program.chmod(0o755)

    def run(code: int = 0, **inputs: str) -> tuple[int, list[str], str]:
        given = {"MODE": "check", "PATHS": ".", "LEVEL": "", "ARGUMENTS": "", "FAIL": "true", "NUMBER": "", **inputs}
        environment = {**os.environ, **given, "RUNNER_TEMP": str(tmp_path / "runner"), "FAKE_EXIT": str(code)}
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", steps[-1]["run"]]
        done = subprocess.run(command, cwd=tmp_path, env={**environment, "GITHUB_TOKEN": "t"}, check=False)
        called = (tmp_path / "arguments").read_text().splitlines() if (tmp_path / "arguments").exists() else []
        return done.returncode, called, (tmp_path / "token").read_text().strip() if called else ""

    return run


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({}, ["diff", "--format", "github", "--", "."]),
        ({"LEVEL": "exact"}, ["diff", "--format", "github", "--level", "exact", "--", "."]),
        ({"PATHS": "a b\n-c\n"}, ["diff", "--format", "github", "--", "a b", "-c"]),
        ({"MODE": "review", "NUMBER": "7"}, ["pr", ".", "--suggest", "7"]),
        ({"MODE": "pull-request", "ARGUMENTS": "--split\n--verify"}, ["pr", ".", "--split", "--verify"]),
    ],
)
def test_what_the_action_runs(act: Callable, inputs: dict[str, str], expected: list[str]) -> None:
    assert act(**inputs) == (0, expected, "t")


def test_an_input_is_never_a_part_of_the_script(act: Callable, tmp_path: Path) -> None:
    nasty = '$(touch taken); "`touch taken`'

    assert act(PATHS=nasty, LEVEL=nasty, ARGUMENTS=nasty)[1][-1] == nasty
    assert not (tmp_path / "taken").exists()
    text = (ROOT / "action.yml").read_text()
    assert not [step for step in yaml.safe_load(text)["runs"]["steps"] if "${{" in step.get("run", "")]


@pytest.mark.parametrize(
    ("inputs", "code", "expected"),
    [
        ({}, 1, 1),
        ({"FAIL": "false"}, 1, 0),
        ({"FAIL": "false"}, 2, 2),
        ({"MODE": "review"}, 0, 2),
        ({"MODE": "other"}, 0, 2),
        ({"MODE": "pull-request"}, 2, 2),
    ],
)
def test_when_the_action_fails(act: Callable, inputs: dict[str, str], code: int, expected: int) -> None:
    assert act(code, **inputs)[0] == expected


def hooks() -> list[dict[str, object]]:
    found = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    # The same hooks with the dfopt of these tests in place of one that pre-commit would install.
    return [{**hook, "language": "system", "entry": f"{BIN}/{hook['entry']}"} for hook in found]


def pre_commit(folder: Path, hook: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PRE_COMMIT_HOME": str(folder / ".cache")}
    command = [sys.executable, "-m", "pre_commit", "run", hook, "--all-files"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    (tmp_path / "app.txt").write_text("hello\n")
    (tmp_path / ".dockerignore").write_text(".git\n")
    (tmp_path / "Dockerfile").write_text(ADDS)
    (tmp_path / "Dockerfile.j2").write_text("{{ nothing }}\n")
    configuration = {"repos": [{"repo": "local", "hooks": hooks()}]}
    (tmp_path / ".pre-commit-config.yaml").write_text(json.dumps(configuration))
    subprocess.run(["git", "add", "Dockerfile", "Dockerfile.j2", "app.txt", ".dockerignore"], cwd=tmp_path, check=True)
    return tmp_path


def test_the_hook_rewrites_and_then_is_content(repository: Path) -> None:
    first, second = pre_commit(repository, "dfopt"), pre_commit(repository, "dfopt")

    assert (first.returncode, second.returncode) == (1, 0)
    assert "files were modified by this hook" in first.stdout
    assert "COPY app.txt" in (repository / "Dockerfile").read_text()
    assert (repository / "Dockerfile.j2").read_text() == "{{ nothing }}\n"


def test_the_hook_that_checks_shows_the_change_and_writes_nothing(repository: Path) -> None:
    ran = pre_commit(repository, "dfopt-check")

    assert ran.returncode == 1
    assert "+COPY app.txt /app.txt" in ran.stdout
    assert (repository / "Dockerfile").read_text() == ADDS


@pytest.mark.parametrize("name", NAMES)
def test_the_hooks_take_the_files_that_a_search_takes(name: str) -> None:
    import re

    hook = hooks()[0]
    taken = re.search(str(hook["files"]), name) and not re.search(str(hook["exclude"]), name)

    assert bool(taken) == is_dockerfile(Path(name).name)


def test_the_image_of_dfopt_has_nothing_left_to_do(dfopt: Callable) -> None:
    for level in LevelName:
        ran = dfopt("diff", ROOT / "Dockerfile", "--level", level.value)
        assert (ran.code, "nothing to do" in ran.text) == (0, True), ran.text


def test_the_build_context_of_the_image_holds_what_it_copies() -> None:
    copied = {"pyproject.toml", "README.md", "LICENSE", "optimizer/", "templates/"}
    ignored = (ROOT / ".dockerignore").read_text().splitlines()

    assert copied == {line[1:] for line in ignored if line.startswith("!")}
    assert all((ROOT / path).exists() for path in copied)
