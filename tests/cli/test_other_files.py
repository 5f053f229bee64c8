"""Rewrites that need another file: the ignore file is written with the Dockerfile, once, or the rewrite is left out."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

NPM = 'FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD ["node", "index.js"]\n'
ONLY = ("--select", "split-manifest-copy,copy-over-add")


@pytest.fixture
def npm(folder: Path) -> Path:
    """A project whose install can move up only when node_modules is ignored."""
    (folder / "package.json").write_text('{"name": "x", "version": "1.0.0", "dependencies": {"a": "1"}}')
    (folder / "package-lock.json").write_text('{"name": "x", "lockfileVersion": 3, "packages": {}}')
    (folder / "index.js").write_text("console.log(1)\n")
    (folder / "Dockerfile").write_text(NPM)
    return folder


def test_both_files_are_written(npm: Path, dfopt: Callable) -> None:
    ran = dfopt("rewrite", *ONLY)

    assert ran.code == 0
    assert ".dockerignore (new file)\n" in ran.text
    assert "node_modules\n" in (npm / ".dockerignore").read_text()
    assert "COPY package.json" in (npm / "Dockerfile").read_text()
    assert dfopt("rewrite", "--check", *ONLY).code == 0


@pytest.mark.usefixtures("npm")
@pytest.mark.parametrize("command", [["rewrite", "--stdout"], ["rewrite", "-"]])
def test_what_is_printed_stands_for_itself(dfopt: Callable, command: list[str]) -> None:
    ran = dfopt(*command, *ONLY, text=NPM.encode())

    assert (ran.code, ran.text) == (0, NPM)


def test_dockerfiles_of_one_folder_share_the_ignore_file(npm: Path, dfopt: Callable) -> None:
    (npm / "Dockerfile.dev").write_text(NPM.replace("node:22", "node:20"))

    assert dfopt("rewrite", *ONLY).code == 0

    assert (npm / ".dockerignore").read_text().count("node_modules") == 1
    assert all("COPY package.json" in path.read_text() for path in npm.glob("Dockerfile*"))
    assert dfopt("rewrite", "--check", *ONLY).code == 0


def test_a_patch_of_such_dockerfiles_applies(npm: Path, dfopt: Callable) -> None:
    (npm / ".git").rmdir()
    (npm / "Dockerfile.dev").write_text(NPM.replace("node:22", "node:20"))
    subprocess.run(["git", "init", "-q"], cwd=npm, check=True)

    patch = dfopt("diff", "--format", "patch", *ONLY).out
    subprocess.run(["git", "apply", "-"], input=patch, cwd=npm, check=True)

    assert dfopt("diff", *ONLY).code == 0


def test_an_ignore_file_that_cannot_be_written_stops_the_dockerfile(npm: Path, dfopt: Callable) -> None:
    (npm / ".dockerignore").write_text("dist\n")
    (npm / ".dockerignore").chmod(0o444)

    ran = dfopt("rewrite", *ONLY)

    assert (ran.code, ran.err) == (2, "dfopt: Dockerfile: .dockerignore: read-only, left as it is\n")
    assert (npm / "Dockerfile").read_text() == NPM
