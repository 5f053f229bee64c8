"""What a statement reads or starts that is not there yet, or not at all, where it is done once more."""

from collections.abc import Iterator

from optimizer.model import Step, mounts
from optimizer.shell import Call
from optimizer.transforms.stages.effects import LOOKING, is_of_system
from optimizer.transforms.stages.nodes import Build, Effect
from optimizer.transforms.stages.paths import is_covered
from optimizer.transforms.stages.words import known_path, operands

_SAYING = frozenset({"cd", "echo", "export", "printf", "set", "ulimit", "unset"})
_ARRANGING = frozenset({"chgrp", "chmod", "chown", "ln", "mkdir", "touch"})
_MANAGERS = frozenset({"bun", "corepack", "npm", "pnpm", "yarn"})
_PASSING = frozenset({"cache", "tmpfs"})  # kinds of mounts without which a statement does the same


def why_reads(
    step: Step, effects: tuple[tuple[Call, Effect], ...], build: Build, copies: tuple[str, ...]
) -> str | None:
    """Say what a statement needs that it does not find before the files are copied, None where there is nothing."""
    plain = all(call.program in _SAYING | _ARRANGING or is_of_system(call.program) for call, _ in effects)
    if not plain and any(mount.kind not in _PASSING for mount in mounts(step)):
        return "reads what is mounted"
    for call, _ in effects:
        if call.program in _ARRANGING | _MANAGERS | {""} or is_of_system(call.program):
            continue
        if call.program not in LOOKING and not is_of_system(call.program, any_rule=True):
            return f"starts {call.program}, which the image that runs may lack"
        if path := next(_read(call, build, copies), None):
            return f"reads {path}, which is not there yet"
    return None


def _read(call: Call, build: Build, copies: tuple[str, ...]) -> Iterator[str]:
    """Go through the files that a call is told of and that the build brings."""
    for word in operands(call) if call.program not in _SAYING else ():
        path = known_path(word, call)
        known = path in build.copied or path in build.made or f"{path}/" in (*build.made, *build.folders)
        if path and (known or (word.text.startswith("/") and is_covered(path, (*build.made, *copies)))):
            yield path
