"""Every command and instruction of a Dockerfile in a form that survives reformatting, for the gate to count."""

from collections.abc import Iterator
from functools import lru_cache

from optimizer.model.nodes import Dockerfile, Step
from optimizer.shell import Command, Compound, Kind, Node, parse_script


def inventory(dockerfile: Dockerfile) -> list[str]:
    """Return one text a command (in a RUN that is understood) or instruction (all else), in order.

    A command is given as `str(Command)`, an instruction with its white space squeezed. Of operators all but `&&`
    count, so that `a || b` is not taken for `a && b`; of compounds all but groupings.
    """
    return [entry for step in dockerfile for entry in _entries(step)]


def of_step(step: Step) -> tuple[str, ...]:
    """Return what one instruction counts as."""
    return tuple(_entries(step))


def _entries(step: Step) -> Iterator[str]:
    instruction = step.instruction
    if step.run is None or not step.run.editable:
        yield squeezed(f"{instruction.name} {instruction.body.text}") + _bodies(step)
        return
    yield from (f"RUN {squeezed(f'--{flag.name}={flag.value}')}" for flag in instruction.flags)
    yield from _commands(step.run.script.text)
    if comment := step.run.script.comment:
        yield step.run.script.text[comment.start : comment.end].strip()


@lru_cache(maxsize=1024)
def _commands(script: str) -> tuple[str, ...]:
    return tuple(_parts(parse_script(script).root))


def _bodies(step: Step) -> str:
    return "".join(f"\n{heredoc.body}" for heredoc in step.instruction.heredocs)


def _parts(node: Node) -> Iterator[str]:
    if isinstance(node, Command):
        yield str(node)
        return
    if node.kind not in {Kind.LIST, Kind.GROUP, Kind.SUBSHELL}:
        yield f"<{node.kind}>"
    for position, part in enumerate(node.parts):
        yield from _parts(part)
        yield from _operator(node, position)


def _operator(node: Compound, position: int) -> Iterator[str]:
    if position < len(node.operators) and node.operators[position] not in {"&&", ""}:
        yield node.operators[position]


def squeezed(text: str) -> str:
    """Return a text with every run of white space as one blank."""
    return " ".join(text.split())
