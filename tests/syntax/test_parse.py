from pathlib import Path
from time import process_time

import pytest

from optimizer.syntax import Flag, Instruction, Span, parse

ROUNDTRIP = sorted((Path(__file__).parents[2] / "fixtures/roundtrip").glob("*.Dockerfile"))


def only(text: str) -> Instruction:
    (instruction,) = parse(text).instructions
    return instruction


def last(text: str) -> Instruction:
    return parse(text).instructions[-1]


def test_there_are_enough_oddities() -> None:
    assert len(ROUNDTRIP) >= 45


@pytest.mark.parametrize("path", ROUNDTRIP, ids=lambda path: path.stem)
def test_oddity_comes_back_as_it_was(path: Path) -> None:
    text = path.read_bytes().decode()

    assert str(parse(text)) == text


@pytest.mark.parametrize(
    ("text", "keywords"),
    [
        ("", []),
        ("\n \n# c\n", []),
        ("FROM a\nRUN b", ["FROM", "RUN"]),
        ("from a\nrUn b", ["from", "rUn"]),
        ("FR\\\nOM a", ["FROM"]),
        ("RUN\fa", ["RUN"]),
        ("RUN\u00a0a", ["RUN\u00a0a"]),
        ("RUN a\rCMD b", ["RUN"]),
        ("RUN a\u2028CMD b", ["RUN"]),
        ("RUN a\x0cCMD b", ["RUN"]),
        ("\\", [""]),
        ("RUN a \\\\\nCMD b", ["RUN", "CMD"]),
        ("RUN a \\ \t\nCMD b", ["RUN"]),
        ("RUN a \\\f\nCMD b", ["RUN", "CMD"]),
        ("# escape=`\nRUN a `\nCMD b", ["RUN"]),
        ("# escape=`\nRUN a \\\nCMD b", ["RUN", "CMD"]),
        ("# note \\\nRUN a", ["RUN"]),
    ],
)
def test_keywords(text: str, keywords: list[str]) -> None:
    assert [i.keyword for i in parse(text)] == keywords


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("RUN a", "a"),
        ("RUN  a  b  ", "a  b"),
        ("RUN", ""),
        ("RUN a \\\n  b", "a   b"),
        ("RUN a\\\nb", "ab"),
        ("RUN a \\\r\n  b\r\n", "a   b"),
        ("RUN a \\\n\n  b", "a   b"),
        ("RUN a \\\n# note\n  # more\n  b", "a   b"),
        ("RUN a \\\n# note", "a"),
        ("RUN a # no comment", "a # no comment"),
        ("RUN a\\", "a"),
        ("RUN a\rb\r\r\n", "a\rb"),
        ("RUN a\x00b\x1c", "a\x00b\x1c"),
        ("RUN a\u00a0\u2028", "a"),
        ("RUN --mount=x --network=y a --b", "a --b"),
        ("RUN -- --a", "--a"),
    ],
)
def test_value(text: str, value: str) -> None:
    assert only(text).value.text == value


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("COPY --from=a b c", [("from", "a", "--from=a")]),
        ("COPY --link b c", [("link", None, "--link")]),
        ("COPY --link= b c", [("link", "", "--link=")]),
        ("RUN --mount=type=cache,target=/x a", [("mount", "type=cache,target=/x", "--mount=type=cache,target=/x")]),
        ("RUN --a='b c' d", [("a", "b c", "--a='b c'")]),
        ('RUN --a="b\\"c" d', [("a", 'b"c', '--a="b\\"c"')]),
        ("RUN --a=b\\ c d", [("a", "b c", "--a=b\\ c")]),
        ('RUN --"a=b" c', [("a", "b", '--"a=b"')]),
        ("# escape=`\nRUN --a=C:\\ d", [("a", "C:\\", "--a=C:\\")]),
        ("RUN --a=b \\\n # note\n  --c=d e", [("a", "b", "--a=b"), ("c", "d", "--c=d")]),
        ("RUN --a=\\\nb c", [("a", "b", "--a=\\\nb")]),
        ("RUN --a='b", [("a", "b", "--a='b")]),
        ("RUN a --b=c", []),
        ("RUN - --a", []),
    ],
)
def test_flags(text: str, flags: list[tuple[str, str | None, str]]) -> None:
    found = [(f.name, f.value, text[f.span.start : f.span.end]) for f in only(text).flags]

    assert found == flags


