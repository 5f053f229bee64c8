"""`dfopt verify`: build the original and the rewritten Dockerfile and compare them."""

from typing import Annotated

import typer

from optimizer.cli import arguments as take

NoRebuild = Annotated[bool, typer.Option("--no-rebuild", help="Do not measure builds after an edit of a source file.")]
WithCache = Annotated[
    bool, typer.Option("--cached", help="Let the first builds use the builder's cache: sooner, without their times.")
]
SideBySide = Annotated[bool, typer.Option("--side-by-side", help="Build original and rewrite at the same time.")]
EvidenceReport = Annotated[take.EvidenceFormat, typer.Option("--format", help="How to report.")]
Keep = Annotated[bool, typer.Option("--keep", help="Keep the images and the copies of the build context.")]


def verify(  # noqa: PLR0913 (the signature is the command line)
    paths: take.Paths = None,
    *,
    context: take.ContextFolder = None,
    level: take.MaxLevel = None,
    select: take.Select = None,
    ignore: take.Ignore = None,
    target: take.Target = None,
    build_arg: take.BuildArgs = None,
    config: take.ConfigFile = None,
    builder: take.BuilderName = None,
    smoke: take.Smoke = None,
    http: take.Http = None,
    network: take.Network = False,
    limit: take.Limit = 1800.0,
    no_rebuild: NoRebuild = False,
    cached: WithCache = False,
    side_by_side: SideBySide = False,
    keep: Keep = False,
    format_: EvidenceReport = take.EvidenceFormat.TEXT,
    output: take.Output = None,
    quiet: take.Quiet = False,
    verbose: take.Verbose = False,
) -> None:
    """Prove rewrites by building both images and comparing them.

    Nothing of yours is written: what `rewrite` would make and the original are built in throw-away copies. Compared
    are the image configuration, the files, the libraries that programs need, what the containers do, and how much
    is built again after an edit.
    Exit code 4 says that a rewrite failed, or that it could not be judged.

    \b
    Examples:
      dfopt verify                                all Dockerfiles below the current folder
      dfopt verify --http 8080/health services/api
      dfopt verify --smoke 'python -m app --version' --builder podman
    """  # noqa: D301 (typer keeps the lines of a paragraph that begins with a backspace)
    from optimizer.cli.outcome import finish
    from optimizer.cli.proofs import Wanted, outcome, proofs
    from optimizer.cli.request import Request

    request = Request.of(
        paths,
        context=context,
        level=level,
        select=select,
        ignore=ignore,
        target=target,
        build_arg=build_arg,
        config=config,
        output=output,
        quiet=quiet,
        verbose=verbose,
    )
    wanted = Wanted(
        builder=builder,
        smoke=tuple(smoke or ()),
        http=tuple(http or ()),
        network=network,
        limit=limit,
        rebuild=not no_rebuild,
        cached=cached,
        side_by_side=side_by_side,
        keep=keep,
    )
    if "-" in request.paths:
        raise typer.BadParameter("a build needs a Dockerfile in its folder", param_hint="PATH")
    finish(outcome(list(proofs(request, wanted)), request, format_))
