"""What dfopt asks of a builder. One module of `optimizer.verify.builders` is one builder's command line."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Protocol, runtime_checkable

from msgspec import Struct

from optimizer.report import LayerSize


class Step(Struct, frozen=True):
    """One step of a build as the builder names it (`[stage-0 3/7] RUN npm ci`), and whether its cache had it."""

    name: str
    cached: bool
    seconds: float = 0.0


class Build(Struct, frozen=True):
    """A finished build: the image's id, the seconds it took, its steps in order."""

    image: str
    seconds: float
    steps: tuple[Step, ...]


class BuildRequest(Struct, frozen=True):
    """What to build; `dockerfile` lies anywhere, `limit` is in seconds. `fresh` ignores the builder's cache."""

    context: Path
    dockerfile: Path
    target: str | None = None
    build_args: Mapping[str, str] = {}
    limit: float | None = None
    fresh: bool = False


class BuilderError(Exception):
    """The builder itself failed: it is absent, does not answer, ran out of disk. The text says what to do.

    `output` is what it printed, where it was at work.
    """

    def __init__(self, what: str, output: str = "") -> None:
        super().__init__(what)
        self.output = output


class BuildFailed(Exception):  # noqa: N818 (not an error of ours: the Dockerfile's)
    """The Dockerfile does not build: `output` ends with what the failing step printed; `timed_out` tells a limit."""

    def __init__(self, what: str, output: str, *, timed_out: bool = False) -> None:
        super().__init__(what)
        self.output = output
        self.timed_out = timed_out


class Exited(Struct, frozen=True):
    """A container that ended: its status, and what it printed on both streams together, cut to a bounded length."""

    status: int
    output: str


class Container(Protocol):
    """A running container."""

    def wait(self, seconds: float) -> Exited | None:
        """Return how the container ended, None if it still runs after so many seconds (0: only look)."""

    def address(self, port: int) -> tuple[str, int]:
        """Return host (loopback) and port where the container's TCP port is reached."""

    def execute(self, command: tuple[str, ...], seconds: float) -> Exited:
        """Run a command inside the container."""

    def health(self) -> str | None:
        """Return `starting`, `healthy` or `unhealthy`; None where the image has no health check."""

    def output(self) -> str:
        """Return what it printed so far."""


class Builder(Protocol):
    """A builder and the engine that runs its images. Every call raises BuilderError where the builder fails."""

    @property
    def name(self) -> str:
        """What it is called, with its version: `docker 28.5.2 (buildx 0.29.1)`."""

    def build(self, request: BuildRequest, told: Callable[[str], None]) -> Build:
        """Build an image; `told` hears of each step as it begins. Raises BuildFailed."""

    def config(self, image: str) -> Mapping[str, object]:
        """Return the OCI image configuration's `config` object (Env, Cmd, Entrypoint, User …)."""

    def history(self, image: str) -> tuple[LayerSize, ...]:
        """Return layers and empty layers, the base's first."""

    def files(self, image: str) -> AbstractContextManager[IO[bytes]]:
        """Open a stream with the flattened file system of the image as a tar archive."""

    def run(
        self, image: str, command: tuple[str, ...] | None = None, *, ports: tuple[int, ...] = (), network: bool = False
    ) -> AbstractContextManager[Container]:
        """Start a container with limits; `command` is what `docker run IMAGE` would take behind the image.

        No network unless asked; ports are published on loopback alone. It is removed at the end.
        """

    def remove(self, image: str) -> None:
        """Remove an image that this run built."""


@runtime_checkable
class Layered(Protocol):
    """A builder whose engine gives the layers of images one by one."""

    def layers(self, image: str) -> tuple[str, ...]:
        """Return the digests of an image's layers as they are uncompressed, the base's first; none if not told."""

    def archive(self, images: Sequence[str]) -> AbstractContextManager[IO[bytes]]:
        """Open a stream with images as `docker save` writes them: what they share is in it once."""
