"""The COPY lines that bring the manifests of a COPY, written as its author wrote that COPY."""

import posixpath
import re
from collections.abc import Mapping
from json import dumps

from optimizer.context import Context
from optimizer.syntax import Document
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._copies import Copied, below

_PATTERN = lazy_pattern(r"[*?\[\]\\$]")


def copy_lines(document: Document, copied: Copied, manifests: Mapping[str, str], context: Context) -> list[str] | None:
    """Return the lines, one a folder of the image, that copy `manifests` (image path -> context path).

    None where a name would be read as a pattern or a variable.
    """
    if any(_PATTERN.search(source) for source in manifests.values()):
        return None
    groups: dict[str, list[str]] = {}
    for path, source in manifests.items():
        # A folder is copied by its contents, so it has a line and a destination of its own, as a named file has.
        folder = path if context.is_dir(source) or path == copied.destination else posixpath.dirname(path)
        groups.setdefault(folder, []).append(source)
    return [_line(document, copied, sources, folder) for folder, sources in groups.items()]


def _line(document: Document, copied: Copied, sources: list[str], folder: str) -> str:
    instruction = copied.step.instruction
    keyword = "copy" if instruction.keyword.islower() else "COPY"
    flags = [document.source[flag.span.start : flag.span.end] for flag in instruction.flags]
    written = instruction.arguments[-1]
    named = any(not one.folder and one.destination == folder for one in copied.placed)
    words = [*sources, written if named else _target(written, below(folder, copied.destination) or "")]
    shown = [dumps(words)] if any(re.search(r"\s", word) for word in words) else words
    return " ".join([keyword, *flags, *shown])


def _target(written: str, inner: str) -> str:
    """Return the destination of a folder, from that of the whole as written."""
    if not inner:
        return written if written.endswith("/") else written + "/"
    base = posixpath.join(written, inner) if written not in {".", "./"} else inner
    return base + "/"
