"""The text report, read as a whole and in its odd corners."""

import pytest
from msgspec.structs import replace

from optimizer.engine import Result
from optimizer.report import Entry, exit_code
from optimizer.report.text import Style, plain, text_report
from optimizer.transforms import Level


def test_a_hunk_then_its_reasons_then_the_declines_then_the_totals(
    changed: Entry, unchanged: Entry, failed: Entry
) -> None:
    assert (
        text_report([changed, unchanged, failed], Style())
        == """\
api/Dockerfile
@@ -1,7 +1,8 @@
 FROM node:22
 WORKDIR /app
-COPY . .
+COPY package.json package-lock.json ./
 RUN npm ci
+COPY . .
 ENV A=1
 ENV A=1
 ENV A=1
  => Title of split-manifest-copy. why split-manifest-copy. [split-manifest-copy, exact]
@@ -12,5 +13,5 @@
 ENV A=1
 ENV A=1
 ENV A=1
-ADD x /x
+COPY x /x
 CMD node .
  => Title of copy-over-add. why copy-over-add. Assumes: nobody needs ADD. [copy-over-add, exact]
api/.dockerignore (new file)
@@ -0,0 +1 @@
+node_modules
  => Title of write-dockerignore. why write-dockerignore. [write-dockerignore, exact]
left alone:
  api/Dockerfile:4 merge-run: the mounts differ (and lines 7, 9)
  api/Dockerfile:12 merge-run: a comment is between them

3 files: 1 would change (3 rewrites), 4 places left alone, 1 error; estimated 2 MB smaller
"""
    )


def test_the_predicted_sizes_are_told(sized: Entry) -> None:
    brief, verbose = text_report([sized], Style()), text_report([sized], Style(verbose=True))

    said = "predicted size on the disk: 1.00 GB before, 200 MB after (80 % smaller; image facts of "
    assert said in brief
    assert brief.endswith("estimated 800 MB smaller\n")
    assert "not counted" not in brief
    assert "not counted: line 4: make" in verbose


def test_colours_mark_the_lines(changed: Entry) -> None:
    text = text_report([changed], Style(colour=True))

    assert "\x1b[31m-ADD x /x\x1b[0m\n\x1b[32m+COPY x /x\x1b[0m\n" in text
    assert "\x1b[1mapi/Dockerfile\x1b[0m\n" in text


def test_unchanged_files_are_named_when_asked(unchanged: Entry) -> None:
    assert text_report([unchanged], Style()) == "1 file: nothing to do\n"
    assert text_report([unchanged], Style(verbose=True)).startswith("web/Dockerfile: nothing to do\n\n")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("RUN a\tb", "RUN a\tb"),
        ("RUN \x1b[31m", "RUN \\x1b[31m"),
        ("RUN a\rb", "RUN a\\x0db"),
        ("# \u202e", "# \\x202e"),
        ("x" * 5000, "x" * 400 + "... (5,000 characters)"),
    ],
)
def test_a_file_cannot_drive_the_terminal(line: str, shown: str) -> None:
    assert plain(line) == shown


def test_line_endings_are_not_shown(unchanged: Entry) -> None:
    result = Result("FROM a\r\nADD b c\r\nX", "FROM a\r\nCOPY b c\r\nX")

    text = text_report([replace(unchanged, result=result)], Style())

    assert "-ADD b c\n+COPY b c\n X  (no newline at the end)\n" in text


def test_a_reason_is_said_once_for_a_hunk(changed: Entry) -> None:
    assert changed.result
    twice = replace(changed.result, applied=changed.result.applied[1:2] * 2)

    text = text_report([replace(changed, result=twice, artifacts=())], Style())

    assert "Assumes: nobody needs ADD. [copy-over-add, exact] (2 places)\n" in text
    assert text.count("Title of") == 1


@pytest.mark.parametrize("lines", [(1, 1), (5, 30), (100, 100)])
def test_no_reason_is_lost(changed: Entry, lines: tuple[int, int]) -> None:
    assert changed.result
    line, end_line = lines
    before = "".join(f"{n}\n" for n in range(40))
    applied = replace(changed.result.applied[0], line=line, end_line=end_line)
    result = Result(before, before.replace("\n7\n", "\nx\n").replace("\n30\n", "\ny\n"), (applied,))

    assert "Title of split-manifest-copy" in text_report([replace(changed, result=result, artifacts=())], Style())


def test_the_worst_decides_the_exit_code(changed: Entry, unchanged: Entry, failed: Entry, bug: Entry) -> None:
    assert exit_code([changed, unchanged], changes_count=False) == 0
    assert exit_code([changed, unchanged], changes_count=True) == 1
    assert exit_code([changed, failed], changes_count=True) == 2
    assert exit_code([bug, failed, changed], changes_count=True) == 3


def test_an_error_takes_the_place_of_the_result(changed: Entry) -> None:
    entry = changed.failed("read-only")

    assert (entry.changes, entry.changed, entry.level) == ((), False, Level.EQUIVALENT)


def test_a_name_cannot_make_lines_of_its_own() -> None:
    assert plain("Dockerfile\n=> fine\x1b[0m") == "Dockerfile\\x0a=> fine\\x1b[0m"
