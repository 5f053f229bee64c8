"""The fixpoint: every transform in turn, on a freshly parsed text, until nothing changes; then the gate."""

import re
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from optimizer.context import Context
from optimizer.engine import edits as text_edits
from optimizer.engine import gate
from optimizer.engine.plan import Plan
from optimizer.engine.result import Applied, Declined, GateError, InputError, Result
from optimizer.engine.suppressions import suppressed
from optimizer.layers.sizes import predicted
from optimizer.model import Dockerfile, read
from optimizer.syntax import Document, Span, parse
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms import Artifact, Decline, Finding, Rewrite, Subject, Transform

_ROUNDS = 10
_MOST_INSTRUCTIONS = 1_000
_LINES = lazy_pattern(r"\blines? [1-9]\d*(?: and [1-9]\d*)?")
_LAYERED = frozenset({"RUN", "COPY", "ADD", "WORKDIR"})


def optimize(text: str, context: Context, plan: Plan | None = None) -> Result:
    """Return what becomes of a Dockerfile in its build context.

    Raises InputError where there is nothing to work on (no FROM, an unknown target, far more instructions than an
    image can have layers), GateError where the result would break a promise.
    """
    run = _Run(plan or Plan(), text, context, origins=list(range(1, text.count("\n") + 2)))
    _refuse_length(parse(text))
    before = run.read()
    _refuse(before, run.plan)
    declined = run.to_the_fixpoint()
    after = run.read()
    if run.applied:
        rewrites = [(a.transform.touches, a.rewrite) for a in run.applied]
        gate.check(gate.Built(before, context), gate.Built(after, run.context), rewrites)
    return Result(
        text,
        run.text,
        tuple(run.report()),
        declined,
        tuple(run.artifacts.values()),
        (_layers(before), _layers(after)),
        (predicted(before, context), predicted(after, run.context)) if run.applied else (None, None),
    )


def _refuse_length(document: Document) -> None:
    count = len(document.instructions)
    if count > _MOST_INSTRUCTIONS:
        most = f"the {_MOST_INSTRUCTIONS:,} that dfopt reads: an image has at most 127 layers"
        raise InputError(f"the file holds {count:,} instructions, more than {most}")


def _refuse(dockerfile: Dockerfile, plan: Plan) -> None:
    if not dockerfile.document.instructions:
        raise InputError("the file holds no instruction")
    if not dockerfile.stages:
        raise InputError("there is no FROM instruction", dockerfile.document.instructions[0].line)
    names = {name for s in dockerfile.stages for name in (s.name, str(s.index)) if name}
    if plan.target is not None and plan.target.lower() not in names:
        named = [stage.name for stage in dockerfile.stages if stage.name]
        hint = f"there are {', '.join(named[:20])}" if named else "no stage has a name"
        raise InputError(f"there is no stage {plan.target!r} to build; {hint}")


class _Placed(Struct):
    """An applied rewrite and where it stands in the text of now."""

    transform: Transform
    rewrite: Rewrite
    span: Span
    origin: int


