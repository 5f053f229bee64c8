"""Where the files of the build context stand in the image: what a COPY or ADD brings, path by path.

Source: BuildKit `frontend/dockerfile/dockerfile2llb/convert.go` (dispatchCopy) and Docker's reference, "COPY".
"""

import posixpath
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

from msgspec import Struct

from optimizer.context import Context
from optimizer.model import BASE_WORKDIR, Step
from optimizer.syntax.lazy_pattern import lazy_pattern

# Settings, certificates and keys of the programs that download, which an install may need without saying so.
_SETTINGS = lazy_pattern(
    r"/(?:root|home/[^/]+)/\..+|/usr/(?:local/)?(?:etc|share/ca-certificates)/.+"
    r"|/etc/(?:apk|apt|ca-certificates|conda|dnf|environment|gitconfig|hosts|npmrc|pip\.conf|pki|ssh|ssl|xdg|yum)\b.*"
)
_FILES = lazy_pattern(
    r"(?:Brew|Caddy|Cap|Docker|Gem|Jenkins|Just|Make|Pip|Pod|Proc|Rake|Task|Vagrant)file|LICENSE|gradlew|mvnw"
)
_PLAIN_FLAGS = frozenset({"chown", "chmod", "link"})


class Placed(Struct, frozen=True):
    """A file or folder of the context and where it stands in the image."""

    source: str
    destination: str
    folder: bool


class Copied(Struct, frozen=True):
    """A COPY or ADD whose sources and destination are known."""

    step: Step
    placed: tuple[Placed, ...]
    destination: str  # the folder (or file) in the image, absolute or below BASE_WORKDIR

    def source_of(self, image_path: str) -> str | None:
        """Return the context path that it puts at an image path, None where it puts nothing there."""
        for one in reversed(self.placed):
            inner = below(image_path, one.destination)
            if inner is not None and (one.folder or not inner):
                return posixpath.join(one.source, inner) if inner else one.source
        return None

    def files(self, context: Context) -> Iterator[str]:
        """Go through the context files that it brings."""
        return (file for file, _ in self.pairs(context))

    def pairs(self, context: Context) -> Iterator[tuple[str, str]]:
        """Go through the context files that it brings, each with its image path."""
        for one in self.placed:
            if one.folder:
                yield from (
                    (f, posixpath.join(one.destination, below(f, one.source) or f)) for f in context.under(one.source)
                )
            else:
                yield one.source, one.destination


def brings_context(step: Step) -> bool:
    """Tell whether a step is a COPY or ADD of files from the build context."""
    return step.name in {"COPY", "ADD"} and step.instruction.flag("from") is None and not step.instruction.heredocs


def read_copy(step: Step, context: Context) -> Copied | str:
    """Return what a COPY or ADD of context files brings, or a clause that says why it cannot be told."""
    instruction, state = step.instruction, step.state
    if instruction.problem:
        return instruction.problem
    odd = next((f.name for f in instruction.flags if f.name not in _PLAIN_FLAGS), None)
    if odd:
        return f"the {instruction.name} has the flag --{odd}"
    words = [state.word(word) for word in instruction.arguments]
    if len(words) < 2 or None in words:  # noqa: PLR2004 - a source and a destination at the least
        return f"the {instruction.name} names its files through variables that are not known"
    *sources, target = (word for word in words if word is not None)
    destination = image_path(target, state.workdir)
    placed = context.once(
        ("placed", *sources, target, state.workdir),
        lambda seen: _all_placed(sources, target, destination, seen, state.workdir),
    )
    return placed if isinstance(placed, str) else Copied(step, placed, destination)


def _all_placed(
    sources: Sequence[str], target: str, destination: str, context: Context, workdir: str | None
) -> tuple[Placed, ...] | str:
    placed: list[Placed] = []
    for source in sources:
        found = _placed(source, target, destination, context, several=len(sources) > 1, workdir=workdir)
        if isinstance(found, str):
            return found
        placed += found
    return tuple(placed)


def _placed(
    source: str, target: str, destination: str, context: Context, *, several: bool, workdir: str | None
) -> list[Placed] | str:
    if "://" in source or source.startswith("git@"):
        return f"{source} is not a file of the build context"
    matches = context.match(source)
    if not matches:
        return f"{source} is not in the build context"
    into = several or len(matches) > 1 or target.endswith(("/", "/.")) or destination in {workdir, BASE_WORKDIR, "/"}
    result = []
    for match in matches:
        if context.is_dir(match):
            result.append(Placed(match, destination, folder=True))
        elif into:
            result.append(Placed(match, posixpath.join(destination, posixpath.basename(match)), folder=False))
        elif posixpath.basename(match) == posixpath.basename(destination) and _is_file_name(match):
            result.append(Placed(match, destination, folder=False))
        else:
            # `COPY a /x` makes a file x, or puts a into an existing folder x: only the image would tell.
            return f"whether {target} is a file or a folder cannot be told"
    return result


def _is_file_name(path: str) -> bool:
    """Tell whether nobody calls a folder so, as `requirements.txt` or `Pipfile`."""
    name = posixpath.basename(path)
    return bool(posixpath.splitext(name)[1]) or bool(_FILES.fullmatch(name))


def is_settings(copied: Copied, context: Context) -> bool:
    """Tell whether a COPY brings settings of programs alone: it has to stay above whatever they are for."""
    return all(_SETTINGS.fullmatch(path) for _, path in copied.pairs(context))


def overlaid(copies: Sequence[Copied], context: Context) -> bool:
    """Tell whether two COPYs bring different files of the context to the same place in the image."""
    if len(copies) < 2:  # noqa: PLR2004 - two are needed
        return False
    return context.once(("overlaid", *(copied.placed for copied in copies)), lambda seen: _overlaid(copies, seen))


def _overlaid(copies: Sequence[Copied], context: Context) -> bool:
    kept: list[Copied] = []
    often: Counter[tuple[Placed, ...]] = Counter()
    for copied in copies:
        often[copied.placed] += 1
        if often[copied.placed] > 2:  # noqa: PLR2004 - a third of the same shows what the first two do
            continue
        if _differ(copied, kept, context):
            return True
        kept.append(copied)
    return False


def _differ(copied: Copied, above: Sequence[Copied], context: Context) -> bool:
    above = [other for other in above if overlap(other.destination, copied.destination)]
    return bool(above) and any(
        (source := other.source_of(path)) not in {None, file} and context.exists(source or "")
        for file, path in copied.pairs(context)
        for other in above
    )


@lru_cache(maxsize=1024)
def image_path(path: str, workdir: str | None) -> str:
    """Return a path of the image as an absolute one (below BASE_WORKDIR where the directory is not known)."""
    return posixpath.normpath(posixpath.join(workdir or BASE_WORKDIR, path)).replace("//", "/")


def below(path: str, folder: str) -> str | None:
    """Return what of `path` lies below `folder` ("" for the folder itself), None where it is elsewhere."""
    if path == folder:
        return ""
    prefix = folder if folder.endswith("/") else folder + "/"
    return path[len(prefix) :] if path.startswith(prefix) else None


def overlap(one: str, other: str) -> bool:
    """Tell whether two image paths may hold the same files; a path below an unknown folder may be anywhere."""
    unknown = one.startswith(BASE_WORKDIR) != other.startswith(BASE_WORKDIR)
    return unknown or below(one, other) is not None or below(other, one) is not None
