"""What a run gives back."""

from dataclasses import dataclass, field
from enum import StrEnum

from optimizer.transforms import Artifact, Decline, Gain, Level, Rewrite


class Status(StrEnum):
    """How a file fared."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    DECLINED = "declined"  # places were recognised, none could be rewritten
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Applied:
    """A rewrite that is part of the result. `line`..`end_line` are lines of the result (1-based)."""

    transform: str
    level: Level
    rewrite: Rewrite
    line: int
    end_line: int
    before_lines: tuple[int, ...] = ()  # lines of the original that went or changed


@dataclass(frozen=True, slots=True)
class Declined:
    """A place that was left alone, by a transform; `line` is a line of the result."""

    transform: str
    decline: Decline


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome for one Dockerfile."""

    before: str
    after: str
    applied: tuple[Applied, ...] = ()
    declined: tuple[Declined, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    before_gain: Gain = field(default=Gain())

    @property
    def status(self) -> Status:
        """How the file fared."""
        if self.after != self.before or self.artifacts:
            return Status.CHANGED
        return Status.DECLINED if self.declined else Status.UNCHANGED


class GateError(Exception):
    """A result that broke a promise of the gate: a bug in dfopt. The text names the promise and the transform."""


class InputError(Exception):
    """A Dockerfile that cannot be worked on; the text says what and where."""
