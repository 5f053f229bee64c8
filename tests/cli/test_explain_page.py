"""The page of `dfopt explain --format html`: whole in itself, readable without scripts, drawn as it says."""

import struct
import subprocess
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from shutil import which

import pytest

from tests.cli.conftest import Ran

Dfopt = Callable[..., Ran]
EXAMPLE = Path(__file__).parents[2] / "fixtures/cases/npm_ci_runs_before_the_sources_are_copied/context"
# The colours of the style sheet's light side.
RUNS, CACHED, BASE = (0xF6, 0xC9, 0xC0), (0xCF, 0xE8, 0xD5), (0xDF, 0xE5, 0xEA)
CHROMIUM = next(filter(None, map(which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Seen(HTMLParser):
    """The elements of a page, with their attributes and texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += attrs
        if tag not in {"meta", "rect"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "rect":
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def page(dfopt: Dfopt, path: Path, *arguments: str) -> str:
    done = dfopt("explain", "--format", "html", *arguments, path)
    assert done.code == 0, done.err
    return done.text


def test_both_stacks_are_drawn(dfopt: Dfopt) -> None:
    text = page(dfopt, EXAMPLE)
    seen = Seen(text)

    assert seen.open == []
    assert (seen.tags["svg"], seen.tags["rect"], seen.tags["table"]) == (1, 4 + 5, 2)
    assert text.count('class="block runs"') == 3
    assert text.count('class="block cached"') == 4
    assert "After an edit of src/app.js 1 of 4 steps runs again instead of 2 of 3." in "".join(seen.texts)


def test_nothing_is_fetched_and_nothing_is_scripted(dfopt: Dfopt) -> None:
    seen = Seen(page(dfopt, EXAMPLE))

    assert not {"script", "link", "img", "iframe", "object"} & set(seen.tags)
    assert not {"src", "href", "onclick", "onload"} & {name for name, _ in seen.attributes}
    assert not [value for _, value in seen.attributes if value and ("//" in value or "url(" in value)]


def test_what_a_dockerfile_says_stays_text(dfopt: Dfopt, folder: Path) -> None:
    (folder / "a.txt").write_text("a")
    (folder / "Dockerfile").write_text('FROM alpine:3.20\nCOPY a.txt /\nRUN echo "<script>alert(1)</script>&amp;"\n')

    text = page(dfopt, folder, "--changed", "a.txt")

    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;" in text


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here")
def test_a_browser_draws_it_without_network(dfopt: Dfopt, tmp_path: Path) -> None:
    file, shot = tmp_path / "page.html", tmp_path / "page.png"
    file.write_text(page(dfopt, EXAMPLE))

    _photograph(file, shot)
    rows = list(_pixels(shot.read_bytes()))
    left = Counter(pixel for row in rows for pixel in row[: len(row) // 2])
    right = Counter(pixel for row in rows for pixel in row[len(row) // 2 :])

    assert left[BASE] > 10_000
    assert right[BASE] > 10_000
    assert left[RUNS] > right[RUNS] > 10_000
    assert right[CACHED] > left[CACHED] > 5_000


def _photograph(file: Path, shot: Path) -> None:
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
               "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--force-color-profile=srgb",
               "--blink-settings=preferredColorScheme=1",
               "--host-resolver-rules=MAP * ~NOTFOUND")  # fmt: skip
    profile = f"--user-data-dir={shot.parent / 'profile'}"
    words = [str(CHROMIUM), *options, profile, "--window-size=1100,900", f"--screenshot={shot}", file.as_uri()]
    subprocess.run(words, check=True, capture_output=True, timeout=120)


def _pixels(png: bytes) -> Iterator[list[tuple[int, ...]]]:
    """Go through the rows of a PNG of 8-bit RGB or RGBA (RFC 2083), colours alone."""
    width, height, _, kind = struct.unpack(">IIBB", png[16:26])
    depth = {2: 3, 6: 4}[kind]
    data, at = b"", 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += length + 12
    raw, above = zlib.decompress(data), bytearray(width * depth)
    for y in range(height):
        start = y * (width * depth + 1)
        row = _unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + width * depth]), above, depth)
        yield [tuple(row[x : x + 3]) for x in range(0, len(row), depth)]
        above = row


def _unfiltered(kind: int, row: bytearray, above: bytearray, depth: int) -> bytearray:
    for x in range(len(row)):
        left, corner = (row[x - depth], above[x - depth]) if x >= depth else (0, 0)
        guess = {0: 0, 1: left, 2: above[x], 3: (left + above[x]) // 2, 4: _paeth(left, above[x], corner)}[kind]
        row[x] = (row[x] + guess) & 255
    return row


def _paeth(left: int, up: int, corner: int) -> int:
    estimate = left + up - corner
    return min((left, up, corner), key=lambda value: abs(estimate - value))
