"""The commands put together."""

from typing import Annotated

import typer

from optimizer.cli.diff import diff
from optimizer.cli.explain import explain
from optimizer.cli.init import init
from optimizer.cli.pr import pr
from optimizer.cli.rewrite import rewrite
from optimizer.cli.transforms import transforms
from optimizer.cli.verify import verify

# Without markup and pretty tracebacks typer leaves rich alone, which would cost more time than a run.
app = typer.Typer(
    name="dfopt",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done or nothing to do, 1 changes found (diff, --check), 2 bad usage or input, "
    "3 a bug in dfopt stopped it (the file is untouched, a report is written), 4 a rewrite is not proven (verify).",
)
for command in (rewrite, diff, explain, verify, pr, transforms, init):
    app.command()(command)


def _version(wanted: bool) -> None:  # noqa: FBT001 (typer calls it so)
    if wanted:
        from optimizer import __version__

        typer.echo(f"dfopt {__version__}")
        raise typer.Exit


@app.callback()
def dfopt(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Rewrite Dockerfiles as a senior engineer would: smaller images, faster rebuilds, a reason for each change."""
