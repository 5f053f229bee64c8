"""Workflow annotations and Markdown: what reviewers see where they are."""

import re
from collections.abc import Sequence

import pytest

from optimizer.cli.texts import text_of
from optimizer.engine import Declined, Result
from optimizer.report import Entry, Evidence, Measured, Verdict
from optimizer.report.evidence_markdown import evidence_markdown
from optimizer.report.github import github
from optimizer.report.markup import code, escaped
from optimizer.report.pages import markdown_values
from optimizer.transforms import Level
from tests.report.conftest import applied

COMMAND = re.compile(r"::(\w+) file=([^,]*),line=(\d+),endLine=(\d+),title=([^:]*)::(.*)")


def markdown(entries: Sequence[Entry]) -> str:
    return text_of("report/diff.md.j2", **markdown_values(entries))


def test_annotations(changed: Entry, unchanged: Entry, failed: Entry) -> None:
    *lines, last = github([changed, unchanged, failed]).splitlines()

    found = [COMMAND.fullmatch(line) for line in lines]
    assert [m and m.groups()[:5] for m in found] == [
        ("warning", "api/Dockerfile", "3", "4", "dfopt"),
        ("warning", "api/Dockerfile", "15", "15", "dfopt"),
        ("warning", "api/Dockerfile", "1", "1", "dfopt"),
        ("error", "bad/Dockerfile", "3", "3", "dfopt"),
    ]
    assert found[1] is not None
    assert found[1][6].endswith("[copy-over-add, exact]%0A%0AIt would read:%0ACOPY x /x")
    assert found[2] is not None
    assert found[2][6].endswith("api/.dockerignore:%0Anode_modules")
    assert last.startswith("3 files: 1 would change")


def test_annotations_escape_what_means_something() -> None:
    entry = Entry("a,b:c/Dockerfile", ".", Level.EXACT, error="100% of\r\nlines", line=2)

    assert github([entry]).startswith(
        "::error file=a%2Cb%3Ac/Dockerfile,line=2,endLine=2,title=dfopt::100%25 of%0D%0Alines\n"
    )


def test_markdown(changed: Entry, failed: Entry) -> None:
    text = markdown([changed, failed])

    assert text.startswith("**dfopt**: 2 files: 1 would change (3 rewrites), 4 places left alone, 1 error")
    assert "### `api/Dockerfile`\n\n```diff\n@@ -1,7 +1,8 @@\n FROM node:22\n" in text
    assert "\n- Title of split-manifest-copy. why split-manifest-copy. (`split-manifest-copy, exact`)\n" in text
    assert "### `api/.dockerignore` (new file)" in text
    assert "<details><summary>Left alone in api/Dockerfile: 2</summary>" in text
    assert "- line 4, 7, 9, `merge-run`: the mounts differ\n" in text
    assert "> **Error** `bad/Dockerfile`: there is no FROM instruction" in text


def test_markdown_cannot_be_broken_out_of() -> None:
    nasty = "RUN echo '```' '</details><script>' @everyone #1\n"
    rewrites = (applied("merge-run", 1, 1, why="`x` | <b> @acme/team says #12"),)
    result = Result(nasty, nasty + "RUN a\n", rewrites, (Declined("merge-run", 1, "<img src=x> of @me"),))
    text = markdown([Entry("D`o|c", ".", Level.EXACT, result, (), "D`o|c")])

    assert "````diff" in text
    assert "@acme" not in text.replace("@\u200b", "")
    assert "\\<img src=x\\>" in text
    outside = re.sub(r"````diff.*?````", "", text, flags=re.DOTALL)
    assert "<script>" not in outside
    assert not re.search(r"[@#]\w", outside)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("node_modules", "node\\_modules"),
        ("a\n b", "a b"),
        ("npm i @scope/x", "npm i @\u200bscope/x"),
        ("see #12 and !3", "see \\#\u200b12 and !\u200b3"),
        ("<b>", "\\<b\\>"),
    ],
)
def test_words_are_only_words(text: str, expected: str) -> None:
    assert escaped(text) == expected


@pytest.mark.parametrize(("text", "expected"), [("a|b", "`a\\|b`"), ("a`b", "`` a`b ``"), ("a  b", "`a b`")])
def test_code(text: str, expected: str) -> None:
    assert code(text) == expected


def test_what_a_container_printed_calls_nobody() -> None:
    image = Measured(1, (), 1.0)
    smoke = ("default command: prints `@acme/team` <b> see #12",)
    text = evidence_markdown([
        Evidence("Dockerfile", Level.EXACT, Verdict.HOLDS, "docker", before=image, after=image, smoke=smoke)
    ])  # fmt: skip

    assert "\\<b\\>" in text
    assert not re.search(r"[@#]\w", text)
