"""The edits of `fixtures/rebuilds`: what the model says of them, and what a builder does.

`python -m tests.rebuilds [NAME...]` asks the builder and writes what it did to `fixtures/rebuilds/observed.json`, or to
`observed_with_links.json` where the engine keeps its images in containerd, so that `--link` counts for its cache.
"""

import hashlib
import json
import os
import re
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any, Self
from uuid import uuid4

from optimizer.cli.disk import read_context
from optimizer.layers.keys import makes_layer
from optimizer.layers.nodes import NO_IMAGE, Builder, Change, Fate, Recipe, Simulation
from optimizer.layers.simulate import flipped, simulate
from optimizer.model import Dockerfile, Step, read
from optimizer.syntax import parse
from optimizer.verify.builders._progress import RawJson

FOLDER = Path(__file__).parents[1] / "fixtures" / "rebuilds"
OBSERVED = {False: FOLDER / "observed.json", True: FOLDER / "observed_with_links.json"}
OLDER = {"DOCKER_BUILDKIT": "0"}
Words = list[str]


@dataclass(frozen=True)
class Edit:
    """One change to a project; the fields are those of `[[changes]]`."""

    write: Words = field(default_factory=list)
    remove: Words = field(default_factory=list)
    folder: Words = field(default_factory=list)
    touch: Words = field(default_factory=list)
    rename: Mapping[str, str] = field(default_factory=dict)
    link: Mapping[str, str] = field(default_factory=dict)
    mode: Mapping[str, str] = field(default_factory=dict)
    ignore: str | None = None
    replace_in_dockerfile: Words = field(default_factory=list)
    build_args: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None

    def apply(self, root: Path, mark: str) -> None:
        """Make the edit; `mark` makes what is written unlike everything before."""
        for path in self.write:
            _write(root / path, f"changed {mark} {path}\n")
        for path in self.remove:
            (root / path).unlink()
        for path in self.folder:
            (root / path).mkdir()
        for path in self.touch:
            os.utime(root / path, (1, 1))
        for old, new in self.rename.items():
            (root / old).rename(root / new)
        for path, target in self.link.items():
            (root / path).unlink(missing_ok=True)
            (root / path).symlink_to(target)
        for path, mode in self.mode.items():
            (root / path).chmod(int(mode, 8))
        if self.ignore is not None:
            (root / ".dockerignore").write_text(self.ignore)
        if self.replace_in_dockerfile:
            _replace(root / "Dockerfile", *self.replace_in_dockerfile)


@dataclass(frozen=True)
class Project:
    """A Dockerfile with its files, and the edits."""

    name: str
    dockerfile: str
    files: Mapping[str, str]
    links: Mapping[str, str]
    edits: tuple[Edit, ...]
    builder: Builder = Builder.BUILDKIT

    @contextmanager
    def written(self, mark: str) -> Iterator[Path]:
        """Write it to a folder; `mark` makes its files and images unlike those of other runs."""
        with TemporaryDirectory(prefix="dfopt-rebuilds-") as room:
            root = Path(room, self.name)
            self.write(root, mark)
            yield root

    def write(self, root: Path, mark: str) -> None:
        if root.exists():
            rmtree(root)
        for path, text in self.files.items():
            ignore_file = path.endswith(".dockerignore")
            _write(root / path, text if ignore_file else f"{text} {mark}\n")
        for path, target in self.links.items():
            (root / path).symlink_to(target)
        text = self.dockerfile.replace("busybox:1", f"{mark}:first").replace("base:", f"{mark}:")
        _write(root / "Dockerfile", text.lstrip())


@cache
def projects() -> tuple[Project, ...]:
    """Return the projects of the folder."""
    return tuple(_project(path) for path in sorted(FOLDER.glob("*.toml")))


def _project(path: Path) -> Project:
    read_: dict[str, Any] = tomllib.loads(path.read_text())
    edits = tuple(Edit(**change) for change in read_["changes"])
    return Project(
        path.stem,
        read_["dockerfile"],
        read_["files"],
        read_.get("links", {}),
        edits,
        Builder(read_.get("builder", "buildkit")),
    )


def observed(*, links: bool = False) -> dict[str, list[Words]]:
    """Return what a builder ran again: by project, for each edit the steps (`build 3` is one of a stage)."""
    found: dict[str, list[Words]] = json.loads(OBSERVED[links].read_text())
    return found


def predicted(project: Project, *, links: bool = False) -> Iterator[dict[str, Fate]]:
    """Go through what the model says of each edit, by the builder's names of the steps."""
    with project.written("model") as root:
        for number, edit in enumerate(project.edits):
            project.write(root, "model")
            before, seen = recipe(root, edit, build_args={}), snapshot(root)
            edit.apply(root, f"edit-{number}")
            now = snapshot(root)
            files = {path for path in {**seen, **now} if seen.get(path) != now.get(path)}
            after = recipe(root, edit, build_args=edit.build_args)
            files |= flipped(before.context.ignore, after.context.ignore, now)
            change = Change(frozenset(files))
            simulation = simulate(before, after, change, builder=project.builder, links=links)
            yield fates(simulation, after.dockerfile, project.builder)


def recipe(root: Path, edit: Edit, build_args: Mapping[str, str]) -> Recipe:
    text = (root / "Dockerfile").read_text()
    model = read(parse(text), target=edit.target, build_args=build_args)
    return Recipe(model, read_context(root, root / "Dockerfile"), lambda path: _target(root / path))


