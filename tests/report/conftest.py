"""Entries to report."""

import pytest
from msgspec.structs import replace

from optimizer.engine import Applied, Declined, Result
from optimizer.layers.sizes import Part, Prediction
from optimizer.report import Change, Entry
from optimizer.syntax import Span
from optimizer.transforms import Artifact, Edit, Gain, Level, Rewrite

BEFORE = "FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm ci\n" + "ENV A=1\n" * 10 + "ADD x /x\nCMD node .\n"
AFTER = (
    "FROM node:22\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\nCOPY . .\n"
    + "ENV A=1\n" * 10
    + "COPY x /x\nCMD node .\n"
)
IGNORE = Artifact(".dockerignore", "node_modules\n")


def applied(transform: str, line: int, end_line: int, **more: object) -> Applied:
    """Make an applied rewrite; `more` goes to the rewrite."""
    fields = {"title": f"Title of {transform}", "why": f"why {transform}", "edits": (Edit(Span(0, 1), ""),), **more}
    rewrite = Rewrite(line=line, **fields)  # type: ignore[arg-type]
    return Applied(transform, Level.EXACT, rewrite, line, end_line, line)


@pytest.fixture
def changed() -> Entry:
    """A Dockerfile with two hunks, a new ignore file, and declines."""
    rewrites = (
        applied("split-manifest-copy", 3, 5, gain=Gain(0, -1)),
        applied("copy-over-add", 16, 16, assumption="nobody needs ADD"),
        applied("write-dockerignore", 1, 1, edits=(), artifacts=(IGNORE,), gain=Gain(2_500_000, 0)),
    )
    declined = (
        Declined("merge-run", 12, "a comment is between them"),
        Declined("merge-run", 4, "the mounts differ"),
        Declined("merge-run", 7, "the mounts differ"),
        Declined("merge-run", 9, "the mounts differ"),
    )
    result = Result(BEFORE, AFTER, rewrites, declined, (IGNORE,), (5, 6))
    ignore = Change("api/.dockerignore", None, IGNORE.content, "api/.dockerignore")
    return Entry("api/Dockerfile", "api", Level.EQUIVALENT, result, (ignore,), "api/Dockerfile")


@pytest.fixture
def sized(changed: Entry) -> Entry:
    """The same, with the sizes of both images predicted."""
    assert changed.result
    before = Prediction((Part(1, "the base image", 1_000_000_000),), ("line 4: make",))
    after = Prediction((Part(1, "the base image", 200_000_000),))
    return replace(changed, result=replace(changed.result, sizes=(before, after)))


@pytest.fixture
def unchanged() -> Entry:
    """A Dockerfile in which there is nothing to do."""
    return Entry("web/Dockerfile", "web", Level.EXACT, Result("FROM a\n", "FROM a\n"))


@pytest.fixture
def failed() -> Entry:
    """A Dockerfile that is none."""
    return Entry("bad/Dockerfile", "bad", Level.EXACT, error="there is no FROM instruction", line=3)


@pytest.fixture
def bug() -> Entry:
    """A Dockerfile on which dfopt failed."""
    return Entry("odd/Dockerfile", "odd", Level.EXACT, error="a bug in dfopt", bug=True)
