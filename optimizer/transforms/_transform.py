"""What a transform is: a function from a Dockerfile in its context to findings, with its examples."""

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from textwrap import dedent

from msgspec import Struct, field

from optimizer.context import Context
from optimizer.model import Dockerfile
from optimizer.transforms._finding import Finding, Level


class Subject(Struct, frozen=True):
    """What a transform may look at."""

    dockerfile: Dockerfile
    context: Context
    options: Mapping[str, object] = field(default_factory=dict)  # the transform's own, from the configuration
    asked: bool = False  # whether the run names the transform


class Touches(StrEnum):
    """What a transform may change beyond commands that it claims; the gate holds it to that."""

    NOTHING = "nothing"
    ORDER = "order"  # the order of steps
    OWNERSHIP = "ownership"  # COPY flags
    CONTEXT = "context"  # the ignore file
    BASE = "base"  # the base image of a stage, to the one that the rewrite claims
    STAGES = "stages"  # the stages that lead to the image, which promises the same
    START = "start"  # the form of CMD and ENTRYPOINT, not the program and its arguments


class Example(Struct, frozen=True):
    """A Dockerfile before and after; without `after` it must stay, and `because` is part of the decline's reason.

    `context` maps paths to contents; `artifacts` maps the files that must be written to their contents.
    """

    title: str
    before: str
    after: str | None = None
    because: str = ""
    context: Mapping[str, str] = field(default_factory=dict)
    artifacts: Mapping[str, str] = field(default_factory=dict)

    def texts(self) -> tuple[str, str]:
        """Return the dedented texts before and after."""
        before = dedent(self.before).lstrip("\n")
        return before, before if self.after is None else dedent(self.after).lstrip("\n")


class Transform(Struct, frozen=True):
    """A rewrite with all that is known of it."""

    id: str
    doc: str
    level: Level
    touches: frozenset[Touches]
    gain: str
    aliases: tuple[str, ...]
    examples: tuple[Example, ...]
    find: Callable[[Subject], Iterator[Finding]]
    options: tuple[str, ...] = ()  # keys that the configuration may set for it, see Subject.options

    @property
    def summary(self) -> str:
        """The first line of the documentation."""
        return self.doc.strip().splitlines()[0]


def transform(
    *,
    level: Level,
    gain: str,
    examples: tuple[Example, ...],
    touches: frozenset[Touches] = frozenset(),
    aliases: tuple[str, ...] = (),
    options: tuple[str, ...] = (),
) -> Callable[[Callable[[Subject], Iterator[Finding]]], Transform]:
    """Make a transform of a function; its module gives the id and the documentation."""

    def make(find: Callable[[Subject], Iterator[Finding]]) -> Transform:
        name = find.__module__.rsplit(".", 1)[-1].replace("_", "-")
        doc = inspect.cleandoc(sys.modules[find.__module__].__doc__ or "")
        return Transform(name, doc, level, touches, gain, aliases, examples, find, options)

    return make
