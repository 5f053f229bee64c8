"""What a RUN mounts.

Source: BuildKit `frontend/dockerfile/instructions/commands_runmount.go`; Docker's reference, "RUN --mount".
"""

import posixpath

from msgspec import Struct

from optimizer.model.nodes import Step
from optimizer.model.run import BASE_WORKDIR

_DEFAULTS = {"secret": "/run/secrets", "ssh": "/run/buildkit"}


class Mount(Struct, frozen=True):
    """One `--mount`; `target` is absolute (below BASE_WORKDIR where the directory is unknown), None if not known."""

    kind: str  # bind, cache, tmpfs, secret or ssh
    target: str | None
    origin: str | None  # the stage or image of `from=`

    @property
    def is_context(self) -> bool:
        """Whether it shows files of the build context."""
        return self.kind == "bind" and self.origin is None

    @property
    def keeps_out(self) -> bool:
        """Whether what is written there is in no layer."""
        return self.kind in {"cache", "tmpfs"}


def mounts(step: Step) -> tuple[Mount, ...]:
    """Return the mounts of a RUN, in order."""
    flags = (flag.value for flag in step.instruction.flags if flag.name == "mount" and flag.value)
    return tuple(_mount(value, step.state.workdir) for value in flags)


def _mount(value: str, workdir: str | None) -> Mount:
    options = dict(part.partition("=")[::2] for part in value.replace('"', "").split(","))
    kind = options.get("type", "bind")
    target = options.get("target") or options.get("dst") or options.get("destination") or _DEFAULTS.get(kind)
    known = target is not None and "$" not in target
    path = posixpath.normpath(posixpath.join(workdir or BASE_WORKDIR, target or "")).replace("//", "/")
    return Mount(kind, path if known else None, options.get("from"))
