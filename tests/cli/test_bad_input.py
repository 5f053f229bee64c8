"""Bad usage and bad input: a clear message, the right exit code, no traceback, nothing lost."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ADDS = 'FROM alpine:3.20\nADD app.txt /app.txt\nCMD ["cat", "/app.txt"]\n'
ONLY = ("--select", "copy-over-add")

USAGE = {
    "an unknown command": (["fix"], "No such command 'fix'"),
    "an unknown option": (["diff", "--fix"], "No such option"),
    "an unknown format": (["diff", "--format", "word"], "'text', 'patch', 'json'"),
    "an unknown level": (["diff", "--level", "safe"], "'exact', 'equivalent', 'assumed'"),
    "an unknown transform": (["diff", "--select", "merge-runs"], "did you mean merge-run?"),
    "an unknown transform among others": (["diff", "--ignore", "merge-run,nonsense"], "`dfopt transforms` lists them"),
    "an unknown page": (["transforms", "copy-over-ad"], "did you mean copy-over-add"),
    "a build argument without a name": (["diff", "--build-arg", "=1"], "is not NAME=VALUE"),
    "no jobs": (["diff", "--jobs", "0"], "x>=1"),
    "standard input and a file": (["rewrite", "-", "Dockerfile"], "only one Dockerfile can be printed"),
}
CONTENTS = {
    "empty": (b"", "Dockerfile: the file holds no instruction"),
    "blank": (b"\n\n# nothing\n", "Dockerfile: the file holds no instruction"),
    "binary": (b"\x7fELF\0\0", "Dockerfile: binary, not a Dockerfile"),
    "UTF-16": ("FROM a\n".encode("utf-16"), "Dockerfile: binary, not a Dockerfile"),
    "Latin-1": (b"FROM a\n# caf\xe9\n", "Dockerfile:2: not UTF-8 text (byte 0xe9)"),
    "no FROM": (b"\n# later\nRUN ls\n", "Dockerfile:3: there is no FROM instruction"),
    "prose": (b"hello world, this is no Dockerfile\n", "Dockerfile:1: there is no FROM instruction"),
}


@pytest.mark.parametrize(("arguments", "message"), USAGE.values(), ids=USAGE)
def test_bad_usage(project: Path, dfopt: Callable, arguments: list[str], message: str) -> None:
    ran = dfopt(*arguments)

    assert (ran.code, ran.out) == (2, b"")
    assert message in " ".join(ran.err.split())
    assert (project / "Dockerfile").read_text() == ADDS


@pytest.mark.parametrize(("content", "message"), CONTENTS.values(), ids=CONTENTS)
@pytest.mark.parametrize("command", ["diff", "rewrite"])
def test_bad_content(folder: Path, dfopt: Callable, command: str, content: bytes, message: str) -> None:
    (folder / "Dockerfile").write_bytes(content)

    ran = dfopt(command)

    assert (ran.code, ran.err) == (2, f"dfopt: {message}\n")
    assert (folder / "Dockerfile").read_bytes() == content


@pytest.mark.parametrize("command", ["diff", "rewrite"])
@pytest.mark.usefixtures("folder")
def test_bad_content_on_standard_input(dfopt: Callable, command: str) -> None:
    ran = dfopt(command, "-", text=b"\0")

    assert (ran.code, ran.err) == (2, "dfopt: -: binary, not a Dockerfile\n")


@pytest.mark.usefixtures("folder")
def test_a_missing_file(dfopt: Callable) -> None:
    ran = dfopt("diff", "nowhere/Dockerfile")

    assert (ran.code, ran.err) == (2, "dfopt: nowhere/Dockerfile: cannot be read: No such file or directory\n")


def test_a_folder_without_dockerfiles(folder: Path, dfopt: Callable) -> None:
    (folder / "node_modules" / "x").mkdir(parents=True)
    (folder / "node_modules" / "x" / "Dockerfile").write_text(ADDS)

    ran = dfopt("diff", "--quiet")

    assert ran.code == 2
    assert ran.err.startswith("dfopt: .: no Dockerfile in this folder (looked for Dockerfile,")


@pytest.mark.parametrize(
    ("text", "hint"),
    [("FROM a AS build\nFROM a AS run\n", "there are build, run"), ("FROM a\n", "no stage has a name")],
)
def test_an_unknown_stage(folder: Path, dfopt: Callable, text: str, hint: str) -> None:
    (folder / "Dockerfile").write_text(text)

    ran = dfopt("diff", "--target", "prod")

    assert (ran.code, ran.err) == (2, f"dfopt: Dockerfile: there is no stage 'prod' to build; {hint}\n")


@pytest.mark.usefixtures("folder")
def test_a_device(dfopt: Callable) -> None:
    ran = dfopt("diff", "/dev/zero", "--context", ".")

    assert (ran.code, ran.err) == (2, "dfopt: /dev/zero: not a file\n")


@pytest.mark.parametrize("context", ["nowhere", "app.txt"])
@pytest.mark.usefixtures("project")
def test_a_context_that_is_no_folder(dfopt: Callable, context: str) -> None:
    ran = dfopt("diff", "Dockerfile", "--context", context)

    assert (ran.code, ran.err) == (2, f"dfopt: Dockerfile: the build context {context} is no folder\n")


@pytest.mark.usefixtures("project")
def test_a_context_that_cannot_be_read(dfopt: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(folder / "secret"))

    monkeypatch.setattr("optimizer.cli.disk.read_context", refuse)

    ran = dfopt("diff", "Dockerfile")

    assert (ran.code, ran.err) == (2, "dfopt: Dockerfile: cannot be read: Permission denied (secret)\n")


def test_a_read_only_target(project: Path, dfopt: Callable) -> None:
    (project / "Dockerfile").chmod(0o444)

    ran = dfopt("rewrite", *ONLY)

    assert (ran.code, ran.err) == (2, "dfopt: Dockerfile: read-only, left as it is\n")
    assert (project / "Dockerfile").read_text() == ADDS


@pytest.mark.usefixtures("project")
def test_an_output_that_cannot_be_written(dfopt: Callable) -> None:
    ran = dfopt("diff", "--output", "nowhere/report", *ONLY)

    assert (ran.code, ran.err) == (2, "dfopt: nowhere/report: cannot be written: No such file or directory\n")


@pytest.mark.parametrize("command", ["diff", "rewrite"])
def test_an_empty_path_is_not_all_that_is_here(project: Path, dfopt: Callable, command: str) -> None:
    ran = dfopt(command, "", *ONLY)

    assert (ran.code, ran.err) == (2, "dfopt: '': an empty path; the current folder is .\n")
    assert (project / "Dockerfile").read_text() == ADDS


@pytest.mark.parametrize("wrong", [b"", ADDS.encode()], ids=["an error", "a check"])
def test_an_output_stays_where_there_is_nothing_to_print(project: Path, dfopt: Callable, wrong: bytes) -> None:
    ran = dfopt("rewrite", "-", "--output", "Dockerfile", *(["--check"] if wrong else []), *ONLY, text=wrong)

    assert ran.code == (1 if wrong else 2)
    assert (project / "Dockerfile").read_text() == ADDS


@pytest.mark.parametrize("arguments", [["--stdout", "Dockerfile"], ["-"]])
@pytest.mark.usefixtures("project")
def test_a_printed_dockerfile_has_no_format(dfopt: Callable, arguments: list[str]) -> None:
    ran = dfopt("rewrite", *arguments, "--format", "json", text=ADDS.encode())

    assert ran.code == 2
    assert "what is printed is the Dockerfile itself" in ran.err


def test_a_pipe_is_read_and_not_replaced(project: Path) -> None:
    os.mkfifo(project / "Dockerfile.pipe")
    program = [sys.executable, "-c", "from optimizer.cli import main; main()", "rewrite", "Dockerfile.pipe", *ONLY]
    with subprocess.Popen(program, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as running:
        (project / "Dockerfile.pipe").write_text(ADDS)
        _, err = running.communicate(timeout=30)

    assert (running.returncode, err) == (
        2,
        "dfopt: Dockerfile.pipe: not a regular file, left as it is; --stdout prints the result\n",
    )


def test_a_folder_that_cannot_be_entered(project: Path) -> None:
    (project / "closed").mkdir(mode=0)
    program = (
        "import os, sys; os.geteuid() or os.setuid(65534);"
        "sys.argv = ['dfopt', 'diff', 'closed', 'closed/Dockerfile']; from optimizer.cli import main; main()"
    )
    preloaded = "import optimizer.cli.app, optimizer.cli.batch, optimizer.cli.disk, optimizer.report.text;" + program
    project.chmod(0o755)

    done = subprocess.run([sys.executable, "-c", preloaded], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "dfopt: closed: cannot be searched: Permission denied",
        "dfopt: closed/Dockerfile: cannot be read: Permission denied",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "FROM alpine:3.20\n" + "RUN echo x\n# comment\n" * 900 + "# comment\n" * 98_200,
        "FROM alpine:3.20\nRUN echo " + "x" * 1_000_000 + "\n",
        "FROM alpine:3.20\nRUN echo " + "x && echo " * 20_000 + "x\n",
        "FROM alpine:3.20\nENV " + " ".join(f"A{n}={n}" for n in range(20_000)) + "\n",
    ],
    ids=["100,000 lines", "a 1 MB line", "20,000 commands", "20,000 variables"],
)
def test_enormous_files_take_seconds(folder: Path, dfopt: Callable, text: str) -> None:
    (folder / "Dockerfile").write_text(text)
    start = time.process_time()

    ran = dfopt("diff")

    assert ran.code in {0, 1}
    assert ran.err == ""
    assert time.process_time() - start < 20


def test_a_file_that_no_image_can_come_of_is_refused(folder: Path, dfopt: Callable) -> None:
    (folder / "Dockerfile").write_text("FROM alpine:3.20\n" + "RUN apt-get update\nCOPY a /b\n" * 50_000)

    ran = dfopt("diff")

    assert ran.code == 2
    assert "holds 100,001 instructions, more than the 1,000 that dfopt reads" in ran.err


def test_a_bug_ends_with_3_and_a_report(project: Path, dfopt: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_(*_: object) -> None:
        raise ZeroDivisionError("for the test")

    monkeypatch.setattr("optimizer.cli.batch.optimize", break_)
    monkeypatch.setattr("tempfile.tempdir", str(project))

    ran = dfopt("rewrite", "Dockerfile", "--build-arg", "TOKEN=hunter2")

    report = next(project.glob("dfopt-report-*.txt"))
    assert ran.code == 3
    assert ran.err.endswith(": ZeroDivisionError: for the test\n")
    assert str(report) in ran.err
    assert ADDS in report.read_text()
    assert "Traceback" in report.read_text()
    assert "TOKEN" in report.read_text()
    assert "hunter2" not in report.read_text()
    assert (project / "Dockerfile").read_text() == ADDS


def test_the_gate_ends_with_3_and_the_others_go_on(
    project: Path, dfopt: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    from optimizer.engine import GateError, optimize

    def stop(text: str, *rest: object) -> object:
        if "STOP" in text:
            raise GateError("the start command changed (merge-run)")
        return optimize(text, *rest)  # type: ignore[arg-type]

    (project / "Dockerfile.a").write_text(ADDS + "# STOP\n")
    (project / "Dockerfile.b").write_bytes(b"\0")
    monkeypatch.setattr("optimizer.cli.batch.optimize", stop)
    monkeypatch.setattr("tempfile.tempdir", str(project))

    ran = dfopt("rewrite", *ONLY)

    assert ran.code == 3
    assert "the start command changed (merge-run)" in ran.err
    assert "ADD" not in (project / "Dockerfile").read_text()
    assert (project / "Dockerfile.a").read_text() == ADDS + "# STOP\n"


def test_a_crash_outside_of_a_file_is_one_line() -> None:
    program = (
        "import sys; sys.argv = ['dfopt', 'diff']; import optimizer.cli.app as a;"
        "a.app = lambda **_: 1 / 0; from optimizer.cli import main; main()"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert done.returncode == 3
    assert done.stderr == (
        "dfopt: a bug in dfopt: ZeroDivisionError: division by zero; please report it (--verbose shows the traceback)\n"
    )
