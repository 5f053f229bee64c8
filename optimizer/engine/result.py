"""What a run gives back."""

from enum import StrEnum

from msgspec import Struct

from optimizer.layers.sizes import Prediction
from optimizer.transforms import Artifact, Level, Rewrite


class Status(StrEnum):
    """How a file fared."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    DECLINED = "declined"  # places were recognised, none could be rewritten
    ERROR = "error"


class Applied(Struct, frozen=True):
    """A rewrite that is part of the result.

    `line`..`end_line` are the lines of the result that it wrote or moved; `origin` is the line of the original.
    """

    transform: str
    level: Level
    rewrite: Rewrite
    line: int
    end_line: int
    origin: int


class Declined(Struct, frozen=True):
    """A recognised place that was left alone; `line` is a line of the original."""

    transform: str
    line: int
    reason: str


class Result(Struct, frozen=True):
    """The outcome for one Dockerfile; `layers` and `sizes` are (before, after) of the image that is built.

    The sizes are predictions, None where none can be made, or where nothing changes.
    """

    before: str
    after: str
    applied: tuple[Applied, ...] = ()
    declined: tuple[Declined, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    layers: tuple[int, int] = (0, 0)
    sizes: tuple[Prediction | None, Prediction | None] = (None, None)

    @property
    def status(self) -> Status:
        """How the file fared."""
        if self.after != self.before or self.artifacts:
            return Status.CHANGED
        return Status.DECLINED if self.declined else Status.UNCHANGED

    @property
    def saved_bytes(self) -> int:
        """The predicted decrease of the image in bytes; what the rewrites promise where the sizes do not tell."""
        before, after = self.sizes
        if before and after and before.bytes > after.bytes:
            return before.bytes - after.bytes
        return sum(applied.rewrite.gain.bytes for applied in self.applied)


class GateError(Exception):
    """A result that broke a promise of the gate: a bug in dfopt. The text names the promise and the rewrites."""


class InputError(Exception):
    """A Dockerfile that cannot be worked on: what, and at which line (1-based, None for the whole file)."""

    def __init__(self, what: str, line: int | None = None) -> None:
        super().__init__(what)
        self.line = line
