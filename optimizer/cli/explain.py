"""`dfopt explain`: the layers of a Dockerfile, and what a change makes run again."""

from enum import StrEnum
from typing import Annotated

import typer

from optimizer.cli import arguments as take


class ExplainFormat(StrEnum):
    """How layers are shown."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"


Changed = Annotated[
    list[str] | None,
    typer.Option("--changed", metavar="FILE", help="Suppose that this file of the context is edited (repeat)."),
]
Given = Annotated[
    list[str] | None,
    typer.Option("--build-arg", metavar="K=V", help="Suppose that the next build is given this, unlike the last."),
]
NewBase = Annotated[bool, typer.Option("--new-base", help="Suppose that the base images were updated.")]
History = Annotated[
    int | None,
    typer.Option("--history", min=1, max=10_000, metavar="N", help="Replay the last N commits of the repository."),
]
ImageName = Annotated[
    str | None, typer.Option("--image", metavar="NAME", help="Show the layers of this built image beside it.")
]
Legacy = Annotated[bool, typer.Option("--legacy", help="As docker's builder before BuildKit keeps its cache.")]
LayersReport = Annotated[ExplainFormat, typer.Option("--format", help="How to report.")]


def explain(  # noqa: PLR0913 (the signature is the command line)
    paths: take.Paths = None,
    *,
    changed: Changed = None,
    build_arg: Given = None,
    new_base: NewBase = False,
    history: History = None,
    image: ImageName = None,
    legacy: Legacy = False,
    context: take.ContextFolder = None,
    level: take.MaxLevel = None,
    select: take.Select = None,
    ignore: take.Ignore = None,
    target: take.Target = None,
    config: take.ConfigFile = None,
    format_: LayersReport = ExplainFormat.TEXT,
    output: take.Output = None,
    verbose: take.Verbose = False,
) -> None:
    """Show the layers of a Dockerfile, and which steps a change makes run again.

    For each instruction: whether it makes a layer, how large that is likely to be, which files it reads, and what
    becomes of it at the next build, as the Dockerfile is and as dfopt would rewrite it. Nothing is built or written.
    Without --changed, --build-arg or --new-base, a source file that the build copies is supposed to be edited.

    \b
    Examples:
      dfopt explain                                   the Dockerfiles below the current folder
      dfopt explain --changed src/server.js           what an edit of this file costs
      dfopt explain --history 200                     what the last 200 commits would have cost
      dfopt explain --image app:latest                with the sizes of a built image
      dfopt explain --format html -o layers.html      a page with both stacks side by side
    """  # noqa: D301 (typer keeps the lines of a paragraph that begins with a backspace)
    from optimizer.cli.explaining import Question, explained, reported
    from optimizer.cli.outcome import finish
    from optimizer.cli.request import Request

    request = Request(
        paths=tuple(paths or ["."]),
        context=context,
        level=level,
        select=tuple(select or ()),
        ignore=tuple(ignore or ()),
        target=target,
        config=config,
        output=output,
        verbose=verbose,
    )
    for value in build_arg or ():
        if not value.partition("=")[0].strip():
            raise typer.BadParameter(f"{value!r} is not NAME=VALUE", param_hint="--build-arg")
    question = Question(tuple(changed or ()), tuple(build_arg or ()), new_base, history, image, legacy)
    finish(reported(*explained(request, question), request, format_.value))
