"""What keeps a stage on its full image, and what does not."""

import json

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize

PYTHON = 'FROM python:3.12\nCOPY . .\n{}\nCMD ["python", "app.py"]\n'
NODE = 'FROM node:20\nWORKDIR /app\nCOPY . .\n{}\nCMD ["node", "app.js"]\n'


def run(text: str, files: dict[str, str] | None = None, dockerfile: str = "Dockerfile") -> Result:
    context = Context.of({"app.py": "print(1)\n", "app.js": "", **(files or {})}, dockerfile=dockerfile)
    return optimize(text, context, Plan(select=frozenset({"use-slim-base"})))


def base_of(result: Result) -> str:
    return next(line for line in result.after.splitlines() if line.startswith("FROM"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("FROM python:3.12", "FROM python:3.12-slim"),
        ("FROM python", "FROM python:slim"),
        ("FROM python:3.11.4-bullseye", "FROM python:3.11.4-slim-bullseye"),
        ("FROM node:lts", "FROM node:lts-slim"),
        ("FROM node:20-bookworm AS node", "FROM node:20-bookworm-slim AS node"),
        ("FROM --platform=linux/amd64 node:20", "FROM --platform=linux/amd64 node:20-slim"),
        ("FROM docker.io/library/node:20", "FROM docker.io/library/node:20-slim"),
        ("from python:3.12", "from python:3.12-slim"),
        ("FROM debian:12", "FROM debian:12-slim"),
    ],
)
def test_the_tag_of_the_same_release(before: str, after: str) -> None:
    assert run(f'{before}\nCMD ["true"]\n').after == f'{after}\nCMD ["true"]\n'


@pytest.mark.parametrize(
    "text",
    [
        "FROM python:3.12-slim",
        "FROM python:3.12-alpine3.20",
        "FROM registry.example.com/python:3.12",
        "FROM python:99.1",
        "FROM scratch",
        "FROM golang:1.23",
    ],
)
def test_nothing_is_said_of_images_without_more_to_give(text: str) -> None:
    result = run(f'{text}\nCMD ["true"]\n')

    assert (result.applied, result.declined) == ((), ())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('FROM python:$V\nCMD ["true"]\n', "the tag of the base image is an argument"),
        (f'FROM python:3.12@sha256:{"0" * 64}\nCMD ["true"]\n', "named by its digest"),
        ('FROM --platform=$BUILDPLATFORM node:20\nCMD ["true"]\n', "the base image is one for $BUILDPLATFORM"),
        ("FROM python:3.12\nRUN true\n", "no CMD or ENTRYPOINT says"),
        ("FROM python:3.12\nCMD python -m pip install x && true\n", "has python install packages"),
        ("FROM node:20\nCMD yarn && node -v\n", "the CMD of line 2 has yarn install packages"),
        ('FROM python:3.12\nONBUILD RUN make\nCMD ["true"]\n', "the ONBUILD of line 2"),
        ('FROM python:3.12\nRUN ./configure.sh\nCMD ["true"]\n', "runs ./configure.sh, which is not in the build"),
        ('FROM python:3.12\nRUN curl -fsS https://x.io/i | sh\nCMD ["true"]\n', "starts curl, which the slim image"),
        ('FROM python:3.12\nRUN python - <<EOF\nprint(1)\nEOF\nCMD ["true"]\n', "is not understood"),
        ('FROM python:3.12\nRUN tar xJf /x.tar\nCMD ["true"]\n', "starts xz, which the slim image lacks"),
        ('FROM python:3.12\nRUN $TOOL --now\nCMD ["true"]\n', "starts $TOOL, which is not known"),
        ('FROM python:3.12\nCMD ["/usr/bin/python3", "-V"]\n', "names /usr/bin/python3"),
        ('FROM python:3.12\nENV PIP_NO_BINARY=x\nCMD ["python"]\n', "PIP_NO_BINARY may have packages"),
        ('FROM python:3.12\nCMD ["supervisord"]\n', "what supervisord starts is not known"),
        ('FROM python:3.12\nCMD ["uvicorn", "app:app", "--reload"]\n', "--reload of line 2 is for development"),
        ('FROM node:20\nENV SSL_CERT_FILE=/x\nCMD ["node"]\n', "+ca-certificates"),
        ('FROM python:3.12\nENV LD_PRELOAD=/usr/lib/libjemalloc.so\nCMD ["python"]\n', "names /usr/lib/libjemalloc"),
        ('FROM debian:12\nRUN cp /usr/share/doc/a/example /x\nCMD ["cat", "/x"]\n', "names /usr/share/doc/a/example"),
        ('FROM debian:12\nRUN rm -rf /usr/share/doc/* /usr/share/man/*\nCMD ["true"]\n', None),
        ('FROM debian:12\nENV LANG=de_DE.UTF-8\nCMD ["true"]\n', "asks for another language (de_DE)"),
        ('FROM debian:12\nENV LANG=en_US.UTF-8\nCMD ["true"]\n', None),
        ('FROM python:3.12\nRUN adduser --system app\nCMD ["python"]\n', None),
        ('FROM python:3.13\nRUN adduser --system app\nCMD ["python"]\n', "starts adduser, which the slim image lacks"),
        ('FROM python:3.12\nRUN apt-get install -y default-jre\nCMD ["python"]\n', "folders of manuals"),
        ('FROM golang:1 AS b\nFROM python:3.12\nCOPY --from=b /x /x\nCMD ["python"]\n', "may need the full"),
        ('FROM python:3.12\nCOPY --from=mwader/static-ffmpeg /ffmpeg /\nCMD ["true"]\n', "from mwader/static-ffmpeg"),
        ('FROM python:3.12\nCOPY --from=ghcr.io/astral-sh/uv:0.5 /uv /bin/\nCMD ["python"]\n', None),
    ],
)  # fmt: skip
def test_what_the_dockerfile_tells(text: str, reason: str | None) -> None:
    if text.startswith("FROM python:3.12\nRUN adduser"):
        text = text.replace("3.12\n", "3.12-bookworm\n")
    judge(run(text), reason)


