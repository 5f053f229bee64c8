import pytest

from optimizer.syntax import pairs, parse, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ENV a=b", [("a", "b")]),
        ("ENV a=b c=d=e", [("a", "b"), ("c", "d=e")]),
        ("ENV a= b=''", [("a", ""), ("b", "''")]),
        ("ENV a=\"b c\" d='e f'", [("a", '"b c"'), ("d", "'e f'")]),
        ("ENV a=b\\ c d=e", [("a", "b\\ c"), ("d", "e")]),
        ('ENV a="b\\" c" d=e', [("a", '"b\\" c"'), ("d", "e")]),
        ("ENV a='b\\' c=d", [("a", "'b\\'"), ("c", "d")]),
        ("ENV a=b\\\\", [("a", "b\\\\")]),
        ("ENV a=\\\\\\", [("a", "\\\\")]),
        ('ENV a="b', [("a", '"b')]),
        ("ENV a='b c", [("a", "'b c")]),
        ("ENV a=b \\\n # note\n   c=d", [("a", "b"), ("c", "d")]),
        ("ENV a=b\u00a0c=d", [("a", "b"), ("c", "d")]),
        ("ENV a b  c=d ", [("a", "b  c=d")]),
        ('ENV "a b" c', [('"a', 'b" c')]),
        ('LABEL "a b"="c"', [('"a b"', '"c"')]),
        ("ENV a=C:\\ b=c", [("a", "C:\\ b=c")]),
        ("# escape=`\nENV a=C:\\ b=c` d", [("a", "C:\\"), ("b", "c` d")]),
        ("ARG a", [("a", None)]),
        ("ARG a b=c d=", [("a", None), ("b", "c"), ("d", "")]),
        ("ARG a='b c'", [("a", "'b c'")]),
        ("ENV a", []),
        ("ENV a=b c", []),
        ("ENV", []),
        ("RUN a=b", []),
    ],
)
def test_pairs(text: str, expected: list[tuple[str, str | None]]) -> None:
    assert list(pairs(parse(text).instructions[0])) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("COPY a  b\tc", ["a", "b", "c"]),
        ("COPY --from=x a \\\n  # note\n  b", ["a", "b"]),
        ("COPY a\u00a0b c", ["a\u00a0b", "c"]),
        ('COPY "a b" c', ['"a', 'b"', "c"]),
        ("FROM a AS b", ["a", "AS", "b"]),
        ("WORKDIR /a", ["/a"]),
        ("RUN", []),
        ('COPY ["a", "b"]', []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    found = words(parse(text).instructions[0])

    assert [word for word, _ in found] == expected
    assert [text[span.start : span.end] for _, span in found] == expected


def test_a_word_over_two_lines_spans_both() -> None:
    text = "COPY a\\\n b\\\nc d"
    ((_, _), (word, span), (_, _)) = words(parse(text).instructions[0])

    assert (word, text[slice(*span)]) == ("bc", "b\\\nc")


def test_arguments_are_the_words_or_the_json() -> None:
    copy, cmd, run = parse('COPY a\tb\u00a0c d\nCMD ["a b"]\nRUN\n').instructions

    assert (copy.arguments, cmd.arguments, run.arguments) == (("a", "b\u00a0c", "d"), ("a b",), ())
