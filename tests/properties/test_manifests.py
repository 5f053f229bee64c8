"""Whatever values a manifest holds: the run ends, and the gate has not to stop it."""

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.context import Context
from optimizer.engine import Plan, optimize
from optimizer.transforms import Level

PROJECTS: dict[str, dict[str, str]] = {
    "RUN cargo build --release": {
        "Cargo.toml": '[package]\nname = "app"\nversion = "1.0.0"\nbuild = "build.rs"\n[lib]\npath = "src/lib.rs"\n'
        '[[bin]]\nname = "app"\n[dependencies]\nbytes = { version = "1" }\n[lints.rust]\nunused = { level = "warn" }\n'
        '[workspace]\nmembers = ["part"]\nexclude = ["other"]\n',
        "part/Cargo.toml": '[package]\nname = "part"\nversion = "1.0.0"\n[dependencies]\napp = { path = ".." }\n',
        "Cargo.lock": '[[package]]\nname = "app"\nversion = "1.0.0"\n[[package]]\nname = "part"\nversion = "1.0.0"\n'
        '[[package]]\nname = "bytes"\nversion = "1.0.0"\nsource = "registry"\n',
        "build.rs": "", "src/lib.rs": "", "src/main.rs": "", "part/src/lib.rs": "",
    },
    "RUN composer install": {
        "composer.json": '{"name": "a/app", "require": {"a/b": "^1"}, "config": {"vendor-dir": "vendor", "lock": true},'
        '"scripts": {"post-install-cmd": ["x"]}, "repositories": [{"type": "vcs", "url": "https://e.org/x"}]}',
        "composer.lock": '{"packages": [{"name": "a/b", "type": "library", "require": {"php": "*"}, "dist":'
        ' {"type": "zip", "url": "https://e.org/b.zip", "reference": "1"}}], "packages-dev": []}',
    },
    "RUN npm ci": {
        "package.json": '{"name": "app", "version": "1.0.0", "workspaces": ["packages/*"], "scripts": {"build": "tsc"},'
        '"dependencies": {"ms": "2.1.3"}}',
        "packages/a/package.json": '{"name": "a", "version": "1.0.0", "dependencies": {"ms": "2.1.3"}}',
        "package-lock.json": '{"lockfileVersion": 3, "packages": {"": {"dependencies": {"ms": "2.1.3"}},'
        '"node_modules/ms": {"version": "2.1.3", "resolved": "https://registry.npmjs.org/ms/-/ms-2.1.3.tgz"}}}',
    },
    "RUN poetry install": {
        "pyproject.toml": '[tool.poetry]\nname = "app"\nversion = "1"\n[tool.poetry.dependencies]\nx = { path = "x" }\n'
        '[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n',
        "poetry.lock": '[[package]]\nname = "six"\nversion = "1"\n[metadata]\ncontent-hash = "0"\n',
    },
    "RUN uv sync --frozen": {
        "pyproject.toml": '[project]\nname = "app"\nversion = "1"\ndependencies = ["six"]\n[tool.uv]\npackage = false\n'
        'sources = { six = { git = "https://e.org/six" } }\nworkspace = { members = ["x"] }\n',
        "uv.lock": 'version = 1\n[[package]]\nname = "six"\nversion = "1"\nsource = { registry = "https://x" }\n',
    },
}  # fmt: skip
ODD: list[object] = [None, True, 1, -1.5, "", "x", "../x", [], [[]], [{"a": 1}], {}, {"path": {}}, {"version": []}]


@pytest.mark.parametrize("command", PROJECTS)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_odd_values_in_a_manifest_crash_nothing(command: str, data: st.DataObject) -> None:
    files = PROJECTS[command] | {"src/x": ""}
    name = data.draw(st.sampled_from([n for n in files if n.endswith((".json", ".toml", ".lock"))]))
    is_json = files[name].startswith("{")
    content = json.loads(files[name]) if is_json else tomllib.loads(files[name])
    *way, last = data.draw(st.sampled_from([*_ways(content)]))
    place: Any = content
    for key in way:
        place = place[key]
    place[last] = data.draw(st.sampled_from(ODD))
    files[name] = json.dumps(content) if is_json else _toml(content)
    text = f"FROM x\nWORKDIR /app\nCOPY . .\n{command}\n"

    result = optimize(text, Context.of(files), Plan(level=Level.ASSUMED))

    assert command.removeprefix("RUN ").split()[0] in result.after


def _ways(value: object, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    items: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        items = [*value.items()]
    elif isinstance(value, list):
        items = [*enumerate(value)]
    for key, inner in items:
        yield (*way, key)
        yield from _ways(inner, (*way, key))


def _toml(table: dict[str, Any]) -> str:
    return "".join(f"{json.dumps(key)} = {_toml_value(value)}\n" for key, value in table.items())


def _toml_value(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {_toml_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml_value, value))}]"
    return '""' if value is None else json.dumps(value)
