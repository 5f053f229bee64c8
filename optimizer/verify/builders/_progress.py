"""What builders print while they build, read line by line: steps, which of them were cached, and a log to keep."""

import re
import time
from base64 import b64decode
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from msgspec import DecodeError, Struct, field, json

from optimizer.verify.builder import Step

_MOST_LINES = 20_000
_STEP = re.compile(r"\[(?!internal\])(?:[^\]]* )?\d+/\d+\] (?:RUN|COPY|ADD|WORKDIR)\b", re.IGNORECASE)
_PLAIN = re.compile(r"#(\d+) (.*)")
_PLAIN_END = re.compile(r"(CACHED|CANCELED|DONE|ERROR)\b:? ?(.*)")
_STEPPED = re.compile(r"(?:\[(\d+)/\d+\] )?STEP (\d+/\d+) ?: (.*)", re.IGNORECASE)
_USING_CACHE = re.compile(r"\s*-+> Using cache\b")
_FRACTION = re.compile(r"\.(\d{6})\d*")


class Progress(Protocol):
    """A reader of one builder's output."""

    log: deque[str]

    def hear(self, line: str) -> None:
        """Take a line."""

    def steps(self) -> tuple[Step, ...]:
        """Return the steps that ended, in order: those that may make files."""

    def failed(self) -> str | None:
        """Return the step at which the build ended, None where no step is to blame."""

    def end(self) -> None:
        """Note that the build is done."""


class _Vertex(Struct):
    name: str = ""
    started: str | None = None
    completed: str | None = None
    cached: bool = False
    error: str = ""
    digest: str = ""


class _Log(Struct):
    data: str = ""


class _Record(Struct):
    vertexes: list[_Vertex] | None = None
    logs: list[_Log] | None = None


class RawJson:
    """`docker build --progress=rawjson`: BuildKit's own status records (moby/buildkit: client/graph.go)."""

    def __init__(self, told: Callable[[str], None]) -> None:
        self.log: deque[str] = deque(maxlen=_MOST_LINES)
        self._told = told
        self._vertexes: dict[str, _Vertex] = {}
        self._seconds: dict[str, float] = {}
        self._order: list[str] = []

    def hear(self, line: str) -> None:
        """Take a record, or a line of text, as the last words of a failure are."""
        try:
            record = json.decode(line, type=_Record) if line.startswith("{") else None
        except DecodeError:
            record = None
        if record is None:
            self.log.append(line)
            return
        for vertex in record.vertexes or ():
            self._update(vertex)
        for log in record.logs or ():
            self.log.extend(b64decode(log.data).decode(errors="replace").splitlines())

    def _update(self, vertex: _Vertex) -> None:
        known = self._vertexes.get(vertex.digest)
        if vertex.started and not (known and known.started):
            self._order.append(vertex.digest)
            self.log.append(vertex.name)
            if _STEP.match(vertex.name):
                self._told(vertex.name)
        if vertex.started and vertex.completed:
            spent = _moment(vertex.completed) - _moment(vertex.started)
            self._seconds[vertex.digest] = max(spent, self._seconds.get(vertex.digest, 0.0))
        if known is not None:
            vertex.cached = vertex.cached or known.cached
            vertex.error = vertex.error or known.error
        if vertex.error and not (known and known.error):
            self.log.append(f"ERROR: {vertex.error}")
        self._vertexes[vertex.digest] = vertex

    def end(self) -> None:
        """Do nothing: each record tells the ends itself."""

    def steps(self) -> tuple[Step, ...]:
        """Return the steps that ended."""
        return tuple(
            Step(v.name, v.cached, round(self._seconds.get(v.digest, 0.0), 3))
            for v in map(self._vertexes.__getitem__, self._order)
            if v.completed and not v.error and _STEP.match(v.name)
        )

    def failed(self) -> str | None:
        """Return the first step with an error of its own: those beside it are only cancelled."""
        errors = [v for v in self._vertexes.values() if v.error and "context canceled" not in v.error]
        return next((v.name for v in errors if _STEP.match(v.name)), None)


def _moment(text: str) -> float:
    """Return Go's time with nanoseconds as seconds."""
    return datetime.fromisoformat(_FRACTION.sub(r".\1", text)).timestamp()


class _Seen(Struct):
    name: str = ""
    cached: bool = False
    ended: bool = False
    failed: bool = False
    seconds: float = 0.0
    began: float = field(default_factory=time.monotonic)


class Plain:
    """`docker build --progress=plain`, for a buildx before 0.13 that knows no other."""

    def __init__(self, told: Callable[[str], None]) -> None:
        self.log: deque[str] = deque(maxlen=_MOST_LINES)
        self._told = told
        self._seen: dict[str, _Seen] = {}

    def hear(self, line: str) -> None:
        """Take a line: `#7 [2/4] RUN make`, `#7 CACHED`, `#7 DONE 1.2s`, `#7 0.31 what it prints`."""
        self.log.append(line)
        if (found := _PLAIN.match(line)) is None:
            return
        number, rest = found.groups()
        if number not in self._seen:
            self._seen[number] = _Seen(rest)
            if _STEP.match(rest):
                self._told(rest)
        elif ended := _PLAIN_END.match(rest):
            seen, how = self._seen[number], ended[1]
            seen.cached = seen.cached or how == "CACHED"
            seen.ended = seen.ended or how in {"CACHED", "DONE"}
            seen.failed = seen.failed or how == "ERROR"
            seen.seconds = float(ended[2].rstrip("s")) if re.fullmatch(r"[\d.]+s", ended[2]) else seen.seconds

    def end(self) -> None:
        """Do nothing: the lines tell the ends themselves."""

    def steps(self) -> tuple[Step, ...]:
        """Return the steps that ended."""
        seen = (s for s in self._seen.values() if s.ended and _STEP.match(s.name))
        return tuple(Step(s.name, s.cached, s.seconds) for s in seen)

    def failed(self) -> str | None:
        """Return the step with an error."""
        return next((s.name for s in self._seen.values() if s.failed and _STEP.match(s.name)), None)


class Stepped:
    """The step by step output of Docker's classic builder, podman and buildah."""

    def __init__(self, told: Callable[[str], None]) -> None:
        self.log: deque[str] = deque(maxlen=_MOST_LINES)
        self._told = told
        self._seen: list[_Seen] = []

    def hear(self, line: str) -> None:
        """Take a line: `Step 2/4 : RUN make` or `[1/2] STEP 2/4: RUN make`, ` ---> Using cache`."""
        self.log.append(line)
        if found := _STEPPED.match(line):
            self.end()
            stage, number, text = found.groups()
            self._seen.append(_Seen(f"[stage-{int(stage) - 1} {number}] {text}" if stage else f"[{number}] {text}"))
            if _STEP.match(self._seen[-1].name):
                self._told(self._seen[-1].name)
        elif self._seen and _USING_CACHE.match(line):
            self._seen[-1].cached = True

    def end(self) -> None:
        """Note that the last step ended: the next one began, or the build is done."""
        if self._seen and not self._seen[-1].ended:
            self._seen[-1].ended = True
            self._seen[-1].seconds = round(time.monotonic() - self._seen[-1].began, 3)

    def steps(self) -> tuple[Step, ...]:
        """Return the steps that ended."""
        seen = (s for s in self._seen if s.ended and _STEP.match(s.name))
        return tuple(Step(s.name, s.cached, s.seconds) for s in seen)

    def failed(self) -> str | None:
        """Return the step that was the last to begin."""
        return next((s.name for s in self._seen[-1:] if not s.ended and _STEP.match(s.name)), None)
