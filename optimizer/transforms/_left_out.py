"""Keep what an install makes out of the build context, so that no later COPY replaces it."""

from collections.abc import Sequence

from msgspec import Struct

from optimizer.context import Context
from optimizer.model import Dockerfile
from optimizer.transforms._finding import Artifact, Decline, Level
from optimizer.transforms._ignorable import Build
from optimizer.transforms._ignore_file import ignore_lines


class LeftOut(Struct, frozen=True):
    """The ignore file with what was added, if anything was, and the level that this lowers the rewrite to."""

    artifacts: tuple[Artifact, ...] = ()
    level: Level | None = None


def leave_out(dockerfile: Dockerfile, context: Context, outputs: Sequence[str], stage: int) -> LeftOut | str:
    """Return how to leave these paths of the context out, which an install of that stage makes, or why not to."""
    missing = [o for o in outputs if context.exists(o) or (is_usual(o) and not context.ignore.ignores(o))]
    reason = _why_wanted(context, missing) or (_why_needed(dockerfile, context, missing, stage) if missing else None)
    if reason or not missing:
        return reason or LeftOut()
    # Files that are there now reached the image until now: then no more than equivalence is promised.
    level = Level.EQUIVALENT if any(context.exists(output) for output in missing) else None
    return LeftOut((ignore_lines(context, missing),), level)


def _why_wanted(context: Context, missing: Sequence[str]) -> str | None:
    """Say which of the folders the ignore file brings back, maybe in part: somebody wants that in the image."""
    exceptions = [pattern for pattern in context.ignore.patterns if pattern.startswith("!")]
    for output in filter(context.exists, missing):
        name = output.rpartition("/")[2]
        rule = next((pattern for pattern in exceptions if name in pattern[1:].split("/")), None)
        if rule or context.ignore.ignores(output):
            told = f"{context.ignore_path} says {rule or 'that some of it stays'}"
            return f"{output} of the build context could replace what the install made, and cannot be ignored: {told}"
    return None


def _why_needed(dockerfile: Dockerfile, context: Context, missing: Sequence[str], stage: int) -> str | None:
    build = Build.of(dockerfile, context)
    if isinstance(build, Decline):
        return build.reason
    for output in missing:
        reason = build.why_kept(output, stage)
        if reason:
            return f"{output} of the build context could replace what the install made, and cannot be ignored: {reason}"
    return None


_USUAL = frozenset({"node_modules", ".venv", "obj", "deps", "_build", ".build", "build", "vcpkg_installed"})


def is_usual(output: str) -> bool:
    """Tell whether developers have this folder beside their sources too, even where it is not there just now."""
    *above, name = output.split("/")
    return name in _USUAL or above[-1:] == ["subprojects"]
