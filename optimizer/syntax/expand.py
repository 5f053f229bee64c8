"""Variables in instruction arguments, as moby/buildkit frontend/dockerfile/shell/lex.go expands them."""

from collections.abc import Mapping
from contextlib import suppress

from optimizer.syntax._lexer import Lexer, MalformedError


def expand(word: str, lookup: Mapping[str, str | None], escape: str = "\\") -> str | None:
    """Return `word` with its variables replaced, and without its quotes and escapes.

    A name that `lookup` lacks is unset; one whose value is None is set to something that is not known. The result is
    None where it depends on such a value, and where BuildKit refuses the word.
    """
    if not _is_marked(word, escape):
        return word
    try:
        return Lexer(word, lookup, escape=escape).run()
    except MalformedError:
        return None


def variables_in(word: str, escape: str = "\\") -> frozenset[str]:
    """Return the names of all variables that `word` mentions, those inside `${x:-$y}` included.

    Of a word that BuildKit refuses, those in front of the fault.
    """
    if "$" not in word:
        return frozenset()
    lexer = Lexer(word, {}, escape=escape, skip_unset=True)
    with suppress(MalformedError):
        lexer.run()
    return frozenset(lexer.names)


def _is_marked(word: str, escape: str) -> bool:
    return "$" in word or "'" in word or '"' in word or escape in word or "\ufeff" in word
