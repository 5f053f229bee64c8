"""A container behind a command line like docker's, from its start to its removal."""

import time
from contextlib import suppress
from typing import Protocol

from msgspec import Struct

from optimizer.verify.builder import Exited
from optimizer.verify.process import Ended, OutOfTime, ask, follow

_MOST_OUTPUT = 256 * 1024
_MOST_LINES = "2000"
NOWHERE = ("127.0.0.1", 0)  # nothing can listen there
OUT_OF_TIME = 124  # as of timeout(1)


class _Caller(Protocol):
    program: str

    def call(self, *arguments: str, limit: float = 120.0) -> Ended: ...
    def sure(self, *arguments: str, limit: float = 120.0) -> str: ...


class Running:
    """A container that was started."""

    def __init__(self, engine: _Caller, name: str) -> None:
        self._engine = engine
        self._name = name

    def wait(self, seconds: float) -> Exited | None:
        """Return how it ended, None if it still runs after so many seconds.

        The engine has the last word: on a busy machine its program may start slower than the time is up.
        """
        with suppress(OutOfTime):
            if seconds > 0:
                ask((self._engine.program, "wait", self._name), limit=seconds)
        template = "{{.State.Running}} {{.State.ExitCode}}"
        state = self._engine.sure("container", "inspect", "--format", template, self._name).split()
        return None if state[0] == "true" else Exited(int(state[1]), self.output())

    def address(self, port: int) -> tuple[str, int]:
        """Return where a published port is reached, NOWHERE if it is not published or the container has ended."""
        lines = self._engine.call("port", self._name, f"{port}/tcp").output.splitlines()
        host, _, number = next((line for line in lines if not line.startswith("[")), "").rpartition(":")
        if not number.isdigit():
            return NOWHERE
        return (host if host not in {"", "0.0.0.0"} else NOWHERE[0]), int(number)  # noqa: S104 (read, not bound)

    def execute(self, command: tuple[str, ...], seconds: float) -> Exited:
        """Run a command inside; one whose time is up gets the status that timeout(1) gives."""
        return collected((self._engine.program, "exec", self._name, *command), seconds)

    def health(self) -> str | None:
        """Return what the engine's own health check says so far."""
        template = "{{if .State.Health}}{{.State.Health.Status}}{{end}}"
        return self._engine.sure("container", "inspect", "--format", template, self._name).strip() or None

    def output(self) -> str:
        """Return what it printed so far, the last lines of it."""
        return collected((self._engine.program, "logs", "--tail", _MOST_LINES, self._name), 60.0).output


class Failed(Struct, frozen=True):
    """A container that could not be started, for the image has no such program."""

    how: Exited

    def wait(self, seconds: float) -> Exited | None:  # noqa: ARG002 (the protocol's)
        """Return why it did not start."""
        return self.how

    def address(self, port: int) -> tuple[str, int]:  # noqa: ARG002 (the protocol's)
        """Return a place where nothing answers."""
        return NOWHERE

    def execute(self, command: tuple[str, ...], seconds: float) -> Exited:  # noqa: ARG002 (the protocol's)
        """Return why it did not start."""
        return self.how

    def health(self) -> str | None:
        """Return nothing: it never ran."""
        return None

    def output(self) -> str:
        """Return why it did not start."""
        return self.how.output


def collected(command: tuple[str, ...], seconds: float) -> Exited:
    """Run a command and keep the end of what it prints on both streams."""
    lines: list[str] = []
    size = 0

    def heard(line: str) -> None:
        nonlocal size
        lines.append(line)
        size += len(line)
        while size > _MOST_OUTPUT and len(lines) > 1:
            size -= len(lines.pop(0))

    began = time.monotonic()
    try:
        status = follow(command, heard, limit=seconds)
    except OutOfTime:
        lines.append(f"(ended after {time.monotonic() - began:.0f} s)")
        status = OUT_OF_TIME
    return Exited(status, "\n".join(lines))
