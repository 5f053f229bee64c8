"""Go's filepath.Match."""

import pytest

from optimizer.context import go_match
from optimizer.context.wildcards import has_wildcards

# The cases that Go's documentation speaks of.
MATCHED = [
    ("abc", "abc", True),
    ("*", "abc", True),
    ("*", "", True),
    ("*c", "abc", True),
    ("a*", "a", True),
    ("a*", "ab/c", False),
    ("a*/b", "abc/b", True),
    ("a*/b", "a/c/b", False),
    ("a*b*c*d*e*/f", "axbxcxdxe/f", True),
    ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", False),
    ("a*b?c*x", "abxbbxdbxebxczzx", True),
    ("ab[c]", "abc", True),
    ("ab[b-d]", "abc", True),
    ("ab[^e-g]", "abc", True),
    ("ab[^b-d]", "abc", False),
    ("[a]b", "ab", True),
    ("a?b", "a☺b", True),
    ("a[^a]b", "a☺b", True),
    ("a???b", "a☺b", False),
    ("a?b", "a/b", False),
    ("a*b", "a/b", False),
    ("a[^x]b", "a/b", True),
    (r"a\*b", "a*b", True),
    (r"a\*b", "ab", False),
    (r"[\]a]", "]", True),
    (r"[\-x]", "-", True),
    (r"[x\-]", "z", False),
    ("[z-a]", "m", False),
    ("[^z-a]", "m", True),
    ("a.b", "axb", False),
    ("*[x/]*b", "x/b", False),  # the first fit of a part is kept
    ("[]a]", "]", False),
    ("[-]", "-", False),
    ("[x-]", "x", False),
    ("[a-b-c]", "a", False),
    ("[", "a", False),
    ("[^", "a", False),
    ("a[", "a", False),
    ("a\\", "a", False),
    ("**", "ab", True),
    ("**/x", "a/b/x", False),
]


@pytest.mark.parametrize(("pattern", "name", "matched"), MATCHED)
def test_go_match(pattern: str, name: str, matched: bool) -> None:  # noqa: FBT001
    assert (go_match(pattern).fullmatch(name) is not None) is matched


def test_many_stars_take_no_time() -> None:
    assert not go_match("*a" * 40 + "b").fullmatch("a" * 400)


@pytest.mark.parametrize(("name", "wild"), [("a", False), ("a*", True), (r"a\*", False), (r"a\\*", True), ("[a", True)])
def test_has_wildcards(name: str, wild: bool) -> None:  # noqa: FBT001
    assert has_wildcards(name) is wild
