import pytest

from optimizer.syntax import parse


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("RUN <<EOF\nEOF\n", ["EOF"]),
        ("RUN cat <<A - 3<<B\nA\nB\n", ["A", "B"]),
        ("COPY <<a.txt <<'b c' /x/\na.txt\nb c\n", ["a.txt", "b c"]),
        ("ADD <<E /x\nE\n", ["E"]),
        ("ONBUILD RUN <<E\nE\n", ["E"]),
        ("RUN <<  EOF\nEOF\n", ["EOF"]),
        ("RUN <<E'O'F\nEOF\n", ["EOF"]),
        ("RUN <<\\E\nE\n", ["E"]),
        ("RUN <<$E\n$E\n", ["$E"]),
        ("RUN <<EOF;\nEOF;\n", ["EOF;"]),
        ("RUN a<<EOF\n", []),
        ("RUN <<<EOF\n", []),
        ("RUN '<<EOF'\n", []),
        ('RUN ["<<EOF"]\n', []),
        ("RUN it's <<EOF\n", []),
        ("RUN $((1<<2))\n", []),
        ('RUN <<""\n', []),
        ("RUN <<${x:-y}\n", []),
        ("CMD <<EOF\n", []),
        ("ONBUILD CMD <<EOF\n", []),
        ("ONBUILD ONBUILD RUN <<EOF\n", []),
    ],
)
def test_names(text: str, names: list[str]) -> None:
    instruction = parse(text).instructions[0]

    assert [h.name for h in instruction.heredocs] == names
    assert instruction.text == text


@pytest.mark.parametrize(
    ("text", "body", "strip_tabs", "expand", "descriptor"),
    [
        ("RUN <<E\n a $b\nE\n", " a $b\n", False, True, 0),
        ("RUN <<'E'\na\nE\n", "a\n", False, False, 0),
        ('RUN <<"E"\na\nE\n', "a\n", False, False, 0),
        ("RUN <<-E\n\ta\n\t\tb\n c\n\tE\n", "a\nb\n c\n", True, True, 0),
        ("RUN 3<<E\nE", "", False, True, 3),
        ("RUN <<E\na\r\nE\r\n", "a\r\n", False, True, 0),
        ("RUN <<E \\\n # c\n  x\na \\\nE\n", "a \\\n", False, True, 0),
        ("RUN <<E\n E\n\tE\nE x\nE\n", " E\n\tE\nE x\n", False, True, 0),
        ("RUN " + "9" * 5000 + "<<E\nE\n", "", False, True, 2**64 - 1),
    ],
)
def test_body(text: str, body: str, strip_tabs: bool, expand: bool, descriptor: int) -> None:  # noqa: FBT001 - a table
    (heredoc,) = parse(text).instructions[0].heredocs

    assert heredoc.body == body
    assert text[slice(*heredoc.span)].replace("\t", "") == body.replace("\t", "")
    assert (heredoc.strip_tabs, heredoc.expand, heredoc.descriptor) == (strip_tabs, expand, descriptor)


def test_what_follows_is_read_again() -> None:
    run, cmd = parse("RUN <<E\nFROM x\nE\nCMD a\n").instructions

    assert (run.line, run.end_line, cmd.line, cmd.keyword) == (1, 3, 4, "CMD")


def test_a_trigger_has_the_same_offsets_and_bodies() -> None:
    text = "FROM a\nONBUILD \\\n # c\n COPY --link <<E \\\n # d\n /x\nb\nE\n"
    onbuild = parse(text).instructions[1]
    copy = onbuild.trigger

    assert copy is not None
    assert text[copy.start :].startswith("COPY --link")
    assert (copy.line, copy.end_line, onbuild.line) == (4, 8, 2)
    assert text[slice(*copy.flags[0].span)] == "--link"
    assert copy.heredocs == onbuild.heredocs
    assert [text[slice(*span)] for span in copy.comments] == [" # d"]
    assert text[copy.value.at(copy.value.text.index("/x"))] == "/"
    assert copy.trigger is None
