"""Keep what package managers download in cache mounts, for the next build.

`RUN --mount=type=cache` gives a step a folder of the builder. What is in it never comes into a layer, and the next
build that has to run the step again finds there what it downloaded before. It takes BuildKit, so it is done only where
the file shows that BuildKit builds it (a syntax directive, mounts, here-documents, flags such as `COPY --link`), where
the transform is asked for (`--select cache-mounts`), or where the configuration says `always = true`. It takes the
place of cleaning: flags such as `--no-cache-dir` and removals of the cache leave the RUN. Of the image, only what lay
in the caches is gone, and for apt the file docker-clean, with which Debian's images throw away what apt downloads.
"""

from collections.abc import Iterator

from optimizer.transforms._buildkit import is_for_buildkit
from optimizer.transforms._finding import Finding, Level
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
                RUN --mount=type=cache,id=pip-python-3.12-slim,target=/root/.cache/pip \
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
                WORKDIR /src
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
    document = subject.dockerfile.document
    if not (subject.asked or subject.options.get("always") is True or is_for_buildkit(document)):
        return
    from optimizer.transforms._mount_rewrites import findings

    yield from findings(subject)
