"""`dfopt diff`: what `rewrite` would do."""

from optimizer.cli import arguments as take


def diff(  # noqa: PLR0913 (the signature is the command line)
    paths: take.Paths = None,
    *,
    context: take.ContextFolder = None,
    level: take.MaxLevel = None,
    select: take.Select = None,
    ignore: take.Ignore = None,
    target: take.Target = None,
    build_arg: take.BuildArgs = None,
    config: take.ConfigFile = None,
    format_: take.ReportFormat = take.Format.TEXT,
    output: take.Output = None,
    jobs: take.Jobs = None,
    quiet: take.Quiet = False,
    verbose: take.Verbose = False,
) -> None:
    """Show what `rewrite` would change and why.

    Nothing is written. Exit code 1 says that there is something to change.

    \b
    Examples:
      dfopt diff                                  all Dockerfiles below the current folder
      dfopt diff services/api/Dockerfile          one of them
      dfopt diff --format patch | git apply       take the changes over
      dfopt diff --level exact --ignore merge-run
      dfopt diff - < Dockerfile
    """  # noqa: D301 (typer keeps the lines of a paragraph that begins with a backspace)
    from optimizer.cli.batch import run
    from optimizer.cli.outcome import finish, reported
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
        format_=format_,
        output=output,
        jobs=jobs,
        quiet=quiet,
        verbose=verbose,
    )
    finish(reported(list(run(request)), request, written=False, changes_count=True))
