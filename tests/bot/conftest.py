"""A forge to work on, and the command line to do it with."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from optimizer.cli.app import app
from tests.bot.gitea_dialect import GiteaDialect
from tests.bot.github_dialect import GitHubDialect
from tests.bot.gitlab_dialect import GitLabDialect
from tests.bot.server import Server, serving
from tests.bot.store import Store

DOCKERFILE = 'FROM alpine:3.20\nADD app.txt /app.txt\nCMD ["cat", "/app.txt"]\n'
DONE = DOCKERFILE.replace("ADD", "COPY")
FILES = {"Dockerfile": DOCKERFILE, "app.txt": "hello\n", "README.md": "# app\n"}
ONLY = ("--select", "copy-over-add")


@dataclass(frozen=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str


@dataclass
class Forge:
    """A forge of one kind that runs."""

    kind: str
    server: Server
    variables: dict[str, str]
    address: str = ""  # where programs find it, if not where people do

    @property
    def store(self) -> Store:
        return self.server.store

    def target(self, name: str) -> str:
        return f"{self.kind}:{self.address or self.server.url}/{name}"


Dfopt = Callable[..., Ran]


@pytest.fixture
def dfopt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Dfopt:
    """Run `dfopt pr` in this process, for a forge."""
    from optimizer.bot import github

    monkeypatch.setattr(github, "_PAUSE", 0.0)
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    (tmp_path / "home").mkdir()

    def run(forge: Forge | None, *arguments: str, token: str | None = "") -> Ran:
        for name, value in (forge.variables if forge else {}).items():
            monkeypatch.setenv(name, value)
        if forge and token is not None:
            monkeypatch.setenv(f"DFOPT_{forge.kind.upper()}_TOKEN", token or forge.store.token)
        done = CliRunner().invoke(app, ["pr", *arguments], prog_name="dfopt")
        assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
        return Ran(done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture(params=["github", "gitlab", "gitea"])
def forge(request: pytest.FixtureRequest) -> Forge:
    """A forge of each kind."""
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


@pytest.fixture
def github(tmp_path: Path) -> Iterator[Forge]:
    """A fake of GitHub."""
    with serving(Store(tmp_path / "forge")) as server:
        server.dialect = GitHubDialect(server)
        yield Forge("github", server, {"GITHUB_SERVER_URL": server.url, "GITHUB_API_URL": server.api})


@pytest.fixture
def gitlab(tmp_path: Path) -> Iterator[Forge]:
    """A fake of GitLab."""
    with serving(Store(tmp_path / "forge")) as server:
        server.dialect = GitLabDialect(server)
        yield Forge("gitlab", server, {"CI_SERVER_URL": server.url})


@pytest.fixture
def gitea(tmp_path: Path) -> Iterator[Forge]:
    """A fake of Gitea."""
    with serving(Store(tmp_path / "forge")) as server:
        server.dialect = GiteaDialect(server)
        yield Forge("gitea", server, {})
