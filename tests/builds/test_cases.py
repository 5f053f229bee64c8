"""The cases that a real build must prove: built as they were found and as they were rewritten."""

import hashlib
import shlex
import shutil
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from optimizer.cli.disk import read_context
from optimizer.engine import Plan, optimize
from optimizer.transforms import Level

if TYPE_CHECKING:
    from conftest import Docker, File, Image

FIXTURES = Path(__file__).parents[2] / "fixtures" / "cases"
COMMENT = {".py": "#", ".sh": "#", ".js": "//", ".ts": "//", ".go": "//", ".rs": "//", ".java": "//"}


@dataclass(frozen=True, slots=True)
class Case:
    """A case that says `build = true`."""

    name: str
    level: Level
    rebuild: dict[str, str] = field(hash=False)
    gone: tuple[str, ...]  # files that the rewrite says it leaves out

    @property
    def context(self) -> Path:
        return FIXTURES / self.name / "context"


def _cases() -> list[Case]:
    read: dict[str, dict[str, Any]] = {
        f.parent.name: tomllib.loads(f.read_text()) for f in FIXTURES.glob("*/case.toml")
    }
    return [
        Case(name, Level[case["level"].upper()], case.get("rebuild", {}), tuple(case.get("gone", ())))
        for name, case in sorted(read.items())
        if case.get("build")
    ]


CASES = _cases()


def of(cases: list[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


@dataclass(frozen=True, slots=True)
class Pair:
    """A case, built as it was found and as it was rewritten, each in a copy of its own."""

    folders: tuple[Path, Path]
    written: dict[str | None, str | None]  # digest of what was written: digest of what it was
    found: "Image"
    rewritten: "Image"

    def as_found(self, files: dict[str, "File"]) -> dict[str, "File"]:
        """Return the files of the rewritten image as if it held the Dockerfile and the ignore file as they were."""
        kept = {path: file for path, file in files.items() if self.written.get(file.content, "") is not None}
        return {path: replace(f, content=self.written.get(f.content) or f.content) for path, f in kept.items()}


@pytest.fixture(scope="module")
def built(docker: "Docker", tmp_path_factory: pytest.TempPathFactory) -> Callable[[Case], Pair]:
    """Build the two images of a case, once for all the tests."""

    @cache
    def build(case: Case) -> Pair:
        room = tmp_path_factory.mktemp("build")
        found, rewritten = (shutil.copytree(case.context, room / n, symlinks=True) for n in ("found", "rewritten"))
        names = _rewrite(rewritten, case.level)
        written = {_digest(rewritten / name): _digest(found / name) for name in names}
        return Pair((found, rewritten), written, docker.build(found), docker.build(rewritten))

    return build


def _rewrite(folder: Path, level: Level) -> list[str]:
    """Rewrite the Dockerfile of a context, write what goes with it, and return what was written."""
    dockerfile = folder / "Dockerfile"
    result = optimize(dockerfile.read_text(), read_context(folder, dockerfile), Plan(level=level))
    texts = {"Dockerfile": result.after} | {artifact.path: artifact.content for artifact in result.artifacts}
    for name, text in texts.items():
        (folder / name).write_text(text)
    return list(texts)


def _digest(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None


@of(CASES)
def test_the_container_prints_the_same(case: Case, built: Callable[[Case], Pair], docker: "Docker") -> None:
    pair = built(case)
    status, printed = docker.run(pair.found)

    assert (status, bool(printed)) == (0, True), "the case itself must run and print something"
    assert docker.run(pair.rewritten) == (status, printed)


@of(CASES)
def test_the_image_is_run_in_the_same_way(case: Case, built: Callable[[Case], Pair], docker: "Docker") -> None:
    pair = built(case)

    assert _started(docker.contract(pair.rewritten)) == _started(docker.contract(pair.found))


def _started(contract: dict[str, Any]) -> dict[str, Any]:
    """Return a contract with what a shell would start for a command of plain words, as exec-form changes it."""
    lines = {name: contract[name] for name in ("Cmd", "Entrypoint") if contract.get(name)}
    words = {name: shlex.split(line[2]) for name, line in lines.items() if line[:2] == ["/bin/sh", "-c"]}
    return contract | {name: line[line[0] == "exec" :] for name, line in words.items()}


@of([case for case in CASES if case.level is Level.EXACT])
def test_the_files_are_the_same(case: Case, built: Callable[[Case], Pair], docker: "Docker") -> None:
    pair = built(case)
    found, rewritten = docker.files(pair.found), pair.as_found(docker.files(pair.rewritten))

    differ = {path for path in found | rewritten if found.get(path) != rewritten.get(path)}

    assert [(path, found.get(path), rewritten.get(path)) for path in sorted(differ - set(case.gone))] == []
    assert set(case.gone) <= found.keys() - rewritten.keys()


@of([case for case in CASES if case.rebuild])
def test_the_install_is_cached_only_after_the_rewrite(
    case: Case, built: Callable[[Case], Pair], docker: "Docker"
) -> None:
    found, rewritten = (docker.build(folder, *_change(folder, case.rebuild)) for folder in built(case).folders)

    assert not found.step(case.rebuild.get("before", case.rebuild["step"])).cached
    assert rewritten.step(case.rebuild["step"]).cached


def _change(folder: Path, rebuild: dict[str, str]) -> tuple[str, ...]:
    """Do what happens between two builds, never the same twice: a line is added, or a build argument is another."""
    stamp = str(time.time_ns())
    if "build_arg" in rebuild:
        return (f"--build-arg={rebuild['build_arg']}={stamp}",)
    source = folder / rebuild["touch"]
    with source.open("a") as file:
        file.write(f"\n{COMMENT[source.suffix]} {stamp}\n")
    return ()
