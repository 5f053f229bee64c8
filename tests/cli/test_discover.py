"""Which files a search of folders takes."""

import subprocess
from pathlib import Path

import pytest

from optimizer.cli.discover import is_dockerfile, search

TAKEN = [
    "Dockerfile",
    "Dockerfile.dev",
    "Dockerfile.prod-2",
    "api.Dockerfile",
    "Containerfile",
    "Containerfile.x",
    "Containerfile-x",
]
LEFT = [
    "dockerfile.go", "Dockerfile.dockerignore", "Containerfile.dockerignore", "Dockerfile.j2", "Dockerfile.tmpl",
    "Dockerfile~", "Dockerfile.orig", "Dockerfile.md", "MyDockerfile", "Dockerfiles", ".dockerignore",
    "docker-compose.yml", ".Dockerfile",
]  # fmt: skip


@pytest.mark.parametrize("name", TAKEN)
def test_taken(name: str) -> None:
    assert is_dockerfile(name)


@pytest.mark.parametrize("name", LEFT)
def test_left(name: str) -> None:
    assert not is_dockerfile(name)


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("FROM a\n")


def found(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in search(folder)]


def test_vendored_folders_are_left_out(tmp_path: Path) -> None:
    make(
        tmp_path,
        "Dockerfile",
        "b/Dockerfile",
        "a/api.Dockerfile",
        "node_modules/x/Dockerfile",
        "go/vendor/y/Dockerfile",
    )
    (tmp_path / "c" / "Dockerfile").mkdir(parents=True)

    assert found(tmp_path) == ["Dockerfile", "a/api.Dockerfile", "b/Dockerfile"]


def test_ignored_files_are_left_out_and_untracked_ones_taken(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    make(tmp_path, "Dockerfile", "build/Dockerfile", "new/Dockerfile", "sp ace/ü.Dockerfile", "gone/Dockerfile")
    (tmp_path / ".gitignore").write_text("build/\n")
    subprocess.run(["git", "add", "Dockerfile", "gone"], cwd=tmp_path, check=True)
    (tmp_path / "gone" / "Dockerfile").unlink()

    assert found(tmp_path) == ["Dockerfile", "new/Dockerfile", "sp ace/ü.Dockerfile"]
    assert found(tmp_path / "new") == ["Dockerfile"]


def test_a_repository_that_git_cannot_read_is_walked(tmp_path: Path) -> None:
    make(tmp_path, "Dockerfile", ".git/HEAD")

    assert found(tmp_path) == ["Dockerfile"]


def test_a_repository_cannot_start_programs(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    make(tmp_path, "Dockerfile")
    program = tmp_path / "monitor"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    program.chmod(0o755)
    subprocess.run(["git", "config", "core.fsmonitor", str(program)], cwd=tmp_path, check=True)

    assert found(tmp_path) == ["Dockerfile"]
    assert not (tmp_path / "started").exists()
