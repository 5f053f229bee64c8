"""Pairs of Dockerfiles of which the second does not start, or does not find what it loads: each fault is named."""

from collections.abc import Callable

import pytest

from optimizer.report.evidence import Check, Difference
from optimizer.verify.comparison import Claims
from tests.builds.pairs import Pair, fault

pytestmark = pytest.mark.xdist_group("planted faults")  # pairs share images

VENV = (
    "RUN python -m venv --without-pip {place} && touch {place}/lib/python3.11/site-packages/app.py"
    " && printf '#!{place}/bin/python\\nimport app\\n' > {place}/bin/app"
)
LS = """FROM scratch
COPY --from=debian:bookworm-slim /usr/bin/ls /app/ls
COPY --from=debian:bookworm-slim /lib64/ld-linux-x86-64.so.2 /lib64/
COPY --from=debian:bookworm-slim /usr/lib/x86_64-linux-gnu/libc.so.6 /lib/
COPY --from=debian:bookworm-slim /usr/lib/x86_64-linux-gnu/libpcre2-8.so.0 /lib/
ENV LD_LIBRARY_PATH=/app/lib
"""
SCRIPT = "#!/bin/sh\nset -e\nexec wait-for-it db:5432\n"


FAULTS = (
    fault(
        "a runtime library is missing",
        f"{LS}COPY --from=debian:bookworm-slim /usr/lib/x86_64-linux-gnu/libselinux.so.1 /app/lib/",
        LS,
        "libselinux.so.1 of /app/ls",
        check=Check.LIBRARIES,
    ),
    fault(
        "a library is there, and nothing looks for it",
        f"{LS}COPY --from=debian:bookworm-slim /usr/lib/x86_64-linux-gnu/libselinux.so.1 /app/lib/",
        f"{LS}COPY --from=debian:bookworm-slim /usr/lib/x86_64-linux-gnu/libselinux.so.1 /app/libs/",
        "libselinux.so.1 of /app/ls",
        check=Check.LIBRARIES,
    ),
    fault(
        "the dynamic linker is missing",
        "FROM scratch\nCOPY --from=debian:bookworm-slim /usr/bin/true /lib64/ld-linux-x86-64.so.2 /lib64/",
        "FROM scratch\nCOPY --from=debian:bookworm-slim /usr/bin/true /lib64/",
        "/lib64/ld-linux-x86-64.so.2 of /lib64/true",
        check=Check.LIBRARIES,
    ),
    fault(
        "the program of the health check is missing",
        "FROM debian:bookworm-slim\nCOPY --chmod=755 probe /usr/local/bin/\nHEALTHCHECK CMD probe --fast || exit 1",
        "FROM debian:bookworm-slim\nHEALTHCHECK CMD probe --fast || exit 1",
        "command probe of the health check",
        files={"probe": "#!/bin/sh\n"},
    ),
    fault(
        "a program that the entrypoint's script starts is missing",
        """
        FROM debian:bookworm-slim
        COPY --chmod=755 wait-for-it /usr/local/bin/
        COPY --chmod=755 entrypoint.sh /
        ENTRYPOINT ["/entrypoint.sh"]
        """,
        """
        FROM debian:bookworm-slim
        COPY --chmod=755 entrypoint.sh /
        ENTRYPOINT ["/entrypoint.sh"]
        """,
        "command wait-for-it of /entrypoint.sh",
        files={"entrypoint.sh": SCRIPT, "wait-for-it": "#!/bin/sh\n"},
    ),
    fault(
        "the script of package.json starts a program that is missing",
        """
        FROM node:20-slim
        WORKDIR /app
        COPY package.json ./
        COPY --chmod=755 serve node_modules/.bin/
        CMD ["npm", "start"]
        """,
        """
        FROM node:20-slim
        WORKDIR /app
        COPY package.json ./
        RUN mkdir -p node_modules/.bin
        CMD ["npm", "start"]
        """,
        "command serve of npm start",
        files={"package.json": '{"scripts": {"start": "PORT=80 serve public"}}', "serve": "#!/bin/sh\n"},
    ),
    fault(
        "the interpreter of a virtual environment that was moved",
        f"""
        FROM python:3.11-slim
        {VENV.format(place="/opt/venv")}
        RUN chmod +x /opt/venv/bin/app
        """,
        f"""
        FROM python:3.11-slim AS build
        {VENV.format(place="/build/venv")}
        RUN chmod +x /build/venv/bin/app
        FROM python:3.11-slim
        COPY --from=build /build/venv /opt/venv
        """,
        "interpreter /build/venv/bin/python of /opt/venv/bin/app",
    ),
    fault(
        "the start needs a dependency for development",
        """
        FROM node:20-slim
        WORKDIR /app
        COPY . .
        RUN mkdir -p node_modules/express node_modules/nodemon node_modules/.bin && touch node_modules/express/index.js
        CMD ["node", "server"]
        """,
        """
        FROM node:20-slim
        WORKDIR /app
        COPY . .
        RUN mkdir -p node_modules/express && touch node_modules/express/index.js
        CMD ["node", "server"]
        """,
        "package nodemon",
        check=Check.IMPORTS,
        files={
            "server.js": "const express = require('express')\nrequire('./lib/watch')\n",
            "lib/watch.js": "import nodemon from 'nodemon'\nimport fs from 'fs'\n",
        },
        claims=Claims(patterns=(("omit-dev-dependencies", "/app/**/node_modules"),)),
    ),
    fault(
        "a module that the program imports is missing",
        """
        FROM python:3.11-slim
        WORKDIR /app
        COPY . .
        RUN cp -r vendor/* /usr/local/lib/python3.11/site-packages/
        CMD ["python", "-m", "shop.web"]
        """,
        """
        FROM python:3.11-slim
        WORKDIR /app
        COPY . .
        RUN cp -r vendor/flask /usr/local/lib/python3.11/site-packages/
        CMD ["python", "-m", "shop.web"]
        """,
        "module psycopg",
        check=Check.IMPORTS,
        files={
            "shop/__init__.py": "",
            "shop/web.py": "import flask\nfrom . import store\n",
            "shop/store.py": "from psycopg.rows import dict_row\nimport json\n",
            "vendor/flask/__init__.py": "",
            "vendor/psycopg/rows.py": "",
        },
        claims=Claims(patterns=(("omit-dev-dependencies", "/**/site-packages"),)),
    ),
    fault(
        "the Python is another",
        'FROM python:3.11-slim\nCMD ["python"]',
        'FROM python:3.12-slim\nCMD ["python"]',
        "version of python",
    ),
    fault(
        "the packages are those of another Python",
        f"FROM python:3.11-slim\n{VENV.format(place='/opt/venv')}",
        f"""
        FROM python:3.11-slim AS build
        {VENV.format(place="/opt/venv")}
        FROM python:3.12-slim
        COPY --from=build /opt/venv /opt/venv
        """,
        "Python of /opt/venv/lib/python3.11/site-packages",
    ),
    fault(
        "the health check is lost",
        "FROM scratch\nCOPY here /\nHEALTHCHECK --interval=5s CMD true",
        "FROM scratch\nCOPY --from=debian:bookworm-slim /etc/passwd /",
        "Healthcheck",
        check=Check.CONFIG,
    ),
    fault(
        "a shell was needed for the entrypoint",
        "FROM scratch\nCOPY here /\nENTRYPOINT echo $HOME && exec sleep 1",
        'FROM scratch\nCOPY here /\nENTRYPOINT ["echo", "$HOME"]',
        "Entrypoint",
        check=Check.CONFIG,
        claims=Claims(start="exec-form"),
    ),
    fault(
        "the command is lost",
        'FROM scratch\nCOPY here /\nCMD ["sleep", "1"]',
        "FROM scratch\nCOPY here /\nCMD []",
        "Cmd",
        check=Check.CONFIG,
    ),
)


@pytest.mark.parametrize("pair", FAULTS, ids=lambda pair: pair.name)
def test_a_planted_fault_is_named(pair: Pair, compared: Callable[[Pair], tuple[Difference, ...]]) -> None:
    told = [(one.check, one.subject) for one in compared(pair) if one.claimed_by is None]

    assert set(pair.told) <= set(told)
    assert len(told) <= 100, "a report must stay readable"
