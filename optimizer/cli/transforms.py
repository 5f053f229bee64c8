"""`dfopt transforms`: the catalogue."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from optimizer.transforms import Transform


def _complete(incomplete: str) -> list[tuple[str, str]]:
    from optimizer.transforms import all_transforms

    return [(t.id, t.summary) for t in all_transforms() if t.id.startswith(incomplete)]


def transforms(
    id_: Annotated[
        str | None, typer.Argument(metavar="ID", autocompletion=_complete, help="Show this transform's page.")
    ] = None,
) -> None:
    """List the transforms, or show the page of one.

    \b
    Examples:
      dfopt transforms
      dfopt transforms split-manifest-copy
    """  # noqa: D301 (typer keeps the lines of a paragraph that begins with a backspace)
    from optimizer.cli.outcome import Outcome, finish
    from optimizer.transforms import all_transforms

    finish(Outcome(_table(all_transforms()) if id_ is None else _page(id_)))


def _table(every: "Iterable[Transform]") -> str:
    """Return one line a transform, in columns."""
    rows = [("id", "level", "gain", "what it does"), *((t.id, str(t.level), t.gain, t.summary) for t in every)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = (
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows
    )
    return "\n".join(lines) + "\n"


def _page(id_: str) -> str:
    """Return the documentation of a transform as Markdown."""
    from optimizer.cli.catalogue import unknown_id
    from optimizer.cli.texts import text_of
    from optimizer.transforms import all_transforms

    if problem := unknown_id(id_):
        raise typer.BadParameter(problem, param_hint="ID")
    transform = next(t for t in all_transforms() if t.id == id_)
    return text_of("docs/transform.md.j2", transform=transform)
