"""Take instructions out of a file so that no hole and no double blank line is left."""

from collections.abc import Iterator, Sequence

from optimizer.syntax import Document, Instruction, Span
from optimizer.transforms._finding import Edit
from optimizer.transforms._layout import instruction_with_comments, remove_instruction


def taken_out(document: Document, sources: Sequence[Instruction], lines: Sequence[str]) -> Iterator[Edit]:
    """Take the COPYs out, with lines in the place of the first; those that are one paragraph go with its blank line."""
    first = sources[0]
    if lines:
        yield Edit(_block(document, first), "".join(line + document.newline for line in lines))
        sources = sources[1:]
    group: list[Instruction] = []
    for instruction in sources:
        if group and document.source[group[-1].span.end : _block(document, instruction).start].strip():
            yield _removed(document, group)
            group = []
        group.append(instruction)
    if group:
        yield _removed(document, group)


def _removed(document: Document, group: Sequence[Instruction]) -> Edit:
    """Take out instructions that stand together, and the blank lines above them where others follow."""
    if len(group) == 1:
        return remove_instruction(document, group[0])
    source, start, end = document.source, _block(document, group[0]).start, group[-1].span.end
    if not source[end:].partition("\n")[0].strip():
        above = source[:start].rstrip()
        start = min(start, source.find("\n", len(above)) + 1)
    return Edit(Span(start, end), "")


def _block(document: Document, instruction: Instruction) -> Span:
    end = instruction.span.end
    return Span(end - len(instruction_with_comments(document, instruction)), end)
