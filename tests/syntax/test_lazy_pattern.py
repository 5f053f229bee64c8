import re

from optimizer.syntax.lazy_pattern import lazy_pattern


def test_it_answers_as_the_compiled_pattern_does() -> None:
    lazy, compiled = lazy_pattern(r"a(b)?", re.IGNORECASE), re.compile(r"a(b)?", re.IGNORECASE)

    assert lazy.pattern == compiled.pattern
    for text in ("AB", "xa", ""):
        assert bool(lazy.match(text)) == bool(compiled.match(text))
        assert lazy.sub("-", text) == compiled.sub("-", text)
        assert lazy.findall(text) == compiled.findall(text)
