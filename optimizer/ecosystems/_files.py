"""Files of the project as an install finds them."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from posixpath import dirname, join, normpath

from optimizer.context import Context
from optimizer.ecosystems.ecosystem import Project, Refusal


class Refused(Exception):  # noqa: N818 - it is an answer, no error: caught where the question came in
    """An install that was found not to be separable deep in the reading of its files; the text is the reason."""


def need(context: Context, path: str) -> str:
    """Return the path of a file that an install reads; raise `Refused` where the build does not see it."""
    if not context.is_file(path):
        raise Refused(missing(context, path).reason)
    return path


def beside(folder: str, name: str) -> str | None:
    """Return the context path of a name relative to a context folder, None where it leaves the context."""
    path = normpath(join(folder, name))
    return None if path.startswith(("../", "/")) or path == ".." else "" if path == "." else path


def visible(context: Context, folder: str, *names: str) -> tuple[str, ...]:
    """Return the paths of those names in a folder that the build sees."""
    paths = (join(folder, name) for name in names)
    return tuple(path for path in paths if context.exists(path))


def missing(context: Context, path: str) -> Refusal:
    """Say why a file that an install needs cannot be copied."""
    if path in context.files:
        return Refusal(f"{path} is kept out of the build by {context.ignore_path}")
    return Refusal(f"{path or 'the file'} is not in the build context")


def upwards(project: Project, folder: str) -> Iterator[str]:
    """Go from a context folder up to the one that is copied."""
    while True:
        yield folder
        if folder in (project.source, ""):
            return
        folder = dirname(folder)


def nearest(project: Project, folder: str, *names: str) -> str | None:
    """Return the nearest folder, the given one first, that holds one of these files; None where none does."""
    return next((at for at in upwards(project, folder) if visible(project.context, at, *names)), None)


def unique(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the paths, each once, in order."""
    return tuple(dict.fromkeys(paths))


def below_folders(paths: Iterable[str], context: Context) -> tuple[str, ...]:
    """Return the paths, each once, without those that stand in a folder among them."""
    kept = unique(paths)
    folders = [p for p in kept if not context.is_file(p)]
    return tuple(p for p in kept if not any(p.startswith(f"{folder}/") for folder in folders))


@lru_cache(maxsize=256)
def folder_pattern(glob: str) -> re.Pattern[str]:
    """Return the expression for a glob of workspace folders: `*`, `**`, `?`, `[…]` and `{a,b}`."""
    text = normpath(glob.strip())
    out: list[str] = []
    depth = 0
    for piece in re.findall(r"\*\*/|/\*\*|\*+|\?|\[[^\]/]+\]|[{},]|[^*?\[{},/]+|.", text):
        depth += (piece == "{") - (piece == "}")
        out.append(_PIECES.get(piece) or _other(piece, in_braces=depth > 0))
    try:
        return re.compile("".join(out))
    except re.error:
        raise Refused(f"the workspace pattern {glob} is not understood") from None


_PIECES = {"**/": "(?:.*/)?", "/**": "(?:/.*)?", "*": "[^/]*", "**": ".*", "?": "[^/]", "{": "(?:", "}": ")"}


def _other(piece: str, *, in_braces: bool) -> str:
    if piece == ",":
        return "|" if in_braces else ","
    if piece.startswith("[") and piece.endswith("]"):
        return "[" + piece[1:-1].replace("!", "^", 1).replace("\\", "") + "]"
    return re.escape(piece)
