"""Whether a Dockerfile is one for development, whose container is worked in."""

import posixpath
import re

from optimizer.context import Context
from optimizer.model import Dockerfile
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._runtime_needs import Need, needs_of

_NAME = lazy_pattern(r"(?:^|[._-])(?:dev|devel|development|local|tests?|ci|debug)(?:[._-]|$)")
_WATCHERS = frozenset(
    "nodemon ng parcel react-scripts ts-node-dev vite vue-cli-service watchfiles watchmedo webpack-dev-server".split()
)
_WATCHES = lazy_pattern(r"--reload\b|--hot\b|--watch\b|\b(?:run|yarn|pnpm|next)[\"', ]+(?:start:)?dev\b")
_MOUNT = lazy_pattern(r"^\s*-\s*[\"']?(?:\.|\./|\$\{?PWD\}?/?):(/[^:\s\"']*)", re.MULTILINE)
_COMPOSE = ("docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml")


def why_development(dockerfile: Dockerfile, context: Context, stage: int) -> str | None:
    """Say why the image of a stage is for development, None where nothing shows it."""
    name = posixpath.basename(context.dockerfile)
    if _NAME.search(name.lower()):
        return f"{name} is for development"
    starts = [
        step for step in dockerfile if step.stage in dockerfile.lineage(stage) and step.name in {"CMD", "ENTRYPOINT"}
    ]
    for step in starts:
        if found := _WATCHES.search(step.instruction.text):
            return f"{found[0]} of line {step.line} is for development"
    lines = {step.index for step in starts}
    for need in needs_of(dockerfile, context, dockerfile.lineage(stage)):
        if isinstance(need, Need) and need.index in lines and need.name in _WATCHERS:
            return f"{need.name} ({need.place}) is for development"
    return _why_mounted(dockerfile, context, stage)


def _why_mounted(dockerfile: Dockerfile, context: Context, stage: int) -> str | None:
    """Name the compose file that puts the sources of the machine in the place of those of the image."""
    workdir = dockerfile.stages[stage].steps[-1].state.workdir
    for name in _COMPOSE:
        text = (context.read_bytes(name) or b"").decode("utf-8", "replace")
        for match in _MOUNT.finditer(text):
            target = match[1].rstrip("/")
            if workdir and f"{workdir}/".startswith(f"{target}/"):
                return f"{name} mounts the sources over {target or '/'}"
    return None
