"""Run a program that brings all it needs on an image without a shell and without packages.

The images of gcr.io/distroless hold certificates, time zones, a few users, and for programs that are linked to them
the libraries of C and C++, of the same release of Debian. The last stage changes where its program was built by an
earlier one, is known to be static or linked to these alone, and where no step and no start needs a shell. A RUN that
installs nothing but certificates and time zones goes.
"""

from collections.abc import Iterator

from optimizer.context import Context
from optimizer.images.disk import on_disk
from optimizer.images.distroless import distroless
from optimizer.images.distroless import on_disk as size_of
from optimizer.images.tags import variant
from optimizer.model import Dockerfile, Stage
from optimizer.model.base_images import repository
from optimizer.model.inventory import of_step
from optimizer.transforms._base_exchange import exchanged
from optimizer.transforms._distroless_programs import kind_of, release_of, starters
from optimizer.transforms._distroless_stage import brought_from, checked, is_needless, started, why_shell
from optimizer.transforms._finding import Decline, Edit, Finding, Gain, Level, Rewrite
from optimizer.transforms._transform import Example, Subject, Touches, transform

_ASSUMPTION = (
    "The program starts no other program and no shell, it reads nothing of the system but certificates, time zones and "
    "the tables of users and of media types, and nobody opens a shell in its containers."
)


@transform(
    level=Level.ASSUMED,
    gain="size, fewer programs",
    touches=frozenset({Touches.BASE}),
    examples=(
        Example(
            "a static program of Go",
            before="""
                FROM golang:1.22 AS build
                WORKDIR /src
                COPY . .
                RUN CGO_ENABLED=0 go build -o /out/server .

                FROM debian:bookworm-slim
                COPY --from=build /out/server /server
                USER 1000
                ENTRYPOINT ["/server"]
                """,
            after="""
                FROM golang:1.22 AS build
                WORKDIR /src
                COPY . .
                RUN CGO_ENABLED=0 go build -o /out/server .

                FROM gcr.io/distroless/static-debian12
                COPY --from=build /out/server /server
                USER 1000
                ENTRYPOINT ["/server"]
                """,
            context={"go.mod": "module example.com/server\n", "main.go": "package main\n"},
        ),
        Example(
            "a program of Rust, with certificates",
            before="""
                FROM rust:1.80-bookworm AS build
                WORKDIR /src
                COPY . .
                RUN cargo build --release

                FROM debian:bookworm-slim
                RUN apt-get update && apt-get install -y ca-certificates && rm -rf /var/lib/apt/lists/*
                COPY --from=build /src/target/release/shop /usr/local/bin/
                CMD ["shop"]
                """,
            after="""
                FROM rust:1.80-bookworm AS build
                WORKDIR /src
                COPY . .
                RUN cargo build --release

                FROM gcr.io/distroless/cc-debian12
                COPY --from=build /src/target/release/shop /usr/local/bin/
                CMD ["shop"]
                """,
            context={"Cargo.toml": "", "Cargo.lock": '[[package]]\nname = "shop"\n', "src/main.rs": "fn main() {}\n"},
        ),
        Example(
            "a step that needs a shell",
            before="""
                FROM golang:1.22 AS build
                RUN CGO_ENABLED=0 go build -o /server /src

                FROM debian:bookworm-slim
                RUN useradd app
                COPY --from=build /server /server
                CMD ["/server"]
                """,
            because="the RUN of line 5 needs a shell",
        ),
        Example(
            "a program that is linked to the libraries of another release",
            before="""
                FROM golang:1.22-bullseye AS build
                RUN go build -o /server /src

                FROM debian:bookworm-slim
                COPY --from=build /server /server
                CMD ["/server"]
                """,
            because="the program is linked to the libraries of golang:1.22-bullseye, not to those of bookworm",
        ),
        Example(
            "a program that starts others",
            before="""
                FROM golang:1.22 AS build
                COPY . .
                RUN CGO_ENABLED=0 go build -o /server .

                FROM debian:bookworm-slim
                COPY --from=build /server /server
                CMD ["/server"]
                """,
            because="main.go starts programs (os/exec)",
            context={"go.mod": "module example.com/server\n", "main.go": 'package main\n\nimport "os/exec"\n'},
        ),
    ),
)
def distroless_base(subject: Subject) -> Iterator[Finding]:
    """Judge the stage that is built, where it stands on Debian and takes in what another stage made."""
    dockerfile = subject.dockerfile
    stage = dockerfile.stages[dockerfile.target] if dockerfile.target >= 0 else None
    if stage is None or stage.parent is not None or not stage.steps or not dockerfile.copied_from.get(stage.index):
        return
    if repository(stage.base or "") == "debian":
        yield _judged(dockerfile, subject.context, stage)


def _judged(dockerfile: Dockerfile, context: Context, stage: Stage) -> Finding:
    origin = stage.steps[0]
    release = release_of(origin.instruction.arguments[0])
    reason = next(why_shell(dockerfile, stage), None)
    if release is None or distroless("static", release) is None:
        reason = "there is no distroless image of the same release of Debian"
    if reason or release is None:
        return Decline(origin.line, reason or "")
    kind = _kind(dockerfile, context, stage, release)
    if isinstance(kind, Decline):
        return kind
    if found := next(starters(context), None):
        return Decline(origin.line, f"{found[0]} starts programs ({found[1]})")
    name = distroless(kind, release)
    return _rewrite(stage, name) if name else Decline(origin.line, f"there is no distroless {kind} image")


def _kind(dockerfile: Dockerfile, context: Context, stage: Stage, release: str) -> str | Decline:
    """Return the kind of image that all programs of the stage can do with."""
    first = started(stage)
    if first is None:
        return Decline(stage.steps[0].line, "no CMD or ENTRYPOINT names a program to start")
    kinds = set()
    for step, program in (first, *checked(stage)):
        brought = brought_from(stage, program)
        if brought is None:
            return Decline(stage.steps[0].line, f"{program} of line {step.line} is not copied from a stage")
        kind, reason = kind_of(dockerfile, context, *brought, release)
        if not kind:
            return Decline(stage.steps[0].line, reason)
        kinds.add(kind)
    return "cc" if "cc" in kinds else "static"


def _rewrite(stage: Stage, name: str) -> Rewrite:
    origin = stage.steps[0]
    needless = [step for step in stage.body if is_needless(step)]
    edit, added, removed = exchanged(origin, name, registry=False)
    known = variant("debian", (stage.base or "").partition(":")[2] or None)
    saved = ((on_disk(known) if known else None) or 0) - (size_of(name) or 0)
    libraries = " but the libraries of C and C++" if "/cc-" in name else ""
    gone = ", and certificates are there already" if needless else ""
    return Rewrite(
        origin.line,
        f"Run on {name}",
        f"The program brings all that it needs{libraries}, so that no shell and no packages are asked for{gone}.",
        (edit, *(Edit(step.instruction.span, "") for step in needless)),  # a comment above stays
        added=(added,),
        removed=(removed, *(text for step in needless for text in of_step(step))),
        assumption=_ASSUMPTION,
        gain=Gain(bytes=max(saved, 0), layers=len(needless)),
    )
