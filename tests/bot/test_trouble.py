"""What stands in the way is told in clear words, with what to do."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bot.conftest import DOCKERFILE, FILES, ONLY, Dfopt, Forge
from tests.bot.store import Repository, git


def hook(repository: Repository, says: str) -> None:
    """Let a repository refuse every push."""
    file = repository.path / "hooks" / "pre-receive"
    file.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit 1\n")
    file.chmod(0o755)


def archive(forge: Forge) -> None:
    forge.store.repositories["team/app"].archived = True


def take_rights(forge: Forge) -> None:
    forge.store.repositories["team/app"].can_push = False


def protect(forge: Forge) -> None:
    hook(forge.store.repositories["team/app"], "GH006: Protected branch update failed")


def take_branch(forge: Forge) -> None:
    forge.store.repositories["team/app"].commit({"x": "y"}, "dfopt/dockerfiles")


def break_dockerfile(forge: Forge) -> None:
    forge.store.repositories["team/app"].commit({"Dockerfile": "RUN true\n"})


def empty(forge: Forge) -> None:
    git(forge.store.repositories["team/app"].path, "update-ref", "-d", "refs/heads/main")


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (archive, "is archived: nothing can be opened there"),
        (take_rights, "the token may not push to team/app; --fork works from a fork"),
        (protect, "the branch is protected: allow dfopt to push to it, or name another"),
        (take_branch, "the branch is there already, with commits that are not dfopt's"),
        (break_dockerfile, "Dockerfile: there is no FROM"),
        (empty, "git clone: fatal: Remote branch main not found"),
    ],
)
def test_what_is_told(forge: Forge, dfopt: Dfopt, trouble: Callable[[Forge], None], words: str) -> None:
    repository = forge.store.add("team/app", FILES)
    trouble(forge)

    ran = dfopt(forge, forge.target("team/app"), *ONLY)

    assert ran.code == 2
    assert words in ran.out
    assert repository.requests == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "does not accept the token: it is wrong, or has ended"),
        (403, "the token may not reach the"),
        (404, "is not there, or the token may not see it"),
    ],
)
def test_what_a_forge_refuses(forge: Forge, dfopt: Dfopt, status: int, words: str) -> None:
    forge.store.add("team/app", FILES)
    forge.store.answers = [(status, {}, {"message": "Resource not accessible"})] * 9

    ran = dfopt(forge, forge.target("team/app"), *ONLY)

    assert ran.code == 2
    assert words in ran.out


def test_a_rate_limit_is_waited_for(forge: Forge, dfopt: Dfopt) -> None:
    repository = forge.store.add("team/app", FILES)
    status = 403 if forge.kind == "github" else 429
    limit = (status, {"Retry-After": "1"}, {"message": "You have exceeded a secondary rate limit."})
    forge.store.answers = [limit, limit]

    begun = time.monotonic()
    ran = dfopt(forge, forge.target("team/app"), *ONLY)

    assert ran.code == 0
    assert len(repository.requests) == 1
    assert time.monotonic() - begun > 2


def test_a_limit_that_lasts_for_long_is_told(github: Forge, dfopt: Dfopt) -> None:
    github.store.add("team/app", FILES)
    reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 3000)}
    github.store.answers = [(403, reset, {"message": "API rate limit exceeded for user ID 1."})]

    ran = dfopt(github, github.target("team/app"), *ONLY)

    assert ran.code == 2
    assert "GitHub's rate limit is used up; run it again later" in ran.out


@pytest.mark.parametrize("path", ["/etc/passwd", "../outside", ".git/config"])
def test_a_link_out_of_the_repository_is_left_alone(github: Forge, dfopt: Dfopt, tmp_path: Path, path: str) -> None:
    (tmp_path / "outside").write_text(DOCKERFILE)
    repository = github.store.add("team/app", FILES)
    work = repository.path.parent / "app.git.work"
    (work / "Dockerfile.linked").symlink_to(path)
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "-m", "Link")
    git(work, "push", "--quiet", "origin", "main")

    ran = dfopt(github, github.target("team/app"), "--verbose", *ONLY)

    assert ran.code == 0
    assert "Dockerfile.linked: leads out of the repository" in ran.out or path == "../outside"
    assert git(repository.path, "diff", "--name-only", "main", "dfopt/dockerfiles") == "Dockerfile"


def test_a_build_context_with_a_submodule_is_left_alone(github: Forge, dfopt: Dfopt) -> None:
    repository = github.store.add("team/app", {**FILES, "api/Dockerfile": DOCKERFILE, "api/app.txt": "x"})
    work = repository.path.parent / "app.git.work"
    git(work, "update-index", "--add", "--cacheinfo", f"160000,{repository.tip('main')},api/shared")
    git(work, "commit", "--quiet", "-m", "Share")
    git(work, "push", "--quiet", "origin", "main")

    split = dfopt(github, github.target("team/app"), "--split", *ONLY)

    assert split.code == 2
    words = "its build context has the submodule api/shared, which is not here to be read"
    assert f"api/Dockerfile: {words}" in split.out
    assert f"Dockerfile: {words}" in split.out
    assert repository.requests == []


def test_names_that_mean_something_to_git_or_are_no_text(github: Forge, dfopt: Dfopt) -> None:
    names = ("[a]", "a", ":(glob)b", "caf\udce9")
    files = {f"{name}/{file}": text for name in names for file, text in FILES.items()}
    repository = github.store.add("team/app", files)

    ran = dfopt(github, github.target("team/app"), "--split", *ONLY)

    assert ran.code == 0
    assert len(repository.requests) == 4
    for request in repository.requests:
        changed = git(repository.path, "-c", "core.quotePath=false", "diff", "--name-only", "main", request.branch)
        assert changed.count("Dockerfile") == 1


def test_a_token_on_the_command_line_is_refused_and_not_repeated(dfopt: Dfopt, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    targets = ("github:https://me:t0ken@github.com/o/n", "github:https://t0ken@github.com/o/m")

    ran = dfopt(None, *targets, "--resume", str(journal))

    assert ran.code == 2
    assert "a token does not belong on the command line" in ran.out
    assert "t0ken" not in ran.out + ran.err + journal.read_text()


def test_a_library_that_is_not_installed(forge: Forge, dfopt: Dfopt, monkeypatch: pytest.MonkeyPatch) -> None:
    forge.store.add("team/app", FILES)
    module = {"github": "github", "gitlab": "gitlab", "gitea": "requests"}[forge.kind]
    monkeypatch.setitem(sys.modules, module, None)

    ran = dfopt(forge, forge.target("team/app"), *ONLY)

    assert ran.code == 2
    assert f"{module} is not installed; `pip install 'dfopt[bot]'` brings it" in ran.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--resume", "/nowhere/done.jsonl"), "/nowhere/done.jsonl: No such file or directory"),
        (("--from", "/nowhere/targets"), "No such file or directory"),
        (("--suggest", "1", "a", "b"), "a number belongs to one repository"),
        (("--smoke", "'", "--verify"), "No closing quotation"),
    ],
)
def test_options_that_cannot_be(dfopt: Dfopt, arguments: tuple[str, ...], words: str) -> None:
    ran = dfopt(None, *arguments)

    assert ran.code == 2
    assert words in " ".join(ran.err.split())


def test_a_target_that_is_none(dfopt: Dfopt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    ran = dfopt(None, "nowhere", ".", "github:owner/name")

    assert ran.code == 2
    assert "nowhere: failed: nowhere: no folder, and not github:owner/name" in ran.out
    assert ".: failed: .: no git repository" in ran.out
    assert "github:owner/name: failed: no token: set one in the environment (GITHUB_TOKEN)" in ran.out
