"""A RUN of its own that fetches dependencies ahead of a build, which stays as it is below the sources."""

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from optimizer.ecosystems.ecosystem import Ahead
from optimizer.model import BASE_WORKDIR, Dockerfile, Run, Step, mounts
from optimizer.shell import Call, Command, Compound, Kind, parse_script
from optimizer.syntax import Document, Span
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._copies import Copied, below, image_path
from optimizer.transforms._finding import Edit
from optimizer.transforms._independence import is_system
from optimizer.transforms._layout import WIDTH, continuation, insert_before, instruction_with_comments
from optimizer.transforms._taking_out import taken_out

# Commands in front of a build that change nothing which a fetch reads.
_LIGHT = frozenset({"cd", "chmod", "chown", "date", "ls", "mkdir", "pwd", "set", "true", ":"})
# Instructions between the COPY and the RUN that mean nothing to a fetch.
_INERT = frozenset("CMD ENTRYPOINT EXPOSE HEALTHCHECK LABEL MAINTAINER STOPSIGNAL".split())
_FETCHING = lazy_pattern(
    r"(?:GO(?!OS$|ARCH$|ARM$|AMD64$)|GIT|CARGO|RUST|MAVEN|MVNW|M2|JAVA|JDK|SSL|CURL|NETRC|LD_|BASH_ENV|XDG)\w*|PATH|HOME"
    r"|\w*(?:PROXY|TOKEN|PASSWORD|SECRET|_CA(?:_\w+)?)",
    re.IGNORECASE,
)

_MOST_IN_LINE = 2  # commands that may follow others on their line


def is_done(dockerfile: Dockerfile, step: Step, call: Call, marks: tuple[str, ...]) -> bool:
    """Tell whether a call above this one, in the stage or one that it is built on, fetches already."""
    lineage = dockerfile.lineage(step.stage)
    above = (s.run.calls for s in dockerfile.steps[: step.index] if s.run and s.stage in lineage)
    own = step.run.calls if step.run else ()
    known = [*(c for calls in above for c in calls), *own[: next((n for n, c in enumerate(own) if c == call), 0)]]
    return any(" ".join(map(str, c.words)).startswith(marks) for c in known)


def is_light(call: Call) -> bool:
    """Tell whether a call can stand between a fetch and its build as well as in front of both."""
    if call.program == "export":
        return all(w.value and not _FETCHING.fullmatch(w.value.partition("=")[0]) for w in call.arguments)
    return call.program in _LIGHT and not call.command.redirects


def why_not_ahead(step: Step, run: Run, call: Call, ahead: Ahead, cut: int) -> str | None:
    """Say why a RUN cannot be given a fetch in front of its part number `cut`, None where it can."""
    if any(m.keeps_out and _holds(m.target, folder) for m in mounts(step) for folder in ahead.fills):
        return f"a cache mount keeps what {call.program} downloads already"
    operators = run.script.root.operators
    if set(operators) - {"&&", ";", ""} or (cut and run.script.chain is None):
        return f"the commands around {call.program} are not joined by && alone"
    part = run.script.root.parts[call.step]
    if call.nested or not call.certain or (isinstance(part, Compound) and part.kind is Kind.PIPELINE):
        return f"{call.program} runs under a condition, in a pipeline or in a script within the script"
    if cut and any(c.program == "cd" for c in run.calls if c.step < cut):
        return "the RUN enters another folder before it installs what the build needs"
    return None


def _holds(target: str | None, folder: str) -> bool:
    return target is None or below(folder, target) is not None or below(target, folder) is not None


def sets_modes(step: Step) -> bool:
    """Tell whether a step does nothing but `chmod`, which a fetch does without: it starts a wrapper by its shell."""
    calls = step.run.calls if step.run and step.run.editable else ()
    return bool(calls) and all(call.program == "chmod" and is_light(call) for call in calls)


def is_near(dockerfile: Dockerfile, moving: Sequence[Copied], step: Step, ahead: Ahead) -> bool:
    """Tell whether the place in front of the first COPY is as good for a fetch as the one in front of the RUN."""
    between = dockerfile.steps[moving[0].step.index : step.index]
    return "$" not in "".join(ahead.commands) and all(_means_nothing(dockerfile, moving, s, ahead) for s in between)


