"""Build in one stage, and run in another on a small base image.

A compiler, a build tool or development packages are needed to build a program, and by nobody who runs it. The file
becomes two stages: one that builds, as it was, and one on a small image of the same release of the distribution that
gets what runs, the packages that it needs, its users and all that the image promises. Where one slim image does for
both (`use-slim-base`), no second stage is made.
"""

from collections.abc import Iterator

from optimizer.images import Variant, variant
from optimizer.images.jres import with_size
from optimizer.model import Stage
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._finding import Decline, Finding, Level, Rewrite
from optimizer.transforms._transform import Example, Subject, Touches, transform

_TAGGED = lazy_pattern(r"(?:docker\.io/)?(?:library/)?([a-z./-]+)(?::([\w.${}:-]+))?")
_OTHER = lazy_pattern(r"alpine|windows|nanoserver|onbuild|scratch|[:-]jre\b")


@transform(
    level=Level.EQUIVALENT,
    gain="size",
    touches=frozenset({Touches.STAGES}),
    examples=(
        Example(
            "a server in Go",
            before="""
                FROM golang:1.22-bookworm
                WORKDIR /app
                COPY . .
                RUN go build -o /app/server .
                EXPOSE 8080
                CMD ["/app/server"]
                """,
            after="""
                FROM golang:1.22-bookworm AS build
                WORKDIR /app
                COPY . .
                RUN go build -o /app/server .

                FROM debian:bookworm-slim
                WORKDIR /app
                COPY --from=build /app/server /app/server
                COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
                EXPOSE 8080
                CMD ["/app/server"]
                """,
            context={"go.mod": "module server\n\ngo 1.22\n", "main.go": "package main\n\nfunc main() {}\n"},
        ),
        Example(
            "a program that is compiled when it starts",
            before="""
                FROM golang:1.22-bookworm
                WORKDIR /app
                COPY . .
                CMD ["go", "run", "."]
                """,
            because="the CMD of line 4 starts go, which builds from the sources",
            context={"go.mod": "module server\n\ngo 1.22\n", "main.go": "package main\n\nfunc main() {}\n"},
        ),
    ),
)
def multi_stage(subject: Subject) -> Iterator[Finding]:
    """Look at a file of one stage, whose base image is one that programs are built on."""
    dockerfile = subject.dockerfile
    if len(dockerfile.stages) != 1:
        return
    stage = dockerfile.stages[0]
    origin = stage.steps[0]
    if origin.instruction.problem:
        return
    full = _full(stage, origin.instruction.arguments[0])
    if full is None:
        return
    found = full if isinstance(full, str) else _judged(subject, stage, full)
    if found is not None:
        yield Decline(origin.line, found) if isinstance(found, str) else found


def _full(stage: Stage, word: str) -> Variant | str | None:
    """Return the official image of a language that FROM names in so many words, or why it cannot be told."""
    from optimizer.transforms.stages.languages import is_for_building

    match = _TAGGED.fullmatch(word)
    started = frozenset(call.program for step in stage.body if step.run for call in step.run.calls)
    if match is None or _OTHER.search(word) or not is_for_building(match[1], started):
        return None
    if "$" in (match[2] or ""):
        return "the tag of the base image is an argument"
    found = variant(match[1], match[2])
    return found and with_size(found)


def _judged(subject: Subject, stage: Stage, full: Variant) -> Rewrite | str | None:
    """Return the rewrite, a clause why there is none, None where no language is built."""
    from optimizer.transforms._development_files import why_development
    from optimizer.transforms.stages.languages import languages_for
    from optimizer.transforms.stages.reading import read_build

    platform = stage.steps[0].instruction.flag("platform")
    if platform not in {None, "linux/amd64"}:
        return f"the base image is one for {platform}"
    if trigger := next((step for step in stage.body if step.name == "ONBUILD"), None):
        return f"the ONBUILD of line {trigger.line} runs in builds that are not here"
    if reason := why_development(subject.dockerfile, subject.context, stage.index):
        return reason
    build = read_build(subject, stage, full)
    if isinstance(build, str):
        return build
    for language in languages_for(full.image):
        runtime = language.runtime(build)
        if runtime is not None:
            from optimizer.transforms.stages.assembly import assembled

            return runtime if isinstance(runtime, str) else assembled(build, runtime)
    return None
