"""Build arguments whose value differs in every build, and how far down they can go."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from msgspec import Struct, field

from optimizer.model import Dockerfile, Stage, Step
from optimizer.syntax import pairs
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._finding import Decline, Finding, Rewrite
from optimizer.transforms._independence import sets_up, why_tied
from optimizer.transforms._layout import insert_after, instruction_with_comments, why_not_movable
from optimizer.transforms._programs import DEAF
from optimizer.transforms._taking_out import taken_out

_VOLATILE = lazy_pattern(
    r"(?:GIT|GITHUB|GITLAB|CIRCLE|TRAVIS|DRONE|BUILDKITE|BITBUCKET|VCS|CI|BUILD|COMMIT|SOURCE|IMAGE|APP|RELEASE)"
    r"_(?:\w+_)?(?:SHA1?|REF|REVISION|COMMIT|HASH|REV|ID|DATE|TIME|TIMESTAMP|NUMBER|NUM|VERSION|TAG|BRANCH)"
    r"|(?:GIT_)?COMMIT|REVISION|GIT_BRANCH|SHA|VERSION",
    re.IGNORECASE,
)
# What an ENV or LABEL that travels along must not pass: the order of what makes no files is kept.
_ORDERED = frozenset({
    "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "ONBUILD", "SHELL", "STOPSIGNAL", "USER", "VOLUME",
    "WORKDIR",
})  # fmt: skip
_MOST = 50  # volatile ARGs in a stage; more are no file that a person wrote, and each looks at all steps below
_WHY = "Its value differs in every build and is part of the key of every RUN below it, whether used or not."


class _Descent(Struct):
    """An ARG on its way down: what travels along, and how far it has come."""

    group: list[Step]
    names: set[str]
    gained: Step | None = None  # the last RUN passed that takes time
    group_there: list[Step] = field(default_factory=list)  # what travels along up to there
    stopped: str | None = None


def sink_volatile(dockerfile: Dockerfile, stage: Stage) -> Iterator[Finding]:
    """Move each volatile ARG of a stage, with the ENV and LABEL that hand its value on, below RUNs that ignore it."""
    together: dict[int, dict[int, Step]] = {}
    separate = "dfopt" in dockerfile.document.source  # a comment may spare one of several
    arguments = ((at, step, name) for at, step in enumerate(stage.body) if (name := _volatile_name(step)))
    first = list(islice(arguments, _MOST + 1))
    for position, step, name in first if len(first) <= _MOST else ():
        below = stage.body[position + 1 :]
        descent = _descend(step, name, below)
        if descent.gained is not None:
            members = together.setdefault(descent.gained.index if not separate else -position, {})
            members.update({member.index: member for member in (*descent.group_there, descent.gained)})
        elif descent.stopped and any(other.run is not None for other in below):
            yield Decline(step.line, descent.stopped)
    for members in together.values():
        *group, run = (members[index] for index in sorted(members))
        yield _finding(dockerfile, group, run)


def _volatile_name(step: Step) -> str | None:
    """Return the name that an ARG without a value declares, where it is one of those that differ in every build."""
    if step.name != "ARG":
        return None
    declared = pairs(step.instruction)
    if len(declared) != 1 or declared[0][1] is not None or not _VOLATILE.fullmatch(declared[0][0]):
        return None
    return declared[0][0]


def _descend(arg: Step, name: str, steps: Sequence[Step]) -> _Descent:
    descent = _Descent([arg], {name})
    for step in steps:
        if not _pass(step, descent):
            break
    return descent


def _pass(step: Step, descent: _Descent) -> bool:
    """Take the ARG and its company past a step, or the step along; tell whether it goes on."""
    text, accompanied = step.instruction.text, len(descent.group) > 1
    if any(re.search(rf"\b{re.escape(name)}\b", text) for name in descent.names):
        return _joins(step, descent)
    if accompanied and (step.name in _ORDERED or _feeds(step, descent.group)):
        descent.stopped = f"{step.name} in line {step.line} stands between"
        return False
    if step.run is None:
        return True
    if why_tied(step) or any(call.program not in DEAF for call in step.run.calls):
        descent.stopped = f"whether the RUN in line {step.line} reads {_volatile_name(descent.group[0])} is not known"
        return False
    if sets_up(step):
        descent.gained, descent.group_there = step, list(descent.group)
    return True


def _joins(step: Step, descent: _Descent) -> bool:
    """Let a LABEL or ENV that hands the value on travel along; tell whether it does."""
    if step.name == "ENV":
        names = [name for name, _ in pairs(step.instruction)]
        if len(descent.group) > 1 or not all(_VOLATILE.fullmatch(name) for name in names):
            return False
        descent.names.update(names)
    elif step.name != "LABEL":
        return False
    descent.group.append(step)
    return True


def _feeds(step: Step, group: Sequence[Step]) -> bool:
    """Tell whether an ARG declares a name that one of the group uses."""
    names = [name for name, _ in pairs(step.instruction)] if step.name == "ARG" else []
    return any(re.search(rf"\b{re.escape(n)}\b", member.instruction.text) for n in names for member in group)


def _finding(dockerfile: Dockerfile, group: Sequence[Step], run: Step) -> Finding:
    document = dockerfile.document
    blocked = next((why for s in (*group, run) if (why := why_not_movable(document, s.instruction))), None)
    if blocked:
        return Decline(group[0].line, blocked)
    text = "".join(instruction_with_comments(document, member.instruction) for member in group)
    below = document.instructions[run.index + 1 : run.index + 2]
    gap = document.newline if below and below[0].leading.startswith(("\n", "\r\n")) else ""
    return Rewrite(
        group[0].line,
        "Declare a value that differs in every build below the steps that ignore it",
        _WHY,
        (
            *taken_out(document, [member.instruction for member in group], ()),
            insert_after(document, run.instruction, gap + text),
        ),
    )