def _means_nothing(dockerfile: Dockerfile, moving: Sequence[Copied], step: Step, ahead: Ahead) -> bool:
    if step.name in {"ENV", "ARG"}:
        if ahead.stand_ins:
            return False  # what is compiled may depend on any variable
        names = {**step.state.env, **step.state.args}.keys()
        later = dockerfile.steps[step.index + 1].state
        return not any(_FETCHING.fullmatch(n) for n in {**later.env, **later.args}.keys() - names)
    if step.name in {"COPY", "ADD"}:
        return any(c.step.index == step.index and not any(is_system(p.destination) for p in c.placed) for c in moving)
    return step.name in _INERT or sets_modes(step)


class Fetch(Struct, frozen=True):
    """The edits that put a fetch ahead: `cut` is the part of the RUN that it goes in front of, with all behind it."""

    dockerfile: Dockerfile
    step: Step
    ahead: Ahead
    folder: str  # the image path to run it in
    cut: int
    carried: tuple[Command, ...]
    moving: Sequence[Copied]
    copies: Sequence[str]

    @property
    def document(self) -> Document:
        """The text that the edits are for."""
        return self.dockerfile.document

    def edits(self) -> tuple[Edit, ...]:
        """Return the edits; where nothing that matters stands between, neither COPY nor RUN is touched."""
        first, *others = (copied.step.instruction for copied in self.moving)
        newline = self.document.newline
        copies = "".join(line + newline for line in self.copies)
        blocks = "".join(instruction_with_comments(self.document, i) for i in (first, *others))
        gap = newline if self._in_paragraph() else ""
        if not self.cut and is_near(self.dockerfile, self.moving, self.step, self.ahead):
            return (insert_before(self.document, first, f"{copies}{self._run()}{gap}"),)
        taken = taken_out(self.document, (first, *others), self.copies)
        if self.cut:
            return (*taken, self._between(gap + blocks))
        return (*taken, insert_before(self.document, self.step.instruction, self._run() + gap + blocks + gap))

    def added(self) -> Iterator[str]:
        """Go through the commands that the text gains."""
        return (str(command) for text in self._commands() for command in parse_script(text).commands())

    def _commands(self) -> tuple[str, ...]:
        here = self.step.state.workdir or BASE_WORKDIR
        folder = image_path(self.folder, here)
        if folder == here:
            return self.ahead.commands
        return (f"cd {below(folder, here) or folder}", *self.ahead.commands)

    def _joined(self, start: str, *, lines: bool) -> str:
        """Return the commands behind what stands in front of them, on lines of their own where one is too short."""
        text = start + " && ".join(self._commands())
        if not lines and len(text) <= WIDTH:
            return text
        return start + continuation(self.document, self.step.instruction).join(self._commands())

    def _run(self) -> str:
        """Return the RUN of the fetch alone, with what the build is given but for caches, which it does not fill."""
        instruction = self.step.instruction
        flags = (self.document.source[f.span.start : f.span.end] for f in instruction.flags if not _is_cache(f.value))
        start = "".join(f"{word} " for word in (instruction.keyword, *flags))
        return self._joined(start, lines=False) + self.document.newline

    def _between(self, blocks: str) -> Edit:
        """Return the edit that ends the RUN with the fetch, and begins another below the sources."""
        run, instruction = self.step.run, self.step.instruction
        if run is None:
            raise ValueError("it is no RUN")
        parts = run.script.root.parts
        gap = Span(run.text.end_at(parts[self.cut - 1].span.end), run.text.at(parts[self.cut].span.start))
        source, newline = self.document.source, self.document.newline
        inner = [
            source[c.start : c.end].strip() + newline for c in instruction.comments if gap.start <= c.start < gap.end
        ]
        flags = [source[f.span.start : f.span.end] for f in instruction.flags]
        start = " ".join([instruction.keyword, *flags, *(f"{command} &&" for command in self.carried)])
        lines = "\n" in source[gap.start : gap.end] or len(self._commands()) > _MOST_IN_LINE
        joint = continuation(self.document, instruction) if lines else " && "
        return Edit(gap, f"{self._joined(joint, lines=lines)}{newline}{blocks}{''.join(inner)}{start} ")

    def _in_paragraph(self) -> bool:
        """Tell whether the sources stand in a paragraph of their own."""
        first = self.moving[0].step
        block = instruction_with_comments(self.document, first.instruction)
        above = self.document.source[: first.instruction.span.end - len(block)].endswith(("\n\n", "\n\r\n"))
        return above or self.document.instructions[first.index + 1].leading.startswith(("\n", "\r\n"))


def _is_cache(value: str | None) -> bool:
    return "type=cache" in (value or "").split(",")
