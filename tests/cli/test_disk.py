"""Build contexts on disk."""

import os
import subprocess
from pathlib import Path

import pytest

from optimizer.cli.disk import ContextError, read_context


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for path in ("Dockerfile", "src/main.py", "node_modules/a/index.js", ".git/HEAD", ".git/objects/pack/p.pack"):
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(path)
    return root


def test_a_context_is_read(folder: Path) -> None:
    context = read_context(folder, folder / "Dockerfile")

    assert context.dockerfile == "Dockerfile"
    assert context.ignore_path == ".dockerignore"
    assert context.text("src/main.py") == "src/main.py"
    assert context.under("src") == ("src/main.py",)
    assert context.files["src/main.py"] == 11
    assert "node_modules/a/index.js" in set(context.files)


def test_of_git_only_what_tells_its_size_is_listed(folder: Path) -> None:
    (folder / ".git/objects/ab").mkdir()
    (folder / ".git/objects/ab/cdef").write_text("x")
    context = read_context(folder, folder / "Dockerfile")

    assert context.under(".git") == (".git/HEAD", ".git/objects/pack/p.pack")


def test_nothing_is_listed_before_it_is_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[str] = []
    real = os.scandir
    monkeypatch.setattr(os, "scandir", lambda place: listed.append(str(place)) or real(place))
    (folder / ".dockerignore").write_text("node_modules\n")
    context = read_context(folder, folder / "Dockerfile")

    assert listed == []
    assert context.exists("src/main.py")
    assert [Path(place).name for place in listed] == ["project", "src"]
    assert context.under("")
    assert not any("node_modules" in place for place in listed)


def test_contexts_share_listings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listings: dict[str, dict[str, bool]] = {}
    read_context(folder, folder / "Dockerfile", listings).under("")
    monkeypatch.setattr(os, "scandir", None)

    assert read_context(folder, folder / "Other.Dockerfile", listings).exists("src/main.py")


def test_links_are_entries_and_never_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_text("s")
    (folder / "out").symlink_to(tmp_path / "outside")
    (folder / "file").symlink_to(tmp_path / "outside/secret")
    (folder / "inner").symlink_to("src/main.py")
    (folder / "loop").symlink_to("loop")
    context = read_context(folder, folder / "Dockerfile")

    assert context.exists("out")
    assert not context.is_dir("out")
    assert not context.exists("out/secret")
    assert context.text("file") is None
    assert context.text("loop") is None
    assert context.text("inner") == "src/main.py"
    assert context.read_bytes("../outside/secret") is None


def test_sockets_and_pipes_are_no_files(folder: Path) -> None:
    os.mkfifo(folder / "pipe")

    assert not read_context(folder, folder / "Dockerfile").exists("pipe")


def test_an_ignore_file_beside_a_dockerfile_outside_of_the_context(folder: Path) -> None:
    (folder / "Dockerfile.dockerignore").write_text("main.py\n")
    context = read_context(folder / "src", folder / "Dockerfile")

    assert context.dockerfile == "../Dockerfile"
    assert context.ignore_path == "../Dockerfile.dockerignore"
    assert not context.exists("main.py")
    assert context.read_bytes(context.ignore_path) == b"main.py\n"


def test_no_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ContextError, match=r"gone: the build context is not a folder; name one with --context"):
        read_context(tmp_path / "gone", tmp_path / "Dockerfile")


def unreadable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Refuse a folder as the system does for other users than root, who runs these tests at times."""
    real = os.scandir

    def refuse(place: str) -> object:
        if place.endswith(name):
            raise PermissionError(13, "Permission denied")
        return real(place)

    monkeypatch.setattr(os, "scandir", refuse)


def test_an_unreadable_folder_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unreadable(monkeypatch, "node_modules")
    context = read_context(folder, folder / "Dockerfile")

    assert context.exists("src/main.py")
    with pytest.raises(ContextError, match=r"node_modules: .*Permission denied.*\.dockerignore"):
        context.under("")


def test_an_unreadable_folder_that_is_ignored_is_left_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".dockerignore").write_text("node_modules\n!**/*.js\n")
    unreadable(monkeypatch, "node_modules")

    assert "src/main.py" in read_context(folder, folder / "Dockerfile").under("")


def test_version_control_is_asked_once_and_only_when_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("a/b", "a/c", "d"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("")
    git = ["git", "-c", "init.defaultBranch=main", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "a/b"], check=True)
    context = read_context(tmp_path, tmp_path / "Dockerfile")

    assert context.tracked("a/b") is True
    monkeypatch.setenv("PATH", "")
    assert context.tracked("a") is True
    assert context.tracked("a/c") is False
    assert context.tracked("d") is False


def test_without_git_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert read_context(tmp_path, tmp_path / "Dockerfile").tracked("a") is None
