"""What a build takes in, what changed of it, and what becomes of each step."""

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct, field

from optimizer.context import Context
from optimizer.model import Dockerfile, Step

NO_IMAGE = "scratch"


class Builder(StrEnum):
    """Whose cache is modelled."""

    BUILDKIT = "buildkit"
    LEGACY = "legacy"  # docker's builder before BuildKit: every instruction is part of the chain


class Origin(StrEnum):
    """Where the files come from that a step takes in."""

    CONTEXT = "context"
    STAGE = "stage"
    IMAGE = "image"
    ADDRESS = "address"  # an address of ADD, which the builder asks at every build


class Source(Struct, frozen=True):
    """Files that a step takes in, so that the cache looks at their content.

    `path` is a pattern of COPY below the origin ("" is all of it), clean and without a leading `/`; with `parents` it
    is one that stands for whole paths. `name` is the stage, image or address. Of a `mount` no file is copied.
    """

    origin: Origin
    path: str
    name: str = ""
    stage: int | None = None
    exclude: tuple[str, ...] = ()
    parents: bool = False
    mount: bool = False


class Recipe(Struct, frozen=True):
    """What an image is built from: a Dockerfile, read with its target and build arguments, and a context.

    `link` gives the target of a symbolic link of the context, None of what is none.
    """

    dockerfile: Dockerfile
    context: Context
    link: Callable[[str], str | None] = field(default=lambda path: None)  # noqa: ARG005 - the type gives the name


class Change(Struct, frozen=True):
    """What is not as it was at the build before, next to the Dockerfile and its arguments.

    `files` are paths of the context that were added, removed, renamed (both names) or got other content or another
    mode; `images` are names as FROM has them whose image is another one now.
    """

    files: frozenset[str] = frozenset()
    images: frozenset[str] = frozenset()


class Fate(StrEnum):
    """What becomes of a step at the next build."""

    CACHED = "cached"
    MAY_RUN = "may run"  # again, unless what it copies from another stage comes out the same to the byte
    RUNS = "runs"
    FREE = "free"  # an instruction that only sets the image's configuration, or FROM
    UNUSED = "unused"  # the target does not need its stage


class Reason(StrEnum):
    """Why a step runs again."""

    READS = "reads"  # it takes in files that changed
    FOLLOWS = "follows"  # the step that it stands on runs again
    COPIES = "copies"  # it takes in files of a stage that runs again
    TEXT = "text"  # what it says, or the variables in it, changed
    VARIABLE = "variable"  # a variable that every RUN gets has another value
    IMAGE = "image"  # its image is another one
    NEW = "new"  # no step like it was built before
    MOVED = "moved"  # it stands on other steps than before


class Cause(Struct, frozen=True):
    """One cause: `subjects` are files or names; `step` is the number of the step that it follows or copies from."""

    reason: Reason
    subjects: tuple[str, ...] = ()
    step: int | None = None


class Outcome(Struct, frozen=True):
    """What becomes of a step, and the nearest causes."""

    step: Step
    fate: Fate
    causes: tuple[Cause, ...] = ()

    @property
    def number(self) -> int:
        """The step's number: instructions are counted from 1, as the file has them."""
        return self.step.index + 1


class Simulation(Struct, frozen=True):
    """The outcomes of all steps, in the order of the file."""

    outcomes: tuple[Outcome, ...]

    @property
    def again(self) -> tuple[Outcome, ...]:
        """The steps that run again, those in doubt included."""
        return tuple(outcome for outcome in self.outcomes if outcome.fate in {Fate.RUNS, Fate.MAY_RUN})

    @property
    def built(self) -> tuple[Outcome, ...]:
        """The steps that a build of the target looks up in its cache or runs."""
        return tuple(o for o in self.outcomes if o.fate in {Fate.RUNS, Fate.MAY_RUN, Fate.CACHED})