def judge(result: Result, reason: str | None) -> None:
    if reason is None:
        assert base_of(result).count("slim") == 1, [d.reason for d in result.declined]
    elif reason.startswith("+"):  # the package that the slim image is given
        assert f"--no-install-recommends {reason[1:]} " in result.after, [d.reason for d in result.declined]
    else:
        assert result.after == result.before
        assert any(reason in d.reason for d in result.declined), [d.reason for d in result.declined]


@pytest.mark.parametrize(
    ("requirements", "reason"),
    [
        ("flask==3.0.3\nnumpy==2.1.0\n", None),
        ("numpy>=1.20\n", None),
        ("numpy<2\n", "which release of numpy is installed is not known"),
        ("numpy==1.19.0\n", "numpy 1.19.0 has no wheel for Python 3.12"),
        ("mysqlclient\n", "mysqlclient has no wheel"),
        ("psycopg2-binary==2.9.9\n", None),
        ("psycopg[binary]==3.2.1\n", None),
        ("psycopg==3.2.1\n", "+libpq5"),
        ("psycopg[c]\n", "psycopg[c] may bring what is compiled"),
        ("python-magic\n", "+libmagic1t64"),
        ("lightgbm\n", "+libgomp1"),
        ("django-auth-ldap\n", "needs python-ldap, which is compiled"),
        ("git+https://github.com/x/y\n", "fetched from a repository"),
        ("thing @ https://example.com/x.tar.gz\n", "may be compiled"),
        ("pywin32==306; sys_platform == 'win32'\n", None),
        ("-r missing.txt\n", "missing.txt is not in the build context"),
        ("--no-binary :all:\nflask\n", "from sources"),
        ("-r more.txt\n", "mysqlclient has no wheel"),
        ("-rmore.txt\n", "mysqlclient has no wheel"),
        ("numpy\n-c held.txt\n", "numpy 1.19.0 has no wheel for Python 3.12"),
        ("-e./lib\n", "the project in lib is not in the build context"),
        ("# mysqlclient\nflask  # psycopg2\n", None),
        ("-e .\n", "the project in . is not in the build context"),
    ],
)
def test_what_pip_installs(requirements: str, reason: str | None) -> None:
    files = {"requirements.txt": requirements, "more.txt": "mysqlclient\n", "held.txt": "numpy==1.19.0\n"}
    judge(run(PYTHON.format("RUN pip install -r requirements.txt"), files), reason)


