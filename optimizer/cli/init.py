"""`dfopt init`: a configuration to start from."""

from pathlib import Path
from typing import Annotated

import typer


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write dfopt.toml.")] = Path(),
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a commented configuration, dfopt.toml.

    Everything in it is commented out, so it changes nothing yet.

    \b
    Examples:
      dfopt init
      dfopt init services/api --force
    """  # noqa: D301 (typer keeps the lines of a paragraph that begins with a backspace)
    from optimizer.cli.outcome import Outcome, finish
    from optimizer.cli.texts import text_of
    from optimizer.transforms import all_transforms

    path = folder / "dfopt.toml"
    if not folder.is_dir():
        raise typer.BadParameter(f"{folder} is no folder", param_hint="FOLDER")
    text = text_of("config/dfopt.toml.j2", transforms=all_transforms())
    try:
        with path.open("w" if force else "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        finish(Outcome("", (f"dfopt: {path} is there already; --force replaces it",), 2))
    except OSError as error:
        finish(Outcome("", (f"dfopt: {path}: cannot be written: {error.strerror}",), 2))
    finish(Outcome(f"{path} written\n"))
