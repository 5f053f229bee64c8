"""The base image that a FROM names, and the edit that puts another in its place."""

from optimizer.images import Variant, variant
from optimizer.model import Step
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._finding import Edit

_TAGGED = lazy_pattern(r"(?:docker\.io/)?(?:library/)?([a-z-]+)(?::([\w.-]+))?")


def named_variant(word: str) -> Variant | str | None:
    """Return the official image that FROM names in so many words, or why it cannot change; None for another image."""
    if "$" in word:
        return "the tag of the base image is an argument"
    if "@" in word:
        return "the base image is named by its digest"
    match = _TAGGED.fullmatch(word)
    return variant(match[1], match[2]) if match else None


def exchanged(step: Step, name: str, *, registry: bool = True) -> tuple[Edit, str, str]:
    """Return the edit by which a FROM names another image, and the instruction as it is then and was before.

    With `registry` the new image is taken from where the old one came from (`docker.io/library/`).
    """
    instruction = step.instruction
    word, body = instruction.arguments[0], instruction.body.text
    at = body.index(word)
    text = word[: len(word) - len(word.rpartition("/")[2])] + name if registry else name
    edit = Edit(instruction.body.span(at, at + len(word)), text)
    return edit, _squeezed(f"FROM {body[:at]}{text}{body[at + len(word) :]}"), _squeezed(f"FROM {body}")


def _squeezed(text: str) -> str:
    return " ".join(text.split())