@pytest.mark.parametrize(
    ("command", "files", "reason"),
    [
        ("uv sync", {"uv.lock": '[[package]]\nname = "uwsgi"\nversion = "2.0.27"\n'}, "uwsgi 2.0.27 has no wheel"),
        ("poetry install", {"poetry.lock": '[[package]]\nname = "lxml"\nversion = "5.2.0"\n'}, None),
        ("pipenv install", {"Pipfile.lock": '{"default": {"lxml": {"version": "==3.0"}}}'}, "lxml 3.0 has no wheel"),
        ("pip install .", {"setup.py": "setup(ext_modules=[])"}, "the project compiles extensions"),
        ("pip install .", {"pyproject.toml": '[build-system]\nbuild-backend = "maturin"\n'}, "maturin may compile"),
        ("pip install .", {"pyproject.toml": '[project]\nname = "x"\ndependencies = ["flask"]\n'}, None),
        ("pip install .", {"setup.py": 'setup(install_requires=["uwsgi"])'}, "uwsgi has no wheel"),
        ("pip install .", {"setup.py": 'A = ["flask"]\nsetup(install_requires=A + ["uwsgi"])'}, "uwsgi has no wheel"),
        (
            "pip install .",
            {"setup.py": 'R = open("requires.txt").readlines()\nsetup(install_requires=R)', "requires.txt": "uwsgi\n"},
            "uwsgi has no wheel",
        ),
        (
            "pip install .",
            {
                "pyproject.toml": '[project]\ndynamic = ["dependencies"]\n'
                '[tool.setuptools.dynamic]\ndependencies = {file = ["base.txt"]}\n',
                "base.txt": "uwsgi\n",
            },
            "uwsgi has no wheel",
        ),
        ("pip install .", {"setup.py": "setup(install_requires=read())"}, "what setup.py asks for is not known"),
        ("pip install numpy -c held.txt", {"held.txt": "numpy==1.19.0\n"}, "numpy 1.19.0 has no wheel"),
        ("pip-sync requirements.txt", {}, "what pip-sync installs is not known"),
        ("conda install x", {}, "what conda installs is not known"),
        ("pip install --no-cache-dir gunicorn 'uvicorn[standard]'", {}, None),
    ],
)
def test_what_other_installs_bring(command: str, files: dict[str, str], reason: str | None) -> None:
    judge(run(PYTHON.format(f"RUN {command}"), files), reason)


def lock(**packages: dict[str, object]) -> str:
    return json.dumps({"packages": {f"node_modules/{name}": entry for name, entry in packages.items()}})


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"package-lock.json": lock(esbuild={"version": "0.20.0", "hasInstallScript": True})}, None),
        ({"package-lock.json": lock(sharp={"version": "0.33.1", "hasInstallScript": True})}, None),
        ({"package-lock.json": lock(sharp={"version": "0.30.0", "hasInstallScript": True})}, "sharp has an install"),
        ({"package-lock.json": lock(odd={"hasInstallScript": True})}, "odd has an install script"),
        ({"package-lock.json": lock(prisma={})}, "+openssl"),
        ({"package-lock.json": '{"dependencies": {"a": {"dependencies": {"nan": {"version": "2"}}}}}'}, "has nan, by"),
        ({"yarn.lock": '"@types/node@^20":\n  version "20.1.0"\n\nms@^2:\n  version "2.1.3"\n'}, None),
        ({"yarn.lock": 'bcrypt@^5:\n  version "5.1.0"\n'}, "bcrypt may be compiled"),
        ({"yarn.lock": 'bcrypt@^6:\n  version "6.0.0"\n'}, None),
        ({"pnpm-lock.yaml": "packages:\n\n  better-sqlite3@11.1.0:\n    resolution: {}\n"}, "better-sqlite3 may be"),
        ({"pnpm-lock.yaml": "packages:\n\n  /odd@1.0.0:\n    resolution: {}\n    requiresBuild: true\n"}, "odd has an"),
        ({"pnpm-lock.yaml": "packages:\n\n  /esbuild@0.20.0:\n    requiresBuild: true\n"}, None),
        (
            {"yarn.lock": '"odd@npm:^1":\n  version: 1.0.0\n\n"node-gyp@npm:latest":\n  version: 10.0.0\n'},
            "has node-gyp",
        ),
        ({"package.json": '{"dependencies": {"sqlite3": "^5"}}'}, "sqlite3 may be compiled"),
        ({"package.json": '{"dependencies": {"simple-git": "^3"}}'}, "+ca-certificates git"),
        ({"package.json": '{"dependencies": {"x": "git+ssh://git@example.com/x"}}'}, "x is fetched from a repository"),
        ({"package.json": '{"scripts": {"postinstall": "make -C native"}}'}, "the script postinstall of package.json"),
        ({"package.json": '{"scripts": {"prepare": "husky install"}}'}, None),
    ],
)
def test_what_npm_installs(files: dict[str, str], reason: str | None) -> None:
    judge(run(NODE.format("RUN npm install"), {"package.json": "{}", **files}), reason)


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("a.js", 'require("child_process").exec("git log")', "+ca-certificates git"),
        ("a.js", 'console.log("git log")', None),
        ("a.js", 'const { spawn } = require("child_process"); spawn("node", ["x"])', None),
        ("test/a.js", 'require("child_process").exec("git log")', None),
        ("a.js", 'fs.readFileSync("/etc/ssl/certs/ca-certificates.crt")', "+ca-certificates"),
        ("lib/fast.node", "", "may be linked to a library"),
        ("a.js", 'draw("/usr/share/fonts/truetype")', "a.js speaks of /usr/share/fonts"),
        ("a.js", 'sharp(Buffer.from("<svg><text x=1>hi</text></svg>"))', "draws text with sharp"),
        (
            "docker-compose.yml",
            'services:\n  a:\n    healthcheck:\n      test: ["CMD", "curl", "x"]\n',
            "+ca-certificates curl",
        ),
        (
            "compose.yaml",
            "services:\n  a:\n    healthcheck:\n      test:\n        - CMD\n        - wget\n",
            "+ca-certificates wget",
        ),
        ("compose.yaml", "services:\n  curl:\n    image: git\n    command: node a.js\n", None),
        ("Dockerfile.swp", "", None),
    ],
)
def test_what_sources_start(path: str, text: str, reason: str | None) -> None:
    judge(run(NODE.format("RUN true"), {path: text}), reason)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('import subprocess\nsubprocess.run(["file", "-b", "x"])', "+file"),
        ('import subprocess\nsubprocess.run(["ls"])\nkind = request["file"]', None),
        ('import os\nos.system("ssh host true")', "+openssh-client"),
        ("import ctypes\nctypes.CDLL('libmagic.so.1')", "app.py loads a shared library"),
        ("from tkinter import Tk", "imports tkinter"),
    ],
)
def test_what_python_sources_start(text: str, reason: str | None) -> None:
    judge(run(PYTHON.format("RUN true"), {"app.py": text}), reason)


