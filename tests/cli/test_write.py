"""Files are replaced whole, together, or not at all."""

import os
import stat
from pathlib import Path

import pytest

from optimizer.cli.write import WriteError, write_together
from optimizer.report import Change


def change(path: Path, before: str | None, after: str) -> Change:
    return Change(str(path), before, after, path.name)


@pytest.fixture
def two(tmp_path: Path) -> list[Change]:
    """A Dockerfile and its ignore file, which is new."""
    (tmp_path / "Dockerfile").write_text("old\n")
    return [change(tmp_path / "Dockerfile", "old\n", "new\n"), change(tmp_path / ".dockerignore", None, "x\n")]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_writes_all(tmp_path: Path, two: list[Change]) -> None:
    write_together(two)

    assert (tmp_path / "Dockerfile").read_text() == "new\n"
    assert (tmp_path / ".dockerignore").read_text() == "x\n"
    assert names(tmp_path) == [".dockerignore", "Dockerfile"]


def test_a_new_file_has_the_usual_mode(tmp_path: Path, two: list[Change]) -> None:
    before = os.umask(0o027)
    try:
        write_together(two)
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / ".dockerignore").stat().st_mode) == 0o640


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
@pytest.mark.parametrize("call", ["os.fsync", "pathlib.Path.chmod"])
def test_nothing_is_written_when_interrupted(
    tmp_path: Path, two: list[Change], monkeypatch: pytest.MonkeyPatch, call: str, error: BaseException
) -> None:
    def stop(*_: object) -> None:
        raise error

    monkeypatch.setattr(call, stop)
    with pytest.raises((KeyboardInterrupt, WriteError)):
        write_together(two)

    assert names(tmp_path) == ["Dockerfile"]
    assert (tmp_path / "Dockerfile").read_text() == "old\n"


def test_the_first_file_comes_back_when_the_second_fails(
    tmp_path: Path, two: list[Change], monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def fail(path: Path, target: Path) -> Path:
        if target.name == "Dockerfile":
            raise OSError(5, "Input/output error")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(WriteError, match="Dockerfile: cannot be written: Input/output error"):
        write_together(two)

    assert names(tmp_path) == ["Dockerfile"]


def test_a_file_that_somebody_else_changed_is_left(tmp_path: Path, two: list[Change]) -> None:
    (tmp_path / "Dockerfile").write_text("newer\n")

    with pytest.raises(WriteError, match="changed since it was read"):
        write_together(two)

    assert names(tmp_path) == ["Dockerfile"]


def test_a_file_that_somebody_else_created_is_left(tmp_path: Path, two: list[Change]) -> None:
    (tmp_path / ".dockerignore").write_text("mine\n")

    with pytest.raises(WriteError, match="changed since it was read"):
        write_together(two)

    assert (tmp_path / "Dockerfile").read_text() == "old\n"
    assert (tmp_path / ".dockerignore").read_text() == "mine\n"


def test_a_file_that_is_gone_is_not_brought_back(tmp_path: Path, two: list[Change]) -> None:
    (tmp_path / "Dockerfile").unlink()

    with pytest.raises(WriteError, match="gone since it was read"):
        write_together(two)

    assert names(tmp_path) == []


def test_bytes_are_kept(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_bytes("\ufeffold\r\n".encode())

    write_together([change(tmp_path / "Dockerfile", "\ufeffold\r\n", "\ufeffnew\r\n\x0c")])

    assert (tmp_path / "Dockerfile").read_bytes() == "\ufeffnew\r\n\x0c".encode()
