"""A pull request with the evidence of real builds in its body."""

import subprocess
import sys
from pathlib import Path

import pytest

DOCKERFILE = 'FROM debian:bookworm-slim\nADD app.txt /app.txt\nCMD ["cat", "/app.txt"]\n'


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Me", "-c", "user.email=me@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.mark.usefixtures("docker")
def test_the_body_tells_what_the_builds_measured(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "init", "--bare", "--initial-branch=main", "app.git")
    git(tmp_path, "clone", str(tmp_path / "app.git"), str(clone))
    git(clone, "checkout", "-B", "main")
    (clone / "Dockerfile").write_text(DOCKERFILE)
    (clone / "app.txt").write_text("hello\n")
    git(clone, "add", ".")
    git(clone, "commit", "-m", "Say hello")
    git(clone, "push", "origin", "main")

    program = "from optimizer.cli import main; main()"
    command = [sys.executable, "-c", program, "pr", str(clone), "--dry-run", "--verify", "--select", "copy-over-add"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "    ### `Dockerfile`: proven by builds (4 builds, docker" in done.stdout
    assert "    - default command: exits with 0 in both and prints the same line" in done.stdout
    assert "Nothing was built." not in done.stdout
