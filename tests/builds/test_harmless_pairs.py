"""Pairs of Dockerfiles whose differences mean nothing, or were announced: they pass."""

from collections.abc import Callable

import pytest

from optimizer.report.evidence import Difference
from optimizer.verify.comparison import Claims
from tests.builds.pairs import Pair

pytestmark = pytest.mark.xdist_group("planted faults")  # pairs share images

TIMED = "RUN python -c \"import zipfile; zipfile.ZipFile('/app.jar', 'w').writestr('a', 'b')\" && echo a | gzip > /a.gz"
HARMLESS = (
    Pair(
        "two layers in one",
        "FROM debian:bookworm-slim\nRUN echo a > /a\nRUN echo b > /b && ln /b /c",
        "FROM debian:bookworm-slim\nRUN echo a > /a && echo b > /c && ln /c /b",
    ),
    Pair(
        "the same configuration in other words",
        'FROM debian:bookworm-slim\nENV A=1 B=2\nENV A=3\nEXPOSE 80\nUSER root\nSTOPSIGNAL 15\nLABEL a="1" b=2',
        "FROM debian:bookworm-slim\nENV B=2 A=3\nEXPOSE 80/tcp\nLABEL b=2\nLABEL a=1",
    ),
    Pair(
        "the form of the start that was announced",
        "FROM debian:bookworm-slim\nCMD exec sleep '1'",
        'FROM debian:bookworm-slim\nCMD ["sleep", "1"]',
        claims=Claims(start="exec-form"),
    ),
    Pair(
        "the archive that was announced",
        "FROM debian:bookworm-slim\nRUN mkdir /opt/a && echo 1 > /opt/a/x-1.2.tgz",
        "FROM debian:bookworm-slim\nRUN mkdir /opt/a",
        claims=Claims(patterns=(("remove-downloads", "/opt/a/x-${VERSION}.tgz"),)),
    ),
    Pair(
        "the caches of package managers",
        """
        FROM debian:bookworm-slim
        RUN apt-get update && apt-get install -y --no-install-recommends bc
        """,
        """
        FROM debian:bookworm-slim
        RUN apt-get update && apt-get install -y --no-install-recommends bc && rm -rf /var/lib/apt/lists/*
        """,
        claims=Claims(patterns=(("clean-package-caches", "/var/lib/apt/lists"),)),
    ),
    Pair(
        "times in archives and compiled modules",
        f"FROM python:3.11-slim\nRUN echo 'a = 1' > /a.py\n{TIMED}\nRUN python -c 'import a'",
        f"FROM python:3.11-slim\nRUN echo 'a = 1' > /a.py && sleep 2\n{TIMED}",
    ),
    Pair(
        "recommended packages that are announced",
        "FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y wget",
        "FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y --no-install-recommends wget",
        claims=Claims(packages="skip-recommends"),
    ),
)


@pytest.mark.parametrize("pair", HARMLESS, ids=lambda pair: pair.name)
def test_a_harmless_pair_passes(pair: Pair, compared: Callable[[Pair], tuple[Difference, ...]]) -> None:
    assert [one for one in compared(pair) if one.claimed_by is None] == []
