"""Words from files put into Markdown so that they mean only themselves."""

from optimizer.syntax.lazy_pattern import lazy_pattern

_SPECIAL = frozenset("\\`*_{}[]<>#|~")
# `@name`, `#1` and `!1` would call people, or link to requests, wherever the text is shown.
_CALLS = lazy_pattern(r"([@#!])(?=\w)")
_NOTHING = "\u200b"


def escaped(text: str) -> str:
    """Return a text as one line whose characters mean nothing to Markdown, and which calls nobody."""
    parted = _CALLS.sub(rf"\1{_NOTHING}", " ".join(text.split()))
    return "".join(f"\\{char}" if char in _SPECIAL else char for char in parted)


def code(text: str) -> str:
    """Return a text as code that holds in a table, whatever stands in it."""
    flat = " ".join(text.replace("|", "\\|").split())
    return f"`` {flat} ``" if "`" in flat else f"`{flat}`"