def test_a_flag_is_found_by_name() -> None:
    copy = only("COPY --from=a --link b c")

    assert copy.flags[0] == Flag("from", "a", Span(5, 13))
    assert [copy.flag(name) for name in ("from", "link", "chown")] == ["a", "", None]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('CMD ["a", "b c"]', ("a", "b c")),
        ("CMD []", ()),
        ('RUN --network=none ["a"]', ("a",)),
        ('CMD [ "a" \\\n , "b" ]', ("a", "b")),
        ('CMD ["\\u00e9", "\\"", "\\ud83d\\ude00", "\\ud83d"]', ("é", '"', "😀", "\ufffd")),
        ('HEALTHCHECK --interval=1s CMD ["a"]', ("a",)),
        ('VOLUME ["/a"]', ("/a",)),
        ('COPY ["a b", "c"]', ("a b", "c")),
        ("CMD ['a']", None),
        ('CMD ["a",]', None),
        ('CMD ["a" "b"]', None),
        ('CMD ["a\tb"]', None),
        ('CMD ["\\x"]', None),
        ("CMD [NaN]", None),
        ("RUN [ -f a ]", None),
        ('ENV ["a"]=b', None),
        ('USER ["a"]', None),
        ("CMD a", None),
    ],
)
def test_json_form(text: str, words: tuple[str, ...] | None) -> None:
    assert only(text).json == words


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("FOO bar", "unknown instruction FOO"),
        ("\\", "unknown instruction"),
        ("HEALTHCHEC\u212a NONE", "unknown instruction"),
        ("RUN", "RUN requires at least one argument"),
        ("FROM", "FROM requires either one or three arguments"),
        ("FROM a b", "FROM requires either one or three arguments"),
        ("FROM a AS 1", "invalid name for build stage"),
        ("COPY a", "COPY requires at least two arguments"),
        ("COPY a <<EOF\nEOF\n", "cannot accept a heredoc as a destination"),
        ("ENV", "ENV requires at least one argument"),
        ("ENV a", "ENV must have two arguments"),
        ("ENV a=b c", "can't find = in 'c'"),
        ("LABEL =b", "LABEL names can not be blank"),
        ("ARG =b", "ARG names can not be blank"),
        ("HEALTHCHECK curl", "unknown type curl"),
        ("HEALTHCHECK CMD", "missing command"),
        ("HEALTHCHECK NONE x", "takes no arguments"),
        ('VOLUME [" "]', "can not be an empty string"),
        ("SHELL bash -c", "JSON form"),
        ("SHELL []", "at least one argument"),
        ('CMD ["a", 1]', "strings only"),
        ("CMD " + "[" * 60_000, "strings only"),
        ('CMD ["a"] b', "text behind a JSON array"),
        ("ONBUILD", "ONBUILD requires at least one argument"),
        ("ONBUILD FROM a", "FROM isn't allowed as an ONBUILD trigger"),
        ("ONBUILD MAINTAINER a", "MAINTAINER isn't allowed as an ONBUILD trigger"),
        ("ONBUILD onbuild RUN a", "ONBUILD isn't allowed as an ONBUILD trigger"),
        ("ONBUILD ENV a", "ENV must have two arguments"),
        ("RUN <<EOF\na\n", "unterminated heredoc EOF"),
        ("RUN <<'EOF'\n EOF\n", "unterminated heredoc EOF"),
        ("RUN <<E " + "${a:-" * 1000, "nested too deeply"),
        ("RUN --foo=a b", "unknown flag --foo"),
        ("COPY --from a b c", "missing a value on flag: --from"),
        ("COPY --link= b c", "missing a value on flag: --link"),
        ("COPY --link=x b c", "expecting boolean value for flag --link"),
        ("COPY --from=a --from=b c d", "duplicate flag specified: --from"),
        ("COPY --chown=é a b", "outside ASCII"),
        ("# escape=x\nFROM a", "invalid escape token 'x'"),
        ("# escape= \nFROM a", "invalid escape token ' '"),
        ("# escape=`\n# escape=`\nFROM a", "only one escape parser directive"),
        ("RUN " + "a" * 65_532, "65535 bytes"),
        ("# " + "é" * 40_000 + "\nRUN a", "65535 bytes"),
    ],
)
def test_problem(text: str, problem: str) -> None:
    found = only(text).problem

    assert found is not None
    assert problem in found


