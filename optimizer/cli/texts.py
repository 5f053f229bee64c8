"""Texts that are longer than a line, from the templates."""

from pathlib import Path


def templates_folder() -> Path:
    """Return where the templates are: inside the package once installed, beside it in a checkout."""
    from importlib.resources import files

    package = Path(str(files("optimizer")))
    installed = package / "templates"
    return installed if installed.is_dir() else package.parent / "templates"


def text_of(template: str, **values: object) -> str:
    """Fill in a template, named by its path below the folder; a value that is missing is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(templates_folder()),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=_is_page,  # noqa: S701 (pages only; the other texts are TOML and Markdown)
    )
    return environment.get_template(template).render(**values)


def _is_page(template: str | None) -> bool:
    """Tell whether values must be escaped for HTML."""
    return bool(template and template.endswith(".html.j2"))
