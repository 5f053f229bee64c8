"""What a step's own part of its cache key is made of, the files that it takes in left out.

Source: BuildKit `frontend/dockerfile/dockerfile2llb/convert.go` (dispatchRun, dispatchCopy, dispatchWorkdir,
dispatchArg) and `solver/llbsolver/ops/{exec,file}.go` (CacheMap); for the builder before it moby
`builder/dockerfile/dispatchers.go`.
"""

import posixpath
from collections.abc import Hashable, Iterable, Mapping

from msgspec import Struct

from optimizer.layers.nodes import Builder
from optimizer.layers.sources import destination, image_path, mount_options
from optimizer.model import Dockerfile, Stage, State, Step
from optimizer.syntax import pairs, variables_in

_BUILT = frozenset({"RUN", "COPY", "ADD", "WORKDIR"})
_OWN_FLAGS = ("chown", "chmod", "exclude", "parents", "unpack", "checksum", "keep-git-dir")
# Variables of the builder's own that are no part of any step (convert.go: nonEnvArgs).
_NO_VARIABLES = frozenset({"BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"})

Variables = tuple[tuple[str, str], ...]


class Key(Struct, frozen=True):
    """A step's own part: `text` is what it says with variables replaced, `variables` those that its command gets."""

    text: tuple[Hashable, ...]
    variables: Variables = ()


def makes_layer(step: Step) -> bool:
    """Tell whether a step makes a layer, be it an empty one: WORKDIR makes none for the root folder."""
    if step.name != "WORKDIR":
        return step.name in _BUILT
    return _folder(step) != "/"


def is_built(step: Step, builder: Builder) -> bool:
    """Tell whether a builder looks a step up in its cache: BuildKit those that may make files, the other all."""
    return step.name != "FROM" and step.stage >= 0 and (builder is Builder.LEGACY or makes_layer(step))


def own_keys(dockerfile: Dockerfile, builder: Builder) -> Mapping[int, Key]:
    """Return the own part of each step's key, by the step's index."""
    found: dict[int, Key] = {}
    ends: dict[int, dict[str, str]] = {}
    for stage in dockerfile.stages:
        # In the order in which they were set last, for that is how a command gets them.
        variables = dict(ends[stage.parent]) if stage.parent is not None else {}
        for at, step in enumerate(stage.steps):
            found[step.index] = _key(step, variables)
            if step.name in {"ENV", "ARG"}:
                _set(variables, step, _state_behind(dockerfile, stage, at), builder)
        ends[stage.index] = variables
    return found


def _key(step: Step, variables: Mapping[str, str]) -> Key:
    match step.name:
        case "RUN":
            return Key(_run(step), tuple(variables.items()))
        case "COPY" | "ADD":
            return Key(_copy(step))
        case "WORKDIR":
            return Key(("WORKDIR", _folder(step), step.state.user))
        case _:
            return Key((step.name, step.instruction.value.text, *_values(step.instruction.value.text, step.state)))


def _run(step: Step) -> tuple[Hashable, ...]:
    instruction, state = step.instruction, step.state
    command: tuple[Hashable, ...] = instruction.json or (*state.shell, instruction.value.text)
    bodies = tuple((heredoc.name, heredoc.body) for heredoc in instruction.heredocs)
    flags = tuple(
        tuple(sorted(mount_options(step, flag.value or "").items()))
        if flag.name == "mount"
        else (flag.name, flag.value)
        for flag in instruction.flags
    )
    return ("RUN", command, bodies, flags, state.workdir, state.user)


def _copy(step: Step) -> tuple[Hashable, ...]:
    instruction, state = step.instruction, step.state
    flags = tuple(
        (flag.name, flag.value and _words((flag.value,), state))
        for flag in instruction.flags
        if flag.name in _OWN_FLAGS
    )
    bodies = tuple(
        (heredoc.body, _values(heredoc.body, state) if heredoc.expand else ()) for heredoc in instruction.heredocs
    )
    return (step.name, _words(instruction.arguments[:-1], state), destination(step), flags, bodies)


def _folder(step: Step) -> str:
    text = step.instruction.value.text.strip()
    word = step.state.word(text, step.instruction.escape)
    return posixpath.join(image_path(text if word is None else word, step.state.workdir).rstrip("/") or "/")


def _words(texts: Iterable[str], state: State) -> tuple[Hashable, ...]:
    """Return words with their variables replaced; one that is not wholly known stays, with the values that are."""
    return tuple(found if (found := state.word(text)) is not None else (text, *_values(text, state)) for text in texts)


def _values(text: str, state: State) -> tuple[tuple[str, str | None], ...]:
    return tuple((name, state.value(name)) for name in sorted(variables_in(text)))


def _set(variables: dict[str, str], step: Step, behind: State | None, builder: Builder) -> None:
    """Put what an ENV or ARG sets at the end of the variables; an ARG without a value sets nothing."""
    if behind is None:
        return
    values = behind.env if step.name == "ENV" else behind.args
    for name, text in pairs(step.instruction):
        value = values.get(name)
        if step.name == "ARG" and ((value is None and text is None) or name in _NO_VARIABLES):
            continue
        if step.name == "ENV" and builder is Builder.LEGACY:
            continue  # the instruction itself is part of the chain
        variables.pop(name, None)
        variables[name] = value if value is not None else str((text, *_values(text or "", step.state)))


def _state_behind(dockerfile: Dockerfile, stage: Stage, at: int) -> State | None:
    """Return the state behind a step, None behind the last step of a stage that no other starts from."""
    if at + 1 < len(stage.steps):
        return stage.steps[at + 1].state
    heirs = (other for other in dockerfile.stages[stage.index + 1 :] if other.parent == stage.index)
    return next((heir.body[0].state for heir in heirs if heir.body), None)
