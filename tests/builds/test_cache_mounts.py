"""What a cache mount is for: the next build, whose manifest changed, finds what the last one downloaded."""

import re
import shutil
import subprocess
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from optimizer.cli.disk import read_context
from optimizer.engine import Plan, optimize

pytestmark = pytest.mark.xdist_group("cache mounts")  # which are the builder's, one for all

FIXTURES = Path(__file__).parents[2] / "fixtures" / "cases"


@dataclass(frozen=True, slots=True)
class Case:
    """A case with a table `refill`."""

    name: str
    file: str
    old: str
    new: str
    log: str = ""
    network: str = "default"


def _cases() -> list[Case]:
    read = {f.parent.name: tomllib.loads(f.read_text()) for f in sorted(FIXTURES.glob("*/case.toml"))}
    return [Case(name, **c["refill"]) for name, c in read.items() if "refill" in c]


each_case = pytest.mark.parametrize("case", _cases(), ids=lambda case: case.name)


def _folders(case: Case, room: Path) -> tuple[Path, Path]:
    found, rewritten = (shutil.copytree(FIXTURES / case.name / "context", room / n) for n in ("found", "rewritten"))
    dockerfile = rewritten / "Dockerfile"
    dockerfile.write_text(optimize(dockerfile.read_text(), read_context(rewritten, dockerfile), Plan()).after)
    return found, rewritten


def _built_twice(folder: Path, case: Case) -> tuple[bool, str]:
    """Build twice with a manifest as it never was before; tell how the second build went and what it printed.

    With `--no-cache` BuildKit begins with empty cache mounts, so that it is the manifest that makes steps run.
    """
    changed = folder / case.file
    text = changed.read_text()
    for network in ("default", case.network):
        changed.write_text(text.replace(case.old, case.new.replace("STAMP", str(time.time_ns())), 1))
        command = ("docker", "build", "--progress=plain", f"--network={network}", folder)
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


@each_case
@pytest.mark.usefixtures("docker")
def test_the_next_build_finds_what_the_last_one_fetched(case: Case, tmp_path: Path) -> None:
    (found, found_log), (rewritten, log) = (_built_twice(folder, case) for folder in _folders(case, tmp_path))

    assert rewritten, log[-4000:]
    if case.log:
        assert re.search(case.log, log), log[-4000:]
        assert not re.search(case.log, found_log)
    else:
        assert not found
