"""What requests hold, and what becomes of them in other ways than the story tells."""

import json
from pathlib import Path

import pytest

from tests.bot.conftest import DOCKERFILE, DONE, FILES, ONLY, Dfopt, Forge
from tests.bot.store import git

NODE = {
    "Dockerfile": "FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD node index.js\n",
    "package.json": '{"name": "x", "version": "1.0.0", "dependencies": {"@scope/thing": "1.0.0"}}',
    "package-lock.json": '{"name": "x", "lockfileVersion": 3, "packages": {}}',
    "index.js": "console.log(1)\n",
}


def test_the_body(github: Forge, dfopt: Dfopt) -> None:
    repository = github.store.add("team/app", NODE)

    dfopt(github, github.target("team/app"), "--level", "assumed")

    (request,) = repository.requests
    body = request.body.splitlines()
    assert body[0].startswith("This request rewrites `Dockerfile` and writes `.dockerignore`.")
    assert "| `Dockerfile` | " in request.body
    assert "**Copy package.json and package-lock.json before the sources** (`split-manifest-copy`" in request.body
    assert "`Dockerfile`: an edit of index.js makes 0 of 1 RUNs run again instead of 1 of 1." in body
    assert "## Please confirm" in body
    assert any(line.startswith("- [ ] ") and "(`exec-form` in `Dockerfile`)" in line for line in body)
    assert "Nothing was built." in request.body
    assert body[-1].startswith("<!-- dfopt {")
    assert '`exclude = ["*"]` stops dfopt here' in request.body
    assert git(repository.path, "diff", "--name-only", "main", request.branch).split() == [
        ".dockerignore",
        "Dockerfile",
    ]


def test_what_was_ticked_stays_ticked(github: Forge, dfopt: Dfopt) -> None:
    repository = github.store.add("team/app", NODE)
    dfopt(github, github.target("team/app"), "--level", "assumed")
    (request,) = repository.requests
    request.body = request.body.replace("- [ ]", "- [x]", 1).replace("\n", "\r\n")
    repository.commit({"index.js": "console.log(2)\n"})

    ran = dfopt(github, github.target("team/app"), "--level", "assumed")

    assert "updated" in ran.out
    assert request.body.count("- [x]") == 1


def test_one_for_each_dockerfile(forge: Forge, dfopt: Dfopt) -> None:
    repository = forge.store.add(
        "team/app", {**FILES, "api/Dockerfile": DOCKERFILE, "api/app.txt": "x", "ok/Dockerfile": DONE}
    )

    split = dfopt(forge, forge.target("team/app"), "--split", *ONLY)

    assert split.code == 0
    assert sorted(request.title for request in repository.requests) == [
        "Optimize Dockerfile",
        "Optimize api/Dockerfile",
    ]
    changed = [git(repository.path, "diff", "--name-only", "main", request.branch) for request in repository.requests]
    assert sorted(changed) == ["Dockerfile", "api/Dockerfile"]

    # A Dockerfile goes, and its request with it.
    repository.commit({"api/Dockerfile": None})
    gone = dfopt(forge, forge.target("team/app"), "--split", *ONLY)
    assert "No Dockerfile needs this branch any more" in gone.out
    assert sorted(r.state for r in repository.requests) == ["closed", "open"]

    # All together again: one request takes the place of the others.
    dfopt(forge, forge.target("team/app"), *ONLY)
    assert [r.branch for r in repository.requests if r.state == "open"] == ["dfopt/dockerfiles"]


def test_requests_of_others_are_never_touched(forge: Forge, dfopt: Dfopt) -> None:
    repository = forge.store.add("team/app", {"Dockerfile": DONE})
    for branch in ("feature", "dfopt/mine"):
        repository.commit({"x": branch}, branch)
        forge.store.open("team/app", "team/app", branch, "main", "Mine", "By hand.")

    ran = dfopt(forge, forge.target("team/app"), *ONLY)

    assert ran.code == 0
    assert [(r.state, r.comments, r.body) for r in repository.requests] == [("open", [], "By hand.")] * 2


def test_requests_from_elsewhere_with_the_same_notes_are_never_touched(forge: Forge, dfopt: Dfopt) -> None:
    repository = forge.store.add("team/app", FILES)
    dfopt(forge, forge.target("team/app"), "--split", "--fork", *ONLY)
    (theirs,) = repository.requests
    assert theirs.source == "robot/app"

    dfopt(forge, forge.target("team/app"), *ONLY)

    assert [(r.source, r.state, r.comments) for r in repository.requests] == [
        ("robot/app", "open", []), ("team/app", "open", [])
    ]  # fmt: skip


