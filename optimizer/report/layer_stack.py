"""The layers of a built image under the instructions that made them."""

from enum import Enum

from msgspec import Struct

from optimizer.report.evidence import LayerSize, Measured
from optimizer.report.sizes import count
from optimizer.syntax.lazy_pattern import lazy_pattern

# How builders write an instruction into the history: `RUN /bin/sh -c make # buildkit`, `/bin/sh -c #(nop) CMD …`.
_SHELL = lazy_pattern(r"^(?:RUN )?(?:\|\d+ (?:\S+=\S* )*)?/bin/(?:ba)?sh(?: -[\w]+)* (?:#\(nop\)\s*)?")
_TAIL = lazy_pattern(r"\s*# buildkit$")
_STEP = lazy_pattern(r"^\[[^\]]*\]\s*")  # `[stage-1 3/7] RUN make`
_BLANKS = lazy_pattern(r"\s+")


class Mark(Enum):
    """What became of a layer when a source file was edited."""

    BASE = "base"
    CACHED = "cached"
    RUN = "run"
    UNKNOWN = "unknown"


class Layer(Struct, frozen=True):
    """A layer as it is shown: `size` in bytes."""

    instruction: str
    size: int
    mark: Mark


def stack(measured: Measured) -> tuple[Layer, ...]:
    """Return the layers from the bottom up, those of the base image as one; instructions without a layer are left out.

    Without a rebuild it is not known which layers are the base's, so that all are shown.
    """
    rebuild = measured.rebuild
    steps = {} if rebuild is None else {_plain(_STEP.sub("", step)): Mark.RUN for step in rebuild.executed}
    steps |= {} if rebuild is None else {_plain(_STEP.sub("", step)): Mark.CACHED for step in rebuild.cached}
    layers = [(layer, steps.get(instruction_of(layer), Mark.UNKNOWN)) for layer in measured.layers]
    own = next((at for at, (_, mark) in enumerate(layers) if mark is not Mark.UNKNOWN), 0)
    base = [layer for layer, _ in layers[:own] if not layer.empty]
    below = (
        [Layer(f"base image, {count(len(base), 'layer')}", sum(one.size for one in base), Mark.BASE)] if base else []
    )
    return (
        *below,
        *(Layer(instruction_of(one) or "(imported)", one.size, mark) for one, mark in layers[own:] if not one.empty),
    )


def instruction_of(layer: LayerSize) -> str:
    """Return a layer's instruction as a Dockerfile has it, in one line."""
    text = _plain(_TAIL.sub("", layer.created_by))
    bare = _SHELL.sub("", text)
    keyword = bare.partition(" ")[0]
    return bare if bare != text and keyword.isupper() and keyword.isalpha() else f"RUN {bare}" if bare != text else text


def _plain(text: str) -> str:
    return _BLANKS.sub(" ", text).strip()
