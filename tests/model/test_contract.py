import pytest

from optimizer.model.contract import read_contract, witness_view
from optimizer.syntax import parse

ODD = {
    "a here-document": "FROM a\nRUN <<EOF\nCMD wrong\nUSER wrong\nEOF\nCMD right\n",
    "a blank continuation line": "FROM a\nRUN true \\\n\n    && USER_X=1 true\nCMD right\n",
    "a doubled escape": "FROM a\nRUN echo \\\\\nCMD right\n",
    "a comment in a continuation": "FROM a\nRUN true \\\n# CMD wrong\n    && true\nCMD right\n",
    "a back-tick escape": "# escape=`\nFROM a\nRUN echo `\n  x\nCMD right\n",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_the_witness_sees_through_what_it_would_misread(text: str) -> None:
    contract = read_contract(text)

    assert dict(contract.settings) == {(0, "CMD"): ("right",)}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_the_view_keeps_the_lines(text: str) -> None:
    assert witness_view(parse(text)).rstrip("\n").count("\n") == text.rstrip("\n").count("\n")


@pytest.mark.parametrize(
    ("before", "after", "part"),
    [
        ("FROM a\nCMD x\n", "FROM b\nCMD x\n", "FROM"),
        ("FROM a\nCMD x\n", "FROM a\nCMD y\n", "CMD"),
        ("FROM a\nENV A=1\n", "FROM a\nENV A=2\n", "ENV"),
        ("FROM a\nLABEL a=1\n", "FROM a\n", "LABEL"),
        ("FROM a\nUSER x\n", "FROM a\n", "USER"),
        ("FROM a\nEXPOSE 1\nFROM b\n", "FROM a\nFROM b\nEXPOSE 1\n", "EXPOSE"),
    ],
)
def test_a_difference_is_named(before: str, after: str, part: str) -> None:
    assert read_contract(before).difference(read_contract(after)) == part


def test_the_order_of_different_settings_is_no_part_of_it() -> None:
    one, other = "FROM a\nUSER x\nLABEL a=1\n", "FROM a\nLABEL a=1\nUSER x\n"

    assert read_contract(one).difference(read_contract(other)) is None


def test_an_argument_that_the_witness_cannot_read_leaves_the_rest_readable() -> None:
    text = "ARG A={{ B }}\nFROM a\nCMD x\n"

    assert read_contract(text).settings == {(0, "CMD"): ("x",)}
    assert read_contract(text).difference(read_contract(text.replace("CMD x", "CMD y"))) == "CMD"
