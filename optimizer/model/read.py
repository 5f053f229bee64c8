"""From a document to stages and steps, following BuildKit's dockerfile2llb/convert.go."""

import posixpath
from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from optimizer.model import base_images
from optimizer.model.mounts import mounts
from optimizer.model.nodes import Dockerfile, Stage, State, Step
from optimizer.model.run import read_run
from optimizer.syntax import Document, Instruction, expand, pairs

_MOVERS = frozenset({"WORKDIR", "USER", "SHELL", "ENV", "ARG"})
# Arguments that BuildKit sets by itself; their values depend on the build (docs: "Automatic platform ARGs").
_PLATFORM_ARGS = (
    "TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT",
    "BUILDPLATFORM", "BUILDOS", "BUILDARCH", "BUILDVARIANT",
)  # fmt: skip


def read(document: Document, *, target: str | None = None, build_args: Mapping[str, str] | None = None) -> Dockerfile:
    """Return the stages and steps of a document.

    `target` is a stage's name or number (default: the last); an unknown one gives the last.
    Instructions before the first FROM have stage -1.
    """
    reader = _Reader(document.escape, dict(build_args or {}))
    for index, instruction in enumerate(document.instructions):
        reader.take(index, instruction)
    stages = reader.finish()
    return Dockerfile(
        document, stages, tuple(reader.steps), _copied_from(stages), _target(stages, target), tuple(reader.global_args)
    )


class _Reader(Struct):
    """Walks down a file, one instruction after the other."""

    escape: str
    build_args: dict[str, str]
    global_args: dict[str, str | None] = field(default_factory=lambda: dict.fromkeys(_PLATFORM_ARGS))
    steps: list[Step] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    ends: list[State] = field(default_factory=list)  # the state at the end of each stage
    opened: list[int] = field(default_factory=list)  # for each stage the number of its first step
    state: State = field(default_factory=lambda: State(None, None, ("/bin/sh", "-c"), {}, {}))

    def take(self, index: int, instruction: Instruction) -> None:
        """Add one instruction."""
        if instruction.name == "FROM":
            self._open(index, instruction)
            return
        run = read_run(instruction, self.state) if instruction.name == "RUN" else None
        self.steps.append(Step(instruction, index, len(self.stages) - 1, self.state, run, instruction.name))
        if not self.stages:
            self._global(instruction)
        elif instruction.name in _MOVERS:
            self.state = self._moved(self.state, instruction)

    def finish(self) -> tuple[Stage, ...]:
        """Return the stages with their steps."""
        bounds = [*self.opened, len(self.steps)]
        return tuple(
            replace(stage, steps=tuple(self.steps[bounds[i] : bounds[i + 1]])) for i, stage in enumerate(self.stages)
        )

    def _global(self, instruction: Instruction) -> None:
        if instruction.name == "ARG":
            for name, value in pairs(instruction):
                self.global_args[name] = self._argument(name, value, self.global_args, declared=None)

    def _open(self, index: int, instruction: Instruction) -> None:
        words = instruction.arguments
        base = expand(words[0], self.global_args, self.escape) if words else None
        name = words[2].lower() if [w.upper() for w in words[1:2]] == ["AS"] and words[2:] else None
        parent = next((s.index for s in reversed(self.stages) if base and s.name == base.lower()), None)
        if self.stages:
            self.ends.append(self.state)
        outside = State(None, None, ("/bin/sh", "-c"), {}, self.global_args)
        self.opened.append(len(self.steps))
        self.steps.append(Step(instruction, index, len(self.stages), outside, None, instruction.name))
        self.stages.append(Stage(len(self.stages), name, base, parent, ()))
        self.state = self._first_state(base, parent)

    def _first_state(self, base: str | None, parent: int | None) -> State:
        if parent is None:
            return State(
                base_images.workdir(base), None, base_images.shell(base), {}, {}, inherited=base_images.variables(base)
            )
        state = self.ends[parent]
        for step in self.steps:
            if step.stage == parent and step.instruction.trigger is not None:
                state = self._moved(state, step.instruction.trigger)
        return state

    def _moved(self, state: State, instruction: Instruction) -> State:
        match instruction.name:
            case "WORKDIR":
                return replace(state, workdir=_workdir(state.workdir, self._word(instruction, state)))
            case "USER":
                return replace(state, user=self._word(instruction, state) or instruction.value.text.strip())
            case "SHELL" if instruction.json:
                return replace(state, shell=instruction.json)
            case "ENV":
                given = pairs(instruction)
                known, sure_of = {**state.args, **state.env}, replace(state, env=state.sure, args={})
                values = {k: self._value(k, v or "", known, state) for k, v in given}
                sure = {k: self._value(k, v or "", state.sure, sure_of) for k, v in given}
                return replace(state, env={**state.env, **values}, sure={**state.sure, **sure})
            case "ARG":
                args, declared = dict(state.args), pairs(instruction)
                for name, value in declared:
                    args[name] = self._argument(name, value, {**args, **state.env}, declared=self.global_args)
                sure = {k: self.build_args.get(k) for k, _ in declared if k not in state.env}
                return replace(state, args=args, sure={**state.sure, **sure})
            case _:
                return state

    def _word(self, instruction: Instruction, state: State) -> str | None:
        return state.word(instruction.value.text.strip(), self.escape)

    def _value(self, name: str, text: str, known: Mapping[str, str | None], state: State) -> str | None:
        """Return the value that an ENV gives a variable; of a list such as PATH, the part that the file itself has."""
        return expand(text, known, self.escape) if name.endswith("PATH") else state.word(text, self.escape)

    def _argument(
        self,
        name: str,
        default: str | None,
        known: Mapping[str, str | None],
        *,
        declared: Mapping[str, str | None] | None,
    ) -> str | None:
        """Return an ARG's value: given, default, the global one; None where only the build will tell."""
        if name in self.build_args:
            return self.build_args[name]
        if default is not None:
            return expand(default, known, self.escape)
        return declared.get(name) if declared else None


def _workdir(current: str | None, new: str | None) -> str | None:
    if new is None or not (new.startswith("/") or current):
        return None
    return posixpath.normpath(posixpath.join(current or "/", new)).replace("//", "/")


def _copied_from(stages: tuple[Stage, ...]) -> dict[int, frozenset[int]]:
    """Return for each stage the earlier stages that its COPY and RUN --mount take files from."""
    found = {}
    for stage in stages:
        sources = {_stage_named(name, stages[: stage.index]) for step in stage.body for name in _sources(step)}
        found[stage.index] = frozenset(s for s in sources if s is not None)
    return found


def _sources(step: Step) -> list[str]:
    named = step.instruction.flag("from")
    return [*([named] if named else []), *(mount.origin for mount in mounts(step) if mount.origin)]


def _stage_named(name: str, stages: tuple[Stage, ...]) -> int | None:
    for stage in reversed(stages):
        if stage.name == name.lower():
            return stage.index
    return int(name) if name.isdigit() and int(name) < len(stages) else None


def _target(stages: tuple[Stage, ...], target: str | None) -> int:
    found = _stage_named(target, stages) if target else None
    return len(stages) - 1 if found is None else found
