"""Pairs of Dockerfiles of which the second is wrong on purpose: each fault is named. And pairs that must pass."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import pytest

from optimizer.report.evidence import Check, Difference
from optimizer.verify.builder import Builder, BuildRequest
from optimizer.verify.comparison import Claims, Store, compare, survey

pytestmark = pytest.mark.xdist_group("planted faults")  # pairs share images

VENV = (
    "RUN python -m venv --without-pip {place} && touch {place}/lib/python3.11/site-packages/app.py"
    " && printf '#!{place}/bin/python\\nimport app\\n' > {place}/bin/app"
)
CAPABILITY = "0100000200040000000000000000000000000000"  # cap_net_bind_service=ep
SET_CAPABILITY = f"import os; os.setxattr('/app/server', 'security.capability', bytes.fromhex('{CAPABILITY}'))"
LS = """FROM scratch
COPY --from=debian:bookworm-slim /usr/bin/ls /app/ls
COPY --from=debian:bookworm-slim /lib64/ld-linux-x86-64.so.2 /lib64/
COPY --from=debian:bookworm-slim /usr/lib/x86_64-linux-gnu/libc.so.6 /lib/
COPY --from=debian:bookworm-slim /usr/lib/x86_64-linux-gnu/libpcre2-8.so.0 /lib/
ENV LD_LIBRARY_PATH=/app/lib
"""
SCRIPT = "#!/bin/sh\nset -e\nexec wait-for-it db:5432\n"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two Dockerfiles in the same folder; `told` are the beginnings of the differences that must be named."""

    name: str
    before: str
    after: str
    told: tuple[tuple[Check, str], ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    claims: Claims = field(default_factory=Claims)


def fault(name: str, before: str, after: str, *told: str, check: Check = Check.FILES, **more: object) -> Pair:
    return Pair(name, before, after, tuple((check, one) for one in told), **more)  # type: ignore[arg-type]


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
        "a variable is lost",
        "FROM scratch\nCOPY here /\nENV MODE=production PORT=80",
        "FROM scratch\nCOPY here /\nENV PORT=80",
        "Env MODE",
        check=Check.CONFIG,
    ),
    fault(
        "the user is another",
        "FROM scratch\nCOPY here /\nUSER 1000",
        "FROM scratch\nCOPY --from=debian:bookworm-slim /etc/passwd /",
        "User",
        check=Check.CONFIG,
    ),
    fault(
        "a file is not copied",
        "FROM debian:bookworm-slim\nCOPY src /app",
        "FROM debian:bookworm-slim\nCOPY src/main.py /app/",
        "/app/settings.ini",
        files={"src/main.py": "", "src/settings.ini": "a = 1"},
    ),
    fault(
        "a file in a folder where others come and go",
        "FROM debian:bookworm-slim\nRUN echo 1 > /tmp/app && mkdir -p /var/log/app && echo 2 > /var/log/app/state",
        "FROM debian:bookworm-slim\nRUN true",
        "/tmp/app",
        "/var/log/app",
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
        "a permission is another",
        'FROM debian:bookworm-slim\nCOPY --chmod=755 run.sh /app/\nCMD ["/app/run.sh"]',
        'FROM debian:bookworm-slim\nCOPY --chmod=644 run.sh /app/\nCMD ["/app/run.sh"]',
        "/app/run.sh",
        "command /app/run.sh of the start command",
        files={"run.sh": "#!/bin/sh\n"},
    ),
    fault(
        "the owner is another",
        "FROM debian:bookworm-slim\nCOPY --chown=1000:1000 run.sh /app/",
        "FROM debian:bookworm-slim\nCOPY run.sh /app/",
        "/app/run.sh",
        files={"run.sh": "#!/bin/sh\n"},
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
        "a label is lost",
        'FROM scratch\nCOPY here /\nLABEL org.example.source="https://example.com" team=a',
        "FROM scratch\nCOPY here /\nLABEL team=a",
        "Labels org.example.source",
        check=Check.CONFIG,
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
    fault(
        "a link leads nowhere",
        "FROM debian:bookworm-slim\nRUN mkdir /opt/a && touch /opt/a/run && ln -s /opt/a/run /usr/local/bin/run",
        "FROM debian:bookworm-slim\nRUN mkdir /opt/a && ln -s /opt/a/run /usr/local/bin/run",
        "link /usr/local/bin/run",
    ),
    fault(
        "a capability is lost",
        f'FROM python:3.11-slim\nCOPY run.sh /app/server\nRUN python -c "{SET_CAPABILITY}"',
        "FROM python:3.11-slim\nCOPY run.sh /app/server",
        "/app/server",
        files={"run.sh": ""},
    ),
    fault(
        "the directory is another",
        "FROM scratch\nCOPY here /\nWORKDIR /app\nWORKDIR data",
        "FROM scratch\nCOPY here /\nWORKDIR /app/data\nWORKDIR /app",
        "WorkingDir",
        check=Check.CONFIG,
    ),
    fault(
        "a volume is lost",
        "FROM scratch\nCOPY here /\nVOLUME /data",
        "FROM scratch\nCOPY --from=debian:bookworm-slim /etc/passwd /",
        "Volumes /data",
        check=Check.CONFIG,
    ),
    fault(
        "a port is lost",
        "FROM scratch\nCOPY here /\nEXPOSE 80 53/udp",
        "FROM scratch\nCOPY here /\nEXPOSE 80/tcp",
        "ExposedPorts 53/udp",
        check=Check.CONFIG,
    ),
    fault(
        "the signal to stop is another",
        "FROM scratch\nCOPY here /\nSTOPSIGNAL SIGQUIT",
        "FROM scratch\nCOPY here /\nSTOPSIGNAL SIGTERM",
        "StopSignal",
        check=Check.CONFIG,
    ),
    fault(
        "the time zones are missing",
        "FROM debian:bookworm-slim\nENV TZ=Europe/Paris",
        "FROM debian:bookworm-slim\nENV TZ=Europe/Paris\nRUN rm -r /usr/share/zoneinfo",
        "/usr/share/zoneinfo",
    ),
    fault(
        "an empty folder is lost",
        "FROM debian:bookworm-slim\nRUN mkdir -p /srv/uploads",
        "FROM debian:bookworm-slim\nRUN mkdir -p /srv",
        "/srv/uploads",
    ),
    fault(
        "more is removed than was said",
        "FROM debian:bookworm-slim\nRUN mkdir /opt/a && echo 1 > /opt/a/a.tgz && echo 2 > /opt/a/b.tgz",
        "FROM debian:bookworm-slim\nRUN mkdir /opt/a",
        "/opt/a/b.tgz",
        claims=Claims(patterns=(("remove-downloads", "/opt/a/a.tgz"),)),
    ),
    fault(
        "what a cleaned folder holds is not all a cache",
        "FROM debian:bookworm-slim\nRUN mkdir -p /root/.cache/pip /root/.cache/models && touch /root/.cache/models/a",
        "FROM debian:bookworm-slim\nRUN true",
        "/root/.cache/models",
        claims=Claims(patterns=(("clean-package-caches", "/root/.cache/pip"),), caches=("/root/.cache/pip",)),
    ),
)
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


