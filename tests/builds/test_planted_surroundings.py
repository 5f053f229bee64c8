"""Pairs whose files were all announced to be another base's: what the container would miss of them is named still."""

from collections.abc import Callable

import pytest

from optimizer.report.evidence import Check, Difference
from optimizer.verify.comparison import Claims
from tests.builds.pairs import Pair, fault

pytestmark = pytest.mark.xdist_group("planted faults")  # pairs share images

OTHER = "multi-stage"
FOLDERS = ("/usr", "/etc", "/var", "/opt", "/home", "/root")
CLAIMS = Claims(packages=OTHER, slimmer=OTHER, patterns=tuple((OTHER, folder) for folder in FOLDERS))
SHOP = "RUN useradd --uid 1500 --no-create-home shop"
LOADS = 'import ctypes\nshop = ctypes.CDLL("libshop.so.1")\n'
FAULTS = (
    fault(
        "nobody knows the user",
        f"FROM debian:bookworm-slim\n{SHOP}\nUSER 1500:1500",
        "FROM debian:bookworm-slim\nUSER 1500:1500",
        "user 1500 of USER",
        "group 1500 of USER",
    ),
    fault(
        "the user has another number",
        f"FROM debian:bookworm-slim\n{SHOP}\nUSER shop",
        "FROM debian:bookworm-slim\nRUN useradd --uid 1501 --no-create-home shop\nUSER shop",
        "user shop of USER",
    ),
    fault(
        "nobody knows who owns the files",
        f"FROM debian:bookworm-slim\n{SHOP}\nCOPY --chown=1500:1500 run.sh /app/",
        "FROM debian:bookworm-slim\nCOPY --chown=1500:1500 run.sh /app/",
        "user 1500, the owner of /app",
        files={"run.sh": "#!/bin/sh\n"},
    ),
    fault(
        "the user is homeless",
        "FROM debian:bookworm-slim\nRUN useradd --create-home shop\nUSER shop",
        "FROM debian:bookworm-slim\nRUN useradd --no-create-home shop\nUSER shop",
        "home of the user shop",
    ),
    fault(
        "the interpreter of a script is of another base",
        'FROM python:3.11-slim\nCOPY --chmod=755 run.py settings.ini /app/\nENTRYPOINT ["/app/run.py"]',
        'FROM debian:bookworm-slim\nCOPY --chmod=755 run.py /app/\nENTRYPOINT ["/app/run.py"]',
        "interpreter /usr/bin/env python of /app/run.py",
        "/app/settings.ini",
        files={"run.py": "#!/usr/bin/env python\n", "settings.ini": ""},
    ),
    fault(
        "a library that the program loads by its name",
        "FROM python:3.11-slim\nRUN touch /usr/local/lib/libshop.so.1\nCOPY shop.py /app/",
        "FROM python:3.11-slim\nCOPY shop.py /app/",
        "libshop.so.1 of /app/shop.py",
        check=Check.LIBRARIES,
        files={"shop.py": LOADS},
    ),
    fault(
        "the time zone of the environment",
        "FROM debian:bookworm-slim\nENV TZ=Europe/Paris",
        "FROM debian:bookworm-slim\nENV TZ=Europe/Paris\nRUN rm -r /usr/share/zoneinfo",
        "time zone of Env TZ",
    ),
    fault(
        "the locale of the environment",
        "FROM debian:bookworm-slim\nENV LANG=de_DE.UTF-8\nRUN mkdir -p /usr/lib/locale/de_DE.utf8",
        "FROM debian:bookworm-slim\nENV LANG=de_DE.UTF-8",
        "locale de_DE.UTF-8 of Env LANG",
    ),
    fault(
        "the certificates of the environment",
        "FROM debian:bookworm-slim\nENV SSL_CERT_FILE=/etc/own.pem\nRUN touch /etc/own.pem",
        "FROM debian:bookworm-slim\nENV SSL_CERT_FILE=/etc/own.pem",
        "path of Env SSL_CERT_FILE",
    ),
    fault(
        "links to what was announced to go",
        "FROM debian:bookworm-slim\nRUN mkdir /opt/a && touch /opt/a/run && ln -s /opt/a/run /srv/run",
        "FROM debian:bookworm-slim\nRUN ln -s /opt/a/run /srv/run",
        "link /srv/run",
    ),
)
TOLD = (
    ("certificates", "RUN mkdir -p /etc/ssl/certs && touch /etc/ssl/certs/ca-certificates.crt", "RUN true"),
    ("time zones", "RUN true", "RUN rm -r /usr/share/zoneinfo /etc/localtime"),
    ("locales", "RUN true", "RUN rm -r /usr/lib/locale"),
)


@pytest.mark.parametrize("pair", FAULTS, ids=lambda pair: pair.name)
def test_what_a_container_would_miss_is_named(pair: Pair, compared: Callable[[Pair], tuple[Difference, ...]]) -> None:
    claimed = Pair(pair.name, pair.before, pair.after, pair.told, pair.files, CLAIMS)
    told = [(one.check, one.subject) for one in compared(claimed) if one.claimed_by is None]

    assert set(pair.told) <= set(told)
    assert len(told) <= 20, "the files of the base are announced"


@pytest.mark.parametrize(("what", "before", "after"), TOLD, ids=[what for what, *_ in TOLD])
def test_what_few_programs_ask_for_goes_under_a_name(
    what: str, before: str, after: str, compared: Callable[[Pair], tuple[Difference, ...]]
) -> None:
    base = "FROM debian:bookworm-slim\n"
    found = compared(Pair(what, base + before, base + after, claims=CLAIMS))

    assert [one.claimed_by for one in found if f"{what} in /" in one.subject] == [OTHER]
    assert [one for one in found if one.claimed_by is None] == []
