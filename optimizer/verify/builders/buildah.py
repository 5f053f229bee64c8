"""Buildah: builds without a daemon. It runs commands, but publishes no ports and runs no health check beside them."""

import re
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import IO, Any

from msgspec import DecodeError, json

from optimizer.report import LayerSize
from optimizer.verify.builder import Build, BuilderError, BuildRequest, Container, Exited
from optimizer.verify.builders._building import timed, words
from optimizer.verify.builders._container import NOWHERE, collected
from optimizer.verify.builders._engine import Client, new_name
from optimizer.verify.builders._progress import Stepped
from optimizer.verify.process import running, stream, undisturbed

_ANSWER = 20.0  # seconds
_NO_PROGRAM = re.compile(r"(?:runc|crun|OCI runtime)\b[^\n]*(?:executable file not found|no such file or directory)")
_OWN_WORDS = re.compile(r"Error: (?:while running runtime: )?exit status \d+|: exit status \d+")
_MOST_LINES = 2000
# The owner of the files is another outside of buildah's user namespace, so the archive is made inside of it.
_ARCHIVE = 'cd "$(buildah mount "$0")" && exec tar --create --xattrs --xattrs-include="*" --numeric-owner --file=- .'


class Buildah(Client):
    """Buildah's command line."""

    def __init__(self, version: str = "", program: str = "buildah") -> None:
        super().__init__(program)
        self._version = version

    @property
    def name(self) -> str:
        """The version."""
        return f"buildah {self._version}"

    def build(self, request: BuildRequest, told: Callable[[str], None]) -> Build:
        """Build an image under a name of this run; a base image that is there is not asked for again."""
        tag, progress = new_name(), Stepped(told)
        with TemporaryDirectory(prefix="dfopt-") as room:
            identity = Path(room, "id")
            options = ("--format=docker", "--layers", "--pull=false", f"--iidfile={identity}", f"--tag={tag}")
            try:
                seconds = timed((self.program, "build", *options, *words(request)), progress, request.limit)
            except BaseException:
                with undisturbed():
                    self.call("rmi", tag)
                raise
            image = identity.read_text().strip()
        self.keep_tag(image, tag)
        return Build(image, seconds, progress.steps())

    def config(self, image: str) -> Mapping[str, object]:
        """Return the image configuration."""
        config: Mapping[str, object] = self._inspect(image).get("config") or {}
        return config

    def history(self, image: str) -> tuple[LayerSize, ...]:
        """Return the layers and empty layers, the base's first; buildah tells no sizes, so they are written out."""
        sizes = iter(self._sizes(image))
        rows: list[dict[str, Any]] = self._inspect(image).get("history") or []
        empty = ((str(row.get("created_by", "")), bool(row.get("empty_layer"))) for row in rows)
        return tuple(LayerSize(by, 0 if without else next(sizes, 0), empty=without) for by, without in empty)

    @contextmanager
    def files(self, image: str) -> Iterator[IO[bytes]]:
        """Open the file system of an image as a tar archive."""
        with self._container(image) as name:
            script = ("/bin/sh", "-c", _ARCHIVE, name)
            inside = script if self._is_root else (self.program, "unshare", *script)
            with stream(inside) as archive:
                yield archive

    @contextmanager
    def run(
        self,
        image: str,
        command: tuple[str, ...] | None = None,
        *,
        ports: tuple[int, ...] = (),  # noqa: ARG002 (the protocol's: they stay closed)
        network: bool = False,
    ) -> Iterator[Container]:
        """Start the command in a container; its ports cannot be reached."""
        config = self.config(image)
        listed = config.get("Entrypoint"), command or config.get("Cmd")
        line = tuple(str(word) for part in listed if isinstance(part, (list, tuple)) for word in part)
        joined = f"--network={'private' if network else 'none'}"
        with self._container(image) as name, _Process.of((self.program, "run", joined, name, "--", *line)) as started:
            yield started

    def remove(self, image: str) -> None:
        """Take away this run's name of an image."""
        self.remove_tag(image, "rmi")

    @property
    def _is_root(self) -> bool:
        import os

        return not hasattr(os, "geteuid") or os.geteuid() == 0

    @contextmanager
    def _container(self, image: str) -> Iterator[str]:
        name = new_name()
        try:
            self.sure("from", "--pull-never", "--name", name, image)
            yield name
        finally:
            with undisturbed():
                self.call("rm", name)

    def _inspect(self, image: str) -> Mapping[str, Any]:
        try:
            found: Mapping[str, Any] = json.decode(self.sure("inspect", "--type=image", image))["Docker"]
        except DecodeError as error:
            raise BuilderError(f"buildah inspect gives no JSON: {error}") from None
        return found

    def _sizes(self, image: str) -> list[int]:
        with TemporaryDirectory(prefix="dfopt-") as room:
            archive = Path(room, "image.tar")
            self.sure("push", "--quiet", image, f"docker-archive:{archive}:{new_name()}", limit=1800)
            with tarfile.open(archive) as opened:
                manifest = opened.extractfile("manifest.json")
                layers: list[str] = json.decode(manifest.read())[0]["Layers"] if manifest else []
                return [_resolved(opened, layer) for layer in layers]


def _resolved(archive: tarfile.TarFile, name: str) -> int:
    """Return the size of a layer; a layer that is there twice is a link."""
    member = archive.getmember(name)
    return archive._find_link_target(member).size if member.issym() else member.size  # type: ignore[attr-defined]  # noqa: SLF001


class _Process:
    """A command in a container, as a process that waits for it."""

    def __init__(self, process: subprocess.Popen[bytes], command: tuple[str, ...]) -> None:
        self._process = process
        self._command = command
        self._lines: list[str] = []
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    @classmethod
    @contextmanager
    def of(cls, command: tuple[str, ...]) -> "Iterator[_Process]":
        """Start it, and end it at the end."""
        with running(command) as process:
            yield cls(process, command)

    def wait(self, seconds: float) -> Exited | None:
        """Return how it ended, None if it still runs."""
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self._reader.join(1.0)
        output = self.output()
        return Exited(127 if status and _NO_PROGRAM.search(output) else status, output)

    def address(self, port: int) -> tuple[str, int]:  # noqa: ARG002 (the protocol's)
        """Return a place where nothing answers."""
        return NOWHERE

    def execute(self, command: tuple[str, ...], seconds: float) -> Exited:
        """Run a command on the same files; it does not see the other's processes and ports."""
        return collected((*self._command[: self._command.index("--") + 1], *command), seconds)

    def health(self) -> str | None:
        """Return nothing: buildah runs no health checks."""
        return None

    def output(self) -> str:
        """Return what it printed so far, the last lines of it."""
        return "\n".join(line for line in self._lines[-_MOST_LINES:] if not _OWN_WORDS.fullmatch(line))

    def _read(self) -> None:
        with suppress(ValueError, OSError):  # the pipe is closed under it when the container is removed
            for line in self._process.stdout or ():
                self._lines.append(line.decode(errors="replace").rstrip("\r\n"))
                del self._lines[: -2 * _MOST_LINES]


def find(program: str = "buildah") -> Buildah:
    """Return buildah where it answers. Raises BuilderError."""
    buildah = Buildah(program=program)
    told = buildah.call("--version", limit=_ANSWER)
    if not told.ok:
        raise BuilderError(f"buildah does not answer: {told.said}")
    version = re.search(r"version (\S+)", told.output)
    return Buildah(version[1] if version else "", program)
