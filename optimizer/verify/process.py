"""Programs that are started: each in a process group of its own, with a time limit, and ended as a group.

A terminal's ctrl-C goes to the foreground group alone, so a builder does not hear of it by itself: whoever waits for
it ends it, and then takes away what it made.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from subprocess import DEVNULL, PIPE, STDOUT, Popen, TimeoutExpired
from typing import IO

from msgspec import Struct

from optimizer.verify.builder import BuilderError

_PATIENCE = 10.0  # seconds that a program has to end in order before it is killed
_MOMENT = 2.0  # seconds that a program whose output cannot be read may take to end by itself
_LONGEST_LINE = 1 << 20
_INTERRUPTIONS = [number for name in ("SIGINT", "SIGTERM", "SIGHUP") if (number := getattr(signal, name, None))]

_running: set[Popen[bytes]] = set()


class Ended(Struct, frozen=True):
    """How a program ended and what it wrote."""

    status: int
    output: str
    errors: str

    @property
    def ok(self) -> bool:
        """Whether it ended well."""
        return self.status == 0

    @property
    def said(self) -> str:
        """The last line of its messages that is no advice, for one of ours."""
        lines = [line.strip() for line in (self.errors.strip() or self.output.strip()).splitlines()]
        lines = [line for line in lines if line and not line.endswith("--help' for more information")]
        return lines[-1] if lines else f"exit status {self.status}"


class OutOfTime(Exception):  # noqa: N818 (not an error of ours: the program's)
    """A program that was ended because its time was up."""


def ask(command: Sequence[str], *, limit: float = 120.0, environment: Mapping[str, str] | None = None) -> Ended:
    """Run a program to its end and return what it wrote. Raises OutOfTime, BuilderError where it is not installed."""
    with _started(command, stderr=PIPE, environment=environment) as process:
        try:
            output, errors = process.communicate(timeout=limit)
        except TimeoutExpired:
            raise OutOfTime(f"{command[0]} did not answer within {limit:g} s") from None
        return Ended(process.returncode, output.decode(errors="replace"), errors.decode(errors="replace"))


def follow(
    command: Sequence[str],
    heard: Callable[[str], None],
    *,
    limit: float | None = None,
    environment: Mapping[str, str] | None = None,
) -> int:
    """Run a program, pass on each line of both streams as it comes, and return its status. Raises OutOfTime."""
    with _started(command, stderr=STDOUT, environment=environment) as process:
        late = threading.Event()
        timer = threading.Timer(limit or 0, _end_late, (process, late))
        timer.daemon = True
        if limit is not None:
            timer.start()
        try:
            for line in _lines(process):
                heard(line)
            status = process.wait()
        finally:
            timer.cancel()
        if late.is_set():
            raise OutOfTime(f"{command[0]} did not end within {limit:g} s")
        return status


@contextmanager
def stream(command: Sequence[str]) -> Iterator[IO[bytes]]:
    """Open what a program writes to its standard output; raises BuilderError where it fails before all is read."""
    import tempfile

    with tempfile.TemporaryFile() as errors, _started(command, stderr=errors) as process:
        assert process.stdout is not None  # noqa: S101 (for the types: it was asked for)
        try:
            yield process.stdout
        except Exception as error:
            if why := _failed(process, errors, command, _MOMENT):
                raise why from error  # what was read is damaged because the program broke off
            raise
        if not process.stdout.read(1) and (why := _failed(process, errors, command, None)):
            raise why


def _failed(
    process: Popen[bytes], errors: IO[bytes], command: Sequence[str], limit: float | None
) -> BuilderError | None:
    """Return what to raise for a program that ends within some seconds with a status other than 0."""
    try:
        status = process.wait(limit)
    except TimeoutExpired:
        return None
    if not status:
        return None
    errors.seek(0)
    said = Ended(status, "", errors.read().decode(errors="replace")).said
    return BuilderError(f"{' '.join(command[:2])} failed: {said}")


@contextmanager
def running(command: Sequence[str]) -> Iterator[Popen[bytes]]:
    """Start a program with both streams in one pipe; it is ended at the end, with its group."""
    with _started(command, stderr=STDOUT) as process:
        yield process


def end_all() -> None:
    """End every program that still runs, as an interruption must where threads wait for them."""
    for process in tuple(_running):
        _end(process)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let what is taken away be taken away: an impatient second ctrl-C waits until that is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []
    before = {number: signal.signal(number, lambda number, _: heard.append(number)) for number in _INTERRUPTIONS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        if heard:
            signal.raise_signal(heard[0])


@contextmanager
def _started(
    command: Sequence[str], *, stderr: int | IO[bytes], environment: Mapping[str, str] | None = None
) -> Iterator[Popen[bytes]]:
    """Start a program; whatever ends the block, ends it."""
    try:
        process = Popen(  # noqa: S603 (a list of words, no shell)
            command,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=stderr,
            env=None if environment is None else {**os.environ, **environment},
            start_new_session=True,
        )
    except OSError as error:
        why = "is not installed" if isinstance(error, FileNotFoundError) else f"cannot be started: {error.strerror}"
        raise BuilderError(f"{command[0]} {why}") from None
    _running.add(process)
    try:
        yield process
    finally:
        if process.poll() is None:
            _end(process)
        _running.discard(process)
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def _lines(process: Popen[bytes]) -> Iterator[str]:
    assert process.stdout is not None  # noqa: S101 (for the types: it was asked for)
    while line := process.stdout.readline(_LONGEST_LINE):
        yield line.decode(errors="replace").rstrip("\r\n")


def _end_late(process: Popen[bytes], late: threading.Event) -> None:
    late.set()
    _end(process)


def _end(process: Popen[bytes]) -> None:
    """Ask the group to end, wait, and kill what is left of it."""
    with undisturbed():
        _signal(process, signal.SIGTERM)
        with suppress(TimeoutExpired):
            process.wait(_PATIENCE)
        _signal(process, getattr(signal, "SIGKILL", signal.SIGTERM))
        process.wait()


def _signal(process: Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, number)  # also after its leader ended: the group is what counts
        else:  # Windows
            process.terminate()
