"""Texts of stages, from the templates."""

from functools import cache
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def filled(template: str, **values: object) -> str:
    """Fill in a template of `templates/stages`; a value that is missing is an error."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    package = normpath(join(dirname(__file__), "../.."))
    places = [f"{package}/templates/stages", f"{dirname(package)}/templates/stages"]  # installed, or a checkout
    return Environment(
        loader=FileSystemLoader(places),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - the texts are Dockerfiles, not HTML
    )