def test_another_base_needs_another_branch(gitea: Forge, dfopt: Dfopt) -> None:
    repository = gitea.store.add("team/app", FILES)
    repository.commit({"x": "y"}, "stable")
    dfopt(gitea, gitea.target("team/app"), *ONLY)

    refused = dfopt(gitea, gitea.target("team/app"), "--base", "stable", *ONLY)
    taken = dfopt(gitea, gitea.target("team/app"), "--base", "stable", "--branch-prefix", "stable-dfopt/", *ONLY)

    assert "request 1 from this branch goes to main: name others with --branch-prefix" in refused.out
    assert "opened: stable-dfopt/dockerfiles" in taken.out
    assert [r.base for r in repository.requests] == ["main", "stable"]


def test_a_dry_run_shows_all_and_changes_nothing(forge: Forge, dfopt: Dfopt) -> None:
    repository = forge.store.add("team/app", FILES)

    ran = dfopt(forge, forge.target("team/app"), "--dry-run", *ONLY)

    assert ran.code == 0
    assert "would be opened: dfopt/dockerfiles" in ran.out
    assert ran.out.endswith("1 repository: 1 would be opened\n")
    assert "branch: dfopt/dockerfiles\ncommit: " in ran.out
    assert "title: Optimize Dockerfile\nbody:\n    This request rewrites `Dockerfile`." in ran.out
    assert "    Optimize Dockerfile\n\n    - " in ran.out
    assert (repository.requests, repository.tip("dfopt/dockerfiles")) == ([], None)
    assert all(one.startswith("GET ") for one in forge.store.asked)


def test_a_dry_run_of_a_clone_needs_no_token(github: Forge, dfopt: Dfopt, tmp_path: Path) -> None:
    repository = github.store.add("team/app", FILES)
    git(tmp_path, "clone", "--quiet", str(repository.path), "clone")

    ran = dfopt(None, str(tmp_path / "clone"), "--dry-run", *ONLY)

    assert ran.code == 0
    assert "title: Optimize Dockerfile" in ran.out
    assert git(tmp_path / "clone", "status", "--porcelain") == ""
    assert len(git(tmp_path / "clone", "worktree", "list").splitlines()) == 1


def test_a_local_clone_stays_as_it_is(github: Forge, dfopt: Dfopt, tmp_path: Path) -> None:
    repository = github.store.add("team/app", FILES)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(repository.path), str(clone))
    git(clone, "config", "credential.helper", f"!printf 'username=x\\npassword={github.store.token}\\n' #")
    git(clone, "remote", "set-url", "origin", f"{github.server.url}/team/app.git")
    (clone / "Dockerfile").write_text("FROM scratch\n")
    before = git(clone, "status", "--porcelain", "--branch")

    ran = dfopt(github, str(clone), *ONLY)

    assert "opened" in ran.out
    assert repository.file("dfopt/dockerfiles", "Dockerfile") == DONE.strip()
    assert git(clone, "status", "--porcelain", "--branch") == before
    assert git(clone, "branch", "--list") == "* main"


@pytest.mark.parametrize("configuration", ['exclude = ["*"]\n', 'ignore = ["copy-over-add"]\n'])
def test_a_repository_can_say_no(github: Forge, dfopt: Dfopt, configuration: str) -> None:
    repository = github.store.add("team/app", {**FILES, "dfopt.toml": configuration})

    ran = dfopt(github, github.target("team/app"), *ONLY)

    assert ran.code == 0
    assert repository.requests == []


def test_a_dry_run_shows_long_lines_to_their_end(github: Forge, dfopt: Dfopt) -> None:
    name = "/".join(["a" * 100] * 5)
    github.store.add("team/app", {f"{name}/{file}": text for file, text in FILES.items()})

    ran = dfopt(github, github.target("team/app"), "--dry-run", *ONLY)

    assert f"    This request rewrites `{name}/Dockerfile`." in ran.out
    (title,) = [line for line in ran.out.splitlines() if line.startswith("title: ")]
    assert title.startswith("title: Optimize …a")
    assert len(title) < 256


def test_json(github: Forge, dfopt: Dfopt) -> None:
    github.store.add("team/app", FILES)

    ran = dfopt(github, github.target("team/app"), "--format", "json", *ONLY)

    (repository,) = json.loads(ran.out)["repositories"]
    (step,) = repository["steps"]
    assert (step["did"], step["branch"], step["title"]) == ("opened", "dfopt/dockerfiles", "Optimize Dockerfile")
    assert step["url"].endswith("/team/app/pull/1")
