"""The statements of a RUN, each with what its calls leave behind."""

from collections.abc import Iterator

from msgspec import Struct

from optimizer.model import Step
from optimizer.shell import Call
from optimizer.syntax import Span
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms.stages.nodes import Effect, Work
from optimizer.transforms.stages.paths import is_left

_VARIABLE = lazy_pattern(r"\$\{?([A-Za-z_]\w*)")
_SETTING = frozenset({"declare", "export", "local", "read", "readonly", "typeset"})


class Part(Struct, frozen=True):
    """A statement of a RUN."""

    step: Step
    span: Span
    text: str
    effects: tuple[tuple[Call, Effect], ...]

    @property
    def names(self) -> frozenset[str]:
        """The programs that it starts."""
        return frozenset(call.program for call, _ in self.effects)

    def told(self, text: str) -> str | None:
        """Name a variable of a text that another statement of the same RUN sets."""
        names = set(_VARIABLE.findall(text))
        commands = self.step.run.script.commands() if self.step.run and names else ()
        others = [one for one in commands if not self.span.start <= one.span.start < self.span.end]
        given = {name for one in others if not one.words for name, _ in one.assignments}
        words = (word.text.partition("=")[0] for one in others if one.name in _SETTING for word in one.words)
        return next(iter(sorted(names & {*given, *words})), None)

    def only_makes(self, patterns: tuple[str, ...]) -> bool:
        """Tell whether all that it makes is left out."""
        made = [path for _, effect in self.effects for path in effect.makes]
        return bool(made) and all(effect.makes or not effect.again for _, effect in self.effects) and all(
            is_left(path, patterns) for path in made
        )  # fmt: skip

    @property
    def is_for_apt(self) -> bool:
        """Whether it says where packages come from, or what they are to ask."""
        paths = (path for _, effect in self.effects for path in effect.makes)
        return "debconf-set-selections" in self.names or any(path.startswith("/etc/apt") for path in paths)


def parts(work: Work) -> Iterator[Part]:
    """Go through the statements of a RUN; those that `||` joins are one."""
    run = work.step.run
    nodes = run.script.root.parts if run else ()
    operators = run.script.root.operators if run else ()
    first = 0
    for last, node in enumerate(nodes):
        if last < len(operators) and operators[last] == "||":
            continue
        effects = tuple((c, effect) for c, effect in work.effects if c is not None and first <= c.step <= last)
        if effects and run:
            span = Span(nodes[first].span.start, node.span.end)
            text = run.script.text[span.start : span.end]
            yield Part(work.step, span, text if first == last else f"{{ {text}; }}", effects)
        first = last + 1
