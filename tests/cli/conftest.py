"""A folder to work in, and the command line to run there."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from optimizer.cli.app import app

ADDS = 'FROM alpine:3.20\nADD app.txt /app.txt\nCMD ["cat", "/app.txt"]\n'


@dataclass(frozen=True)
class Ran:
    """What a command came to."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder that is its own repository, so that no configuration above counts."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def project(folder: Path) -> Path:
    """A folder with a Dockerfile in which ADD can become COPY."""
    (folder / "app.txt").write_text("hello\n")
    (folder / "Dockerfile").write_text(ADDS)
    return folder


@pytest.fixture
def dfopt() -> Callable[..., Ran]:
    """Run the command line in this process."""

    def run(*arguments: str | Path, text: bytes | None = None) -> Ran:
        done = CliRunner().invoke(app, [str(a) for a in arguments], input=text, prog_name="dfopt")
        assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
        assert "Traceback" not in done.stderr
        return Ran(done.exit_code, done.stdout_bytes, done.stderr)

    return run
