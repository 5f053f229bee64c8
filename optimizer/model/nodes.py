"""The typed view of a Dockerfile: stages, steps, and what holds when a step runs."""

from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from optimizer.shell import Call, Script
from optimizer.syntax import Document, Instruction, Joined, expand, variables_in

POSIX_SHELLS = frozenset({"sh", "bash", "ash", "dash"})


class State(Struct, frozen=True):
    """What holds just before a step runs; None stands for "as the base image has it"."""

    workdir: str | None  # absolute; "" never occurs
    user: str | None  # as it is written, where a variable in it is not known
    shell: tuple[str, ...]  # ("/bin/sh", "-c") unless SHELL or the platform says otherwise
    env: Mapping[str, str | None]  # ENV so far in declaration order, expanded; None where a value is unknown
    args: Mapping[str, str | None]  # ARGs in scope, likewise; their defaults, unless the build is given others
    sure: Mapping[str, str | None] = field(
        default_factory=dict
    )  # ENV and ARG as RUN finds them whatever ARGs are given
    inherited: Mapping[str, str] = field(default_factory=dict)  # what the base image is known to set

    @property
    def is_posix(self) -> bool:
        """Whether RUN's shell form goes to a Bourne-like shell."""
        return bool(self.shell) and self.shell[0].rsplit("/", 1)[-1] in POSIX_SHELLS

    def value(self, name: str) -> str | None:
        """Return what `$name` gives, ENV before ARG; None where it is unset or unknown."""
        return self.env[name] if name in self.env else self.args.get(name)

    def word(self, text: str, escape: str = "\\") -> str | None:
        """Return a word of an instruction with its variables replaced, None where it is not known what it becomes.

        A variable that the file does not declare may be one of the base image (PHP_INI_DIR, GOPATH).
        """
        if "$" not in text:
            return expand(text, {}, escape)
        known = {**self.inherited, **self.args, **self.env}
        return expand(text, known, escape) if variables_in(text, escape) <= known.keys() else None


class Run(Struct, frozen=True):
    """The command of a RUN: shell text with the way back to the source, as parsed."""

    text: Joined  # what the shell gets (the here-document's body for `RUN <<EOF`)
    script: Script
    calls: tuple[Call, ...]
    form: str  # "shell", "exec" (JSON), "heredoc" (the body is the script), "stdin" (a heredoc feeds a command)

    @property
    def editable(self) -> bool:
        """Whether the script is understood shell text whose spans lead back to single source lines."""
        return self.form == "shell" and self.script.problem is None

    @property
    def why_not_editable(self) -> str:
        """A clause for a decline."""
        if self.script.problem:
            return self.script.problem
        return {"exec": "the RUN is in exec form"}.get(self.form, "the RUN has a here-document")


class Step(Struct, frozen=True):
    """An instruction in its stage."""

    instruction: Instruction
    index: int  # in Document.instructions
    stage: int  # in Dockerfile.stages; -1 before the first FROM
    state: State
    run: Run | None  # for RUN only
    name: str  # the instruction's keyword in upper case

    @property
    def line(self) -> int:
        """The first line, 1-based."""
        return self.instruction.line


class Stage(Struct, frozen=True):
    """A FROM and what follows it up to the next."""

    index: int
    name: str | None  # lower case, as the builder compares it
    base: str | None  # the image (or stage name) with build arguments expanded; None where one is unknown
    parent: int | None  # the earlier stage that FROM names, None for an image
    steps: tuple[Step, ...]  # the FROM first

    @property
    def body(self) -> tuple[Step, ...]:
        """The steps behind FROM."""
        return self.steps[1:]


class Dockerfile(Struct, frozen=True):
    """A document with its stages."""

    document: Document
    stages: tuple[Stage, ...]
    steps: tuple[Step, ...]  # all, in order; steps[i].instruction is document.instructions[i]
    copied_from: Mapping[int, frozenset[int]]  # stage -> the earlier stages it takes files from (COPY, mount)
    target: int  # index of the stage that is built; -1 where there is none
    global_args: tuple[str, ...] = ()  # the ARGs declared before the first FROM, and the builder's own
    _facts: dict[str, frozenset[int]] = field(default_factory=dict)  # what was worked out of the stages

    def __iter__(self) -> Iterator[Step]:
        """Go through all steps in order."""
        return iter(self.steps)

    def after(self, step: Step) -> tuple[Step, ...]:
        """Return the steps behind `step` in its stage."""
        body = self.stages[step.stage].steps
        return body[body.index(step) + 1 :]

    def lineage(self, stage: int) -> frozenset[int]:
        """Return the stage and the stages that its image is built on (FROM chain)."""
        seen: set[int] = set()
        at: int | None = stage
        while at is not None and at not in seen:
            seen.add(at)
            at = self.stages[at].parent
        return frozenset(seen)

    def children(self, stage: int) -> frozenset[int]:
        """Return the stages that start from `stage`, directly or not."""
        heirs = {stage}
        heirs.update(s.index for s in self.stages[stage + 1 :] if s.parent in heirs)  # a parent stands above
        return frozenset(heirs - {stage})

    @property
    def shipped(self) -> frozenset[int]:
        """Stages whose layers end in an image someone may run: leaves of the FROM graph nobody only copies from."""
        if "shipped" not in self._facts:
            self._facts["shipped"] = self._shipped()
        return self._facts["shipped"]

    def _shipped(self) -> frozenset[int]:
        used = frozenset().union(*self.copied_from.values()) if self.copied_from else frozenset()
        parents = {stage.parent for stage in self.stages}
        leaves = {self.target, *({s.index for s in self.stages} - used - parents)}
        return frozenset().union(*(self.lineage(leaf) for leaf in leaves if leaf >= 0))
