"""The history of a built image matched with the instructions of a Dockerfile."""

from collections.abc import Sequence

from msgspec.structs import replace

from optimizer.layers.keys import makes_layer
from optimizer.layers.words import one_line
from optimizer.model import Dockerfile, Step
from optimizer.report.evidence import LayerSize
from optimizer.report.explain import BuiltImage, ImageRow
from optimizer.report.layer_stack import instruction_of


def built_image(name: str, history: Sequence[LayerSize], dockerfile: Dockerfile) -> BuiltImage:
    """Match an image's history (the base's first) with what the target of a Dockerfile is made of.

    Builders write a row for each instruction, in order, so that the last rows are the Dockerfile's. What else lies
    in between, as in an image that was built from an older Dockerfile, is left to the base.
    """
    from difflib import SequenceMatcher

    steps = _steps(dockerfile)
    rows = [_shape(instruction_of(layer)) for layer in history]
    wanted = [_shape(_expanded(step)) for step in steps]
    number: dict[int, int] = {}
    offset = len(rows) - len(wanted)
    if offset >= 0 and [row[0] for row in rows[offset:]] == [shape[0] for shape in wanted]:
        number = {offset + at: at for at in range(len(wanted))}
    else:
        for block in SequenceMatcher(None, rows, wanted, autojunk=False).get_matching_blocks():
            number |= {block.a + at: block.b + at for at in range(block.size)}
    found = tuple(_row(layer, steps, number.get(at)) for at, layer in enumerate(history))
    missing = tuple(one_line(step) for at, step in enumerate(steps) if at not in number.values())
    return BuiltImage(name, found, missing)


def _steps(dockerfile: Dockerfile) -> list[Step]:
    """Return the instructions that the image is made of, those of the stages that it starts from first."""
    if dockerfile.target < 0:
        return []
    stages = sorted(dockerfile.lineage(dockerfile.target))
    return [step for at in stages for step in dockerfile.stages[at].body]


def _expanded(step: Step) -> str:
    """Return an instruction as a history has it: a command is handed on as it is written."""
    if step.name == "RUN":
        return one_line(step)
    return step.state.word(one_line(step), step.instruction.escape) or one_line(step)


def _shape(text: str) -> tuple[str, str]:
    """Return the keyword and what is told apart by: of copies the destination, for builders drop their flags."""
    words = text.split()
    keyword = words[0].upper() if words else ""
    return keyword, words[-1] if keyword in {"COPY", "ADD"} else " ".join(words[1:3])


def _row(layer: LayerSize, steps: Sequence[Step], at: int | None) -> ImageRow:
    if at is None:
        return ImageRow(layer, None, instruction_of(layer) or "(imported)")
    step = steps[at]
    # Of a row without bytes only the instruction tells whether there is a layer: `WORKDIR /` makes none.
    told = layer if makes_layer(step) else replace(layer, empty=True)
    return ImageRow(told, step.index + 1, one_line(step))
