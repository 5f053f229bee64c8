import pytest

from optimizer.verify._imports import import_differences
from tests.verify.images import File, image, link, program

Files = dict[str, File | str | bytes]
SITE = "/usr/local/lib/python3.11/site-packages"
PYTHON: Files = {
    "/usr/local/bin/python3.11": program(),
    "/usr/local/bin/python": link("python3.11"),
    "/usr/local/lib/python3.11/json/__init__.py": "",
    f"{SITE}/flask/__init__.py": "",
    f"{SITE}/google/cloud/storage.py": "",
    f"{SITE}/google/auth.py": "",
}


def told(before: Files, after: Files, **config: object) -> list[str]:
    return [one.subject for one in import_differences(image(before, **config), image(after, **config))]


def without(files: Files, *parts: str) -> Files:
    return {path: file for path, file in files.items() if not any(part in path for part in parts)}


@pytest.mark.parametrize(
    ("config", "sources"),
    [
        ({"Cmd": ["python", "main.py"]}, {"/app/main.py": "import flask"}),
        ({"Cmd": ["python", "-u", "-W", "error", "main.py"]}, {"/app/main.py": "from flask import Flask"}),
        ({"Cmd": ["python", "/app/main.py"], "WorkingDir": "/"}, {"/app/main.py": "from flask.json import tag"}),
        ({"Cmd": ["python", "-m", "shop"]}, {"/app/shop/__init__.py": "", "/app/shop/__main__.py": "import flask"}),
        ({"Cmd": ["python", "-m", "shop.web"]}, {"/app/shop/__init__.py": "import flask", "/app/shop/web.py": ""}),
        ({"Cmd": ["python", "-m", "flask", "--app", "web", "run"]}, {"/app/web.py": "import flask"}),
        ({"Cmd": ["python", "main.py"]}, {"/app/main.py": "from shop import web", "/app/shop/web.py": "import flask"}),
        ({"Cmd": ["python", "main.py"]}, {"/app/main.py": "import shop.web", "/app/shop/__init__.py": "",
         "/app/shop/web.py": "from . import db", "/app/shop/db.py": "from .inner.x import (\n  y,\n)",
         "/app/shop/inner/x.py": "from ..z import q", "/app/shop/z.py": "import flask"}),
        ({"Cmd": ["python", "src/main.py"], "Env": ["PYTHONPATH=/app/lib"]},
         {"/app/src/main.py": "import own", "/app/lib/own.py": "import flask"}),
        ({"Cmd": ["gunicorn", "-w", "4", "shop:create()"]}, {"/app/shop.py": "import flask"}),
        ({"Cmd": ["gunicorn", "shop.wsgi"]}, {"/app/shop/wsgi.py": "import flask"}),
        ({"Cmd": ["/bin/sh", "-c", "exec gunicorn shop:app --bind :$PORT"]}, {"/app/shop.py": "import flask"}),
        ({"Entrypoint": ["/start.sh"], "WorkingDir": "/"}, {"/start.sh": program("#!/bin/sh\ncd /app; python main.py"),
         "/app/main.py": "import flask"}),
        ({"Cmd": ["/app/run"]}, {"/app/run": program("#!/usr/bin/env python\nimport flask\n")}),
    ],
)  # fmt: skip
def test_a_python_module_is_missing(config: dict[str, object], sources: Files) -> None:
    gunicorn: Files = {
        "/usr/local/bin/gunicorn": program("#!/usr/local/bin/python\nimport sys\n"),
        "/usr/bin/env": program(),
    }
    config = {"WorkingDir": "/app", **config}
    before = {**PYTHON, **gunicorn, **sources}

    assert told(before, before, **config) == []
    assert told(before, without(before, "/flask/"), **config) == ["module flask"]


def test_a_module_of_a_package_of_many() -> None:
    before = {**PYTHON, "/main.py": "from google.cloud import storage\nimport google.cloud.storage, google.auth"}

    assert told(before, without(before, "cloud"), Cmd=["python", "main.py"]) == ["module google.cloud"]


@pytest.mark.parametrize(
    "text", ["import nowhere", "import sys", "import flask", "x = 'import psycopg'", "print 'Python 2'", "# nothing"]
)
def test_modules_that_are_no_matter(text: str) -> None:
    before = {**PYTHON, "/main.py": text, f"{SITE}/psycopg.py": ""}

    assert told(before, without(before, "psycopg"), Cmd=["python", "main.py"]) == []


