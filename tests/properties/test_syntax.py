from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.syntax import Document, Instruction, Joined, expand, pairs, parse, variables_in, words

FIXTURES = [
    path.read_bytes().decode()
    for path in sorted((Path(__file__).parents[2] / "fixtures/roundtrip").glob("*.Dockerfile"))
]

PIECES = st.sampled_from(
    [
        *("FROM a", "RUN ", "COPY ", "ENV ", "ARG ", "CMD ", "ONBUILD ", "HEALTHCHECK CMD ", "run ", "Foo "),
        *("\n", "\r\n", "\r", " \\\n", "\\", "`\n", "\\ \t\r\n", "# c\n", "  # c\\\n", "# escape=`\n", "\ufeff"),
        *(" ", "\t", "\f", "\v", "\x00", "\x85", "\xa0", "\u2028", "\x1c", "é", "🐳", "\ud800"),
        *(
            '["a", "b"]',
            "[",
            "]",
            '"',
            "'",
            "--a=b ",
            "--",
            "a=b",
            "<<E",
            "<<-'E'",
            "3<< E",
            "\nE\n",
            "${a:-",
            "}",
            "$a",
        ),
    ]
)
LIKE_DOCKERFILES = st.lists(PIECES, max_size=30).map("".join)


@st.composite
def changed_fixtures(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(FIXTURES))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        text = text[:start] + draw(st.one_of(PIECES, st.just(""))) + text[start + draw(st.integers(0, 4)) :]
    return text


TEXTS = st.one_of(st.text(st.characters(), max_size=60), LIKE_DOCKERFILES, changed_fixtures())


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_nothing_is_lost(text: str) -> None:
    document = parse(text)

    assert str(document) == text
    _check_order(document)
    for instruction in document:
        _check_places(instruction, text)
        if instruction.trigger:
            _check_places(instruction.trigger, text)


@given(TEXTS)
@settings(max_examples=100, deadline=None)
def test_words_are_where_they_are_said_to_be(text: str) -> None:
    for instruction in parse(text):
        assert all(name is not None for name, _ in pairs(instruction))
        for word, span in words(instruction):
            assert text[span.start] == word[0]
            assert text[span.end - 1] == word[-1]


@given(LIKE_DOCKERFILES, st.sampled_from("\\`"))
@settings(max_examples=100, deadline=None)
def test_expansion_never_raises(word: str, escape: str) -> None:
    everything = dict.fromkeys(variables_in(word, escape))
    known = expand(word, dict.fromkeys(everything, "x"), escape)
    unknown = expand(word, everything, escape)

    assert unknown is None or unknown == known


def _check_order(document: Document) -> None:
    end, line = len(document.bom), 0
    for instruction in document:
        assert instruction.start == end + len(instruction.leading)
        assert line < instruction.line <= instruction.end_line
        end, line = instruction.span.end, instruction.end_line
    assert document.source[end:] == document.trailing


def _check_places(instruction: Instruction, text: str) -> None:
    assert text[slice(*instruction.span)] == instruction.text
    assert instruction.line == text.count("\n", 0, instruction.start) + 1
    inside = [*(f.span for f in instruction.flags), *instruction.comments, *(h.span for h in instruction.heredocs)]
    assert all(instruction.start <= s.start <= s.end <= instruction.span.end for s in inside)
    assert all(text[slice(*span)].lstrip("\t\f\v\r \x85\xa0\u2028").startswith("#") for span in instruction.comments)
    assert all(text[slice(*flag.span)].startswith("-") for flag in instruction.flags)
    for joined in (instruction.body, instruction.value):
        _check_joined(joined, text)


def _check_joined(joined: Joined, text: str) -> None:
    places = [joined.at(i) for i in range(len(joined.text))]
    assert [text[place] for place in places] == list(joined.text)
    assert places == sorted(set(places))
    assert [joined.slice(i, i + 1).at(0) for i in range(len(places))] == places
