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
    ("first", "then"),
    [
        ("uv sync --locked --no-install-project", "uv sync --locked"),
        ("uv sync --no-dev --no-install-project", "uv sync"),
    ],
)
def test_an_install_without_the_project_is_not_made_twice(first: str, then: str) -> None:
    project = "[project]\nname = 'a'\nversion = '1'\ndependencies = []\n[build-system]\nrequires = ['hatchling']\n"
    files = {"pyproject.toml": project + "build-backend = 'hatchling.build'\n", "uv.lock": "", ".dockerignore": ".venv"}

    result = run(f"RUN --mount=type=bind,source=uv.lock,target=uv.lock {first}", "COPY . .", f"RUN {then}", files=files)

    assert result.after == result.before


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


def test_what_comes_from_another_stage_still_makes_the_install_run_again() -> None:
    (applied,) = run(
        "RUN make", "FROM node", "WORKDIR /app", "COPY . .", "COPY --from=0 /dist /dist", "RUN npm ci"
    ).applied

    assert applied.rewrite.why.endswith(
        "only a change of package.json, package-lock.json or what is copied from 0 does."
    )


@pytest.mark.parametrize("names", ["package.json package-lock.json yarn.lock", "package*.json *.lock"])
def test_lock_files_of_others_are_no_sources(names: str) -> None:
    result = run(f"COPY {names} ./", "RUN npm ci", files={"yarn.lock": ""})

    assert (result.after, result.declined) == (result.before, ())


def test_files_that_are_copied_under_their_own_names_count_as_files() -> None:
    copies = ("COPY src /src", "COPY requirements.txt /requirements.txt", "COPY run.py /run.py")
    result = run(*copies, "RUN pip install -r /requirements.txt", files={"src/a.py": "", "run.py": ""})

    assert result.after.endswith(
        "app\nCOPY requirements.txt /requirements.txt\nRUN pip install -r /requirements.txt\n"
        "COPY src /src\nCOPY run.py /run.py\n"
    )


def test_a_manifest_in_the_place_of_another_keeps_its_name() -> None:
    copies = ("COPY . .", "COPY docker/package.json package.json")
    result = run(*copies, "RUN npm ci", files={"docker/package.json": "{}", "x.js": ""})

    assert "COPY package-lock.json ./\nCOPY docker/package.json package.json\nRUN npm ci\nCOPY . .\n" in result.after


@pytest.mark.parametrize("target", ["/srv", "/requirements", "/requirements.lock"])
def test_a_folder_or_file_of_another_name_is_told_apart_by_the_image_only(target: str) -> None:
    result = run("COPY . .", f"COPY requirements.txt {target}", f"RUN pip install -r {target}")

    assert f"whether {target} is a file or a folder cannot be told" in result.declined[0].reason


@pytest.mark.parametrize("target", ["NEEDS", "/app/NEEDS"])
def test_a_single_file_is_no_reason_to_say_anything(target: str) -> None:
    result = run(f"COPY requirements.txt {target}", "RUN pip install -r NEEDS")

    assert (result.after, result.declined) == (result.before, ())


def test_an_install_that_runs_again_keeps_its_line_breaks() -> None:
    files = {"composer.json": '{"require": {"a/b": "1.0.0"}}', "composer.lock": '{"packages": []}'}
    install = "RUN set -eux; \\\n  composer install \\\n    --no-dev \\\n    --no-progress"

    result = run("COPY . .", install, files=files)

    assert result.after.endswith("COPY . .\nRUN composer install \\\n    --no-dev \\\n    --no-progress\n")


@pytest.mark.parametrize("workdir", ["/app/web", '"/app/web"', "web", '"web"'])
def test_sources_go_below_a_workdir_in_quotes_as_below_one_without(workdir: str) -> None:
    files = {"web/package.json": "{}", "web/package-lock.json": "{}", ".dockerignore": "**/node_modules\n"}

    result = run("COPY . .", f"WORKDIR {workdir}", "RUN npm ci", files=files)

    copies = "COPY web/package.json web/package-lock.json web/"
    assert result.after.endswith(f"{copies}\nWORKDIR {workdir}\nRUN npm ci\nCOPY . /app\n")


@pytest.mark.parametrize(
    ("target", "splits"), [("${TO}", True), ('"/src/"', False), ('"src"', False), ("$UNKNOWN/x", False)]
)
def test_a_destination_that_is_no_plain_word_stays_as_it_is(target: str, *, splits: bool) -> None:
    files = {"package.json": "{}", "package-lock.json": "{}", ".dockerignore": "**/node_modules\n"}

    result = run("ENV TO=/src", f"COPY . {target}", "WORKDIR /src", "RUN npm ci", files=files)

    assert result.after.endswith(f"RUN npm ci\nCOPY . {target}\n") == splits
    assert f"COPY . {target}\n" in result.after
