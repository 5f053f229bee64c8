"""Keep what package managers download in cache mounts, for the next build.

`RUN --mount=type=cache` gives a step a folder of the builder. What is in it never comes into a layer, and the next
build that has to run the step again finds there what it downloaded before. It takes BuildKit, so it is done only where
the file shows that BuildKit builds it (a syntax directive, mounts, here-documents, flags such as `COPY --link`), where
the transform is asked for (`--select cache-mounts`), or where the configuration says `always = true`. It takes the
place of cleaning: flags such as `--no-cache-dir` and removals of the cache leave the RUN. Of the image, only what lay
in the caches is gone, and for apt the file docker-clean, with which Debian's images throw away what apt downloads.
"""

from collections.abc import Iterator
from functools import cache

from optimizer.model import Step
from optimizer.syntax import Document, Span
from optimizer.transforms._buildkit import is_for_buildkit, why_no_mounts
from optimizer.transforms._finding import Decline, Edit, Finding, Level, Rewrite
from optimizer.transforms._layout import chain_operator, style_of
from optimizer.transforms._mount_apt import apt_mounts
from optimizer.transforms._mount_cleanup import together, trimmed
from optimizer.transforms._mount_owner import Owner, owner_of
from optimizer.transforms._mount_stores import stores
from optimizer.transforms._mount_wants import Refused, Want, downloads
from optimizer.transforms._transform import Example, Subject, transform

_GO = {"go.mod": "module example.com/app\n\ngo 1.22\n", "main.go": "package main\n\nfunc main() {}\n"}


@transform(
    level=Level.EQUIVALENT,
    gain="build time, size",
    options=("always",),
    examples=(
        Example(
            "pip's wheels",
            before="""
                # syntax=docker/dockerfile:1
                FROM python:3.12-slim
                COPY requirements.txt .
                RUN pip install --no-cache-dir -r requirements.txt
                """,
            after=r"""
                # syntax=docker/dockerfile:1
                FROM python:3.12-slim
                COPY requirements.txt .
                RUN --mount=type=cache,target=/root/.cache/pip \
                    pip install -r requirements.txt
                """,
        ),
        Example(
            "apt's archives and lists, which Debian's images would remove",
            before=r"""
                FROM debian:12
                RUN apt-get update \
                 && apt-get install -y curl \
                 && rm -rf /var/lib/apt/lists/*
                """,
            after=r"""
                FROM debian:12
                RUN --mount=type=cache,id=apt-debian-12,target=/var/cache/apt,sharing=locked \
                 --mount=type=cache,id=apt-lists-debian-12,target=/var/lib/apt/lists,sharing=locked \
                 rm -f /etc/apt/apt.conf.d/docker-clean \
                 && apt-get update \
                 && apt-get install -y curl
                """,
        ),
        Example(
            "Go's modules for every step that reads them",
            context=_GO,
            before="""
                FROM golang:1.22 AS build
                WORKDIR /src
                COPY go.mod .
                RUN go mod download
                COPY . .
                RUN go build -o /app .
                FROM scratch
                COPY --from=build /app /app
                """,
            after=r"""
                FROM golang:1.22 AS build
                WORKDIR /src
                COPY go.mod .
                RUN --mount=type=cache,target=/go/pkg/mod \
                    go mod download
                COPY . .
                RUN --mount=type=cache,target=/go/pkg/mod \
                    --mount=type=cache,target=/root/.cache/go-build \
                    go build -o /app .
                FROM scratch
                COPY --from=build /app /app
                """,
        ),
        Example(
            "the folder belongs to the user",
            before="""
                FROM node:22
                USER node
                RUN npm ci && npm cache clean --force
                """,
            after=r"""
                FROM node:22
                USER node
                RUN --mount=type=cache,target=/home/node/.npm,uid=1000,gid=1000 \
                    npm ci
                """,
        ),
        Example(
            "a later step could not rely on what is in the mount",
            before="""
                FROM rust:1 AS build
                RUN cargo fetch
                RUN cargo build --offline
                FROM debian:12
                COPY --from=build /target/release/app /app
                """,
            because="relies on what an earlier step fetched",
        ),
        Example(
            "what is mounted cannot be copied",
            before="""
                FROM golang:1.22 AS build
                RUN go build -o /go/bin/app .
                FROM debian:12
                COPY --from=build /go /go
                """,
            because="copies /go, which may hold Go's modules",
        ),
        Example(
            "a variable keeps the cache off",
            before="""
                FROM python:3.12
                ENV PIP_NO_CACHE_DIR=1
                RUN pip install flask
                """,
            because="PIP_NO_CACHE_DIR is set already",
        ),
        Example(
            "a user of whom nothing is known",
            before="""
                FROM python:3.12
                USER app
                RUN pip install flask
                """,
            because="number and home folder of the user app are not known",
        ),
    ),
)  # fmt: skip
def cache_mounts(subject: Subject) -> Iterator[Finding]:
    """Mount the caches of every RUN that downloads, in all stages."""
    dockerfile = subject.dockerfile
    if not (subject.asked or subject.options.get("always") is True or is_for_buildkit(dockerfile.document)):
        return
    found = list(_found(subject))
    reason = why_no_mounts(dockerfile.document)
    if found and reason:
        yield Decline(found[0].step.line, reason)
        return
    for step in dockerfile:
        own = [one for one in found if one.step is step]
        yield from (
            Decline(step.line, reason) for reason in dict.fromkeys(o.reason for o in own if isinstance(o, Refused))
        )
        if wants := [one for one in own if isinstance(one, Want)]:
            yield _rewrite(dockerfile.document, step, wants)


