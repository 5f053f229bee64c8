"""How far up a RUN can go past instructions that it has nothing to do with."""

import posixpath
from collections.abc import Sequence

from msgspec import Struct

from optimizer.context import Context
from optimizer.model import BASE_WORKDIR, Step
from optimizer.transforms._copies import Copied, brings_context, image_path, read_copy
from optimizer.transforms._independence import why_dependent

_FREE = frozenset({"CMD", "ENTRYPOINT", "EXPOSE", "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD", "STOPSIGNAL"})


class Way(Struct, frozen=True):
    """Where a RUN can go: above `target` (None: it stays, for `reason`)."""

    target: Step | None
    reason: str = ""


def way_up(run: Step, above: Sequence[Step], copies: Sequence[Step], context: Context) -> Way | None:
    """Return how far a RUN can go; `above` are the steps that it stands below, as they will be, top first.

    `copies` are those among them that bring context files; None where there is none.
    """
    if not copies:
        return None
    crossed: list[Step] = []
    reason = ""
    for step in reversed(above):
        reason = _why_stopped(run, step, context)
        if reason:
            break
        crossed.append(step)
    passed = {step.index for step in crossed}
    moved = [step for step in copies if step.index in passed]
    if not moved:
        return Way(None, reason)
    return _way(moved, [step for step in copies if step.index not in passed], context)


def destinations(step: Step, context: Context) -> list[str] | None:
    """Return the image paths that a COPY or ADD writes to, or a WORKDIR makes, None where they cannot be told."""
    copied = read_copy(step, context) if brings_context(step) else ""
    if isinstance(copied, Copied):
        return [placed.destination for placed in copied.placed]
    arguments = step.instruction.arguments
    target = step.state.word(arguments[-1]) if len(arguments) > (step.name != "WORKDIR") else None
    if step.instruction.problem or target is None:
        return None
    return [image_path(target, step.state.workdir)]


def _why_stopped(run: Step, step: Step, context: Context) -> str:
    """Say why a RUN cannot pass a step, "" where it can."""
    if step.name in _FREE:
        return ""
    if step.name not in {"COPY", "ADD", "WORKDIR"}:
        return f"{step.name} in line {step.line} stands between"
    paths = destinations(step, context)
    if paths is None or any(path.startswith(BASE_WORKDIR) for path in paths):
        what = "leads" if step.name == "WORKDIR" else "puts its files"
        return f"where {step.name} in line {step.line} {what} is not known"
    reason = why_dependent(run, [posixpath.normpath(path) for path in paths])
    return f"{reason} ({step.name} in line {step.line})" if reason else ""


def _way(passed: Sequence[Step], remaining: Sequence[Step], context: Context) -> Way:
    """Return the way past the crossed copies, unless one further up brings the same files."""
    moved = _sources(passed, context)
    for step in remaining:
        kept = _sources([step], context)
        if moved and kept and all(any(_holds(k, m) for k in kept) for m in moved):
            return Way(None, f"{step.name} in line {step.line} brings the same files further up")
    return Way(passed[0])


def _sources(steps: Sequence[Step], context: Context) -> list[str] | None:
    """Return the context paths that steps copy, None where they cannot be told."""
    found: list[str] = []
    for step in steps:
        copied = read_copy(step, context)
        if isinstance(copied, str):
            return None
        found += [placed.source for placed in copied.placed]
    return found


def _holds(folder: str, path: str) -> bool:
    return not folder or path == folder or path.startswith(folder + "/")
