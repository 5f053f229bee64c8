"""What real builds showed of a rewrite: the values that `optimizer.verify` fills and the reports print."""

from enum import StrEnum

from msgspec import Struct

from optimizer.transforms import Level


class Verdict(StrEnum):
    """What the evidence says of a rewrite."""

    HOLDS = "holds"  # both images build, and every difference is one that the rewrites claim
    FAILS = "fails"  # the rewritten Dockerfile does not build, or its image differs beyond the claims
    NOT_JUDGED = "not-judged"  # the original does not build or run, or the builder failed: nothing can be said


class Check(StrEnum):
    """What was compared."""

    BUILD = "build"  # the rewritten Dockerfile builds
    CONFIG = "config"  # the image configuration, field by field
    FILES = "files"  # the file trees
    LIBRARIES = "libraries"  # the shared libraries that ELF files need
    IMPORTS = "imports"  # the modules that the start command's program imports
    SMOKE = "smoke"  # what the containers do


class Difference(Struct, frozen=True):
    """One way in which the rewritten image differs from the original.

    `subject` is what differs (`Env PATH`, `/usr/bin/git`, `libpq.so.5 of /app/server`, `GET :8080/health`); `before`
    and `after` are what it was and is, None where it is not there. `claimed_by` is the transform that says so in
    advance: such a difference is expected. `count` more of the same kind are summed up in one (0: it stands alone).
    """

    check: Check
    subject: str
    before: str | None
    after: str | None
    claimed_by: str | None = None
    count: int = 0


class LayerSize(Struct, frozen=True):
    """A layer of an image, or an instruction that made none (`empty`); `size` in bytes, unpacked."""

    created_by: str
    size: int
    empty: bool = False


class Rebuild(Struct, frozen=True):
    """A build after one source file was edited; `executed` and `cached` are steps as the builder names them."""

    touched: str
    seconds: float
    executed: tuple[str, ...]
    cached: tuple[str, ...]


class Measured(Struct, frozen=True):
    """One image: its size in bytes, its layers in order, the seconds that its first build took, a rebuild."""

    size: int
    layers: tuple[LayerSize, ...]
    seconds: float
    rebuild: Rebuild | None = None

    @property
    def layer_count(self) -> int:
        """How many layers there are, without the instructions that made none."""
        return sum(not layer.empty for layer in self.layers)


class Dropped(Struct, frozen=True):
    """A rewrite that was left out because the evidence spoke against it, and what that evidence was."""

    transform: str
    line: int
    because: tuple[Difference, ...]


class Evidence(Struct, frozen=True):
    """All that the builds of one Dockerfile showed.

    `differences` are claimed ones and others; `before` and `after` are None where an image could not be built;
    `smoke` says what was run, a line each; `problem` says why nothing was judged; `log` is the place of the kept
    build log of a failure; `builds` counts the builds that were needed.
    """

    path: str
    level: Level
    verdict: Verdict
    builder: str
    differences: tuple[Difference, ...] = ()
    before: Measured | None = None
    after: Measured | None = None
    smoke: tuple[str, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    problem: str | None = None
    log: str | None = None
    builds: int = 0

    @property
    def unclaimed(self) -> tuple[Difference, ...]:
        """The differences that no rewrite claims: what speaks against it."""
        return tuple(difference for difference in self.differences if difference.claimed_by is None)
