"""The page: self-contained, side by side, and nothing in a Dockerfile can become part of it."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace

from optimizer.cli.texts import text_of
from optimizer.engine import Declined, Result
from optimizer.report import Entry
from optimizer.report.diff import hunks
from optimizer.report.entry import AfterEdit
from optimizer.report.pages import Row, html_values, rows
from optimizer.transforms import Level
from tests.report.conftest import applied

NASTY = "RUN echo \"</td><script>document.title='taken'</script>\" '&amp;' {{ 7 * 7 }}\n"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def page(entries: Sequence[Entry]) -> str:
    return text_of("report/diff.html.j2", **html_values(entries))


class Cells(HTMLParser):
    """Reads the text of the cells, row by row, and the names of all elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.names: list[str] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        assert not {"src", "href", "onclick", "style"} & {name for name, _ in attrs}
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "td"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.rows[-1][-1] += data


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("a\n", "b\n", [Row(1, "a", 1, "b", changed=True)]),
        ("a\n", "b\nc\n", [Row(1, "a", 1, "b", changed=True), Row(None, None, 2, "c", changed=True)]),
        ("a\nb\n", "c\n", [Row(1, "a", 1, "c", changed=True), Row(2, "b", None, None, changed=True)]),
        ("a\nx\n", "b\nx\n", [Row(1, "a", 1, "b", changed=True), Row(2, "x", 2, "x", changed=False)]),
        ("x\n", "x\ny\n", [Row(1, "x", 1, "x", changed=False), Row(None, None, 2, "y", changed=True)]),
    ],
)
def test_lines_side_by_side(before: str, after: str, expected: list[Row]) -> None:
    (hunk,) = hunks(before, after)

    assert list(rows(hunk)) == expected


def test_a_page(changed: Entry, unchanged: Entry, failed: Entry) -> None:
    edited = replace(changed, after_edit=AfterEdit("a.js", (2, 3), (1, 3)))
    text = page([edited, unchanged, failed])
    cells = Cells(text)

    assert ["16", "CMD node .", "17", "CMD node ."] in cells.rows
    assert ["15", "ADD x /x", "16", "COPY x /x"] in cells.rows
    assert ["", "", "1", "node_modules"] in cells.rows
    assert "<li>api/Dockerfile: an edit of a.js makes 1 of 3 RUNs run again instead of 2 of 3</li>" in text
    assert "Title of copy-over-add. why copy-over-add. Assumes: nobody needs ADD." in text
    assert "line 4, 7, 9, <code>merge-run</code>: the mounts differ" in text
    assert "<strong>bad/Dockerfile:3</strong>: there is no FROM instruction" in text
    assert "script" not in cells.names
    assert not re.search(r"(?:https?:)?//", text)


def nasty() -> Entry:
    rewrites = (applied("merge-run", 1, 1, why="<b>why</b>"),)
    result = Result(NASTY, NASTY + "RUN true\n", rewrites, (Declined("merge-run", 1, "<i>because</i>"),))
    return Entry("<u>/Dockerfile", ".", Level.EXACT, result, (), "<u>/Dockerfile")


def test_nothing_of_a_dockerfile_becomes_part_of_the_page() -> None:
    cells = Cells(page([nasty()]))

    assert not {"script", "b", "i", "u"} & set(cells.names)
    assert cells.rows[1][1] == NASTY.rstrip("\n")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_a_browser_shows_the_page(changed: Entry, failed: Entry, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(page([nasty(), changed, failed]), "utf-8")
    quiet = (
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr",
    )  # fmt: skip
    command = [str(CHROMIUM), *quiet, "--virtual-time-budget=2000", "--dump-dom", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    title = re.search(r"<title>(.*?)</title>", done.stdout)
    assert title is not None
    assert title[1].startswith("dfopt: 3 files: 2 would change")
    assert ["15", "ADD x /x", "16", "COPY x /x"] in Cells(done.stdout).rows
    assert "CONSOLE" not in done.stderr  # what the page's own policy or the parser complains of would be there
