"""The ignore file, against what Docker documents and what BuildKit does."""

import re
from posixpath import normpath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.context import IgnoreFile

IGNORED = [
    ("temp?", "tempa", True),
    ("temp?", "temp", False),
    ("temp?", "temp/", False),
    ("*/temp*", "somedir/temporary.txt", True),
    ("*/temp*", "somedir/temp/x", True),
    ("*/temp*", "temp", False),
    ("*/*/temp*", "somedir/subdir/temporary.txt", True),
    ("**/*.go", "a.go", True),
    ("**/*.go", "a/b/c.go", True),
    ("**/*.go", "a.gob", False),
    ("*.md\n!README.md", "README.md", False),
    ("*.md\n!README.md", "CHANGES.md", True),
    ("*.md\n!README.md\nREADME.md", "README.md", True),
    ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", True),
    ("*.md\nREADME-secret.md\n!README*.md", "README-secret.md", False),
    # A folder that matches takes all below with it, until an exception brings something back.
    ("node_modules", "node_modules/a/index.js", True),
    ("node_modules", "web/node_modules/a.js", False),
    ("**/node_modules", "web/node_modules/a.js", True),
    ("docs\n!docs/README.md", "docs/README.md", False),
    ("docs\n!docs/README.md", "docs/guide.md", True),
    ("*\n!src", "src/deep/er/x.c", False),
    ("*\n!src", "other/x.c", True),
    ("*\n!src\nsrc/*.o", "src/x.o", True),
    ("a/b\n!a", "a/b/c", True),  # fsutil: the exception was not needed for `a`, so it is not remembered
    # The line as written.
    ("# comment\na", "# comment", False),
    (" # no comment", "# no comment", True),
    ("  padded\t\r\n", "padded", True),
    ("\ufeffa", "a", True),
    ("/rooted", "rooted", True),
    ("/rooted", "a/rooted", False),
    ("./dotted/", "dotted/x", True),
    ("a/../b//c/", "b/c", True),
    ("../above", "above", False),
    ("/../above", "above", True),
    ("! spaced\n", "spaced", False),
    ("*\n! spaced\n", "spaced", False),
    (".", "a", False),
    ("/", "a", False),
    ("..", "a", False),
    ("", "a", False),
    # Wildcards.
    ("*", "a/b", True),
    ("**", "a/b", True),
    ("a**", "abc", True),
    ("a**", "a/b", True),
    ("a/**", "a", False),
    ("a/**", "a/b/c", True),
    ("**/b", "b", True),
    ("**/b", "ab", False),
    ("**b", "ab", True),
    ("a/**/c", "a/c", True),
    ("a/**/c", "a/b/b/c", True),
    ("a/**/c", "a/bc", False),
    ("[a-c]1", "b1", True),
    ("[^a-c]1", "b1", False),
    ("[^a-c]1", "d1", True),
    (r"[\-a]*", "-x", True),
    (r"\*a", "*a", True),
    (r"\*a", "ba", False),
    (r"a\?", "a?", True),
    ("a.c", "abc", False),
    ("a.*", "abc", False),
    ("a+", "aa", False),
    ("a+?", "a+b", True),
    ("(a)?", "(a)b", True),
    ("$a*", "$ab", True),
    ("é?", "éa", True),
    # Quirks of the Go code: some operators of its regular expressions show through.
    ("*.{js,ts}", "a.js", False),
    ("*.{js,ts}", "a.{js,ts}", True),
    ("a{2}?", "aab", True),
    ("x?|y", "by", True),
    (r"bin\Debug", "binXebug", True),
    (r"a\d", "a7", True),
    ("[[:digit:]]", "7", True),
    ("a^*", "a^b", False),
]


@pytest.mark.parametrize(("text", "path", "ignored"), IGNORED)
def test_ignores(text: str, path: str, ignored: bool) -> None:  # noqa: FBT001
    assert IgnoreFile(text).ignores(path.rstrip("/")) is ignored


