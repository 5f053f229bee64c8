"""Files of the build context that lie beside those of the image: the COPY that brings them is done once more.

One by one they would be written into the Dockerfile, and the next file of the project would be missing.
"""

from collections.abc import Iterator

from msgspec import Struct

from optimizer.model import Step
from optimizer.transforms._copies import Copied, brings_context, image_path, read_copy
from optimizer.transforms.stages.nodes import Build

_WILD = frozenset("*?[")


class Brought(Struct, frozen=True):
    """What is copied from the build stage, the COPYs of the context that are repeated, what is copied over them."""

    copies: tuple[str, ...]
    again: tuple[Step, ...] = ()
    over: tuple[str, ...] = ()


def brought(build: Build, copies: tuple[str, ...]) -> Brought | str:
    """Take apart what is copied; a clause where a COPY that may bring more tomorrow cannot be repeated."""
    left, again, over = dict.fromkeys(copies), list[Step](), dict[str, None]()
    tops: list[str] = []
    touched = {path for work in build.works for _, effect in work.effects for path in effect.makes}
    for step in build.stage.body:
        copied = read_copy(step, build.subject.context) if brings_context(step) else None
        if not isinstance(copied, Copied):
            continue
        pairs = {path: source for source, path in copied.pairs(build.subject.context)}
        mine = [path for path, source in pairs.items() if build.copied.get(path) == source and path in left]
        if not mine or not _may_grow(copied):
            continue
        if reason := _why_not(step, build, whole=len(mine) == len(pairs)):
            return reason
        again.append(step)
        tops += [one.destination.rstrip("/") for one in copied.placed if one.folder]
        over.update(dict.fromkeys(path for path in mine if path in touched))
        for path in mine:
            del left[path]
    # What an own machine has built of the same name must not come out on top.
    above = [path for path in left if any(path.startswith(f"{top}/") for top in tops)]
    return Brought(tuple(p for p in left if p not in above), tuple(again), tuple(dict.fromkeys((*above, *over))))


def _may_grow(copied: Copied) -> bool:
    """Tell whether a COPY brings whatever lies in a folder or fits a pattern."""
    words = copied.step.instruction.arguments[:-1]
    return any(one.folder for one in copied.placed) or any(_WILD & set(word) for word in words)


def _why_not(step: Step, build: Build, *, whole: bool) -> str | None:
    """Say why a COPY cannot be repeated: it would bring more than the build left, or mean something else."""
    if not whole:
        return f"the {step.name} of line {step.line} brings files that the build changes, removes or does not leave"
    target = step.instruction.arguments[-1]
    if "$" in " ".join(step.instruction.arguments) or "$" in (step.instruction.flag("chown") or ""):
        return f"the {step.name} of line {step.line} names variables"
    if not target.startswith("/") and image_path(".", step.state.workdir) != image_path(".", build.workdir):
        at_root = build.workdir == "/" and step.state.workdir is None
        return None if at_root else f"the {step.name} of line {step.line} is done in another folder"
    return None


def instructions(steps: tuple[Step, ...]) -> Iterator[str]:
    """Go through the texts of the COPYs that are repeated."""
    return (step.instruction.text.rstrip("\r\n").replace("\r\n", "\n") for step in steps)
