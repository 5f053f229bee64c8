"""What `dfopt explain` found, as values: the layers of a Dockerfile before and after the rewrite."""

from msgspec import Struct

from optimizer.layers.nodes import Builder
from optimizer.layers.replay import Replayed
from optimizer.layers.table import Stack
from optimizer.report.evidence import LayerSize


class Supposed(Struct, frozen=True):
    """What is supposed to have changed since the last build; `chosen` where dfopt chose the file itself."""

    files: tuple[str, ...] = ()
    build_args: tuple[str, ...] = ()
    new_base: bool = False
    chosen: bool = False

    @property
    def words(self) -> str:
        """A clause: `after an edit of src/server.js`."""
        parts = [f"an edit of {_names(self.files)}"] if self.files else []
        parts += [f"a change of the build argument {name}" for name in self.build_args]
        parts += ["an update of the base images"] if self.new_base else []
        return f"after {' and '.join(parts)}" if parts else "when nothing changed"


class Side(Struct, frozen=True):
    """One Dockerfile: its rows, and the chain from the change to the last step that runs again, in words."""

    stack: Stack
    chain: str


class ImageRow(Struct, frozen=True):
    """A row of a built image's history, with the instruction of the Dockerfile that made it (None: the base image)."""

    layer: LayerSize
    number: int | None
    text: str


class BuiltImage(Struct, frozen=True):
    """A built image matched with the Dockerfile: rows from the bottom up, and instructions that none of them shows."""

    name: str
    rows: tuple[ImageRow, ...]
    missing: tuple[str, ...]


class Explained(Struct, frozen=True):
    """One Dockerfile explained. `after` is None where dfopt has nothing to rewrite, or was not asked to."""

    path: str
    context: str
    builder: Builder
    supposed: Supposed
    before: Side
    after: Side | None = None
    history: Replayed | None = None
    image: BuiltImage | None = None

    @property
    def sides(self) -> tuple[tuple[str, Side], ...]:
        """The Dockerfile as it is, and as dfopt would rewrite it, with their titles."""
        after = (("after dfopt's rewrite", self.after),) if self.after else ()
        return (("as it is", self.before), *after)


def again(side: Side) -> str:
    """Say how many steps run again: `3 of 5 steps run again`, with those in doubt."""
    found = side.stack.again
    doubted = sum(row.fate.value == "may run" for row in found)
    text = f"{len(found)} of {side.stack.built} steps {'runs' if len(found) == 1 else 'run'} again"
    return f"{text} ({doubted} of them perhaps)" if doubted else text


def comparison(before: Side, after: Side | None, supposed: Supposed) -> str:
    """Say what a change costs: `after an edit of a.js 1 of 5 steps runs again instead of 3 of 4`."""
    if after is None:
        return f"{supposed.words} {again(before)}"
    was = f"{len(before.stack.again)} of {before.stack.built}"
    return f"{supposed.words} {again(after)} instead of {was}"


def _names(names: tuple[str, ...]) -> str:
    if len(names) > 3:  # noqa: PLR2004 (as many as a sentence takes)
        return f"{', '.join(names[:3])} and {len(names) - 3} more files"
    return " and ".join(names)
