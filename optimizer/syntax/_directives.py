"""Parser directives, as in moby/buildkit frontend/dockerfile/parser/directives.go."""

from typing import NamedTuple

from optimizer.syntax._lines import SPACE, Line
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.syntax.nodes import Directive, Span

_DIRECTIVE = lazy_pattern(r"([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*([^\n]+)")
_NAMES = frozenset({"syntax", "escape", "check"})


class Header(NamedTuple):
    """The directives at the top of a file, and why BuildKit refuses one, if it does."""

    directives: tuple[Directive, ...]
    problem: str | None

    @property
    def escape(self) -> str:
        """The escape character that the directives ask for."""
        return next((d.value for d in self.directives if d.name == "escape"), "\\")


def read_header(lines: list[Line]) -> Header:
    """Read the directives: the run of `# name=value` lines at the top; anything else ends it."""
    found: dict[str, Directive] = {}
    for line in lines:
        directive = _directive(line)
        if directive is None:
            break
        if directive.name in found:
            return Header(tuple(found.values()), f"only one {directive.name} parser directive can be used")
        if directive.name == "escape" and directive.value not in ("\\", "`"):
            return Header(tuple(found.values()), f"invalid escape token {directive.value!r}, must be ` or \\")
        found[directive.name] = directive
    return Header(tuple(found.values()), None)


def _directive(line: Line) -> Directive | None:
    text = line.text.lstrip(SPACE)
    if not text.startswith("#"):
        return None
    match = _DIRECTIVE.fullmatch(text[1:].lstrip(SPACE))
    if match is None or match[1].lower() not in _NAMES:
        return None
    value = match[2].rstrip("\t\f\r ") or match[2]
    return Directive(match[1].lower(), value, Span(line.start, line.start + len(line.text)))
