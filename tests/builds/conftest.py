"""A real builder, and what it says of the images that it makes."""

import base64
import hashlib
import json
import re
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from optimizer.verify.builder import Builder, BuilderError
from optimizer.verify.builders import find

# What level exact leaves open (the caches of the package managers) and what every run of a container or of an
# installer writes anew.
_LEFT_OPEN = re.compile(
    r"""
      var/lib/apt/lists(/.*)? | var/cache(/.*)? | var/log(/.*)? | tmp(/.*)? | run(/.*)?
    | var/lib/dpkg/(status|available)-old
    | (root|home/[^/]+)/\.(cache|npm|yarn|pnpm-store|node-gyp)(/.*)?
    | (root|home/[^/]+)/\.local(/share(/(pnpm|pipx|uv)(/.*)?)?)? | (root|home/[^/]+)/\.local/state(/.*)?
    | (root|home/[^/]+)/\.config(/.*)?
    | usr/local/share/\.cache(/.*)?
    | (.*/)?__pycache__(/.*)? | .*\.pyc
    | (.*/)?node_modules/(\.cache(/.*)?|\.package-lock\.json|\.modules\.yaml|\.yarn-state\.yml|\.yarn-integrity)
    | (.*/)?node_modules/\.pnpm-workspace-state.*\.json
    """,
    re.VERBOSE,
)
_CONTRACT = ("Env", "Cmd", "Entrypoint", "User", "WorkingDir", "ExposedPorts", "Labels", "Volumes", "Healthcheck",
             "StopSignal", "Shell", "OnBuild")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a build, and whether the builder took it from its cache."""

    name: str
    cached: bool


@dataclass(frozen=True, slots=True)
class Image:
    """A built image and the steps that led to it."""

    id: str
    steps: tuple[Step, ...]

    def step(self, text: str) -> Step:
        """Return the one RUN whose text holds `text`."""
        (found,) = (s for s in self.steps if "] RUN " in s.name and text in s.name)
        return found


@dataclass(frozen=True, slots=True)
class File:
    """A file of an image. `content` is a digest, or the target of a link."""

    kind: bytes
    mode: str
    owner: tuple[int, int]
    content: str


class Docker:
    """What the tests ask of `docker`."""

    def build(self, context: Path, *options: str) -> Image:
        """Build the Dockerfile of a context; a failed build fails the test with what it printed."""
        image = context.parent / f"{context.name}.iid"
        command = ("docker", "build", "--progress=rawjson", "--iidfile", image, *options, context)
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        records = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
        if done.returncode:
            pytest.fail(f"{context.name} does not build:\n{_printed(records) or done.stderr}", pytrace=False)
        return Image(image.read_text(), tuple(_steps(records)))

    def run(self, image: Image) -> tuple[int, str]:
        """Return exit status and standard output of the default command, without a network."""
        command = ("docker", "run", "--rm", "--network", "none", image.id)
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout

    def contract(self, image: Image) -> dict[str, object]:
        """Return what the image says of how it is run."""
        command = ("docker", "image", "inspect", "--format", "{{json .Config}}", image.id)
        config = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        return {key: config[key] for key in _CONTRACT if config.get(key)}

    def files(self, image: Image) -> dict[str, File]:
        """Return every file but those that are left open, by path."""
        command = ("docker", "create", "--network", "none", image.id)
        container = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        try:
            with (
                subprocess.Popen(("docker", "export", container), stdout=subprocess.PIPE) as export,
                tarfile.open(fileobj=export.stdout, mode="r|") as archive,
            ):
                found = dict(_files(archive))
        finally:
            subprocess.run(("docker", "rm", "--force", container), capture_output=True, check=True)
        return {path: entry for path, entry in found.items() if not _LEFT_OPEN.fullmatch(path)}


def _steps(records: list[dict[str, list[dict[str, object]]]]) -> Iterator[Step]:
    vertexes: dict[object, dict[str, object]] = {}
    for record in records:
        for vertex in record.get("vertexes") or ():
            vertexes.setdefault(vertex["digest"], {}).update(vertex)
    for vertex in vertexes.values():
        yield Step(str(vertex["name"]), cached=bool(vertex.get("cached")))


def _printed(records: list[dict[str, list[dict[str, str]]]]) -> str:
    logs = (log for record in records for log in record.get("logs") or ())
    return b"".join(base64.b64decode(log["data"]) for log in logs).decode(errors="replace")[-4000:]


def _files(archive: tarfile.TarFile) -> Iterator[tuple[str, File]]:
    contents: dict[str, str] = {}
    for member in archive:
        path, kind, content = member.name.strip("/"), member.type, member.linkname
        if member.isreg():
            content = contents[path] = hashlib.file_digest(archive.extractfile(member), "sha256").hexdigest()
        elif member.islnk():  # another name of a file that came before; which of them is first means nothing
            kind, content = tarfile.REGTYPE, contents[member.linkname.strip("/")]
        yield path, File(kind, oct(member.mode), (member.uid, member.gid), content)


@pytest.fixture(scope="session")
def builder() -> Builder:
    """Return the builder; without one that answers there is nothing to test with."""
    try:
        return find()
    except BuilderError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def docker() -> Docker:
    """Return the builder; without one that answers there is nothing to test with."""
    try:
        done = subprocess.run(("docker", "version"), check=False, capture_output=True, text=True, timeout=60)
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"no builder answers: docker version: {error}")
    if done.returncode:
        pytest.skip(f"no builder answers: docker version: {done.stderr.strip()}")
    return Docker()
