"""What images are predicted to take on the disk."""

import pytest

from optimizer.context import Context
from optimizer.images import variant
from optimizer.images.disk import on_disk
from optimizer.layers.sizes import Prediction, predicted
from optimizer.model import read
from optimizer.syntax import parse

BASE = 100_000_000
SLIM = "debian:bookworm-slim"


def prediction(text: str, files: dict[str, str] | None = None, bases: dict[str, int] | None = None) -> Prediction:
    found = predicted(read(parse(text)), Context.of(files or {}), {SLIM: BASE} if bases is None else bases)
    assert found
    return found


def added(text: str, files: dict[str, str] | None = None) -> int:
    """Return what the steps behind FROM add."""
    return prediction(f"FROM {SLIM}\n{text}", files).bytes - BASE


@pytest.mark.parametrize(
    ("image", "least", "most"),
    [("python:3.12", 900, 1150), ("python:3.12-slim", 110, 150), ("node:20-slim", 190, 240), ("debian:12", 105, 125)],
)
def test_base_images_take_what_docker_says_of_them(image: str, least: int, most: int) -> None:
    known = variant(*image.split(":"))
    assert known
    bytes_ = on_disk(known)

    assert bytes_
    assert least < bytes_ / 1_000_000 < most
    assert prediction(f"FROM {image}\n", bases={}).bytes == bytes_


@pytest.mark.parametrize("image", ["example.com/app:1", "$BASE", "python:0.1"])
def test_an_unknown_base_is_not_guessed(image: str) -> None:
    assert predicted(read(parse(f"FROM {image}\n")), Context.of({})) is None


@pytest.mark.parametrize(
    ("image", "bytes_"), [("scratch", 0), ("gcr.io/distroless/static-debian12:nonroot", 2_000_000)]
)
def test_images_of_next_to_nothing(image: str, bytes_: int) -> None:
    assert prediction(f"FROM {image}\n", bases={}).bytes == bytes_


def test_packages_count_with_what_they_bring_and_once() -> None:
    git = added("RUN apt-get install -y --no-install-recommends git\n")
    both = added(
        "RUN apt-get install -y --no-install-recommends git && apt-get install -y --no-install-recommends curl\n"
    )
    more = added("RUN apt-get install -y git\n")

    assert 90_000_000 < git < 120_000_000  # apt says 109 MB
    assert git < both < git + 3_000_000
    assert more > git + 10_000_000
    assert added("RUN apt-get install -y --no-install-recommends git && apt-get install -y bash\n") == git
    assert added("RUN aptitude install -y -R git\n") == git
    assert added("RUN apt-get install -y bash\n") == 0


def test_packages_that_go_in_the_same_step_do_not_count() -> None:
    assert added("RUN apt-get install -y git && apt-get purge -y git\n") == 0


@pytest.mark.parametrize(
    ("text", "lists"),
    [
        ("RUN apt-get update\n", 20_000_000),
        ("RUN apt-get update && rm -rf /var/lib/apt/lists/*\n", 0),
        ("RUN apt-get update\nRUN rm -rf /var/lib/apt/lists/*\n", 20_000_000),
        ("RUN --mount=type=cache,target=/var/lib/apt apt-get update\n", 0),
    ],
)
def test_the_lists_of_apt(text: str, lists: int) -> None:
    assert added(text) == lists


def test_files_have_the_size_that_they_have_and_ignored_ones_none() -> None:
    files = {"a.txt": "x" * 1000, "big/b.bin": "y" * 5000, ".dockerignore": "big\n"}

    assert added("COPY a.txt /a\n", files) == 1000
    assert added("COPY . /app\n", files) == 1000 + len("big\n")
    assert added("COPY a.txt /a\nRUN chown -R 1000 /a\n", files) == 2000


@pytest.mark.parametrize(
    ("text", "files", "least", "most"),
    [
        ("RUN pip install --no-cache-dir numpy\n", {}, 60, 80),
        ("RUN pip install numpy\n", {}, 80, 110),
        ("ENV PIP_NO_CACHE_DIR=1\nRUN pip install numpy\n", {}, 60, 80),
        (
            "COPY r.txt .\nRUN pip install --no-cache-dir -r r.txt\n",
            {"r.txt": "pandas==2.2.0  # all\nnumpy\n"},
            140,
            180,
        ),
        ("RUN --mount=type=cache,target=/root/.cache/pip pip install numpy\n", {}, 60, 80),
        (
            "WORKDIR /app\nCOPY p* ./\nRUN npm ci && rm -rf /root/.npm\n",
            {"package-lock.json": '{"packages": {"": {}, "node_modules/typescript": {}, "node_modules/a": {}}}'},
            22,
            24,
        ),
        (
            "WORKDIR /app\nCOPY p* ./\nRUN npm ci --omit=dev && rm -rf /root/.npm\n",
            {"package-lock.json": '{"packages": {"": {}, "node_modules/typescript": {"dev": true}}}'},
            0,
            1,
        ),
    ],
)
def test_packages_of_languages(text: str, files: dict[str, str], least: int, most: int) -> None:
    assert least <= added(text, files) / 1_000_000 <= most


def test_only_what_is_copied_from_a_stage_counts() -> None:
    text = (
        "FROM golang:1.22 AS build\nWORKDIR /src\nCOPY . .\nRUN go build -o /out/app .\n"
        f"FROM {SLIM}\nCOPY --from=build /out/app /app\nCOPY --from=build /etc/x /x\n"
    )
    found = prediction(text, {"main.go": "package main\n"})

    assert 1_000_000 < found.bytes - BASE < 20_000_000
    assert found.unknown == ("line 7: /etc/x of build",)
    assert sum(part.bytes for part in found.parts if part.line == 6) == found.bytes - BASE


def test_what_cannot_be_guessed_is_named() -> None:
    found = prediction(f"FROM {SLIM}\nRUN make install && mkdir /x\nRUN apt-get install -y nobody-has-this\n")

    assert found.bytes == BASE
    assert found.unknown == ("line 2: make", "line 3: the package nobody-has-this")
