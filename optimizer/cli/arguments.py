"""The options that commands share, as data; what they mean is in `request.py`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class LevelName(StrEnum):
    """How much a rewrite must promise."""

    EXACT = "exact"
    EQUIVALENT = "equivalent"
    ASSUMED = "assumed"


class Format(StrEnum):
    """How a run is reported."""

    TEXT = "text"
    PATCH = "patch"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"
    MARKDOWN = "markdown"
    HTML = "html"


class EvidenceFormat(StrEnum):
    """How the evidence of builds is reported."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def _known_ids(values: list[str] | None) -> list[str]:
    """Split at commas and refuse what is no transform."""
    ids = [name.strip() for value in values or () for name in value.split(",") if name.strip()]
    if ids:
        from optimizer.cli.catalogue import unknown_id

        for problem in filter(None, map(unknown_id, ids)):
            raise typer.BadParameter(problem)
    return ids


def _complete_ids(incomplete: str) -> list[tuple[str, str]]:
    """Complete the last of several ids that are separated by commas."""
    from optimizer.transforms import all_transforms

    done, comma, last = incomplete.rpartition(",")
    return [(done + comma + t.id, t.summary) for t in all_transforms() if t.id.startswith(last)]


def _build_args(values: list[str] | None) -> list[str]:
    """Refuse a build argument without a name."""
    for value in values or ():
        if not value.partition("=")[0].strip():
            raise typer.BadParameter(f"{value!r} is not NAME=VALUE")
    return values or []


Paths = Annotated[
    list[str] | None,
    typer.Argument(metavar="PATH...", help="Dockerfiles, folders to search, or - for standard input. Default: ."),
]
ContextFolder = Annotated[
    Path | None, typer.Option("--context", metavar="DIR", help="The build context. Default: the Dockerfile's folder.")
]
MaxLevel = Annotated[
    LevelName | None, typer.Option("--level", help="What a rewrite must promise at least. Default: equivalent.")
]
Select = Annotated[
    list[str] | None,
    typer.Option(
        "--select", metavar="ID", callback=_known_ids, autocompletion=_complete_ids,
        help="Run only these transforms (repeat, or separate by commas).",
    ),
]  # fmt: skip
Ignore = Annotated[
    list[str] | None,
    typer.Option(
        "--ignore", metavar="ID", callback=_known_ids, autocompletion=_complete_ids,
        help="Leave out these transforms (repeat, or separate by commas).",
    ),
]  # fmt: skip
Target = Annotated[str | None, typer.Option("--target", metavar="STAGE", help="The stage that is built.")]
BuildArgs = Annotated[
    list[str] | None,
    typer.Option("--build-arg", metavar="K=V", callback=_build_args, help="A build argument, as for docker build."),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Default: the nearest dfopt.toml or pyproject.toml."),
]
ReportFormat = Annotated[Format, typer.Option("--format", help="How to report.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the report to a file.")]
Jobs = Annotated[
    int | None, typer.Option("--jobs", "-j", min=1, metavar="N", help="Processes for many files. Default: all cores.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No text report, only errors.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Name unchanged files too, show tracebacks.")]

# What the builds of `verify` and `rewrite --verify` take.
BuilderName = Annotated[
    str | None,
    typer.Option("--builder", metavar="NAME", help="docker, podman, buildah, or a builder of buildx. Default: found."),
]
Smoke = Annotated[
    list[str] | None,
    typer.Option("--smoke", metavar="COMMAND", help="Run this as `docker run IMAGE COMMAND` would, in both (repeat)."),
]
Http = Annotated[
    list[str] | None,
    typer.Option("--http", metavar="PORT[/PATH]", help="Ask this of the running container, in both (repeat)."),
]
Network = Annotated[bool, typer.Option("--network", help="Let the containers reach the network.")]
Limit = Annotated[float, typer.Option("--limit", min=1, metavar="SECONDS", help="The longest that one build may take.")]