def test_a_module_that_nothing_imports() -> None:
    before = {**PYTHON, "/main.py": "import json", "/tests/test_main.py": "import flask"}

    assert told(before, without(before, "flask"), Cmd=["python", "main.py"]) == []


def test_a_compiled_module_and_one_that_another_folder_holds() -> None:
    before = {
        **PYTHON,
        "/main.py": "import fast, own",
        f"{SITE}/fast.cpython-311-x86_64-linux-gnu.so": "",
        f"{SITE}/own.pth": "# where\n/srv/own\n",
        "/srv/own/own.py": "",
    }

    assert told(before, without(before, "fast"), Cmd=["python", "main.py"]) == ["module fast"]
    assert told(before, without(before, "/srv"), Cmd=["python", "main.py"]) == ["module own"]


def test_a_virtual_environment_that_moved_whole() -> None:
    files = {
        **without(PYTHON, "flask"),
        "/app/main.py": "import flask",
        "/app/venv/bin/python": link("/usr/local/bin/python"),
    }
    before = {**files, "/app/venv/lib/python3.11/site-packages/flask/__init__.py": ""}
    config = {"Cmd": ["/app/venv/bin/python", "main.py"], "WorkingDir": "/app"}

    assert told(before, before, **config) == []
    assert told(before, {**files, f"{SITE}/flask/__init__.py": ""}, **config) == []
    assert told(before, {**files, "/opt/lib/python3.11/site-packages/flask/__init__.py": ""}, **config) == [
        "module flask"
    ]


def test_python_in_circles() -> None:
    before = {**PYTHON, "/a.py": "import b, flask", "/b.py": "import a"}

    assert told(before, without(before, "flask"), Cmd=["python", "a.py"]) == ["module flask"]


NODE: Files = {
    "/usr/local/bin/node": program(),
    "/app/node_modules/express/index.js": "",
    "/app/node_modules/@acme/tools/index.js": "",
}


@pytest.mark.parametrize(
    ("config", "sources"),
    [
        ({"Cmd": ["node", "server.js"]}, {"/app/server.js": "const e = require('express')"}),
        ({"Cmd": ["node", "server"]}, {"/app/server.js": 'import e, { Router } from "express"'}),
        ({"Cmd": ["node", "--enable-source-maps", "."]}, {"/app/package.json": '{"main": "lib/x"}',
         "/app/lib/x.js": "import 'express'"}),
        ({"Cmd": ["node", "."]}, {"/app/index.mjs": "export * from 'express/lib/router'"}),
        ({"Cmd": ["node", "a.js"]}, {"/app/a.js": "require('./lib')", "/app/lib/index.js": "require('./c')",
         "/app/lib/c.js": "await import('express')", "/app/b.json": "{}"}),
        ({"Cmd": ["npm", "start"]}, {"/app/package.json": '{"scripts": {"start": "NODE_ENV=x node dist/a"}}',
         "/app/dist/a.js": "require('express')"}),
        ({"Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["node", "a.js"]}, {"/app/a.js": "require('express')",
         "/usr/local/bin/docker-entrypoint.sh": program('#!/bin/sh\nset -e\nexec "$@"\n')}),
    ],
)  # fmt: skip
def test_a_node_package_is_missing(config: dict[str, object], sources: Files) -> None:
    config = {"WorkingDir": "/app", **config}
    before = {**NODE, **sources}

    assert told(before, before, **config) == []
    assert told(before, without(before, "/express/"), **config) == ["package express"]


def test_packages_with_a_scope_and_above() -> None:
    before = {**NODE, "/app/web/a.js": "require('@acme/tools/x'); require('node:fs')"}

    assert told(before, without(before, "@acme"), Cmd=["node", "/app/web/a.js"]) == ["package @acme/tools"]


@pytest.mark.parametrize("text", ["// require('express')", "/* import 'express' */", "require('fs')", "require(name)"])
def test_packages_that_are_no_matter(text: str) -> None:
    before = {**NODE, "/app/a.js": text}

    assert told(before, without(before, "express"), Cmd=["node", "/app/a.js"]) == []


def test_a_package_that_node_path_leads_to() -> None:
    before: Files = {"/usr/local/bin/node": program(), "/a.js": "require('x')", "/srv/modules/x/index.js": ""}

    assert told(before, without(before, "/srv"), Cmd=["node", "a.js"], Env=["NODE_PATH=/srv/modules"]) == ["package x"]
