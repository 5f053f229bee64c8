import pytest

from optimizer.syntax import expand, variables_in

KNOWN = {"x": "abc", "empty": "", "path": "/usr/local/bin", "star": "a*b", "two": "xxyyxx", "unknown": None}


@pytest.mark.parametrize(
    ("word", "result"),
    [
        ("plain", "plain"),
        ("$x", "abc"),
        ("${x}", "abc"),
        ("a$x-b", "aabc-b"),
        ("$xy", ""),
        ("$", "$"),
        ("$.", "$."),
        ("$$", ""),
        ("$1a", "a"),
        ("\\$x", "$x"),
        ("'$x'", "$x"),
        ('"$x\'"', "abc'"),
        ('"\\$x\\n\\\\"', "$x\\n\\"),
        ("a\\ b", "a b"),
        ("a\\", "a"),
        ("'a' \"b\"", "a b"),
        ("'' ", " "),
        ("a<<b", "a<<b"),
        ("${none-a}", "a"),
        ("${empty-a}", ""),
        ("${empty:-a}", "a"),
        ("${x:-a}", "abc"),
        ("${none:-${empty:-$x}}", "abc"),
        ('${none:-"a}\'b"}', "a}'b"),
        ("${none:-a\\}b}", "a}b"),
        ("${x+a}", "a"),
        ("${empty+a}", "a"),
        ("${empty:+a}", ""),
        ("${none+a}", ""),
        ("${x:+$path}", "/usr/local/bin"),
        ("${x?no}", "abc"),
        ("${empty?no}", ""),
        ("${path#*/}", "usr/local/bin"),
        ("${path##*/}", "bin"),
        ("${path%/*}", "/usr/local"),
        ("${path%%/*}", ""),
        ("${path#/???/}", "local/bin"),
        ("${star#a\\*}", "b"),
        ("${star%\\*b}", "a"),
        ("${x#$x}", ""),
        ("${none#a}", ""),
        ("${x#z}", "abc"),
        ("${path/\\/usr/}", "/local/bin"),
        ("${path//\\//-}", "-usr-local-bin"),
        ("${two/x*x/z}", "z"),
        ("${two//x/z}", "zzyyzz"),
        ("${two//*/z}", "z"),
        ("${x/b/$empty}", "ac"),
        ("${x/z/y}", "abc"),
        ("${none/a/b}", ""),
    ],
)
def test_known(word: str, result: str) -> None:
    assert expand(word, KNOWN) == result


@pytest.mark.parametrize(
    "word",
    [
        *("$unknown", "a${unknown}", '"$unknown"', "${unknown:-a}", "${unknown-a}", "${unknown:+a}", "${unknown:?a}"),
        *("${none:-$unknown}", "${x:+$unknown}", "${unknown#a}", "${x#$unknown}", "${unknown/a/b}", "${x/$unknown/b}"),
    ],
)
def test_depends_on_what_is_not_known(word: str) -> None:
    assert expand(word, KNOWN) is None


@pytest.mark.parametrize(
    ("word", "result"),
    [("${unknown+a}", "a"), ("${x:-$unknown}", "abc"), ("${none:+$unknown}", ""), ("'$unknown'", "$unknown")],
)
def test_does_not_depend_on_what_is_not_known(word: str, result: str) -> None:
    assert expand(word, KNOWN) == result


@pytest.mark.parametrize(
    "word",
    [
        *("'a", '"a', "${", "${x", "${}", "${x:}", "${:-a}", "${{x}}", "${x:=a}", "${x=a}", "${x:#a}", "${ x}"),
        *("${x/a}", "${none?}", "${none:?gone}", "${empty:?}", "${x:-'a}", "${x#\\a}", "${x//b/\\$1}", "${a:-" * 2000),
    ],
)
def test_refused(word: str) -> None:
    assert expand(word, KNOWN) is None


def test_a_search_without_end_is_given_up() -> None:
    assert expand("${a##*a*a*a*a*b}", {"a": "a" * 1000}) is None


@pytest.mark.parametrize(
    ("word", "result"),
    [("C:\\$x", "C:\\abc"), ("`$x", "$x"), ('"`"`$"', '"$'), ("${none:-a`}b}", "a}b"), ("\\", "\\")],
)
def test_backtick(word: str, result: str) -> None:
    assert expand(word, KNOWN, "`") == result


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("a", set()),
        ("$a ${b} '$c' \"$d\" \\$e", {"a", "b", "d"}),
        ("${a:-${b:+$c}}${d#$e}${f/$g/$h}", set("abcdefgh")),
        ("${a?$b}", {"a", "b"}),
        ("$a${b:-'", {"a"}),
    ],
)
def test_variables(word: str, names: set[str]) -> None:
    assert variables_in(word) == names


def test_variables_with_backtick() -> None:
    assert variables_in("C:\\$a `$b", "`") == {"a"}
