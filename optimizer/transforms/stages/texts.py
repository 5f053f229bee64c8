"""Texts of stages, from the templates."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def filled(template: str, **values: object) -> str:
    """Fill in a template of `templates/stages`; a value that is missing is an error."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    package = Path(__file__).parents[2]
    installed = package / "templates"
    folder = installed if installed.is_dir() else package.parent / "templates"
    return Environment(
        loader=FileSystemLoader(folder / "stages"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - the texts are Dockerfiles, not HTML
    )
