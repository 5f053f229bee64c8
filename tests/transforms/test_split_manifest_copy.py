"""Which installs come before the sources, and what that brings along."""

from collections.abc import Mapping

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize

PLAN = Plan(select=frozenset({"split-manifest-copy"}))
FILES = {
    "package.json": "{}",
    "package-lock.json": '{"packages": {"": {}}}',
    "requirements.txt": "flask==3.0.3\n",
    "certs/company.pem": "",
    "conf/npmrc": "",
    "hook.js": "",
    ".dockerignore": "node_modules\n",
}


def run(*parts: str, files: Mapping[str, str] | None = None, tracked: bool | None = None) -> Result:
    text = "FROM debian\nWORKDIR /app\n" + "".join(part + "\n" for part in parts)
    return optimize(text, Context.of(FILES | dict(files or {}), tracked=lambda _path: tracked), PLAN)


@pytest.mark.parametrize(
    "variable",
    [
        "NPM_CONFIG_USERCONFIG=/app/conf/npmrc",
        "npm_config_cafile=certs/company.pem",
        "NODE_EXTRA_CA_CERTS=/app/certs/company.pem",
        "SSL_CERT_DIR=/app/certs",
        'NODE_OPTIONS="--max-old-space-size=4096 --require=./hook.js"',
    ],
)
def test_a_variable_that_names_a_copied_file_stops_it(variable: str) -> None:
    result = run(f"ENV {variable}", "COPY . .", "RUN npm ci")

    assert result.after == result.before
    assert variable.partition("=")[0] in result.declined[0].reason


@pytest.mark.parametrize(
    "variable",
    ["NODE_EXTRA_CA_CERTS=/etc/ssl/company.pem", "NODE_OPTIONS=--max-old-space-size=4096", "FLASK_APP=/app/hook.js"],
)
def test_other_variables_do_not(variable: str) -> None:
    assert "RUN npm ci\nCOPY . .\n" in run(f"ENV {variable}", "COPY . .", "RUN npm ci").after


@pytest.mark.parametrize("tracked", [None, False])
def test_sources_where_the_install_writes_are_not_left_out(*, tracked: bool | None) -> None:
    result = run("COPY . .", "RUN pip install -t lib -r requirements.txt", files={"lib/own.py": ""}, tracked=tracked)

    assert (result.after, result.artifacts) == (result.before, ())
    assert "the install writes to lib" in result.declined[0].reason


def test_what_version_control_holds_is_not_left_out() -> None:
    result = run("COPY . .", "RUN npm ci", files={"node_modules/a/i.js": "", ".dockerignore": ""}, tracked=True)

    assert (result.after, result.artifacts) == (result.before, ())
    assert "node_modules is part of the repository" in result.declined[0].reason


def test_manifests_that_are_copied_already_are_not_copied_again() -> None:
    result = run("COPY package*.json ./", "COPY . .", "RUN npm ci")

    assert result.after.endswith("COPY package*.json ./\nRUN npm ci\nCOPY . .\n")