@pytest.mark.parametrize("text", ["!", "!/", "a[", "[]", "*\n[b-", "a\\", "[-a]"])
def test_what_buildkit_refuses_is_a_problem(text: str) -> None:
    file = IgnoreFile(text)

    assert "is not valid" in (file.problem or "")
    assert file.ignores("x") is text.startswith("*")


def test_an_ordinary_file_has_no_problem() -> None:
    assert IgnoreFile("*\n!a\n**/x[a-c]?\n").problem is None


def test_the_root_is_never_ignored() -> None:
    assert not IgnoreFile("**").ignores("")
    assert not IgnoreFile("**").hides("")


HIDDEN = [
    ("a", "a", True),
    ("a", "a/b", True),
    ("a", "b", False),
    ("a\n!a/b", "a", False),
    ("a\n!a/b", "a/c", True),
    ("a\n!a/b/*", "a/b", False),
    ("a\n!**/x", "a", False),
    ("!**/x\na", "a", True),
    ("*\n!src\nsrc/build", "src/build", True),
    ("*\n!src/**/x\nout", "out", True),
]


@pytest.mark.parametrize(("text", "folder", "hidden"), HIDDEN)
def test_a_folder_is_hidden_when_nothing_in_it_can_come_back(text: str, folder: str, hidden: bool) -> None:  # noqa: FBT001
    assert IgnoreFile(text).hides(folder) is hidden


def test_patterns_are_the_cleaned_lines() -> None:
    file = IgnoreFile("# c\n\n/a/\n! b/../c\n")

    assert file.patterns == ("a", "!c")


NAMES = st.sampled_from(["a", "b", "ab", "a.b", ".a", "ba"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PARTS = st.sampled_from(["a", "b", "*", "**", "?", "[ab]", "[^a]", "a*", "*b", "a.b", ".*", "a**", "**b"])
LINES = st.builds(
    lambda sign, lead, parts: sign + lead + "/".join(parts),
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "", "/", "./"]),
    st.lists(PARTS, min_size=1, max_size=3),
)


@given(st.lists(LINES, max_size=6), st.lists(PATHS, min_size=1, max_size=8))
@settings(max_examples=200, deadline=None)
def test_agrees_with_the_algorithm_written_out(lines: list[str], paths: list[str]) -> None:
    file = IgnoreFile("\n".join(lines))

    for path in paths:
        assert file.ignores(path) == written_out(lines, path)


@given(st.lists(LINES, max_size=6), PATHS, NAMES)
@settings(max_examples=200, deadline=None)
def test_nothing_visible_is_below_a_hidden_folder(lines: list[str], folder: str, name: str) -> None:
    file = IgnoreFile("\n".join(lines))

    assert not file.hides(folder) or file.ignores(f"{folder}/{name}")


def written_out(lines: list[str], path: str) -> bool:
    """Decide as fsutil's walk does: pattern by pattern, from the first folder down to the path."""
    patterns = [(line.startswith("!"), normpath("/" + line.removeprefix("!").removeprefix("/"))[1:]) for line in lines]
    names = path.split("/")
    above = [False] * len(patterns)
    ignored = False
    for depth in range(1, len(names) + 1):
        ignored, matched = False, []
        for (exception, pattern), before in zip(patterns, above, strict=True):
            hit = before or (exception == ignored and matches(pattern, "/".join(names[:depth])))
            matched.append(hit)
            ignored = (not exception) if hit else ignored
        above = matched
    return ignored


def matches(pattern: str, path: str) -> bool:
    """Compare one path with one pattern of the alphabet above."""
    out = re.sub(r"\*\*/?$|\*\*/?|\*|\?|\.", lambda found: translated(found, pattern), pattern)
    return re.fullmatch(out, path) is not None


def translated(found: re.Match[str], pattern: str) -> str:
    text = found[0]
    if text.startswith("**"):
        # At the start of a pattern without other wildcards Go compares ends only.
        rest = pattern[found.end() :]
        if found.start() == 0 and not re.search(r"[*?\[]", rest):
            return ".*" if not text.endswith("/") or not rest else "(.*/)?"
        return ".*" if found.end() == len(pattern) else "(.*/)?"
    return {"*": "[^/]*", "?": "[^/]", ".": r"\."}[text]
