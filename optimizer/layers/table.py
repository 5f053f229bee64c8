"""A Dockerfile as a stack of layers: a row for each instruction, with what it reads, what it weighs, what became of it.

A row says what a newcomer asks: does this line make a layer, how large, what makes it run again.
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from optimizer.context import Context
from optimizer.context.wildcards import has_wildcards
from optimizer.layers.keys import makes_layer
from optimizer.layers.nodes import Fate, Origin, Outcome, Recipe, Simulation, Source
from optimizer.layers.simulate import needed_stages
from optimizer.layers.sizes import predicted
from optimizer.layers.sources import sources
from optimizer.layers.times import seconds
from optimizer.layers.words import one_line, why
from optimizer.model import Dockerfile, Step


class Weight(Struct, frozen=True):
    """The bytes that a step is expected to add; `known` where files were counted and nothing guessed."""

    bytes: int
    known: bool


class Row(Struct, frozen=True):
    """One instruction. `weight` is None where nothing is known of it; `why` tells why it runs again."""

    number: int
    line: int
    stage: str  # "" where there is one stage without a name
    text: str
    layer: bool
    weight: Weight | None
    reads: tuple[str, ...]
    fate: Fate
    why: str
    seconds: float
    final: bool  # whether its layer is part of the image that is built


class Stack(Struct, frozen=True):
    """All rows of a Dockerfile, as they stand in it."""

    rows: tuple[Row, ...]

    @property
    def layers(self) -> int:
        """How many layers the image has above its base image."""
        return sum(row.layer and row.final for row in self.rows)

    @property
    def bytes(self) -> int | None:
        """What the image is expected to take, None where its base image is not known."""
        weights = [row.weight for row in self.rows if row.final and (row.layer or row.text.upper().startswith("FROM"))]
        if any(row.weight is None for row in self.rows if row.final and row.text.upper().startswith("FROM")):
            return None
        return sum(weight.bytes for weight in weights if weight)

    @property
    def built(self) -> int:
        """How many steps a build looks up or runs."""
        return sum(row.fate in {Fate.CACHED, Fate.RUNS, Fate.MAY_RUN} for row in self.rows)

    @property
    def again(self) -> tuple[Row, ...]:
        """The rows that run again, those in doubt included."""
        return tuple(row for row in self.rows if row.fate in {Fate.RUNS, Fate.MAY_RUN})

    @property
    def seconds_again(self) -> float:
        """How long what runs again takes, by the rule of `times`."""
        return sum(row.seconds for row in self.again)


def stack(recipe: Recipe, simulation: Simulation) -> Stack:
    """Return the rows of a recipe with what a simulation found."""
    dockerfile = recipe.dockerfile
    weights = _weights(dockerfile, recipe.context, needed_stages(recipe))
    lineage = dockerfile.lineage(dockerfile.target) if dockerfile.target >= 0 else frozenset()
    spent = seconds(dockerfile)
    rows = (_row(outcome, recipe, weights, lineage) for outcome in simulation.outcomes)
    return Stack(tuple(replace(row, seconds=spent.get(row.number - 1, 0.0)) for row in rows))


def _row(
    outcome: Outcome,
    recipe: Recipe,
    weights: Mapping[int, Weight],
    lineage: frozenset[int],
) -> Row:
    step = outcome.step
    return Row(
        outcome.number,
        step.line,
        _stage_name(step, recipe.dockerfile),
        one_line(step),
        makes_layer(step) and step.stage >= 0,
        weights.get(step.line),
        tuple(_read(step, recipe)),
        outcome.fate,
        why(outcome),
        0.0,
        step.stage in lineage,
    )


def _stage_name(step: Step, dockerfile: Dockerfile) -> str:
    if step.stage < 0:
        return ""
    stage = dockerfile.stages[step.stage]
    return stage.name or (f"stage {stage.index}" if len(dockerfile.stages) > 1 else "")


def _read(step: Step, recipe: Recipe) -> Iterator[str]:
    """Go through what a step takes in, as people say it."""
    for source in sources(step, recipe.dockerfile):
        match source.origin:
            case Origin.CONTEXT:
                yield _context_files(source, recipe.context)
            case Origin.STAGE:
                yield f"/{source.path} of {source.name}"
            case Origin.IMAGE:
                yield f"/{source.path} of the image {source.name}"
            case Origin.ADDRESS:
                yield source.name
    if step.instruction.heredocs and step.name in {"COPY", "ADD"}:
        yield "the text written here"


def _context_files(source: Source, context: Context) -> str:
    """Name what a pattern stands for: a file by its name, a folder or a pattern with its number of files."""
    path = source.path
    if source.parents or (path and not has_wildcards(path) and context.is_file(path)):
        return path
    if not path:
        return f"all {len(tuple(context.under('')))} files of the context"
    matches = context.match(path)
    files = sum(len(tuple(context.under(m))) if context.is_dir(m) else 1 for m in matches)
    named = path + ("/" if context.is_dir(path) else "")
    return f"{named} ({files} file{'' if files == 1 else 's'})" if files else f"{named} (nothing there)"


def _weights(dockerfile: Dockerfile, context: Context, stages: frozenset[int]) -> dict[int, Weight]:
    """Return the sizes by line, those of stages that are only copied from included."""
    found: dict[int, Weight] = {}
    for index in sorted(stages):
        aimed = replace(dockerfile, target=index)
        sizes = predicted(aimed, context)
        unknown_base = sizes is None
        if sizes is None:
            bases = {stage.base: 0 for stage in dockerfile.stages if stage.base}
            sizes = predicted(aimed, context, bases)
        lines = {step.line: step for at in dockerfile.lineage(index) for step in dockerfile.stages[at].steps}
        for line, step in lines.items():
            parts = [part for part in sizes.parts if part.line == line] if sizes else []
            if step.name == "FROM" and (unknown_base or not parts):
                continue
            guessed = any(f"line {line}:" in text for text in (sizes.unknown if sizes else ()))
            if parts or (makes_layer(step) and not guessed):
                known = all(part.known for part in parts) and not guessed
                found[line] = Weight(sum(part.bytes for part in parts), known)
    return found
