"""How a file looks, and what is said of it, when the installs come before the sources."""

from collections.abc import Mapping
from textwrap import dedent

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize

PLAN = Plan(select=frozenset({"split-manifest-copy"}))
FILES = {"package.json": "{}", "package-lock.json": "{}", "requirements.txt": "", ".dockerignore": "node_modules\n"}


def run(*parts: str, files: Mapping[str, str] | None = None) -> Result:
    text = "FROM debian\nWORKDIR /app\n" + "".join(part + "\n" for part in parts)
    return optimize(text, Context.of(FILES | dict(files or {})), PLAN)


def test_paragraphs_that_go_take_a_blank_line_with_them() -> None:
    copies = ["COPY lib lib/", "", "COPY bin bin/", "COPY package.json ./", "COPY x.js ./"]
    result = run("", *copies, "", "RUN npm i", "", "USER 1", files={"lib/a": "", "bin/b": "", "x.js": ""})

    assert result.after == dedent("""\
        FROM debian
        WORKDIR /app

        COPY package.json ./

        RUN npm i

        COPY lib lib/
        COPY bin bin/
        COPY x.js ./

        USER 1
        """)


def test_the_rest_of_a_run_keeps_its_distance_from_the_sources() -> None:
    result = run("", "COPY . .", "", "RUN npm ci && npm run build")

    assert result.after.endswith("RUN npm ci\n\nCOPY . .\n\nRUN npm run build\n")


def test_the_install_of_the_project_is_written_as_before() -> None:
    install = "RUN --mount=type=cache,target=/root/.cache/uv \\\n    uv sync \\\n    --locked"
    project = "[project]\nname = 'a'\nversion = '1'\ndependencies = []\n[build-system]\nrequires = ['hatchling']\n"
    files = {"pyproject.toml": project + "build-backend = 'hatchling.build'\n", "uv.lock": ""}

    result = run("COPY . .", install, files=files)

    first = install.replace("uv sync", "uv sync --no-install-project")
    assert result.after.endswith(f"COPY pyproject.toml uv.lock ./\n{first}\nCOPY . .\n{install}\n")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("pip --no-cache-dir install -r requirements.txt", "pip install"),
        ("python3 -m pip install -r requirements.txt", "pip install"),
        ("uv pip install --system -r requirements.txt", "uv pip install"),
        ("npm --no-audit ci", "npm ci"),
    ],
)
def test_an_install_is_named_as_people_call_it(command: str, said: str) -> None:
    (applied,) = run("COPY . .", f"RUN {command}").applied

    assert f"no longer runs {said} again" in applied.rewrite.why


@pytest.mark.parametrize("names", ["package.json package-lock.json yarn.lock", "package*.json *.lock"])
def test_lock_files_of_others_are_no_sources(names: str) -> None:
    result = run(f"COPY {names} ./", "RUN npm ci", files={"yarn.lock": ""})

    assert (result.after, result.declined) == (result.before, ())
