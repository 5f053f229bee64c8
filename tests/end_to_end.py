"""The cases of `fixtures/cases`: what each holds, and what dfopt makes of it.

`python -m tests.end_to_end` writes `expected/` of every case (or of those named) anew; review it with `git diff`.
"""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from typer.testing import CliRunner

CASES = Path(__file__).parent.parent / "fixtures" / "cases"


@dataclass(frozen=True)
class Case:
    """One folder of `fixtures/cases`."""

    path: Path
    says: str
    level: str = "equivalent"
    args: tuple[str, ...] = ()
    build: bool = False
    unchanged: str = ""  # for a case that must stay: part of the decline's reason, or "nothing" where none is due
    dockerfile: str = "Dockerfile"
    tracked: bool = False  # version control holds all files of the context
    history: bool = False  # the context is a repository's root: .git lies in it, which no fixture can hold
    # `touch` a file, and the `step` that must stay cached; `before` is the one that did its work, where it had none
    rebuild: dict[str, str] = field(default_factory=dict)
    gone: tuple[str, ...] = ()  # files of the image that the rewrite says it leaves out
    # what changes in `file` (`old` becomes `new`), and how the build then shows that a cache mount was full: it prints
    # `log`, or needs no `network`
    refill: dict[str, str] = field(default_factory=dict)

    @property
    def context(self) -> Path:
        """The build context as found."""
        return self.path / "context"


def all_cases() -> list[Case]:
    """Return every case, by name."""
    return [load(path.parent) for path in sorted(CASES.glob("*/case.toml"))]


def load(path: Path) -> Case:
    """Read one case."""
    settings = tomllib.loads((path / "case.toml").read_text())
    settings |= {key: tuple(settings.get(key, ())) for key in ("args", "gone")}
    return Case(path, **settings)


def report(case: Case, level: str | None = None) -> dict[str, object]:
    """Return what `dfopt diff --format json` says of a copy of the case, so that our repository plays no part."""
    from optimizer.cli.app import app

    arguments = ["diff", "--format", "json", "--level", level or case.level, *case.args]
    here = Path.cwd()
    with TemporaryDirectory() as folder:
        _lay_out(case, Path(folder))
        os.chdir(folder)
        try:
            outcome = CliRunner().invoke(app, [*arguments, "--context", "context", f"context/{case.dockerfile}"])
        finally:
            os.chdir(here)
    if outcome.exit_code not in {0, 1}:
        raise AssertionError(f"{case.path.name}: exit code {outcome.exit_code}\n{outcome.output}")
    (entry,) = json.loads(outcome.stdout)["files"]
    return dict(entry)


def _lay_out(case: Case, folder: Path) -> None:
    shutil.copytree(case.context, folder / "context", symlinks=True)
    if case.history:
        (folder / "context" / ".git").mkdir()
        (folder / "context" / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    if case.tracked:
        for command in (["git", "init", "--quiet"], ["git", "add", "--force", "."]):
            subprocess.run(command, cwd=folder, check=True)


def expected_files(entry: dict[str, object]) -> dict[str, str]:
    """Return what stands in `expected/` for a report: the Dockerfile, files beside it, the patch, the report."""
    brief = {key: value for key, value in entry.items() if key not in {"content", "diff", "artifacts"}}
    brief["estimate"] = _without_predictions(brief["estimate"], brief["rewrites"])
    files = {
        "Dockerfile": str(entry["content"]),
        "diff.patch": str(entry["diff"]),
        "report.json": json.dumps(brief, indent=2, ensure_ascii=False) + "\n",
    }
    artifacts = entry["artifacts"]
    assert isinstance(artifacts, list)
    return files | {str(a["path"]).removeprefix("context/"): str(a["content"]) for a in artifacts}


def _without_predictions(estimate: Any, rewrites: Any) -> object:
    """Return an estimate without what every renewal of the image facts changes."""
    if estimate is None:
        return None
    sizes = {when: {"bytes": None, "layers": estimate[when]["layers"]} for when in ("before", "after")}
    return {**sizes, "saved": {**estimate["saved"], "bytes": sum(one["gain"]["bytes"] for one in rewrites)}}


def found_files(case: Case) -> dict[str, str]:
    """Return the texts in `expected/`."""
    folder = case.path / "expected"
    return {str(p.relative_to(folder)): _text(p) for p in folder.rglob("*") if p.is_file()}


def _text(path: Path) -> str:
    with path.open(newline="", encoding="utf-8") as file:
        return file.read()


def write(case: Case) -> None:
    """Write `expected/` anew."""
    shutil.rmtree(case.path / "expected", ignore_errors=True)
    for name, text in expected_files(report(case)).items():
        path = case.path / "expected" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            file.write(text)


def _chosen(names: list[str]) -> Iterator[Case]:
    return (case for case in all_cases() if not names or case.path.name in names)


if __name__ == "__main__":
    for chosen in _chosen(sys.argv[1:]):
        write(chosen)
