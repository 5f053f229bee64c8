"""What the commands promise: exit codes, what is printed where, what is written."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from optimizer import __version__
from optimizer.cli.arguments import LevelName
from optimizer.transforms import Level

ADDS = 'FROM alpine:3.20\nADD app.txt /app.txt\nCMD ["cat", "/app.txt"]\n'
COPIES = ADDS.replace("ADD", "COPY")
DONE = 'FROM alpine:3.20\nCMD ["true"]\n'
ONLY = ("--select", "copy-over-add")
PROGRAM = [sys.executable, "-c", "from optimizer.cli import main; main()"]


def test_diff_shows_the_change_with_its_reason_and_writes_nothing(project: Path, dfopt: Callable) -> None:
    ran = dfopt("diff", *ONLY)

    assert ran.code == 1
    assert "-ADD app.txt /app.txt\n+COPY app.txt /app.txt\n" in ran.text
    assert "[copy-over-add, exact]" in ran.text
    assert "1 file: 1 would change (1 rewrite)" in ran.text
    assert ran.err == ""
    assert (project / "Dockerfile").read_text() == ADDS


def test_rewrite_writes_and_the_second_run_has_nothing_to_do(project: Path, dfopt: Callable) -> None:
    first, second = dfopt("rewrite", *ONLY), dfopt("rewrite", *ONLY)

    assert (first.code, second.code) == (0, 0)
    assert "1 file: 1 rewritten (1 rewrite)" in first.text
    assert "1 file: nothing to do" in second.text
    assert (project / "Dockerfile").read_text() == COPIES
    assert sorted(p.name for p in project.iterdir()) == [".git", "Dockerfile", "app.txt"]


def test_check_finds_and_writes_nothing(project: Path, dfopt: Callable) -> None:
    assert dfopt("rewrite", "--check", *ONLY).code == 1
    assert (project / "Dockerfile").read_text() == ADDS

    dfopt("rewrite", *ONLY)

    assert dfopt("rewrite", "--check", *ONLY).code == 0


def test_diff_of_what_is_fine_ends_with_0(folder: Path, dfopt: Callable) -> None:
    (folder / "Dockerfile").write_text(DONE)

    ran = dfopt("diff")

    assert (ran.code, ran.text, ran.err) == (0, "1 file: nothing to do\n", "")


def test_verbose_names_unchanged_files(folder: Path, dfopt: Callable) -> None:
    (folder / "Dockerfile").write_text(DONE)

    assert "Dockerfile: nothing to do\n" in dfopt("diff", "--verbose").text


@pytest.mark.usefixtures("project")
def test_quiet_says_nothing_but_the_exit_code(dfopt: Callable) -> None:
    ran = dfopt("diff", "--quiet", *ONLY)

    assert (ran.code, ran.out, ran.err) == (1, b"", "")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_standard_input_to_standard_output(project: Path, dfopt: Callable, newline: str) -> None:
    ran = dfopt("rewrite", "-", *ONLY, text=ADDS.replace("\n", newline).encode())

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.decode() == COPIES.replace("\n", newline)
    assert (project / "Dockerfile").read_text() == ADDS


def test_standard_input_with_a_context_elsewhere(project: Path, dfopt: Callable) -> None:
    (project / "elsewhere").mkdir()
    (project / "elsewhere" / "data.txt").write_text("x\n")

    ran = dfopt("rewrite", "-", "--context", "elsewhere", *ONLY, text=b"FROM alpine\nADD data.txt /\n")

    assert ran.out == b"FROM alpine\nCOPY data.txt /\n"


@pytest.mark.usefixtures("project")
def test_standard_input_can_be_checked(dfopt: Callable) -> None:
    ran = dfopt("rewrite", "-", "--check", *ONLY, text=ADDS.encode())

    assert (ran.code, ran.out) == (1, b"")


def test_stdout_prints_one_file(project: Path, dfopt: Callable) -> None:
    ran = dfopt("rewrite", "--stdout", "Dockerfile", *ONLY)

    assert (ran.code, ran.text) == (0, COPIES)
    assert (project / "Dockerfile").read_text() == ADDS


def test_stdout_prints_no_two_files(project: Path, dfopt: Callable) -> None:
    (project / "Dockerfile.dev").write_text(ADDS)

    ran = dfopt("rewrite", "--stdout")

    assert (ran.code, ran.out) == (2, b"")
    assert "only one Dockerfile can be printed, there are 2" in ran.err


def test_one_bad_file_does_not_stop_the_others(project: Path, dfopt: Callable) -> None:
    (project / "Dockerfile.bad").write_bytes(b"\0")

    ran = dfopt("rewrite", *ONLY)

    assert ran.code == 2
    assert (project / "Dockerfile").read_text() == COPIES
    assert ran.err == "dfopt: Dockerfile.bad: binary, not a Dockerfile\n"


def test_each_file_is_taken_once(project: Path, dfopt: Callable) -> None:
    (project / "Dockerfile.link").symlink_to("Dockerfile")

    assert "1 file:" in dfopt("diff", ".", "Dockerfile", project / "Dockerfile", *ONLY).text


def test_patch_applies_with_git(project: Path, dfopt: Callable) -> None:
    (project / ".git").rmdir()
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)

    ran = dfopt("diff", "--format", "patch", *ONLY)
    subprocess.run(["git", "apply", "-"], cwd=project, input=ran.out, check=True)

    assert (project / "Dockerfile").read_text() == COPIES


def test_patch_paths_start_at_the_repository(project: Path, dfopt: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "api").mkdir()
    (project / "api" / "Dockerfile").write_text(ADDS)
    (project / "api" / "app.txt").write_text("x\n")
    monkeypatch.chdir(project / "api")

    assert dfopt("diff", "--format", "patch", *ONLY).text.startswith("diff --git a/api/Dockerfile b/api/Dockerfile\n")


def test_the_report_goes_to_a_file(project: Path, dfopt: Callable) -> None:
    ran = dfopt("diff", "--format", "json", "--output", "report.json", *ONLY)

    assert (ran.code, ran.out) == (1, b"")
    assert json.loads((project / "report.json").read_bytes())["files"][0]["status"] == "changed"


@pytest.mark.usefixtures("project")
def test_no_colours_into_a_file_unless_forced(dfopt: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[" not in dfopt("diff", *ONLY).text

    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[31m-ADD" in dfopt("diff", *ONLY).text

    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in dfopt("diff", *ONLY).text


@pytest.mark.usefixtures("project")
def test_level_and_ignore_hold_a_transform_back(dfopt: Callable) -> None:
    assert dfopt("diff", *ONLY, "--ignore", "copy-over-add").code == 0
    assert dfopt("diff", *ONLY, "--level", "exact").code == 1


@pytest.mark.usefixtures("project")
def test_several_ids_may_stand_in_one_option(dfopt: Callable) -> None:
    assert dfopt("diff", "--select", "merge-run,copy-over-add").code == 1
    assert dfopt("diff", "--select", "merge-run", "--select", "copy-over-add").code == 1


def test_many_files_go_through_processes(folder: Path, dfopt: Callable) -> None:
    for number in range(25):
        (folder / f"svc{number:02}").mkdir()
        (folder / f"svc{number:02}" / "Dockerfile").write_text(ADDS)
        (folder / f"svc{number:02}" / "app.txt").write_text("x\n")

    ran = dfopt("diff", "--jobs", "2", "--format", "json", *ONLY)

    paths = [file["path"] for file in json.loads(ran.out)["files"]]
    assert ran.code == 1
    assert paths == [f"svc{number:02}/Dockerfile" for number in range(25)]
    assert ran.out == dfopt("diff", "--jobs", "1", "--format", "json", *ONLY).out


def test_the_names_of_levels_are_those_of_the_engine() -> None:
    assert [name.value for name in LevelName] == [str(level) for level in Level]


@pytest.mark.parametrize("arguments", [["--version"], ["--version", "diff"]])
def test_version(arguments: list[str]) -> None:
    done = subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, check=True)

    assert done.stdout == f"dfopt {__version__}\n"


@pytest.mark.parametrize("command", ["rewrite", "diff", "transforms", "init"])
def test_help_has_examples(dfopt: Callable, command: str) -> None:
    ran = dfopt(command, "--help")

    assert ran.code == 0
    assert f"Examples:\n    dfopt {command}\n" in ran.text or f"Examples:\n    dfopt {command} " in ran.text


@pytest.mark.usefixtures("project")
def test_a_reader_that_goes_away_is_no_error() -> None:
    with subprocess.Popen([*PROGRAM, "diff"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.close()
        assert program.stderr.read() == b""
    assert program.returncode == 1


@pytest.mark.usefixtures("project")
def test_a_full_disk_is_told() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*PROGRAM, "diff"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr == "dfopt: standard output cannot be written: No space left on device\n"


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, {130}), (signal.SIGTERM, {143}), (signal.SIGKILL, {-9})])
def test_no_process_outlives_the_run(project: Path, number: int, code: set[int]) -> None:
    for count in range(400):
        (project / f"Dockerfile.{count}").write_text(ADDS)
    # What the workers inherit ends with the last of them.
    with subprocess.Popen(
        [*PROGRAM, "rewrite", *ONLY, "-j2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as program:
        while program.poll() is None and (project / "Dockerfile").read_text() == ADDS:
            time.sleep(0.002)
        program.send_signal(number)
        _, err = program.communicate(timeout=30)

    assert program.returncode in {0, *code}
    assert err == b""
    assert {p.read_text() for p in project.glob("Dockerfile*")} <= {ADDS, COPIES}


def test_an_interrupted_run_leaves_whole_files(project: Path) -> None:
    for number in range(400):
        (project / f"Dockerfile.{number}").write_text(ADDS)
    with subprocess.Popen(
        [*PROGRAM, "rewrite", *ONLY, "-j1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as program:
        while program.poll() is None and (project / "Dockerfile").read_text() == ADDS:
            time.sleep(0.002)
        program.send_signal(signal.SIGINT)
        _, err = program.communicate(timeout=30)

    texts = {p.read_text() for p in project.glob("Dockerfile*")}
    assert texts <= {ADDS, COPIES}
    assert b"Traceback" not in err
    assert program.returncode in {0, 130}
    assert not list(project.glob(".dfopt-*"))


def test_mode_and_link_are_kept(project: Path, dfopt: Callable) -> None:
    (project / "Dockerfile").rename(project / "real")
    (project / "Dockerfile").symlink_to("real")
    (project / "real").chmod(0o640)

    assert dfopt("rewrite", "Dockerfile", *ONLY).code == 0

    assert (project / "Dockerfile").is_symlink()
    assert (project / "real").read_text() == COPIES
    assert stat.S_IMODE((project / "real").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("dfopt re", "rewrite"),
        ("dfopt diff --format pa", "patch"),
        ("dfopt diff --select split", "split-manifest-copy"),
        ("dfopt diff --ignore merge-run,copy-o", "merge-run,copy-over-add"),
        ("dfopt transforms copy-o", "copy-over-add"),
    ],
)
def test_shells_complete(words: str, offered: str) -> None:
    asked = {"_DFOPT_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}

    done = subprocess.run(PROGRAM, env={**os.environ, **asked}, capture_output=True, text=True, check=True)

    assert done.stdout.split() == [offered]
