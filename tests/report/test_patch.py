"""The patch applies with git."""

import subprocess
from pathlib import Path

import pytest

from optimizer.report.entry import Change
from optimizer.report.patch import file_patch

CASES = {
    "a changed line": ("a\nb\nc\n", "a\nB\nc\n"),
    "a new file": (None, "node_modules\n"),
    "a new file without a final newline": (None, "node_modules"),
    "an existing empty file": ("", "node_modules\n"),
    "no final newline before": ("a\nb", "a\nb\nc\n"),
    "no final newline after": ("a\nb\n", "a\nB"),
    "no final newline on both sides": ("a\nb", "A\nb"),
    "CRLF": ("a\r\nb\r\nc\r\n", "a\r\nB\r\nc\r\n"),
    "mixed line endings": ("a\r\nb\nc\r\n", "a\r\nB\nc\r\n"),
    "a byte order mark": ("\ufeffa\nb\n", "\ufeffA\nb\n"),
    "form feeds and line separators": ("a\x0cb\u2028c\n", "a\x0cb\u2028d\n"),
    "far apart": ("".join(f"{n}\n" for n in range(50)), "".join(f"{n}\n" for n in range(50) if n not in {5, 45})),
}
NAMES = [
    "Dockerfile",
    "services/my api/Dockerfile",
    'odd"name\\x/Dockerfile',
    "ümlaut/Dockerfile",
    "tab\there/Dockerfile",
]


def git(folder: Path, *arguments: str, text: str | None = None) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, input=(text or "").encode(), capture_output=True, check=False, timeout=30
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("name", NAMES)
def test_applies(tmp_path: Path, name: str, before: str | None, after: str) -> None:
    git(tmp_path, "init", "-q")
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    if before is not None:
        file.write_bytes(before.encode())
    text = file_patch(Change(str(file), before, after, name))

    git(tmp_path, "-c", "core.autocrlf=false", "apply", "-", text=text)

    assert file.read_bytes() == after.encode()


def test_applies_from_a_folder_inside_the_repository(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    file = tmp_path / "api" / "Dockerfile"
    file.parent.mkdir()
    file.write_text("a\n")

    git(file.parent, "apply", "-", text=file_patch(Change("Dockerfile", "a\n", "b\n", "api/Dockerfile")))

    assert file.read_text() == "b\n"


def test_a_file_may_be_touched_twice(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    changes = [
        Change(".dockerignore", None, "a\n", ".dockerignore"),
        Change(".dockerignore", "a\n", "a\nb\n", ".dockerignore"),
    ]

    git(tmp_path, "apply", "-", text="".join(map(file_patch, changes)))

    assert (tmp_path / ".dockerignore").read_text() == "a\nb\n"
