"""Run what does not need the sources before they are copied.

The root filesystem of a RUN is never compared: when a file that a COPY brings changes, every step below it runs
again, also one that installs system packages or tools and does not look at the file. Above the COPY it is reused
until it changes itself. A build argument such as GIT_SHA, whose value differs in every build, has the same effect on
the steps below it, and goes down past those that do not read it.
"""

from collections.abc import Iterator, Sequence

from optimizer.model import Stage, Step
from optimizer.syntax import Document
from optimizer.transforms._copies import brings_context
from optimizer.transforms._crossing import way_up
from optimizer.transforms._finding import Decline, Edit, Finding, Level, Rewrite
from optimizer.transforms._independence import sets_up, why_hidden, why_tied
from optimizer.transforms._layout import (
    begins_paragraph,
    insert_before,
    instruction_with_comments,
    move_before,
    why_not_movable,
)
from optimizer.transforms._taking_out import taken_out
from optimizer.transforms._transform import Example, Subject, Touches, transform
from optimizer.transforms._unread import SYSTEM_INSTALL, unread
from optimizer.transforms._volatile import sink_volatile

_WHY = "It reads nothing of the files that the COPY brings, so it need not run again when they change."


@transform(
    level=Level.EXACT,
    touches=frozenset({Touches.ORDER}),
    gain="cache hits",
    examples=(
        Example(
            "system packages below the sources",
            before="""
                FROM debian:bookworm
                WORKDIR /app
                COPY . .
                # for the health check
                RUN apt-get update && apt-get install -y curl
                CMD ["./run"]
                """,
            after="""
                FROM debian:bookworm
                WORKDIR /app
                # for the health check
                RUN apt-get update && apt-get install -y curl
                COPY . .
                CMD ["./run"]
                """,
        ),
        Example(
            "a build argument that differs in every build",
            before="""
                FROM debian:bookworm
                ARG GIT_SHA
                RUN apt-get update && apt-get install -y curl
                RUN echo $GIT_SHA > /version
                """,
            after="""
                FROM debian:bookworm
                RUN apt-get update && apt-get install -y curl
                ARG GIT_SHA
                RUN echo $GIT_SHA > /version
                """,
        ),
        Example(
            "files that the package manager reads",
            before="""
                FROM debian:bookworm
                COPY our.list /etc/apt/sources.list.d/
                RUN apt-get update && apt-get install -y ours
                """,
            context={"our.list": ""},
            because="may use /etc/apt/sources.list.d",
        ),
        Example(
            "another environment above",
            before="""
                FROM debian:bookworm
                COPY . /app
                ENV DEBIAN_FRONTEND=noninteractive
                RUN apt-get update && apt-get install -y tzdata
                """,
            because="ENV in line 3 stands between",
        ),
        Example(
            "a package among the sources",
            before="""
                FROM debian:bookworm
                WORKDIR /app
                COPY . .
                RUN apt-get update && apt-get install -y ./tool.deb
                """,
        ),
    ),
)
def hoist_independent_steps(subject: Subject) -> Iterator[Finding]:
    """Move the RUNs of each stage up, and its volatile build arguments down."""
    for stage in subject.dockerfile.stages:
        yield from _hoist(subject, stage)
        yield from sink_volatile(subject.dockerfile, stage)


def _hoist(subject: Subject, stage: Stage) -> Iterator[Finding]:
    above: list[Step] = []  # as they will stand
    copies: list[Step] = []
    moves: dict[int, list[Step]] = {}
    for step in stage.body:
        place = len(above)
        if copies and sets_up(step) and not why_tied(step):
            way = way_up(step, above, copies, subject.context)
            reason = (way.reason if way else "") or why_not_movable(subject.dockerfile.document, step.instruction)
            if way is not None and way.target is not None and not reason:
                place = next(i for i in range(len(above) - 1, -1, -1) if above[i] is way.target)
                moves.setdefault(way.target.index, []).append(step)
            else:
                yield Decline(step.line, reason or "")
        elif copies and (not_read := unread(step, SYSTEM_INSTALL)):
            yield not_read
        elif copies and sets_up(step) and (reason := why_hidden(step)):
            yield Decline(step.line, reason)
        elif brings_context(step):
            copies.append(step)
        above.insert(place, step)
    for target, steps in moves.items():
        yield from _rewrites(subject, subject.dockerfile.steps[target], steps)


def _rewrites(subject: Subject, target: Step, steps: Sequence[Step]) -> Iterator[Rewrite]:
    """Make one rewrite of all moves to a place; one each where a comment may spare some of them."""
    document = subject.dockerfile.document
    if "dfopt" in document.source:
        for step in steps:
            yield _rewrite(step, move_before(document, step.instruction, target.instruction))
    else:
        text = _paragraphs(document, steps, target)
        removed = taken_out(document, [step.instruction for step in steps], ())
        yield _rewrite(steps[0], [insert_before(document, target.instruction, text), *removed])


def _paragraphs(document: Document, steps: Sequence[Step], target: Step) -> str:
    """Return the text of steps that move together, with the blank lines that part them from each other and from it."""
    text = ""
    apart = [begins_paragraph(document, step.instruction) for step in steps]
    for step, is_apart in zip(steps, apart, strict=True):
        text += document.newline * bool(text and is_apart) + instruction_with_comments(document, step.instruction)
    has_comment = "#" in target.instruction.leading and begins_paragraph(document, target.instruction)
    return text + document.newline * (any(apart) or has_comment)


def _rewrite(step: Step, edits: Sequence[Edit]) -> Rewrite:
    return Rewrite(step.line, "Run independent steps before the sources are copied", _WHY, tuple(edits))
