"""Docker: BuildKit through buildx where it is there, the classic builder where not."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec import DecodeError, Struct, json

from optimizer.verify.builder import Build, BuilderError, BuildRequest
from optimizer.verify.builders._building import timed, words
from optimizer.verify.builders._engine import Engine, new_name
from optimizer.verify.builders._progress import Plain, Progress, RawJson, Stepped
from optimizer.verify.process import undisturbed

_ANSWER = 20.0  # seconds
_RAWJSON_SINCE = (0, 13)
# An attestation would make of each image an index with another id at each build.
_ENVIRONMENT = {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1", "DOCKER_CLI_HINTS": "false"}


class _Versions(Struct, frozen=True):
    engine: str
    buildx: tuple[int, ...] | None  # None: the classic builder


class Docker(Engine):
    """Docker's command line. `remote` names a builder of buildx, as `docker buildx ls` lists them."""

    # Without masquerading, the ports are reached from this machine and nothing beyond it can be reached.
    network_options = ("--opt=com.docker.network.bridge.enable_ip_masquerade=false",)

    def __init__(self, versions: _Versions, remote: str | None = None, program: str = "docker") -> None:
        super().__init__(program)
        self._versions = versions
        self._remote = remote

    @property
    def name(self) -> str:
        """Versions of the engine and of buildx."""
        buildx = self._versions.buildx
        builder = f"buildx {'.'.join(map(str, buildx))}" if buildx else "classic builder"
        return f"docker {self._versions.engine} ({builder}{f', {self._remote}' if self._remote else ''})"

    def build(self, request: BuildRequest, told: Callable[[str], None]) -> Build:
        """Build an image and give it a name of this run, so that removing it never takes another's image away."""
        tag, unnamed = new_name(), self._unnamed()
        progress = self._progress(told)
        with TemporaryDirectory(prefix="dfopt-") as room, self._nothing_left(Path(room, "id"), tag, unnamed):
            identity = Path(room, "id")
            command = (self.program, *self._words(request, identity, tag))
            seconds = timed(command, progress, request.limit, _ENVIRONMENT)
            image = str(self.inspect(tag if self._named else identity.read_text().strip())["Id"])
            if image not in unnamed:
                self.sure("image", "tag", image, tag)
                self.keep_tag(image, tag)
        return Build(image, seconds, progress.steps())

    @property
    def _named(self) -> bool:
        """Whether another builder than the engine's own makes the image: its id is known by the name only."""
        return bool(self._remote or os.environ.get("BUILDX_BUILDER"))

    def _words(self, request: BuildRequest, identity: Path, tag: str) -> Iterator[str]:
        yield "build"
        if self._versions.buildx:
            yield f"--progress={'rawjson' if self._versions.buildx >= _RAWJSON_SINCE else 'plain'}"
            yield "--load"
        else:
            yield "--force-rm"  # the containers of its steps, also of one that fails
        if self._remote:
            yield f"--builder={self._remote}"
        yield f"--tag={tag}" if self._named else f"--iidfile={identity}"
        yield from words(request)

    def _progress(self, told: Callable[[str], None]) -> Progress:
        if not self._versions.buildx:
            return Stepped(told)
        return RawJson(told) if self._versions.buildx >= _RAWJSON_SINCE else Plain(told)

    def _unnamed(self) -> set[str]:
        """Return the images that are there without a name: another's build may give one of them again."""
        return set(self.sure("image", "ls", "--quiet", "--no-trunc", "--filter", "dangling=true").split())

    @contextmanager
    def _nothing_left(self, identity: Path, tag: str, unnamed: set[str]) -> Iterator[None]:
        """Remove what an interrupted build made."""
        try:
            yield
        except BaseException:
            with undisturbed():
                made = identity.read_text().strip() if identity.is_file() else ""
                if made and made not in unnamed:
                    self.call("image", "tag", made, tag)
                self.call("image", "rm", tag)
            raise


def find(remote: str | None = None, program: str = "docker") -> Docker:
    """Return docker where it answers; `remote` must be a builder that buildx knows. Raises BuilderError."""
    docker = Docker(_Versions("", None), remote, program)
    versions = _versions(docker)
    if remote is not None:
        if versions.buildx is None:
            raise BuilderError(f"the builder {remote!r} needs buildx, which docker does not have here")
        docker.sure("buildx", "inspect", remote, limit=_ANSWER * 3)
    return Docker(versions, remote, program)


def _versions(docker: Docker) -> _Versions:
    told = docker.call("version", "--format", "{{json .}}", limit=_ANSWER)
    try:
        server: dict[str, Any] | None = (json.decode(told.output) if told.output.strip() else {}).get("Server")
    except DecodeError:
        server = None
    if not told.ok or not server:
        raise BuilderError(f"docker does not answer: {told.said}")
    buildx = docker.call("buildx", "version", limit=_ANSWER)
    found = re.search(r"\bv?(\d+)\.(\d+)\.(\d+)", buildx.output) if buildx.ok else None
    off = os.environ.get("DOCKER_BUILDKIT") == "0"
    version = re.match(r"[\d.]+", str(server.get("Version", "")))
    return _Versions(version[0] if version else "", tuple(map(int, found.groups())) if found and not off else None)
