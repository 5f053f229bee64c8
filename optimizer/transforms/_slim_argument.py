"""A base image whose version is a build argument: `FROM python:${VERSION}` after `ARG VERSION=3.12`.

The slim variant has the same words behind the version. Other versions may be given when the image is built, so all
that were pushed in the last years must have it, and nothing beside the Dockerfile may give a value that is no version.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from optimizer.context import Context
from optimizer.images import Variant, sibling, variant
from optimizer.images._tables import image_table
from optimizer.model import Dockerfile, Step
from optimizer.syntax.lazy_pattern import lazy_pattern

_WORD = lazy_pattern(r"((?:docker\.io/)?(?:library/)?)([a-z-]+):(\$\{?(\w+)\}?)((?:-[a-z][\w.]*)*)")
_NUMBER = lazy_pattern(r"\d+(?:\.\d+)*")
_VERSION_NAME = lazy_pattern(r"(?i:.*ver(?:sion)?|python|node|debian|ruby)")  # of TAG anything may be expected
_RECENT = "2022"
_GIVING = lazy_pattern(
    r"(?:.*/)?(?:(?:docker-)?compose[\w.-]*\.ya?ml|Makefile|justfile|.*\.(?:ya?ml|mk|sh|hcl|env)|\.env)"
)
_LARGEST = 200_000


class Argued(Struct, frozen=True):
    """The variant that the default leads to, and the image with its slim sibling's words behind the variable."""

    full: Variant
    name: str


def argued(dockerfile: Dockerfile, context: Context, step: Step, base: str | None) -> Argued | str | None:
    """Return what a FROM with a variable for a version leads to, or why it cannot change; None for another form."""
    match = _WORD.fullmatch(step.instruction.arguments[0])
    default = _default(dockerfile, match[4]) if match else None
    if (
        match is None
        or default is None
        or not _VERSION_NAME.fullmatch(match[4])
        or base != f"{match[1]}{match[2]}:{default}{match[5]}"
    ):
        return None
    full = variant(match[2], f"{default}{match[5]}")
    slim = sibling(full, add="slim") if full else None
    if full is None or slim is None or full.version != default or slim.version != default:
        return None
    behind = f"-{slim.suffix}"
    if odd := next(_without(full, match[5], behind), None):
        return f"{match[2]}:{odd} has no slim variant, and it may be asked for"
    if other := next(_given(context, match[4]), None):
        return f"{other} gives {match[4]} a value that is no version"
    return Argued(full, f"{match[2]}:{match[3]}{behind}")


def _default(dockerfile: Dockerfile, name: str) -> str | None:
    """Return the version that an ARG above the first FROM sets, None where it sets none or several do."""
    found = [
        word.partition("=")[2].strip("\"'")
        for step in dockerfile
        if step.name == "ARG" and step.stage < 0
        for word in step.instruction.arguments
        if word.partition("=")[0] == name
    ]
    return found[0] if len(found) == 1 and _NUMBER.fullmatch(found[0]) else None


def _without(full: Variant, words: str, behind: str) -> Iterator[str]:
    """Go through the recent versions that have such a tag and no slim one of the same release."""
    table = image_table(full.image)
    for version, (_, _, last) in table.versions.items() if table else ():
        if (last and last < _RECENT) or not _NUMBER.fullmatch(version):
            continue
        one = variant(full.image, f"{version}{words}")
        small = sibling(one, add="slim") if one and one.version == version else None
        if one and (small is None or small.tag != f"{version}{behind}"):
            yield one.tag


def _given(context: Context, name: str) -> Iterator[str]:
    """Go through the files that set the variable to something else than a version."""
    pattern = re.compile(rf"\b{re.escape(name)}\b\s*[=:]\s*[\"']?([\w.$(-]+)")
    for path, size in context.files.items():
        if size < _LARGEST and _GIVING.fullmatch(path) and "node_modules/" not in path:
            text = (context.read_bytes(path) or b"").decode("utf-8", "replace")
            if any(not _NUMBER.fullmatch(value) for value in pattern.findall(text)):
                yield path
