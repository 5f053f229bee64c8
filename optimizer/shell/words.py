"""What the shell makes of one word: quotes and escapes removed, expansions recognised."""

import re
from collections.abc import Mapping

from optimizer.shell.nodes import Word
from optimizer.syntax.lazy_pattern import lazy_pattern

_PLAIN = lazy_pattern(r"[\w./:=+,@%^-]*", re.ASCII)
_PART = lazy_pattern(
    r"""
    (?P<plain>[^\\'"$`*?\[\]{}~()<>|&;\s]+)
    | \\(?P<joined>\n) | \\(?P<escaped>.) | '(?P<raw>[^']*)' | "(?P<double>(?:[^"\\]|\\.)*)"
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_DYNAMIC = lazy_pattern(r"(?<!\\)(?:\\\\)*(?:`|\$[\w({@*#?$!-])", re.ASCII)
_DOUBLE_ESCAPE = lazy_pattern(r'\\(?:\n|([$`"\\]))')
_NAMES = lazy_pattern(r"\$\{[!#]?(\w+|[@*#?$!-])|\$(\w|[@*#?$!-])(\w*)", re.ASCII)
_IDENTIFIERS = lazy_pattern(r"[A-Za-z_]\w*", re.ASCII)
_ARITHMETIC = lazy_pattern(r"\$\(\((.*?)\)\)", re.DOTALL)
_BRACES = lazy_pattern(r"(?:[^{}]|\{\})*(?:,|\.\.)[^{}]*\}")
_VARIABLE = lazy_pattern(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))", re.ASCII)
_SIMPLE = lazy_pattern(r"[^\\'\"$`*?\[\]{}~()<>|&;\s]*")
_SIMPLE_DOUBLE = lazy_pattern(r"[^\\\"$`]*")


def value_of(text: str) -> str | None:
    """Return a word without its quotes and escapes, None where it takes a running shell to tell.

    A brace that bash would expand and dash would not counts as unknown, and so do `$'…'` and `$"…"`.
    """
    if _PLAIN.fullmatch(text):
        return text
    if text[:1] == "~":
        return None
    out: list[str] = []
    for match in _PART.finditer(text):
        piece = _piece(match, text)
        if piece is None:
            return None
        out.append(piece)
    return "".join(out)


def names_in(text: str) -> tuple[str, ...]:
    """Return the names of the variables that a word expands, each once, rather too many than too few."""
    if "$" not in text:
        return ()
    if "`" not in text and "$(" not in text:
        text = _without_raw(text)
    names = dict.fromkeys(m[1] or (m[2] if m[2].isdigit() else m[2] + m[3]) for m in _NAMES.finditer(text))
    for inner in _ARITHMETIC.finditer(text):
        names.update(dict.fromkeys(_IDENTIFIERS.findall(inner[1])))
    return tuple(names)


def resolve(word: Word, variables: Mapping[str, str | None]) -> str | None:
    """Return the value of a word with known variables put in, None where that does not tell it.

    Handles `$NAME` and `${NAME}` between plain characters, the whole word bare or in one pair of double quotes.
    """
    if word.value is not None or not word.variables:
        return word.value
    quoted = word.text[:1] == '"' and word.text[-1:] == '"' and len(word.text) > 1
    text = word.text[1:-1] if quoted else word.text
    literal = _SIMPLE_DOUBLE if quoted else _SIMPLE
    if not literal.fullmatch(_VARIABLE.sub("", text)):
        return None
    values = [variables.get(m[1] or m[2]) for m in _VARIABLE.finditer(text)]
    if any(v is None or not (quoted or (v and _SIMPLE.fullmatch(v))) for v in values):
        return None
    known = iter(values)
    return _VARIABLE.sub(lambda _: next(known) or "", text)


def _piece(match: re.Match[str], text: str) -> str | None:
    """Return what one part of a word stands for."""
    kind, piece = match.lastgroup, match[match.lastgroup or 0]
    if kind in {"plain", "escaped", "raw"}:
        return None if kind == "plain" and text[match.end() : match.end() + 1] == "~" and piece[-1] in "=:" else piece
    if kind == "joined":
        return ""
    if kind == "double":
        return None if _DYNAMIC.search(piece) else _DOUBLE_ESCAPE.sub(lambda m: m[1] or "", piece)
    return piece if _is_literal(piece, text[match.end() :]) else None


def _is_literal(char: str, rest: str) -> bool:
    """Tell whether an unquoted special character stands for itself, given what follows it in the word."""
    if char == "$":
        return not rest or rest[0] in "./:=,%^+]~}"
    if char == "[":
        return "]" not in rest
    if char == "{":
        return not _BRACES.match(rest)
    return char in "]}~"


def _without_raw(text: str) -> str:
    """Take the single-quoted and escaped parts out of a word."""
    keep = (m[0] for m in _PART.finditer(text) if m.lastgroup not in {"raw", "escaped", "joined"})
    return "".join(re.sub(r"\\.", "", piece) if piece[0] == '"' else piece for piece in keep)
