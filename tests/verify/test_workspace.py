"""Throw-away copies hold what the build sees, and nothing that happens to them reaches the user's files."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from optimizer.cli.disk import read_context
from optimizer.engine import Result
from optimizer.transforms import Artifact
from optimizer.verify.workspace import Copy, workspace


def tree(folder: Path) -> dict[str, str]:
    """Return every file below a folder with its text or the target of a link, every folder with ''."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        found[name] = f"-> {path.readlink()}" if path.is_symlink() else "" if path.is_dir() else path.read_text()
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "src" / "empty").mkdir(parents=True)
    (folder / "node_modules" / "left-pad").mkdir(parents=True)
    (folder / "src" / "app.py").write_text("app\n")
    (folder / "src" / "run.sh").write_text("run\n")
    (folder / "src" / "run.sh").chmod(0o750)
    (folder / "link").symlink_to("src/app.py")
    (folder / "outside").symlink_to("/etc/hostname")
    (folder / "node_modules" / "left-pad" / "index.js").write_text("pad\n")
    (folder / "node_modules" / "keep.txt").write_text("keep\n")
    (folder / ".dockerignore").write_text("node_modules\n!node_modules/keep.txt\n")
    (folder / "Dockerfile").write_text("FROM a\n")
    os.mkfifo(folder / "pipe")
    return folder


SEEN = {
    ".dockerignore": "node_modules\n!node_modules/keep.txt\n",
    "Dockerfile": "FROM a\n",
    "link": "-> src/app.py",
    "node_modules": "",
    "node_modules/keep.txt": "keep\n",
    "outside": "-> /etc/hostname",
    "src": "",
    "src/app.py": "app\n",
    "src/empty": "",
    "src/run.sh": "run\n",
}


def test_a_copy_holds_what_the_build_sees(project: Path) -> None:
    with workspace(project, read_context(project, project / "Dockerfile")) as room:
        copy = room.original("FROM a\n")

        assert tree(copy.folder) == SEEN
        assert stat.S_IMODE((copy.folder / "src" / "run.sh").stat().st_mode) == 0o750
        assert room.original("FROM a\n") == copy

    assert not copy.folder.exists()


def test_a_rewrite_is_a_copy_with_its_own_files(project: Path) -> None:
    result = Result("FROM a\n", "FROM b\n", artifacts=(Artifact(".dockerignore", "src/run.sh\n"),))

    with workspace(project, read_context(project, project / "Dockerfile")) as room:
        found, copy = room.original("FROM a\n"), room.rewritten(result)

        assert copy.dockerfile.read_text() == "FROM b\n"
        assert tree(copy.folder) == {
            **SEEN, "Dockerfile": "FROM b\n", ".dockerignore": "src/run.sh\n",
            "node_modules/left-pad": "", "node_modules/left-pad/index.js": "pad\n",
        }  # fmt: skip
        assert (copy.folder / "src/app.py").samefile(found.folder / "src/app.py")
        assert tree(found.folder) == SEEN
    assert (project / "Dockerfile").read_text() == "FROM a\n"


def test_an_edit_touches_one_copy_and_is_taken_back(project: Path) -> None:
    with workspace(project, read_context(project, project / "Dockerfile")) as room:
        found, copy = room.original("FROM a\n"), room.rewritten(Result("FROM a\n", "FROM b\n"))
        with copy.changed("src/run.sh", lambda data: data + b"# more\n"):
            assert (copy.folder / "src/run.sh").read_text() == "run\n# more\n"
            assert stat.S_IMODE((copy.folder / "src/run.sh").stat().st_mode) == 0o750
            assert [p.joinpath("src/run.sh").read_text() for p in (found.folder, project)] == ["run\n", "run\n"]

        assert (copy.folder / "src/run.sh").read_text() == "run\n"


def test_a_dockerfile_outside_of_its_context_stays_outside(project: Path) -> None:
    build = project.parent / "build"
    build.mkdir()
    (build / "Dockerfile").write_text("FROM a\n")
    (build / "Dockerfile.dockerignore").write_text("src\n")

    with workspace(project, read_context(project, build / "Dockerfile")) as room:
        copies = room.original("FROM a\n"), room.rewritten(Result("FROM a\n", "FROM b\n"))

        assert [copy.dockerfile.read_text() for copy in copies] == ["FROM a\n", "FROM b\n"]
        for copy in copies:
            assert copy.dockerfile == copy.folder.parent / "build" / "Dockerfile"
            assert copy.dockerfile.with_name("Dockerfile.dockerignore").read_text() == "src\n"
            assert not (copy.folder / "src").exists()


@pytest.mark.parametrize(("target", "stays_a_link"), [("build/Dockerfile", True), ("/elsewhere/Dockerfile", False)])
def test_a_dockerfile_that_is_a_link(project: Path, target: str, *, stays_a_link: bool) -> None:
    (project / "Dockerfile").unlink()
    (project / "Dockerfile").symlink_to(target)
    (project / "build").mkdir()
    (project / "build" / "Dockerfile").write_text("FROM a\n")

    with workspace(project, read_context(project, project / "Dockerfile")) as room:
        copy = room.rewritten(Result("FROM a\n", "FROM b\n"))

        assert copy.dockerfile.read_text() == "FROM b\n"
        assert copy.dockerfile.is_symlink() is stays_a_link
    assert (project / "build" / "Dockerfile").read_text() == "FROM a\n"


def test_copies_can_be_kept(project: Path) -> None:
    with workspace(project, read_context(project, project / "Dockerfile"), keep=True) as room:
        copy: Copy = room.original("FROM a\n")

    assert copy.dockerfile.is_file()
    shutil.rmtree(room.place)


def test_copies_go_when_the_run_is_interrupted(project: Path) -> None:
    places = []

    def interrupted() -> None:
        with workspace(project, read_context(project, project / "Dockerfile")) as room:
            places.append(room.original("FROM a\n").folder)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert not places[0].exists()


def test_a_folder_for_temporary_files_within_the_context_is_not_copied(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(project))

    with workspace(project, read_context(project, project / "Dockerfile")) as room:
        assert tree(room.original("FROM a\n").folder) == SEEN
