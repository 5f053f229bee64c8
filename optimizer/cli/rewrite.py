"""`dfopt rewrite`: change Dockerfiles in place."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli import arguments as take

if TYPE_CHECKING:
    from optimizer.cli.outcome import Outcome
    from optimizer.cli.proofs import Wanted
    from optimizer.cli.request import Request
    from optimizer.report import Entry

ToStdout = Annotated[bool, typer.Option("--stdout", help="Print the rewritten Dockerfile, write nothing.")]
Verify = Annotated[bool, typer.Option("--verify", help="Build both first, and keep what the builds bear out.")]
Check = Annotated[bool, typer.Option("--check", help="Write nothing; exit code 1 says that there is something to do.")]


def rewrite(  # noqa: PLR0913 (the signature is the command line)
    paths: take.Paths = None,
    *,
    context: take.ContextFolder = None,
    level: take.MaxLevel = None,
    select: take.Select = None,
    ignore: take.Ignore = None,
    target: take.Target = None,
    build_arg: take.BuildArgs = None,
    config: take.ConfigFile = None,
    stdout: ToStdout = False,
    check: Check = False,
    format_: take.ReportFormat = take.Format.TEXT,
    output: take.Output = None,
    verify: Verify = False,
    builder: take.BuilderName = None,
    smoke: take.Smoke = None,
    http: take.Http = None,
    network: take.Network = False,
    limit: take.Limit = 1800.0,
    jobs: take.Jobs = None,
    quiet: take.Quiet = False,
    verbose: take.Verbose = False,
) -> None:
    """Rewrite Dockerfiles in place and say why.

    A file is replaced as a whole or not at all. With `-`, standard input is rewritten to standard output.
    With --verify, the original and the rewrite are built and compared first: a rewrite that the builds speak against
    is left out, and what cannot be judged is not written (exit code 4).

    \b
    Examples:
      dfopt rewrite                               all Dockerfiles below the current folder
      dfopt rewrite --check                       in CI: fail if there is something to do
      dfopt rewrite --verify --level assumed      boldly, as far as real builds bear it out
      dfopt rewrite --select split-manifest-copy services/api
      dfopt rewrite - --context . < Dockerfile > Dockerfile.new
    """  # noqa: D301 (typer keeps the lines of a paragraph that begins with a backspace)
    from optimizer.cli.outcome import finish
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
    if "-" in request.paths or stdout:
        if format_ is not take.Format.TEXT:
            raise typer.BadParameter(
                "what is printed is the Dockerfile itself; `dfopt diff` reports", param_hint="--format"
            )
        if verify:
            raise typer.BadParameter(
                "builds need a Dockerfile in its folder, and --stdout prints", param_hint="--verify"
            )
        finish(_printed(request, check=check))
    if verify:
        from optimizer.cli.proofs import Wanted

        wanted = Wanted(builder, tuple(smoke or ()), tuple(http or ()), network, limit)
        finish(_proven(request, wanted, check=check))
    finish(_in_place(request, check=check))


def _in_place(request: "Request", *, check: bool) -> "Outcome":
    """Write the results, unless it is only a check, and report."""
    from optimizer.cli.batch import run
    from optimizer.cli.outcome import reported

    entries = run(request)
    done = list(entries if check else _written(entries))
    return reported(done, request, written=not check, changes_count=check)


def _proven(request: "Request", wanted: "Wanted", *, check: bool) -> "Outcome":
    """Write the results that builds bear out, unless it is only a check, and report them with the evidence."""
    from optimizer.cli.outcome import reported
    from optimizer.cli.proofs import held, unproven_code

    entries = held(request, wanted)
    done = list(entries if check else _written(entries))
    outcome = reported(done, request, written=not check, changes_count=check)
    return outcome._replace(code=max(outcome.code, unproven_code(done)) if outcome.code != 3 else 3)  # noqa: PLR2004


def _written(entries: Iterable["Entry"]) -> "Iterator[Entry]":
    """Write each result as it comes; one that cannot be written becomes an error."""
    from optimizer.cli.write import WriteError, ended_in_order, write_together

    ended_in_order()
    for entry in entries:
        try:
            if entry.changed:
                write_together(entry.changes)
            yield entry
        except WriteError as error:
            yield entry.failed(str(error).removeprefix(f"{entry.path}: "))


def _printed(request: "Request", *, check: bool) -> "Outcome":
    """Give the rewritten text as the outcome."""
    from optimizer.cli.batch import run
    from optimizer.cli.outcome import Outcome, problems
    from optimizer.report import exit_code

    if len(request.paths) > 1:
        raise typer.BadParameter("only one Dockerfile can be printed", param_hint="PATH")
    entries = list(run(request, alone=True))
    if len(entries) > 1:
        raise typer.BadParameter(f"only one Dockerfile can be printed, there are {len(entries)}", param_hint="PATH")
    messages = [message for entry in entries for message in problems(entry, verbose=request.verbose)]
    code = exit_code(entries, changes_count=check)
    if check or messages:
        return Outcome("", tuple(messages), code)  # without the output: a file that is there stays
    return Outcome("".join(e.result.after for e in entries if e.result), (), code, request.output)