def snapshot(root: Path) -> dict[str, tuple[object, ...]]:
    """Return what counts of each file and folder: its kind, its mode, what it holds."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(root.rglob("*")):
        mode = path.lstat().st_mode
        held: object = None
        if path.is_symlink():
            held = path.readlink()
        elif path.is_file():
            held = hashlib.sha256(path.read_bytes()).hexdigest()
        # A builder that has a folder already does not notice that its mode alone changed.
        bits = stat.S_IMODE(mode) if path.is_file() and not path.is_symlink() else 0
        found[str(path.relative_to(root))] = (stat.S_IFMT(mode), bits, held)
    return found


def labels(dockerfile: Dockerfile) -> dict[str, Step]:
    """Return the steps by the names that a builder gives them: stage and number."""
    found = {}
    for stage in dockerfile.stages:
        name = stage.name or (f"stage-{stage.index}" if len(dockerfile.stages) > 1 else "")
        number = 1 if stage.parent is None and stage.base != NO_IMAGE else 0
        for step in stage.body:
            if makes_layer(step):
                number += 1
                found[f"{name} {number}".strip()] = step
    return found


def fates(simulation: Simulation, dockerfile: Dockerfile, builder: Builder) -> dict[str, Fate]:
    """Return what the model says by the builder's names; the older one counts all instructions."""
    if builder is Builder.LEGACY:
        return {str(outcome.number): outcome.fate for outcome in simulation.outcomes if outcome.step.name != "FROM"}
    return {name: simulation.outcomes[step.index].fate for name, step in labels(dockerfile).items()}


class Asked:
    """A builder that is asked what it runs again."""

    def __init__(self) -> None:
        self.mark = f"dfopt-rebuilds-{uuid4().hex[:8]}"
        self.images: list[str] = []

    def __enter__(self) -> Self:
        for tag in ("first", "second"):
            with TemporaryDirectory() as room:
                Path(room, "Dockerfile").write_text("FROM busybox:1\nCOPY mark /mark\n")
                Path(room, "mark").write_text(f"{self.mark} {tag}")
                subprocess.run(
                    ["docker", "build", "-q", "-t", f"{self.mark}:{tag}", room], check=True, capture_output=True
                )
        return self

    def __exit__(self, *_: object) -> None:
        tags = [f"{self.mark}:first", f"{self.mark}:second"]
        subprocess.run(["docker", "image", "rm", *self.images, *tags], check=False, capture_output=True)

    def renewed(self) -> Self:
        """Begin again with images and files that the builder has never seen."""
        self.__exit__()
        self.mark, self.images = f"dfopt-rebuilds-{uuid4().hex[:8]}", []
        return self.__enter__()

    @property
    def links(self) -> bool:
        """Whether `--link` counts for its cache."""
        words = ["docker", "info", "--format={{json .DriverStatus}}"]
        return "containerd.snapshotter" in subprocess.run(words, check=True, capture_output=True, text=True).stdout

    def each(self, asked: Iterable[Project]) -> dict[str, list[Words]]:
        """Build projects and each of their edits; return the steps that ran, by project and edit."""
        chosen = list(asked)
        with ThreadPoolExecutor(2) as pool:
            return dict(zip((p.name for p in chosen), pool.map(self.one, chosen), strict=True))

    def one(self, project: Project) -> list[Words]:
        with project.written(self.mark) as root:
            found = []
            for target in dict.fromkeys(edit.target for edit in project.edits):
                first = self.build(root, Edit(target=target), project.builder)
                assert "does not build" not in first, (project.name, first)
            for number, edit in enumerate(project.edits):
                project.write(root, self.mark)
                edit.apply(root, f"{self.mark} {number}")
                found.append(self.build(root, edit, project.builder))
            return found

    def build(self, root: Path, edit: Edit, builder: Builder = Builder.BUILDKIT) -> Words:
        """Build and return the names of the steps that were not cached."""
        arguments = [f"--build-arg={name}={value}" for name, value in edit.build_args.items()]
        target = [f"--target={edit.target}"] if edit.target else []
        if builder is Builder.LEGACY:
            words = ["docker", "build", *arguments, *target, str(root)]
            done = subprocess.run(words, capture_output=True, text=True, check=False, env=os.environ | OLDER)
            self.images += re.findall(r"^Successfully built (\w+)$", done.stdout, re.MULTILINE)
            return _ran_of_the_older(done.stdout) if not done.returncode else ["does not build", done.stderr]
        words = ["docker", "build", "--progress=rawjson", "--output=type=cacheonly", *arguments, *target, str(root)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        progress = RawJson(lambda _: None)
        for line in done.stderr.splitlines():
            progress.hear(line)
        if done.returncode:
            return ["does not build", *list(progress.log)[-5:]]
        return sorted({_label(step.name) for step in progress.steps() if not step.cached})


def _ran_of_the_older(output: str) -> Words:
    """Return the numbers of the steps behind which no `Using cache` stands; FROM is looked up anew each time."""
    steps = re.split(r"^Step (\d+)/\d+ : (\w+).*$", output, flags=re.MULTILINE)[1:]
    numbered = zip(steps[::3], steps[1::3], steps[2::3], strict=True)
    return [number for number, keyword, rest in numbered if keyword != "FROM" and "---> Using cache" not in rest]


def _label(name: str) -> str:
    """Return `build 3` for `[build  3/12] RUN make`."""
    return " ".join(name[1:].partition("/")[0].split())


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _target(path: Path) -> str | None:
    return str(path.readlink()) if path.is_symlink() else None


if __name__ == "__main__":
    with Asked() as asked:
        wanted = [project for project in projects() if project.name in sys.argv[1:] or not sys.argv[1:]]
        found = OBSERVED[asked.links]
        done = (json.loads(found.read_text()) if found.exists() else {}) | asked.each(wanted)
        found.write_text(json.dumps(dict(sorted(done.items())), indent=1) + "\n")
