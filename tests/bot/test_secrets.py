"""A token goes to its forge and to git, and nowhere else."""

import base64
import logging
import os
from pathlib import Path

import pytest

from optimizer.bot import visit as visits
from optimizer.bot.credentials import Tokens
from optimizer.bot.git import Git
from optimizer.bot.secret import Secret, redacted
from optimizer.bot.target import target_of
from tests.bot.conftest import DOCKERFILE, FILES, ONLY, Dfopt, Forge
from tests.bot.store import git

TOKEN = "gh-planted/s3cret+token=="


def forms(token: str) -> list[str]:
    coded = [base64.b64encode(f"{user}:{token}".encode()).decode() for user in ("x-access-token", "oauth2", "dfopt")]
    return [token, token.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D"), *coded]


def seen(text: str) -> list[str]:
    return [form for form in forms(TOKEN) if form in text]


@pytest.mark.parametrize("verbosity", [(), ("--quiet",), ("--verbose",), ("--verbose", "--format", "json")])
@pytest.mark.parametrize("trouble", ["", "refused", "lost", "bug", "push"])
def test_a_planted_token_is_nowhere(
    github: Forge,
    dfopt: Dfopt,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    verbosity: tuple[str, ...],
    trouble: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("TMPDIR", "GIT_TRACE_CURL", "GIT_TRACE"):
        monkeypatch.setenv(name, str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    github.store.token = TOKEN
    repository = github.store.add("team/app", FILES)
    if trouble == "refused":
        github.store.answers = [(401, {}, {"message": f"token {TOKEN} is not known"})]
    if trouble == "lost":
        monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
        github.variables.pop("GITHUB_API_URL")
    if trouble == "bug":

        def fail(*_: object, **__: object) -> None:
            raise RuntimeError(f"something with {TOKEN}")

        monkeypatch.setattr(visits, "maintain", fail)
    if trouble == "push":
        hook = repository.path / "hooks" / "pre-receive"
        hook.write_text(f"#!/bin/sh\necho 'fatal: {TOKEN}' >&2\nexit 1\n")
        hook.chmod(0o755)

    ran = dfopt(github, github.target("team/app"), *ONLY, *verbosity)

    assert ran.code == {"": 0, "bug": 3}.get(trouble, 2)
    assert not seen(ran.out + ran.err)
    # What a server says is its own; the library's log shows it to who turns that log on.
    assert trouble == "refused" or not seen(caplog.text)
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "pre-receive"]
    assert not [path for path in files if seen(path.read_text("latin-1"))]
    assert not any(seen(f"{name}={value}") for name, value in os.environ.items())


def test_a_token_in_the_url_of_a_remote_is_not_shown(github: Forge, dfopt: Dfopt, tmp_path: Path) -> None:
    repository = github.store.add("team/app", FILES)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(repository.path), str(clone))
    git(clone, "remote", "set-url", "origin", f"http://me:{TOKEN}@127.0.0.1:9/team/app.git")

    ran = dfopt(None, str(clone), "--dry-run", "--verbose")

    assert ran.code == 2
    assert "127.0.0.1:9" in ran.out
    assert not seen(ran.out + ran.err)


def test_the_token_does_not_stay_in_a_clone(github: Forge, dfopt: Dfopt, tmp_path: Path) -> None:
    github.store.token = TOKEN
    github.store.add("team/app", FILES)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(github.store.repositories["team/app"].path), str(clone))
    git(clone, "remote", "set-url", "origin", f"{github.server.url}/team/app.git")

    ran = dfopt(github, str(clone), *ONLY)

    assert "opened" in ran.out
    assert not [path for path in clone.rglob("*") if path.is_file() and seen(path.read_text("latin-1"))]
    assert (clone / "Dockerfile").read_text() == DOCKERFILE


def test_a_token_goes_only_to_its_own_server() -> None:
    environment = {"GITHUB_TOKEN": TOKEN, "GIT_CONFIG_NOSYSTEM": "1"}
    tokens = Tokens(environment)

    found = tokens.of(target_of("github:owner/name", {}))
    other = tokens.of(target_of("github:ghe.example/owner/name", {}))

    assert found is not None
    assert found.reveal() == TOKEN
    assert other is None
    assert "GITHUB_TOKEN" not in environment


def test_the_credential_helper_of_git_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = tmp_path / "helper"
    helper.write_text('#!/bin/sh\ngrep -q host=git.example && printf "username=me\\npassword=stored\\n"\n')
    helper.chmod(0o755)
    (tmp_path / ".gitconfig").write_text(f"[credential]\n\thelper = {helper}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    tokens = Tokens({})

    found = tokens.of(target_of("gitea:git.example/a/b", {}))
    assert found is not None
    assert found.reveal() == "stored"
    assert tokens.of(target_of("gitea:elsewhere.example/a/b", {})) is None
    assert redacted("it is stored", tokens.secrets) == "it is (hidden)"


@pytest.mark.parametrize(
    ("url", "hidden"),
    [
        ("https://me:secret@git.example/a", "secret"),
        ("https://ghp_0123456789abcdef@git.example/a", "ghp_0123456789abcdef"),
        ("https://alice@git.example/alice/a", None),
        ("ssh://alice@git.example/alice/a", None),
        ("git@git.example:a/b", None),
    ],
)
def test_what_is_secret_of_a_url(url: str, hidden: str | None) -> None:
    tokens = Tokens({})
    tokens.learn(url)

    assert [secret.reveal() for secret in tokens.secrets] == ([hidden] if hidden else [])


def test_git_gives_the_token_to_its_own_server_only(tmp_path: Path) -> None:
    known = Git(tmp_path, "me", Secret(TOKEN), "https://git.example:8443/a/b.git")
    asked = "protocol=https\nhost={}\n\n"

    assert TOKEN in (known.asked("credential", "fill", text=asked.format("git.example:8443")) or "")
    assert TOKEN not in (known.asked("credential", "fill", text=asked.format("git.example")) or "")
    assert TOKEN not in (known.asked("credential", "fill", text=asked.format("evil.example")) or "")


@pytest.mark.parametrize("show", [str, repr, "{}".format, lambda secret: f"{secret!r:>5}"])
def test_a_secret_does_not_print(show: object) -> None:
    assert TOKEN not in show(Secret(TOKEN))  # type: ignore[operator]


@pytest.mark.parametrize("form", forms(TOKEN))
def test_a_text_is_cleared_of_a_token(form: str) -> None:
    cleared = redacted(f"before {form} after", [Secret(TOKEN)])

    assert not seen(cleared)
    assert cleared.startswith("before ")
    assert cleared.endswith(" after")