def test_what_is_installed_later_does_not_serve_an_earlier_step() -> None:
    install = "RUN apt-get update && apt-get install -y make"

    judge(run(PYTHON.format(f"RUN make\n{install}")), "starts make")
    judge(run(PYTHON.format(f"{install}\nRUN make")), None)
    judge(run(PYTHON.format(f"{install} && apt-get purge -y make\nRUN make")), "starts make")
    judge(run(PYTHON.format("RUN test -e /x || apt-get install -y make\nRUN make")), "starts make")


def test_the_release_is_named_where_a_package_has_its_name_there_alone() -> None:
    assert base_of(run(PYTHON.format("RUN pip install python-magic"))) == "FROM python:3.12-slim-trixie"
    assert base_of(run(PYTHON.format("RUN pip install gitpython"))) == "FROM python:3.12-slim"


def test_scripts_are_followed_to_what_they_start() -> None:
    text = 'FROM python:3.12\nCOPY . /srv\nENTRYPOINT ["/srv/start.sh"]\nCMD ["python", "-V"]\n'

    judge(run(text, {"start.sh": '#!/bin/sh\nexec "$@"\n'}), None)
    judge(run(text, {"start.sh": "#!/bin/sh\n. /srv/more.sh\n", "more.sh": "wget -q x\n"}), "+wget")
    judge(run(text, {"start.sh": "#!/usr/bin/perl\nexec 'x'\n"}), None)


def test_a_builder_stays_full_and_its_heirs_go_together() -> None:
    text = 'FROM python:3.12 AS b\nRUN make\nFROM python:3.12\nCOPY --from=b /app /app\nCMD ["python"]\n'
    judge(run(text), "what make makes in line 2")
    text = 'FROM node:20 AS base\nFROM base AS b\nRUN git --version\nFROM base\nCMD ["node"]\n'
    judge(run(text), "git (the RUN of line 3)")


def test_the_sources_of_a_builder_count_where_its_files_are_taken() -> None:
    text = 'FROM node:20 AS b\nCOPY . /app\nFROM node:20\nCOPY --from=b /app /app\nCMD ["node", "/app/a.js"]\n'

    judge(run(text, {"a.js": 'require("child_process").exec("git log")'}), "+ca-certificates git")
    assert run(text, {"a.js": ""}).after.count("slim") == 1


def test_shell_scripts_that_sources_start_are_read() -> None:
    source = {"a.js": 'require("child_process").exec("./tool.sh")', "release.sh": "git tag\n"}

    judge(run(NODE.format("RUN true"), {**source, "tool.sh": "#!/bin/sh\ngit log\n"}), "+ca-certificates git")
    judge(run(NODE.format("RUN true"), {**source, "tool.sh": "#!/bin/sh\nls\n"}), None)


def test_the_gain_is_that_on_the_disk_and_the_compressed_one_is_told() -> None:
    (applied,) = run('FROM python:3.12\nCMD ["true"]\n').applied

    assert applied.rewrite.gain.bytes > 800_000_000
    assert "360 MB less, compressed" in applied.rewrite.why
