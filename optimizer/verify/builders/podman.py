"""Podman: builds through buildah inside it, step by step."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec import json

from optimizer.report import LayerSize
from optimizer.verify.builder import Build, BuilderError, BuildRequest
from optimizer.verify.builders._building import timed, words
from optimizer.verify.builders._engine import Engine, layer, new_name
from optimizer.verify.builders._progress import Stepped
from optimizer.verify.process import undisturbed

_ANSWER = 20.0  # seconds


class Podman(Engine):
    """Podman's command line."""

    # An internal network publishes no ports; one without a default route does, since netavark 1.7 knows it.
    network_options = ("--opt=no_default_route=1",)
    save = ("save", "--quiet", "--format=docker-archive", "--multi-image-archive")

    def __init__(self, version: str = "", program: str = "podman") -> None:
        super().__init__(program)
        self._version = version

    @property
    def name(self) -> str:
        """The version."""
        return f"podman {self._version}"

    def build(self, request: BuildRequest, told: Callable[[str], None]) -> Build:
        """Build an image under a name of this run. The format is Docker's: OCI's has no HEALTHCHECK and SHELL."""
        tag, progress = new_name(), Stepped(told)
        with TemporaryDirectory(prefix="dfopt-") as room:
            identity = Path(room, "id")
            options = ("--format=docker", "--layers", f"--iidfile={identity}", f"--tag={tag}")
            try:
                seconds = timed((self.program, "build", *options, *words(request)), progress, request.limit)
            except BaseException:
                with undisturbed():
                    self.call("image", "rm", tag)
                raise
            image = identity.read_text().strip()
        self.keep_tag(image, tag)
        return Build(image, seconds, progress.steps())

    def config(self, image: str) -> Mapping[str, object]:
        """Return the image configuration; podman tells the health check beside it."""
        inspected = self.inspect(image)
        config = dict(inspected.get("Config") or {})
        check = inspected.get("HealthCheck") or inspected.get("Healthcheck")
        return {**config, "Healthcheck": check} if check else config

    def history(self, image: str) -> tuple[LayerSize, ...]:
        """Return the layers and empty layers, the base's first."""
        output = self.sure("history", "--no-trunc", "--format", "json", image)
        rows: list[dict[str, Any]] = json.decode(output)
        return tuple(layer(str(row.get("CreatedBy", "")), int(row.get("size", 0))) for row in reversed(rows))


def find(program: str = "podman") -> Podman:
    """Return podman where it answers. Raises BuilderError."""
    podman = Podman(program=program)
    told = podman.call("version", limit=_ANSWER)
    version = re.search(r"^Version:\s*(\S+)", told.output, re.MULTILINE)
    if not told.ok:
        raise BuilderError(f"podman does not answer: {told.said}")
    return Podman(version[1] if version else "", program)