class _Run(Struct):
    """The text of now, and how it came to be."""

    plan: Plan
    text: str
    context: Context
    origins: list[int]
    applied: list[_Placed] = field(default_factory=list)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    changes: int = 0
    settled: dict[str, tuple[int, list[Declined]]] = field(default_factory=dict)  # by transform: what it said, and when
    _read: tuple[str, Dockerfile] | None = None

    def read(self) -> Dockerfile:
        """Return the model of the text of now."""
        if self._read is None or self._read[0] != self.text:
            model = read(parse(self.text), target=self.plan.target, build_args=self.plan.build_args)
            self._read = (self.text, model)
        return self._read[1]

    def to_the_fixpoint(self) -> tuple[Declined, ...]:
        """Apply all transforms until a round changes nothing; return that round's declines."""
        busy: list[str] = []
        transforms = tuple(self.plan.transforms())
        for _ in range(_ROUNDS):
            declined: list[Declined] = []
            busy = [transform.id for transform in transforms if self._exhaust(transform, declined)]
            if not busy:
                return tuple(dict.fromkeys(declined))
        raise GateError(f"the rewrites do not settle: {', '.join(busy)}")

    def _exhaust(self, transform: Transform, declined: list[Declined]) -> bool:
        """Apply a transform until it finds no more, which edits that touch each other may need; tell what changed.

        What it said last still holds where nothing changed since: the findings depend on text and context alone.
        """
        changes, left = self.settled.get(transform.id, (-1, []))
        if changes == self.changes:
            declined += left
            return False
        most = _ROUNDS + len(self.read().steps)
        for turn in range(most):
            left = []
            if not self._one(transform, left):
                self.settled[transform.id] = (self.changes, left)
                declined += left
                return turn > 0
        raise GateError(f"the rewrites do not settle: {transform.id}")

    def _one(self, transform: Transform, declined: list[Declined]) -> bool:
        """Apply what one transform finds; tell whether that changed anything."""
        dockerfile = self.read()
        asked = transform.id in (self.plan.select or ())
        subject = Subject(dockerfile, self.context, self.plan.options.get(transform.id, {}), asked)
        found = list(transform.find(subject))
        if found:
            is_off, lines = suppressed(dockerfile.document, (transform,)), _line_numbers(self.text)
            found = [f for f in found if not any(is_off(transform.id, line) for line in _concerned(f, lines))]
        bounded = [self._bounded(transform, finding) for finding in found]
        declined += [
            Declined(transform.id, self.origins[f.line - 1], _told(f.reason, self.origins))
            for f in bounded
            if isinstance(f, Decline)
        ]
        chosen = text_edits.compatible([f for f in bounded if isinstance(f, Rewrite)])
        if not chosen:
            return False
        self._make(transform, chosen)
        return True

    def _bounded(self, transform: Transform, finding: Finding) -> Finding | None:
        """Return a finding as the levels allow it: a place that needs a bolder level than its transform is declined."""
        if isinstance(finding, Decline):
            return finding
        level = max(finding.level or transform.level, transform.level)
        if self.plan.allows(transform, level):
            return replace(finding, level=level)
        if level == transform.level:
            return None  # the whole transform is out of bounds, as the caller knows
        return Decline(finding.line, f"this place needs level {level}")

    def _make(self, transform: Transform, rewrites: Sequence[Rewrite]) -> None:
        self.changes += 1
        edits = text_edits.ordered(edit for rewrite in rewrites for edit in rewrite.edits)
        there = text_edits.placed(edits)
        for placed in self.applied:
            placed.span = text_edits.moved(placed.span, edits)
        for rewrite in rewrites:
            span = text_edits.written(rewrite, edits, there) if rewrite.edits else self._line(rewrite.line)
            self.applied.append(_Placed(transform, rewrite, span, self.origins[rewrite.line - 1]))
            for artifact in rewrite.artifacts:
                self.artifacts[artifact.path] = artifact
                self.context = self.context.overlay(artifact.path, artifact.content)
        if edits:
            self.origins = text_edits.origins(self.text, edits, self.origins)
            self.text = text_edits.apply(self.text, edits)

    def _line(self, number: int) -> Span:
        """Return the span of a line of the text of now."""
        start = text_edits.line_starts(self.text)[number - 1]
        return Span(start, start + 1)

    def report(self) -> Iterator[Applied]:
        """Go through the applied rewrites with their lines in the final text."""
        line = _line_numbers(self.text)
        for placed in self.applied:
            last = max(placed.span.start, placed.span.end - 1)
            level = placed.rewrite.level or placed.transform.level
            yield Applied(
                placed.transform.id, level, placed.rewrite, line(placed.span.start), line(last), placed.origin
            )


def _concerned(finding: Finding, line: Callable[[int], int]) -> range:
    """Return the lines from the first to the last that a finding is about: what moves across a line concerns it."""
    spans = [edit.span for edit in finding.edits] if isinstance(finding, Rewrite) else []
    if not spans:
        return range(finding.line, finding.line + 1)
    start = min(span.start for span in spans)
    end = max(start + 1, *(span.end for span in spans))
    return range(min(finding.line, line(start)), max(finding.line, line(end - 1)) + 1)


def _told(reason: str, origins: Sequence[int]) -> str:
    """Return a reason with the lines that it names ("line 3", "lines 3 and 4") as the first text counts them."""
    return _LINES.sub(
        lambda found: re.sub(r"\d+", lambda n: str(origins[min(int(n[0]), len(origins)) - 1]), found[0]), reason
    )


def _line_numbers(text: str) -> Callable[[int], int]:
    starts = text_edits.line_starts(text)
    return lambda offset: text_edits.line_of(starts, offset)


def _layers(dockerfile: Dockerfile) -> int:
    """Return how many layers the target adds to its base image (WORKDIR / makes none)."""
    steps = (step for stage in dockerfile.lineage(dockerfile.target) for step in dockerfile.stages[stage].body)
    return sum(step.name in _LAYERED and step.instruction.value.text.strip() != "/" for step in steps)
