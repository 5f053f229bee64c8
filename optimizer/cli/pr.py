"""`dfopt pr`: the result as pull requests."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli import arguments as take


class ForgeName(StrEnum):
    """Which API a server speaks."""

    GITHUB = "github"
    GITLAB = "gitlab"
    GITEA = "gitea"


class RunFormat(StrEnum):
    """How a run over repositories is reported."""

    TEXT = "text"
    JSON = "json"


Targets = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TARGET...", help="Local clones, github:owner/name, gitlab:group/name, gitea:host/owner/name."
    ),
]
From = Annotated[Path | None, typer.Option("--from", metavar="FILE", help="More targets, a line each.")]
ForgeKind = Annotated[ForgeName | None, typer.Option("--forge", help="What a local clone's server is.")]
Base = Annotated[str | None, typer.Option("--base", metavar="BRANCH", help="Default: the default branch.")]
Prefix = Annotated[str, typer.Option("--branch-prefix", metavar="TEXT", help="How the names of branches begin.")]
Split = Annotated[bool, typer.Option("--split", help="A request for each Dockerfile.")]
Fork = Annotated[bool, typer.Option("--fork", help="Work from a fork, made where there is none.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing; show branch, commit, title and body.")]
Suggest = Annotated[
    int | None, typer.Option("--suggest", metavar="NUMBER", help="Review this request instead, by suggestions.")
]
Verify = Annotated[bool, typer.Option("--verify", help="Build first, and offer what the builds bear out.")]
Resume = Annotated[
    Path | None, typer.Option("--resume", metavar="FILE", help="Note what is finished, and skip it the next time.")
]
ReportFormat = Annotated[RunFormat, typer.Option("--format", help="How to report.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, metavar="N", help="Repositories at a time.")]


def pr(  # noqa: PLR0913 (the signature is the command line)
    targets: Targets = None,
    *,
    from_: From = None,
    dry_run: DryRun = False,
    split: Split = False,
    fork: Fork = False,
    suggest: Suggest = None,
    base: Base = None,
    branch_prefix: Prefix = "dfopt/",
    forge: ForgeKind = None,
    level: take.MaxLevel = None,
    select: take.Select = None,
    ignore: take.Ignore = None,
    target: take.Target = None,
    build_arg: take.BuildArgs = None,
    config: take.ConfigFile = None,
    verify: Verify = False,
    builder: take.BuilderName = None,
    smoke: take.Smoke = None,
    http: take.Http = None,
    network: take.Network = False,
    limit: take.Limit = 1800.0,
    resume: Resume = None,
    format_: ReportFormat = RunFormat.TEXT,
    output: take.Output = None,
    jobs: Jobs = 4,
    quiet: take.Quiet = False,
    verbose: take.Verbose = False,
) -> None:
    """Open pull requests, and keep them up to date.

    Run twice, it opens one request; it renews the request when the base moves, closes it when nothing is left to do,
    leaves a branch alone that people pushed to, and does not offer again what was closed.
    The token comes from the environment (GITHUB_TOKEN, GITLAB_TOKEN, GITEA_TOKEN) or from git's credential helper.

    \b
    Examples:
      dfopt pr --dry-run                          what a request for this clone would say
      dfopt pr github:owner/name gitlab:group/name
      dfopt pr --split --level exact --from repositories.txt --resume done.jsonl
      dfopt pr . --suggest 12                     suggestions on the lines of request 12
    """  # noqa: D301 (typer keeps the lines of a paragraph that begins with a backspace)
    from optimizer.bot.visit import Wishes
    from optimizer.cli.outcome import finish
    from optimizer.cli.proofs import Wanted
    from optimizer.cli.repositories import Run, outcome
    from optimizer.cli.request import Request

    request = Request(
        level=level,
        select=tuple(select or ()),
        ignore=tuple(ignore or ()),
        target=target,
        build_args=tuple(build_arg or ()),
        config=config.absolute() if config else None,
        output=output,
        jobs=1,
        quiet=True,
        verbose=verbose,
    )
    wanted = Wanted(builder, tuple(smoke or ()), tuple(http or ()), network, limit) if verify else None
    if wanted:
        wanted.settings()  # refuses a smoke check that cannot be read before anything is cloned
    if resume is not None and not dry_run and (problem := _unusable(resume)):
        raise typer.BadParameter(problem, param_hint="--resume")
    run = Run(
        request,
        Wishes(base, branch_prefix, split, fork, dry_run),
        wanted,
        forge.value if forge else None,
        suggest,
        resume,
        jobs,
        quiet=quiet,
    )
    named = _all(targets, from_)
    if suggest is not None and len(named) != 1:
        raise typer.BadParameter("a number belongs to one repository", param_hint="--suggest")
    finish(outcome(named, run, as_json=format_ is RunFormat.JSON))


def _unusable(file: Path) -> str | None:
    """Return why nothing can be noted in a file."""
    try:
        file.open("a").close()
    except OSError as error:
        return f"{file}: {error.strerror}"
    return None


def _all(targets: list[str] | None, file: Path | None) -> list[str]:
    """Return the targets of the command line and of the file."""
    if file is None:
        return targets or ["."]
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file}: {error}", param_hint="--from") from None
    return [*(targets or ()), *(line.strip() for line in lines if line.strip() and not line.startswith("#"))]
