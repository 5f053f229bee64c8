#!/usr/bin/env python3
"""Compare the CPU time and memory of dfopt with those of its peers, in one run on one machine.

The peers are hadolint and tally as PyPI has them: `pip install -e '.[bench]'`. All commands take turns, so that a busy
moment of the machine meets all of them, and medians are compared. CPU time is user and system time of the process and
of all that it started; memory is the largest resident set of one process. dfopt runs with `--jobs 1`.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import corpus

# As where a wheel was installed: the modules are compiled, whatever the shell that starts this says of it.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
_FOUND = {0, 1}  # dfopt and the linters exit with 1 where they found something


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took."""

    seconds: float
    mebibytes: float


@dataclass(frozen=True, slots=True)
class Task:
    """A command, and where it needs one, what to do before each run of it."""

    name: str
    command: Sequence[str | Path]
    prepare: Callable[[], object] = lambda: None


def main() -> int:
    """Run all, print the tables, and tell whether the targets are met."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="dfopt-bench-") as name:
        room = Path(name)
        _ENVIRONMENT["PYTHONPYCACHEPREFIX"] = str(room / "bytecode")
        dockerfiles = corpus.write(room / "corpus", options.files, options.seed)
        single = _measure(list(_start_up(_typical(dockerfiles))), options.runs)
        many = _measure(list(_throughput(room)), options.throughput_runs)
        in_process = _in_process(room / "corpus")
    print(f"{options.files} Dockerfiles from seed {options.seed}; medians of {options.runs} and of "
          f"{options.throughput_runs} runs; Python {sys.version.split()[0]}, {os.cpu_count()} cores\n")  # fmt: skip
    _table("One file", single, "tally lint")
    _table(f"{options.files} files", many, "tally lint --fix")
    print(
        "CPU time in one process, context included: "
        + ", ".join(f"{k} {v:.2f} ms" for k, v in in_process.items())
        + " a file\n"
    )
    missed = list(_missed(single, many, in_process))
    print("\n".join(missed) or "All targets are met.")
    return int(bool(missed and options.check))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15, help="runs of each command on one file (default 15)")
    parser.add_argument("--throughput-runs", type=int, default=3, help="runs over all the files (default 3)")
    parser.add_argument("--files", type=int, default=1000, help="Dockerfiles of the corpus (default 1000)")
    parser.add_argument("--seed", type=int, default=1, help="what the corpus is drawn from (default 1)")
    parser.add_argument("--check", action="store_true", help="exit with 1 where a target is missed")
    return parser.parse_args()


def _program(name: str) -> str:
    """Return a program of this environment, or else of the PATH."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        sys.exit(f"{name} is not installed: pip install -e '.[bench]'")
    return found


def _typical(dockerfiles: Sequence[Path]) -> Path:
    """Return the first file of the median length."""
    lengths = {path: path.read_text().count("\n") for path in dockerfiles}
    median = statistics.median_low(lengths.values())
    return next(path for path, length in lengths.items() if length == median)


def _start_up(file: Path) -> Iterator[Task]:
    yield Task("python", (sys.executable, "-I", "-c", "pass"))
    yield Task("dfopt --version", (_program("dfopt"), "--version"))
    yield Task("dfopt diff", (_program("dfopt"), "diff", file))
    yield Task("hadolint", (_program("hadolint"), file))
    yield Task("tally lint", (_program("tally"), "lint", "--slow-checks", "off", file))


def _throughput(room: Path) -> Iterator[Task]:
    copy = room / "copy"

    def anew() -> None:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(room / "corpus", copy)

    files = sorted((room / "corpus").rglob("Dockerfile"))
    yield Task("dfopt diff", (_program("dfopt"), "diff", "--jobs", "1", room / "corpus"))
    yield Task("dfopt rewrite", (_program("dfopt"), "rewrite", "--jobs", "1", copy), anew)
    yield Task("hadolint", (_program("hadolint"), *files))
    yield Task("tally lint --fix", (_program("tally"), "lint", "--fix", "--slow-checks", "off", copy), anew)


def _measure(tasks: Sequence[Task], runs: int) -> dict[str, Cost]:
    """Run the tasks in turn, once more than counted: the first round warms the caches of the disk."""
    costs: dict[str, list[Cost]] = {task.name: [] for task in tasks}
    for round_ in range(runs + 1):
        for task in tasks:
            task.prepare()
            cost = _cost(task.command)
            if round_ or runs == 1:
                costs[task.name].append(cost)
    return {
        name: Cost(statistics.median(c.seconds for c in found), max(c.mebibytes for c in found))
        for name, found in costs.items()
    }


def _cost(command: Sequence[str | Path]) -> Cost:
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=_ENVIRONMENT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in _FOUND:
            output.seek(0)
            printed = output.read().decode(errors="replace")[-2000:]
            sys.exit(f"{' '.join(map(str, command[:6]))} … exited with {process.returncode}:\n{printed}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _in_process(folder: Path) -> dict[str, float]:
    script = Path(__file__).with_name("in_process.py")
    done = subprocess.run(
        (sys.executable, script, folder), check=True, capture_output=True, text=True, env=_ENVIRONMENT
    )
    times: dict[str, float] = json.loads(done.stdout)
    return times


def _table(title: str, costs: dict[str, Cost], peer: str) -> None:
    print(f"{title:<20}{'CPU s':>10}{'of tally':>10}{'peak MiB':>10}")
    for name, cost in costs.items():
        print(f"{name:<20}{cost.seconds:>10.3f}{cost.seconds / costs[peer].seconds:>10.2f}{cost.mebibytes:>10.0f}")
    print()


def _missed(single: dict[str, Cost], many: dict[str, Cost], in_process: dict[str, float]) -> Iterator[str]:
    """Go through the targets that are not met."""
    targets = (
        ("CPU time of one file, of tally's", single["dfopt diff"].seconds / single["tally lint"].seconds, 0.45),
        ("CPU time of all files, of tally's", many["dfopt rewrite"].seconds / many["tally lint --fix"].seconds, 0.15),
        ("milliseconds a file in one process, median", in_process["median"], 5),
        ("MiB for one file", single["dfopt diff"].mebibytes, 80),
        ("MiB for all files", max(many["dfopt diff"].mebibytes, many["dfopt rewrite"].mebibytes), 300),
    )
    for what, value, limit in targets:
        if value > limit:
            yield f"Missed: {what}: {value:.3g}, target {limit:g}"


if __name__ == "__main__":
    sys.exit(main())