def _found(subject: Subject) -> Iterator[Want | Refused]:
    dockerfile, context = subject.dockerfile, subject.context
    owners = cache(lambda index: owner_of(dockerfile, dockerfile.steps[index]))

    def owner(step: Step) -> Owner | str:
        found: Owner | str = owners(step.index)
        return found

    yield from apt_mounts(dockerfile, context, owner)
    yield from stores(dockerfile, owner)
    for step in dockerfile:
        yield from downloads(dockerfile, context, step, owner)


def _rewrite(document: Document, step: Step, wants: list[Want]) -> Finding:
    run = step.run
    cut = trimmed(step, together([want.cut for want in wants]))
    if run is None or isinstance(cut, str):
        return Decline(step.line, str(cut))
    mounts = [str(mount) for want in wants for mount in want.mounts]
    first = next((want.first for want in wants if want.first), None)
    style, operator = style_of(document, step.instruction), chain_operator(step)
    gap = f" {style.escape}{style.newline}{style.indent}"
    at = run.text.at(run.script.root.parts[0].span.start)
    text = "".join(mount + gap for mount in mounts) + (first + style.joint(operator) if first else "")
    return Rewrite(
        line=step.line,
        title=f"Keep {' and '.join(dict.fromkeys(want.name for want in wants))} in a cache mount",
        why=_WHY,
        edits=_with(Edit(Span(at, at), text), cut.edits),
        added=(
            *(f"RUN {mount}" for mount in mounts),
            *((first,) if first else ()),
            *((";",) if first and operator == ";" else ()),
            *cut.added,
        ),
        removed=cut.removed,
        leaves_out=tuple(word for word in (first or "").split() if word.startswith("/")),
    )


_WHY = (
    "What the step downloads stays with the builder for its next run, and in no layer; a builder that starts empty "
    "each time, as in many CI jobs, saves no time."
)


def _with(insertion: Edit, edits: tuple[Edit, ...]) -> tuple[Edit, ...]:
    """Return the edits with the insertion, as one with what goes in the same place."""
    at = insertion.span.start
    same = [edit for edit in edits if edit.span.start == at]
    rest = [edit for edit in edits if edit.span.start != at]
    return (Edit(same[0].span, insertion.text) if same else insertion, *rest)
