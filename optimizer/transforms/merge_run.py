"""Make one RUN of neighbours that do the same kind of work.

Every RUN is a layer. What one makes and a later one deletes stays in the image, hidden but paid for; in one RUN it
never gets there. And neighbours that install packages with the same manager, or arrange files, are invalidated
together anyway. A step that reads the copied sources is not merged with one that does not, for that one would then run
again with every change of them.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from optimizer.model import BASE_WORKDIR, Dockerfile, Step
from optimizer.syntax import Document
from optimizer.transforms._finding import Decline, Finding, Gain, Level, Rewrite
from optimizer.transforms._independence import why_dependent
from optimizer.transforms._layout import why_not_movable
from optimizer.transforms._run_joining import joining, why_not_joined
from optimizer.transforms._run_kinds import FILES, SYSTEM, fetches_lists, kind_of, only_updates, removes_made, stranger
from optimizer.transforms._transform import Example, Subject, transform
from optimizer.transforms._unread import unread


@transform(
    level=Level.EXACT,
    gain="size, fewer layers",
    aliases=("hadolint:DL3059",),
    examples=(
        Example(
            "files that are made and arranged",
            before="""
                FROM debian:12
                RUN mkdir -p /srv/data
                # The server does not run as root.
                RUN chown www-data /srv/data
                """,
            after=r"""
                FROM debian:12
                RUN mkdir -p /srv/data \
                    # The server does not run as root.
                    && chown www-data /srv/data
                """,
        ),
        Example(
            "an archive that a later step deletes is in no layer",
            before=r"""
                FROM debian:12
                RUN curl -fsSL -o /tmp/go.tgz https://go.dev/dl/go1.22.5.linux-amd64.tar.gz
                RUN tar -C /usr/local -xzf /tmp/go.tgz
                RUN rm /tmp/go.tgz
                """,
            after=r"""
                FROM debian:12
                RUN curl -fsSL -o /tmp/go.tgz https://go.dev/dl/go1.22.5.linux-amd64.tar.gz \
                    && tar -C /usr/local -xzf /tmp/go.tgz \
                    && rm /tmp/go.tgz
                """,
        ),
        Example(
            "the layout of the file is kept",
            before=r"""
                FROM alpine:3.20
                RUN apk add --no-cache curl && \
                  apk add --no-cache git
                RUN apk add --no-cache jq
                """,
            after=r"""
                FROM alpine:3.20
                RUN apk add --no-cache curl && \
                  apk add --no-cache git && \
                  apk add --no-cache jq
                """,
        ),
        Example(
            "a directory does not leak, nor does a failure pass",
            before="""
                FROM debian:12
                RUN cd /srv && mkdir data
                RUN rm /etc/motd || true
                """,
            after=r"""
                FROM debian:12
                RUN (cd /srv && mkdir data) \
                    && (rm /etc/motd || true)
                """,
        ),
        Example(
            "one reads the sources, the other does not",
            before="""
                FROM python:3.12
                COPY requirements.txt /srv/app/
                RUN pip install gunicorn
                RUN pip install -r /srv/app/requirements.txt
                """,
            because="line 4 has to run again when the copied files change, line 3 has not",
            context={"requirements.txt": "flask"},
        ),
        Example(
            "the options differ",
            before="""
                FROM debian:12
                RUN mkdir /data
                RUN --mount=type=cache,target=/data/cache cp -r /data/cache /data/kept
                """,
            because="lines 2 and 3 have different options",
        ),
        Example(
            "a shell setting would leak",
            before=r"""
                FROM debian:12
                RUN umask 027 && \
                    mkdir /data
                RUN mkdir /public
                """,
            because="line 2 changes its shell",
        ),
        Example(
            "another kind of work",
            before="""
                FROM debian:12
                RUN apt-get update && apt-get install -y python3-pip
                RUN pip install flask
                """,
        ),
        Example(
            "something stands between",
            before="""
                FROM debian:12
                RUN mkdir /data
                ENV DATA=/data
                RUN chown www-data $DATA
                """,
        ),
        Example(
            "the layers of a stage that is only copied from serve as cache",
            before="""
                FROM golang:1.22 AS build
                RUN mkdir /out
                RUN chmod 700 /out
                FROM scratch
                COPY --from=build /out /out
                """,
        ),
    ),
)
def merge_run(subject: Subject) -> Iterator[Finding]:
    """Merge every group of neighbouring RUNs in the stages whose layers are shipped."""
    dockerfile = subject.dockerfile
    for stage in sorted(dockerfile.shipped):
        for is_run, steps in groupby(dockerfile.stages[stage].body, _is_mergeable):
            if is_run:
                yield from _in_row(dockerfile, list(steps))


def _is_mergeable(step: Step) -> bool:
    return step.run is not None and step.instruction.problem is None and not only_updates(step)


def _in_row(dockerfile: Dockerfile, row: Sequence[Step]) -> Iterator[Finding]:
    """Merge within a row of RUNs that nothing separates."""
    at = 0
    if len(row) > 1 and (not_read := next(filter(None, map(unread, row)), None)):
        yield not_read
    while at < len(row) - 1:
        end, reason = _group(dockerfile, row, at)
        if end > at + 1:
            yield _merged(dockerfile.document, row[at:end])
        if reason:
            yield Decline(row[end].line, reason)
        at = end


def _group(dockerfile: Dockerfile, row: Sequence[Step], start: int) -> tuple[int, str | None]:
    """Return where the group that begins at `start` ends, and what kept the next of its kind out."""
    end = start + 1
    while end < len(row):
        related = _related(row, start, end)
        if related == end:
            return end, None
        for later in range(end, related):
            if reason := _why_not(dockerfile, row[later - 1], row[later]):
                # Where the removal at the far end cannot be reached, nothing up to it is gained.
                return end, reason
        end = related
    return end, None


def _related(row: Sequence[Step], start: int, end: int) -> int:
    """Return the end of the group with what belongs to it next: the same kind, or all up to a removal."""
    kinds = {kind_of(step) for step in row[start : end + 1]}
    if len(kinds) == 1 and None not in kinds:
        return end + 1
    for later in range(end, min(len(row), end + 8)):
        if removes_made(row[start:end], row[later]) and not any(map(stranger, row[start : later + 1])):
            return later + 1
    return end


def _why_not(dockerfile: Dockerfile, one: Step, two: Step) -> str | None:
    """Say why two neighbours cannot be merged, None where they can."""
    if reason := why_not_joined(one, two) or why_not_movable(dockerfile.document, one.instruction):
        return reason
    kind = kind_of(one)
    if kind == kind_of(two) and fetches_lists(one) and fetches_lists(two):
        return f"line {two.line} fetches the package lists for itself"
    if kind == FILES and kind == kind_of(two):
        return None  # quick enough to run again for nothing
    folders = _copied_folders(dockerfile, one)
    reads, also = (folders and why_dependent(step, folders) for step in (one, two))
    if bool(reads) != bool(also):
        often, seldom = (one, two) if reads else (two, one)
        return f"line {often.line} has to run again when the copied files change, line {seldom.line} has not"
    if reads and kind not in SYSTEM:
        return f"lines {one.line} and {two.line} may each read other copied files"
    return None


def _copied_folders(dockerfile: Dockerfile, step: Step) -> list[str]:
    """Return where the COPY and ADD above a step put their files; the root stands for what cannot be told."""
    folders = []
    lineage = dockerfile.lineage(step.stage)
    for copy in dockerfile.steps[: step.index]:
        if copy.name in {"COPY", "ADD"} and copy.stage in lineage:
            target = copy.state.word((copy.instruction.arguments or ("/",))[-1], dockerfile.document.escape)
            base = copy.state.workdir or BASE_WORKDIR
            folders.append("/" if target is None else target if target.startswith("/") else f"{base}/{target}")
    return folders


def _merged(document: Document, steps: Sequence[Step]) -> Rewrite:
    joined = joining(document, steps)
    deletes = any(removes_made(steps[:at], step) for at, step in enumerate(steps))
    why = (
        "What a later step removes stays in the layer that it was made in; in one RUN it is in none."
        if deletes
        else "They do the same kind of work and run again together anyway, so that one layer is enough."
    )
    return Rewrite(
        line=steps[0].line,
        title=f"Merge {len(steps)} RUNs into one",
        why=why,
        edits=joined.edits,
        removed=joined.removed,
        gain=Gain(layers=len(steps) - 1),
    )
