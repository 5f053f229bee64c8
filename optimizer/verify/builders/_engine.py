"""What docker and podman have in common: images that are looked into, and containers that are run and removed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from os import getpid, urandom
from typing import IO, Any

from msgspec import DecodeError, json

from optimizer.report import LayerSize
from optimizer.verify.builder import BuilderError, Container, Exited
from optimizer.verify.builders._container import Failed, Running
from optimizer.verify.process import Ended, OutOfTime, ask, stream, undisturbed

PREFIX = "dfopt-verify"
_ID = "sha256:"
_LIMITS = ("--memory=2g", "--pids-limit=2048")
_NO_PROGRAM = {126, 127}  # the engine is well, the image has no such program
# Instructions that make no layer; BuildKit writes them as they are, the classic builder behind `#(nop)`.
_EMPTY = re.compile(
    r"(?:/bin/sh -c #\(nop\)\s+)?"
    r"(?:ARG|CMD|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|SHELL|STOPSIGNAL|USER|VOLUME)\b"
)


def new_name() -> str:
    """Return a name for an image, a container or a network: one that nobody else has, and that tells the process."""
    return f"{PREFIX}-{getpid()}-{urandom(6).hex()}"


class Client:
    """A command line, and the names that this run gave to images."""

    def __init__(self, program: str) -> None:
        self.program = program
        self._tags: dict[str, list[str]] = {}

    def call(self, *arguments: str, limit: float = 120.0) -> Ended:
        """Run the program; raises BuilderError where it does not answer."""
        try:
            return ask((self.program, *arguments), limit=limit)
        except OutOfTime as error:
            raise BuilderError(str(error)) from None

    def sure(self, *arguments: str, limit: float = 120.0) -> str:
        """Return what the program prints; raises BuilderError where it fails."""
        done = self.call(*arguments, limit=limit)
        if not done.ok:
            raise BuilderError(f"{self.program} {' '.join(arguments[:2])} failed: {done.said}")
        return done.output

    def keep_tag(self, image: str, tag: str) -> None:
        """Remember a name of this run for an image, to take it away later."""
        self._tags.setdefault(image, []).append(tag)

    def remove_tag(self, image: str, *words: str) -> None:
        """Take away one name of this run; the image itself goes with the last name that anyone gave it."""
        tags = self._tags.get(image)
        if tags:
            with undisturbed():
                self.call(*words, tags.pop())


class Engine(Client):
    """An engine behind a command line like docker's. `network_options` make a network without a way out.

    `save` is what writes an archive of images.
    """

    network_options: tuple[str, ...] = ()
    save: tuple[str, ...] = ("save",)

    def __init__(self, program: str) -> None:
        super().__init__(program)
        self._inspected: dict[str, Mapping[str, Any]] = {}

    def inspect(self, image: str) -> Mapping[str, Any]:
        """Return all that the engine says of an image; what an id stands for does not change."""
        if image in self._inspected:
            return self._inspected[image]
        try:
            found: list[dict[str, Any]] = json.decode(self.sure("image", "inspect", image))
        except DecodeError as error:
            raise BuilderError(f"{self.program} image inspect gives no JSON: {error}") from None
        if image.startswith(_ID):
            self._inspected[image] = found[0]
        return found[0]

    def config(self, image: str) -> Mapping[str, object]:
        """Return the image configuration."""
        config: Mapping[str, object] = self.inspect(image).get("Config") or {}
        return config

    def history(self, image: str) -> tuple[LayerSize, ...]:
        """Return the layers and empty layers, the base's first."""
        output = self.sure("history", "--no-trunc", "--human=false", "--format", "{{json .}}", image)
        rows: list[dict[str, Any]] = [json.decode(line) for line in output.splitlines() if line.startswith("{")]
        return tuple(layer(str(row["CreatedBy"]), int(row["Size"])) for row in reversed(rows))

    def layers(self, image: str) -> tuple[str, ...]:
        """Return the digests of an image's layers."""
        return tuple((self.inspect(image).get("RootFS") or {}).get("Layers") or ())

    def archive(self, images: Sequence[str]) -> AbstractContextManager[IO[bytes]]:
        """Open an archive of images."""
        return stream((self.program, *self.save, *images))

    @contextmanager
    def files(self, image: str) -> Iterator[IO[bytes]]:
        """Open the file system of an image as a tar archive."""
        name = new_name()
        try:
            # An image without a command needs one to be created, though nothing is started.
            self.sure("create", "--name", name, "--network=none", image, *self._any_command(image))
            with stream((self.program, "export", name)) as archive:
                yield archive
        finally:
            self._remove_container(name)

    def run(
        self, image: str, command: tuple[str, ...] | None = None, *, ports: tuple[int, ...] = (), network: bool = False
    ) -> AbstractContextManager[Container]:
        """Start a container."""
        return self._container(image, command or (), ports, network=network)

    @contextmanager
    def _container(
        self, image: str, command: Sequence[str], ports: Sequence[int], *, network: bool
    ) -> Iterator[Container]:
        name = new_name()
        with self._network(ports, name, network=network) as joined:
            published = () if "--network=none" in joined else ports
            options = (*_LIMITS, *joined, *(f"--publish=127.0.0.1::{port}" for port in published))
            try:
                started = self.call("run", "--detach", "--name", name, "--hostname", PREFIX, *options, image, *command)
                if not started.ok and started.status not in _NO_PROGRAM:
                    raise BuilderError(f"{self.program} cannot run the image: {started.said}")
                yield Running(self, name) if started.ok else Failed(Exited(started.status, started.said))
            finally:
                self._remove_container(name)

    @contextmanager
    def _network(self, ports: Sequence[int], name: str, *, network: bool) -> Iterator[tuple[str, ...]]:
        """Give the network options: none, the default, or one of its own whose packets do not leave the machine.

        Where the engine knows no such network there is none at all, and the ports do not answer.
        """
        if network or not ports:
            yield () if network else ("--network=none",)
            return
        try:
            made = self.call("network", "create", *self.network_options, name)
            yield (f"--network={name}", "--dns=127.0.0.1") if made.ok else ("--network=none",)
        finally:
            with undisturbed():
                self.call("network", "rm", name)

    def _any_command(self, image: str) -> tuple[str, ...]:
        config = self.config(image)
        return () if config.get("Cmd") or config.get("Entrypoint") else ("none",)

    def _remove_container(self, name: str) -> None:
        with undisturbed():
            self.call("rm", "--force", "--volumes", name)

    def remove(self, image: str) -> None:
        """Take away this run's name of an image."""
        self.remove_tag(image, "image", "rm")


def layer(created_by: str, size: int) -> LayerSize:
    """Return a row of a history."""
    return LayerSize(created_by, size, empty=not size and _EMPTY.match(created_by) is not None)
