"""Programs are ended with all that they started, in time or when the run is interrupted."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from optimizer.verify.builder import BuilderError
from optimizer.verify.process import OutOfTime, ask, follow, stream, undisturbed


def shell(script: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", script)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie has ended; nobody but its parent can take it away.
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def ends(pid: int) -> bool:
    """Tell whether a process that was killed ends; on a busy machine that takes a moment."""
    until = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < until:
        time.sleep(0.05)
    return not is_alive(pid)


def test_an_answer_has_both_streams_and_the_status() -> None:
    ended = ask(shell("echo out; echo advice >&2; echo 'the reason' >&2; exit 3"))

    assert (ended.status, ended.output, ended.said) == (3, "out\n", "the reason")


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(BuilderError, match="no-such-program is not installed"):
        ask(("no-such-program",))


def test_lines_come_as_they_are_written() -> None:
    heard: list[tuple[str, float]] = []

    status = follow(shell("echo one; sleep 0.5; echo two >&2"), lambda line: heard.append((line, time.monotonic())))

    assert status == 0
    assert [line for line, _ in heard] == ["one", "two"]
    assert heard[1][1] - heard[0][1] > 0.3


@pytest.mark.parametrize("run", [ask, lambda command, limit: follow(command, print, limit=limit)])
def test_a_time_limit_ends_the_whole_group(run: object, tmp_path: Path) -> None:
    began = time.monotonic()

    with pytest.raises(OutOfTime, match=r"within 0\.5 s"):
        run(shell(f"sleep 60 & echo $! > {tmp_path}/pid; wait"), limit=0.5)  # type: ignore[operator]

    assert time.monotonic() - began < 9
    assert ends(int((tmp_path / "pid").read_text()))


def test_a_program_that_ignores_the_request_to_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optimizer.verify.process._PATIENCE", 0.5)

    with pytest.raises(OutOfTime):
        ask(shell(f"trap '' TERM; echo $$ > {tmp_path}/pid; while :; do sleep 1; done"), limit=0.5)

    assert ends(int((tmp_path / "pid").read_text()))


def test_an_interruption_ends_the_group_before_it_goes_on(tmp_path: Path) -> None:
    script = (
        "from optimizer.verify.process import follow\n"
        "try:\n"
        f"    follow(('/bin/sh', '-c', 'sleep 60 & echo $! > {tmp_path}/pid; wait'), print)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)

    assert process.communicate(timeout=20)[0] == "interrupted\n"
    assert ends(int((tmp_path / "pid").read_text()))


def test_a_stream_is_read_whole() -> None:
    with stream(shell("printf abc")) as archive:
        assert archive.read() == b"abc"


def test_a_stream_that_breaks_off_is_an_error() -> None:
    with (
        pytest.raises(BuilderError, match="failed: it broke"),
        stream(shell("printf abc; echo it broke >&2; exit 1")) as s,
    ):
        s.read()


def test_a_reader_that_fails_hears_why_the_stream_broke_off() -> None:
    with (
        pytest.raises(BuilderError, match="failed: it broke"),
        stream(shell("echo it broke >&2; exit 1")) as s,
    ):
        raise EOFError(s.read())


def test_a_reader_that_fails_by_itself_is_heard() -> None:
    with pytest.raises(EOFError), stream(shell("printf abc")) as s:
        raise EOFError(s.read())


def test_a_stream_that_is_left_early_ends_its_program(tmp_path: Path) -> None:
    with stream(shell(f"echo $$ > {tmp_path}/pid; while echo x; do :; done")) as archive:
        archive.read(2)

    assert ends(int((tmp_path / "pid").read_text()))


def test_a_second_interruption_waits_until_all_is_taken_away() -> None:
    done: list[str] = []

    def clean() -> None:
        with undisturbed():
            signal.raise_signal(signal.SIGINT)
            done.append("removed")

    with pytest.raises(KeyboardInterrupt):
        clean()

    assert done == ["removed"]


def test_threads_are_left_as_they_are() -> None:
    done: list[str] = []

    def clean() -> None:
        with undisturbed():
            done.append("removed")

    thread = threading.Thread(target=clean)
    thread.start()
    thread.join()

    assert done == ["removed"]
