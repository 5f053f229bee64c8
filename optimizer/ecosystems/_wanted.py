"""The packages that a pip-like install names on its command line."""

import re

from optimizer.ecosystems._arguments import Argument
from optimizer.ecosystems._requirements import ARCHIVES, NAMED, Requirements
from optimizer.ecosystems.ecosystem import Refusal


def read_words(found: Requirements, tool: str, words: tuple[Argument, ...]) -> Refusal | None:
    """Take in what is to be installed; say which word is a project that is built, or is not known."""
    for word in words:
        if word.value is None:
            refusal = None if _names_package(word.text) else _unknown_or_source(tool, word.text)
        else:
            refusal = found.line(word.value)
        if refusal:
            return _built_here(tool, word.text) if is_path(word.text) and "built from" in refusal.reason else refusal
    return None


def _names_package(text: str) -> bool:
    """Tell whether a word with a variable in it can only name a package: `poetry==$VERSION`, `uvicorn[standard]`."""
    literal = text.split("$", 1)[0]
    return NAMED.match(literal) is not None and (literal == text or re.search(r"[=<>~!]=?$|==.+$", literal) is not None)


def _unknown_or_source(tool: str, text: str) -> Refusal:
    return _built_here(tool, text) if text.startswith((".", "/")) else Refusal(f"the word {text} is not known")


def _built_here(tool: str, text: str) -> Refusal:
    return Refusal(f"{tool} install {text} builds the project from its sources")


def is_path(text: str) -> bool:
    """Tell whether a word is a path rather than the name of a package or an address."""
    bare = text.split("[", 1)[0]
    return bare.startswith(".") or ("/" in bare and "://" not in bare and "@" not in bare) or bare.endswith(ARCHIVES)