@pytest.mark.parametrize(
    "text",
    [
        "CMD []",
        "ENTRYPOINT []",
        "FROM a AS b-1_c.d",
        "FROM --platform=$X a as B",
        "HEALTHCHECK --start-interval=1s CMD a",
        "HEALTHCHECK none",
        "COPY --exclude=a --exclude=b --parents c d",
        "RUN --mount=a --mount=b c",
        "RUN " + "a" * 65_531,
        "ARG A B=c",
        "ONBUILD RUN a",
        "LABEL a b c",
    ],
)
def test_no_problem(text: str) -> None:
    assert only(text).problem is None


def test_every_character_has_its_place() -> None:
    text = "\ufeff# escape=\\\n\nFROM a\n# why\n\nRUN b \\\n  # c\n  d\n\n# end"
    document = parse(text)
    start, run = document.instructions

    assert (document.bom, start.leading, start.text) == ("\ufeff", "# escape=\\\n\n", "FROM a\n")
    assert (run.leading, run.text) == ("# why\n\n", "RUN b \\\n  # c\n  d\n")
    assert document.trailing == "\n# end"
    assert (run.line, run.end_line) == (6, 8)
    assert [text[span.start : span.end] for span in run.comments] == ["  # c"]
    assert text[run.span.start : run.span.end] == run.text


def test_joined_text_knows_where_it_comes_from() -> None:
    text = "RUN --mount=x a \\\r\n\r\n# c\r\n  bc \\\n\td\n"
    run = only(text)

    for joined in (run.body, run.value):
        assert [text[joined.at(i)] for i in range(len(joined.text))] == list(joined.text)
    at = run.value.text.index("c")
    assert text[slice(*run.value.span(at, len(run.value.text)))] == "c \\\n\td"


@pytest.mark.parametrize(
    ("text", "directives"),
    [
        ("# syntax=docker/dockerfile:1\n# escape=`\n", [("syntax", "docker/dockerfile:1"), ("escape", "`")]),
        ("#SYNTAX = a b \n#\tcheck=x;y\r\n", [("syntax", "a b"), ("check", "x;y")]),
        ("\ufeff# escape=`\n", [("escape", "`")]),
        ("  # escape=`\n", [("escape", "`")]),
        ("\n# escape=`\n", []),
        ("# note\n# escape=`\n", []),
        ("# author=me\n# escape=`\n", []),
        ("# escape\n", []),
        ("# escape=\n", []),
        ("FROM a\n# escape=`\n", []),
        ("# escape=`\n# escape=\\\n", [("escape", "`")]),
    ],
)
def test_directives(text: str, directives: list[tuple[str, str]]) -> None:
    assert [(d.name, d.value) for d in parse(text).directives] == directives


@pytest.mark.parametrize("line", ["RUN " + "a \\" * 350_000, "ENV a=" + '"' * 1_000_000, "RUN <<E " + "a " * 500_000])
def test_a_long_line_is_read_in_seconds(line: str) -> None:
    assert _seconds(line) < 5


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\n" * 100_000,
        "RUN a \\\n" * 100_000,
        "RUN a \\\n# c\n" * 50_000,
        "RUN <<E\n" + "a\n" * 100_000,
        "\n" * 100_000,
    ],
)
def test_many_lines_are_read_in_seconds(text: str) -> None:
    assert _seconds(text) < 8


def _seconds(text: str) -> float:
    started = process_time()
    assert str(parse(text)) == text
    return process_time() - started
