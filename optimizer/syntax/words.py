"""The words of an instruction with their places in the source."""

from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.syntax.nodes import Instruction, Span

_WORD = lazy_pattern(r"[^\t\v\f\r ]+")


def words(instruction: Instruction) -> tuple[tuple[str, Span], ...]:
    """Return the words of a shell-form value, split at white space as COPY, ADD and FROM are, with their spans.

    Quotes and variables are left as written. Empty for the JSON form, whose words are in `instruction.json`.
    """
    if instruction.json is not None:
        return ()
    value = instruction.value
    return tuple((match[0], value.span(*match.span())) for match in _WORD.finditer(value.text))
