# ruff: noqa: ARG002 (a protocol has more arguments than a fake needs)
"""A builder without a builder: what each base image gives is told in advance."""

import io
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

from optimizer.report import LayerSize
from optimizer.verify.builder import Build, BuildRequest, Exited, Step

SERVES = {"Cmd": ["serve"]}


@dataclass
class FakeImage:
    """What a base image gives: an image, or the exception that its build ends with.

    `runs` are how its containers end, one after the other, the last for ever; `answers` are where a port is reached.
    """

    config: Mapping[str, object] = field(default_factory=lambda: {"Cmd": ["true"]})
    files: Mapping[str, bytes] = field(default_factory=dict)
    runs: list[Exited | None] = field(default_factory=lambda: [Exited(0, "done")])
    answers: Mapping[int, tuple[str, int]] = field(default_factory=dict)
    health: Exited = field(default_factory=lambda: Exited(0, ""))
    failure: BaseException | None = None
    run_failure: Exception | None = None


class FakeContainer:
    """A container that does what it was told to."""

    def __init__(self, image: FakeImage, ended: Exited | None) -> None:
        self._image = image
        self._ended = ended

    def wait(self, seconds: float) -> Exited | None:
        return self._ended

    def address(self, port: int) -> tuple[str, int]:
        return self._image.answers.get(port, ("127.0.0.1", 9))  # discard: nobody listens

    def execute(self, command: tuple[str, ...], seconds: float) -> Exited:
        return self._image.health

    def health(self) -> str | None:
        return None

    def output(self) -> str:
        return self._ended.output if self._ended else ""


class FakeBuilder:
    """Builds `FROM NAME` as `images[NAME]`; notes what is built and what is left."""

    name = "fake 1.0"

    def __init__(self, **images: FakeImage) -> None:
        self.images = images
        self.built: list[str] = []
        self.fresh: list[bool] = []
        self.sources: list[dict[str, bytes]] = []
        self.left: list[str] = []
        self.commands: list[tuple[str, ...] | None] = []
        self.edited_failure: dict[str, Exception] = {}

    def build(self, request: BuildRequest, told: Callable[[str], None]) -> Build:
        name = request.dockerfile.read_text().split()[1]
        self.built.append(name)
        self.fresh.append(request.fresh)
        files = (path for path in request.context.rglob("*") if path.is_file())
        self.sources.append({path.relative_to(request.context).as_posix(): path.read_bytes() for path in files})
        told("[1/1] RUN true")
        if name in self.edited_failure and b"# edited " in self.sources[-1].get("app.py", b""):
            raise self.edited_failure[name]
        if (failure := self.images[name].failure) is not None:
            raise failure
        self.left.append(name)
        return Build(
            name, 1.0, (Step("[1/2] RUN true", cached=not request.fresh), Step("[2/2] COPY . .", cached=False))
        )

    def config(self, image: str) -> Mapping[str, object]:
        return self.images[image].config

    def history(self, image: str) -> tuple[LayerSize, ...]:
        return (LayerSize("RUN true", 100), LayerSize("CMD true", 0, empty=True))

    @contextmanager
    def files(self, image: str) -> Iterator[IO[bytes]]:
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as archive:
            for path, data in self.images[image].files.items():
                member = tarfile.TarInfo(path)
                member.size, member.mode = len(data), 0o644
                archive.addfile(member, io.BytesIO(data))
        stream.seek(0)
        yield stream

    @contextmanager
    def run(
        self, image: str, command: tuple[str, ...] | None = None, *, ports: tuple[int, ...] = (), network: bool = False
    ) -> Iterator[FakeContainer]:
        made = self.images[image]
        self.commands.append(command)
        if made.run_failure is not None:
            raise made.run_failure
        yield FakeContainer(made, made.runs.pop(0) if len(made.runs) > 1 else made.runs[0])

    def remove(self, image: str) -> None:
        self.left.remove(image)
