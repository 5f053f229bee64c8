"""Why the sources cannot be copied below an install that is separable as such."""

from collections.abc import Sequence

from optimizer.context import Context
from optimizer.model import Dockerfile
from optimizer.shell import Command, state_changes
from optimizer.transforms._copies import Copied, image_path, overlap
from optimizer.transforms._early_installs import Early
from optimizer.transforms._layout import why_not_movable
from optimizer.transforms._left_out import is_usual


def why_unsafe(dockerfile: Dockerfile, context: Context, early: Early, moving: Sequence[Copied]) -> str | None:
    """Say what would go wrong if the COPYs `moving` stood below the installs, None where nothing would."""
    document = dockerfile.document
    for instruction in (*(c.step.instruction for c in moving), early.installs[-1].step.instruction):
        reason = why_not_movable(document, instruction)
        if reason is not None:
            return reason
    for copied in moving:
        reason = _why_root_clashes(copied, context)
        if reason is not None:
            return reason
    for output in filter(context.exists, outputs(early, moving)):
        if context.tracked(output):
            return f"{output} is part of the repository: copied later, it would replace what the install made"
        if not is_usual(output) and not context.is_file(f"{output}/pyvenv.cfg"):
            return f"the install writes to {output}, where the COPY puts files too"
    return (
        _why_rewritten(dockerfile, early)
        or _why_not_carried(early)
        or _why_not_replaced(early, moving)
        or _why_filled(dockerfile, early)
        or _why_dropped(dockerfile, early)
    )


def _why_dropped(dockerfile: Dockerfile, early: Early) -> str | None:
    """Say which VOLUME keeps a RUN whole: builders other than BuildKit drop what one writes there at its end."""
    last = early.installs[-1].step
    lineage = dockerfile.lineage(last.stage)
    for step in dockerfile.steps[: last.index] if early.cut is not None else ():
        if step.name == "VOLUME" and step.stage in lineage:
            names = [step.state.word(word) or "/" for word in step.instruction.json or step.instruction.arguments]
            if any(overlap(name, copied.destination) for name in names for copied in early.moved):
                return f"what a RUN writes into the VOLUME of line {step.line} may be gone in the next"
    return None


def _why_filled(dockerfile: Dockerfile, early: Early) -> str | None:
    """Say which step above brings files of another stage to the project, which a build ahead would take for sources."""
    last, first = early.installs[-1], early.moved[0].step
    for step in dockerfile.stages[first.stage].body if last.stand_ins else ():
        if step.index >= first.index:
            break
        words = step.instruction.arguments
        foreign = step.name == "COPY" and step.instruction.flag("from") is not None and words
        if foreign and overlap(image_path(words[-1], step.state.workdir), last.folder):
            return f"line {step.line} brings files that a build ahead of the sources would find"
    return None


def _why_not_replaced(early: Early, moving: Sequence[Copied]) -> str | None:
    """Say why what stands in for a source might stay there, or could not be written."""
    last = early.installs[-1]
    if last.stand_ins and last.step.state.user not in {None, "root", "0"}:
        return f"the user {last.step.state.user} may not write where the manifests are copied to"
    staying = (path for path in last.stand_ins if all(c.source_of(path) is None for c in moving))
    return next((f"{path} is there before the other sources are copied" for path in staying), None)


def why_there(early: Early, earlier: Sequence[Copied]) -> str | None:
    """Say which source another COPY has brought already, where what is done ahead must not find one."""
    there = (p for p in early.installs[-1].stand_ins if any(c.source_of(p) is not None for c in earlier))
    return next((f"{path} is there before the other sources are copied" for path in there), None)


# Folders of every image that an install writes to.
_SYSTEM = frozenset("bin boot dev etc home lib lib64 opt proc root run sbin srv sys tmp usr var".split())


def _why_root_clashes(copied: Copied, context: Context) -> str | None:
    if copied.destination != "/":
        return None
    tops = {file.split("/", 1)[0] for placed in copied.placed if placed.folder for file in context.under(placed.source)}
    clash = sorted(tops & _SYSTEM)
    return f"the COPY to / brings a folder {clash[0]} of the system" if clash else None


def _why_rewritten(dockerfile: Dockerfile, early: Early) -> str | None:
    """Say why a lock file that an install updates must not be put back by the later COPY."""
    last = early.installs[-1].step
    readers = {"ci", "install", "i", "prune", "sync", "update", "add"}
    for one in early.installs:
        if not one.install.rewrites:
            continue
        for step in dockerfile.after(last):
            for call in step.run.calls if step.run else ():
                if call.program == one.call.program and readers & {w.value for w in call.arguments}:
                    return (
                        f"{one.install.rewrites[0]} is out of date: line {step.line} reads what the install makes of it"
                    )
    return None


def outputs(early: Early, moving: Sequence[Copied]) -> list[str]:
    """Return the context paths of what the installs make, where a moved COPY would bring them."""
    outputs = (output for one in early.installs for output in one.outputs)
    return list(dict.fromkeys(s for o in outputs for c in moving if (s := c.source_of(o)) is not None))


def carried(early: Early) -> tuple[Command, ...] | None:
    """Return the commands whose effect on the shell the rest of a cut RUN needs; None where that is not certain."""
    last = early.installs[-1]
    run = last.step.run
    if early.cut is None or run is None or run.script.chain is None:
        return ()
    carried = []
    for part in run.script.chain[: early.cut]:
        changes = state_changes(part)
        if not changes:
            continue
        if not isinstance(part, Command) or not changes <= {"cd", "options"}:
            return None
        carried.append(part)
    return tuple(carried)


def _why_not_carried(early: Early) -> str | None:
    if carried(early) is None:
        return "the RUN sets up its shell before the install for the commands behind it"
    return None