@pytest.fixture(scope="module")
def compared(builder: Builder, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Pair], tuple[Difference, ...]]:
    """Build both files of a pair and compare the images."""
    store = Store()

    def built(context: Path, text: str) -> str:
        dockerfile = tmp_path_factory.mktemp("dockerfile") / "Dockerfile"
        dockerfile.write_text(dedent(text).strip() + "\n")
        return builder.build(BuildRequest(context, dockerfile, limit=300), lambda _: None).image

    def compare_pair(pair: Pair) -> tuple[Difference, ...]:
        context = tmp_path_factory.mktemp("context")
        for name, text in {"here": "", **pair.files}.items():
            (context / name).parent.mkdir(parents=True, exist_ok=True)
            (context / name).write_text(text)
        images = [built(context, text) for text in (pair.before, pair.after)]
        try:
            before, after = survey(builder, images, store)
        finally:
            for image in images:
                builder.remove(image)
        return compare(before, after, pair.claims)

    return compare_pair


@pytest.mark.parametrize("pair", FAULTS, ids=lambda pair: pair.name)
def test_a_planted_fault_is_named(pair: Pair, compared: Callable[[Pair], tuple[Difference, ...]]) -> None:
    told = [(one.check, one.subject) for one in compared(pair) if one.claimed_by is None]

    assert set(pair.told) <= set(told)
    assert len(told) <= 100, "a report must stay readable"


@pytest.mark.parametrize("pair", HARMLESS, ids=lambda pair: pair.name)
def test_a_harmless_pair_passes(pair: Pair, compared: Callable[[Pair], tuple[Difference, ...]]) -> None:
    assert [one for one in compared(pair) if one.claimed_by is None] == []
