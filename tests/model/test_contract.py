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

    assert contract.cmd == "right"
    assert not any("wrong" in value for _, _, value in contract.instructions)


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_the_view_keeps_the_lines(text: str) -> None:
    assert witness_view(parse(text)).rstrip("\n").count("\n") == text.rstrip("\n").count("\n")


@pytest.mark.parametrize(
    ("before", "after", "part"),
    [
        ("FROM a\nCMD x\n", "FROM b\nCMD x\n", "base images"),
        ("FROM a\nCMD x\n", "FROM a\nCMD y\n", "cmd"),
        ("FROM a\nENV A=1\n", "FROM a\nENV A=2\n", "env"),
        ("FROM a\nLABEL a=1\n", "FROM a\n", "labels"),
        ("FROM a\nUSER x\n", "FROM a\n", "instructions"),
        ("FROM a\nEXPOSE 1\nFROM b\n", "FROM a\nFROM b\nEXPOSE 1\n", "instructions"),
    ],
)
def test_a_difference_is_named(before: str, after: str, part: str) -> None:
    assert read_contract(before).difference(read_contract(after)) == part
