"""`dfopt explain --history`: commits replayed, with edits of the Dockerfile, modes, merges and ignore files."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.conftest import Ran

Dfopt = Callable[..., Ran]
SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "reference" / "explain.schema.json").read_text())
FIRST = 'FROM node:20-slim\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD ["node", "app.js"]\n'
WHO = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


class Repository:
    """A git repository to commit to."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *WHO, *arguments], cwd=self.root, check=True, capture_output=True)

    def commit(self, **files: str) -> None:
        """Write files (`__` stands for a dot, `_in_` for a slash) and commit them."""
        for name, text in files.items():
            path = self.root / name.replace("__", ".").replace("_in_", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "Change")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A Node project of one commit."""
    monkeypatch.chdir(tmp_path)
    made = Repository(tmp_path)
    made.commit(Dockerfile=FIRST, app__js="1\n", package__json=MANIFEST, package_lock=LOCK, __dockerignore=".git\n")
    (tmp_path / "package_lock").rename(tmp_path / "package-lock.json")
    made.commit()
    return made


MANIFEST = '{"dependencies": {"express": "4.18.2"}}\n'
LOCK = json.dumps(
    {
        "lockfileVersion": 3,
        "packages": {"": {"dependencies": {"express": "4.18.2"}}, "node_modules/express": {"version": "4.18.2"}},
    }
)


def history(dfopt: Dfopt, number: int, *arguments: str) -> dict[str, Any]:
    done = dfopt("explain", "--format", "json", "--history", str(number), *arguments)
    assert done.code == 0, done.err
    report = json.loads(done.text)
    jsonschema.validate(report, SCHEMA)
    found: dict[str, Any] = report["files"][0]["history"]
    return found


def steps(found: dict[str, Any]) -> list[tuple[int, int]]:
    return [(row["before"]["steps"], row["after"]["steps"]) for row in found["commits"]]


def test_a_commit_costs_what_it_touches(repository: Repository, dfopt: Dfopt) -> None:
    repository.commit(app__js="2\n")
    repository.commit()
    repository.commit(package__json=MANIFEST + "\n", app__js="3\n")

    found = history(dfopt, 3)

    assert steps(found) == [(2, 1), (0, 0), (2, 3)]
    assert found["manifests"] == {"package.json": 1, "package-lock.json": 0}
    assert (found["before"]["seconds"], found["after"]["seconds"]) == (61.0, 31.5)
    assert found["saving"] == pytest.approx(1 - 31.5 / 61, abs=0.0001)


def test_modes_and_removals_count_as_changes(repository: Repository, dfopt: Dfopt) -> None:
    (repository.root / "app.js").chmod(0o755)
    repository.commit()
    repository.commit(other__js="")
    repository.git("rm", "--quiet", "other.js")
    repository.commit()

    assert steps(history(dfopt, 3)) == [(2, 1)] * 3


def test_an_edit_of_the_dockerfile_counts_as_the_steps_it_changes(repository: Repository, dfopt: Dfopt) -> None:
    ignored = ".git\nDockerfile\n.dockerignore\n"
    repository.commit(__dockerignore=ignored)
    repository.commit(Dockerfile=FIRST.replace("RUN npm ci", "RUN npm ci --no-audit"))
    repository.commit(Dockerfile=FIRST.replace("RUN npm ci", "RUN npm ci --no-audit").replace("CMD", "LABEL a=b\nCMD"))

    assert steps(history(dfopt, 2)) == [(1, 2), (0, 0)]


def test_an_ignore_file_that_takes_something_away_is_a_change(repository: Repository, dfopt: Dfopt) -> None:
    repository.commit(notes__txt="1", __dockerignore=".git\n.dockerignore\n")
    repository.commit(__dockerignore=".git\n.dockerignore\nnotes.txt\n")
    repository.commit(notes__txt="2")

    assert steps(history(dfopt, 2)) == [(2, 1), (0, 0)]


def test_a_merge_counts_as_one_build(repository: Repository, dfopt: Dfopt) -> None:
    repository.git("switch", "--quiet", "--create", "side")
    repository.commit(app__js="a\n")
    repository.commit(app__js="b\n")
    repository.git("switch", "--quiet", "main")
    repository.git("merge", "--quiet", "--no-ff", "--message", "Merge", "side")

    assert steps(history(dfopt, 1)) == [(2, 1)]


def test_only_the_context_counts(repository: Repository, dfopt: Dfopt) -> None:
    repository.commit(api_in_Dockerfile="FROM alpine:3.20\nCOPY . /api\n", api_in_a__txt="1")
    repository.commit(app__js="2\n")
    repository.commit(api_in_a__txt="2")

    assert steps(history(dfopt, 2, "api")) == [(0, 0), (1, 1)]


def test_the_text_tells_the_sums(repository: Repository, dfopt: Dfopt) -> None:
    repository.commit(app__js="2\n")

    text = dfopt("explain", "--history", "1").text

    assert "The last 1 commit replayed: 1 of them makes a build run something again" in text
    assert "  as it is:              2 steps run again, about 30 s by a rule of thumb" in text
    assert "  after dfopt's rewrite: 1 step run again, about 0 s by a rule of thumb" in text
    assert "  the rewrite saves about 98 % of that time" in text


def test_without_a_repository_there_is_no_history(
    tmp_path: Path, dfopt: Dfopt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Dockerfile").write_text("FROM alpine:3.20\nRUN true\n")

    done = dfopt("explain", "--history", "5")

    assert done.code == 2
    assert "is in no git repository" in done.err


def test_a_repository_without_commits_is_refused(tmp_path: Path, dfopt: Dfopt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Repository(tmp_path)
    (tmp_path / "Dockerfile").write_text("FROM alpine:3.20\nRUN true\n")

    done = dfopt("explain", "--history", "5")

    assert done.code == 2
    assert "git cannot tell the history" in done.err


def test_a_dockerfile_that_was_never_committed_has_no_history(repository: Repository, dfopt: Dfopt) -> None:
    (repository.root / "new.Dockerfile").write_text("FROM alpine:3.20\nRUN true\n")

    done = dfopt("explain", "--history", "5", "new.Dockerfile")

    assert done.code == 2
    assert "new.Dockerfile is in none of the last 5 commits" in done.err
