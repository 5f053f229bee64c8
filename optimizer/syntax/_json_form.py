"""The JSON form of arguments, as in moby/buildkit frontend/dockerfile/parser/line_parsers.go."""

from optimizer.syntax._lines import SPACE
from optimizer.syntax.lazy_pattern import lazy_pattern

_BLANK = r"[ \t\r\n]*"
_STRING = r'"[^"\\\x00-\x1f]*"'
_STRINGS = lazy_pattern(_STRING)
_PLAIN_LIST = lazy_pattern(rf"\[{_BLANK}(?:{_STRING}(?:{_BLANK},{_BLANK}{_STRING})*)?{_BLANK}\]{_BLANK}")
_SURROGATE = lazy_pattern("[\ud800-\udfff]")


class NotStringsError(Exception):
    """The text is a JSON array, but not one of strings; BuildKit refuses it."""


def read_json(text: str) -> tuple[str, ...] | None:
    """Return the strings of a JSON array, None where the text is not JSON and therefore shell form.

    Raises NotStringsError for an array that holds anything but strings.
    """
    text = text.lstrip(SPACE)
    if not text.startswith("["):
        return None
    if _PLAIN_LIST.fullmatch(text):
        return tuple(_SURROGATE.sub("\ufffd", string[1:-1]) for string in _STRINGS.findall(text))
    return _decode(text)


def has_text_behind(text: str) -> bool:
    """Say whether a JSON array stands at the start of `text` and something else behind it.

    BuildKit takes such text for shell form since Dockerfile 1.10, and dropped what is behind the array before.
    """
    text = text.lstrip(SPACE)
    if not text.startswith("["):
        return False
    from json import JSONDecoder

    try:
        JSONDecoder().raw_decode(text)
    except (RecursionError, ValueError):
        return False
    return True


def _decode(text: str) -> tuple[str, ...] | None:
    # Few files have escapes in their JSON form, and the import would cost every start.
    from json import loads

    try:
        items = loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise NotStringsError from error
    except ValueError:
        return None
    if not all(isinstance(item, str) for item in items):
        raise NotStringsError
    return tuple(_SURROGATE.sub("\ufffd", item) for item in items)


def _refuse(constant: str) -> None:
    """Refuse `NaN` and the like, which Python reads and JSON does not have."""
    raise ValueError(constant)
