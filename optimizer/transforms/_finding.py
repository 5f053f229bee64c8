"""What a transform says of a place: a rewrite, or why there is none."""

from enum import IntEnum

from msgspec import Struct

from optimizer.syntax import Span


class Level(IntEnum):
    """How much a rewrite promises, the most cautious first; a run applies all up to its own level."""

    EXACT = 0
    EQUIVALENT = 1
    ASSUMED = 2

    def __str__(self) -> str:
        """Give the name as users write it."""
        return self.name.lower()


class Edit(Struct, frozen=True):
    """Put `text` in the place of `span` of the source (an empty span inserts)."""

    span: Span
    text: str


class Artifact(Struct, frozen=True):
    """A file beside the Dockerfile that a rewrite writes; `path` is relative to the build context."""

    path: str
    content: str


class Gain(Struct, frozen=True):
    """What a rewrite is expected to save: bytes of the image (an estimate) and layers."""

    bytes: int = 0
    layers: int = 0


class Rewrite(Struct, frozen=True):
    """Edits that belong together: all are applied, or none.

    `added` and `removed` are the commands and instructions, normalised as `optimizer.engine.gate` counts them,
    that the text gains and loses; the gate stops every difference that is not claimed here. `leaves_out` are the
    paths of the image that it will no longer have, with all below them: `*` stands for part of a name, `**` for any
    number of folders; variables stand as `${NAME}`.
    """

    line: int
    title: str  # imperative, for the list: "Copy the manifests before the sources"
    why: str  # one sentence for the reader of the diff
    edits: tuple[Edit, ...]
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    level: Level | None = None  # where this place can only keep a weaker promise than the transform's own
    assumption: str | None = None
    gain: Gain = Gain()
    leaves_out: tuple[str, ...] = ()


class Decline(Struct, frozen=True):
    """A recognised place that is left alone. `reason` is a clause: lower case, no full stop."""

    line: int
    reason: str


Finding = Rewrite | Decline
