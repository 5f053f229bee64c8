"""What the study of the effect keeps of each Dockerfile, and the file that holds it all."""

from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec import Struct, field

DATA = Path(__file__).with_name("effect.json")
SMALL = ("use-slim-base", "multi-stage", "distroless-base", "replace-retired-base")  # what the study is about


class Outcome(StrEnum):
    """How a Dockerfile fared."""

    SMALLER = "smaller"  # converted; both images were built, and the evidence holds
    DECLINED = "declined"  # builds, and keeps its base and its one stage
    BROKEN = "broken"  # converted, and does not build any more
    DIFFERS = "differs"  # converted and built, and the evidence speaks against it
    STOPPED = "stopped"  # dfopt broke off: its gate, or an error
    NOT_JUDGED = "not-judged"  # the builder or the time did not let it be judged
    NOT_BUILT = "not-built"  # the original does not build: not part of the sample


class Source(Struct, frozen=True):
    """Where a Dockerfile of the sample comes from; paths are those of the checkout, the context "." is all of it."""

    repository: str
    commit: str
    dockerfile: str = "Dockerfile"
    context: str = "."


class Decline(Struct, frozen=True):
    """Why one of the transforms left a Dockerfile alone."""

    transform: str
    reason: str


class Record(Struct, frozen=True, omit_defaults=True):
    """What was seen of one Dockerfile; sizes in bytes, unpacked, None where an image was not built.

    `code` is the commit of dfopt and `rewrite` stands for the text that it wrote. `start` says how the containers of
    both images fared, `against` what speaks against a rewrite.
    """

    name: str
    outcome: Outcome
    code: str
    rewrite: str = ""
    source: Source | None = None
    base: str = ""
    transforms: tuple[str, ...] = ()
    before: int | None = None
    after: int | None = None
    start: tuple[str, ...] = ()
    declines: tuple[Decline, ...] = ()
    against: tuple[str, ...] = ()

    @property
    def reduction(self) -> float:
        """The share of the original's size that is gone; 0 where an image is missing."""
        return 1 - self.after / self.before if self.before and self.after else 0.0


class Study(Struct, frozen=True):
    """The whole: the projects of the sample and the cases of fixtures/cases, each by name."""

    builder: str = ""
    projects: dict[str, Record] = field(default_factory=dict)
    cases: dict[str, Record] = field(default_factory=dict)


def load(path: Path = DATA) -> Study:
    """Read a study; one that is not there is empty."""
    return msgspec.json.decode(path.read_bytes(), type=Study) if path.exists() else Study()


def save(study: Study, path: Path = DATA) -> None:
    """Write a study, sorted by name, so that its changes can be read."""
    ordered = Study(study.builder, *(dict(sorted(kind.items())) for kind in (study.projects, study.cases)))
    beside = path.with_suffix(".part")
    beside.write_bytes(msgspec.json.format(msgspec.json.encode(ordered), indent=1) + b"\n")
    beside.replace(path)


def sources(folder: Path) -> list[Source]:
    """Read the sample that lies in a folder: `projects.tsv`, columns as in Source, each checked out as owner+name."""
    lines = (folder / "projects.tsv").read_text("utf-8").splitlines()
    return [Source(*line.split("\t")) for line in lines if line and not line.startswith("#")]
