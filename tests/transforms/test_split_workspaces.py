"""Installs in one of several packages: what is copied for them, and where the sources go below a WORKDIR."""

from collections.abc import Mapping

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize
from optimizer.transforms import Level

PLAN = Plan(select=frozenset({"split-manifest-copy"}))
LOCK = '{"lockfileVersion": 3, "packages": {"": {}, "packages/api": {}, "packages/money": {}}}'
FILES = {
    "package.json": '{"workspaces": ["packages/*"]}',
    "package-lock.json": LOCK,
    "packages/api/package.json": "{}",
    "packages/api/index.js": "",
    "packages/money/package.json": "{}",
    "packages/money/index.js": "",
    "src/index.js": "",
    ".dockerignore": "**/node_modules\n",
}


def run(text: str, files: Mapping[str, str] | None = None) -> Result:
    return optimize("FROM node:20\n" + text, Context.of(FILES | dict(files or {})), PLAN)


def rewritten(text: str) -> list[str]:
    result = run(text)
    assert not result.declined
    return result.after.splitlines()[1:]


MEMBERS = ["COPY packages/api/package.json packages/api/", "COPY packages/money/package.json packages/money/"]


@pytest.mark.parametrize(
    ("copy", "workdir", "moved"),
    [
        ("COPY . .", "WORKDIR /app/packages/api", "COPY . /app"),
        ("COPY . ./", "WORKDIR packages/api", "COPY . /app/"),
        ("copy . .", "WORKDIR packages/api", "copy . /app"),
        ('COPY [".", "."]', "WORKDIR packages/api", 'COPY [".", "/app"]'),
        ("COPY . /app", "WORKDIR /app/packages/api", "COPY . /app"),
    ],
)
def test_sources_that_go_below_a_workdir_have_their_destination_written_out(
    copy: str, workdir: str, moved: str
) -> None:
    after = run(f"WORKDIR /app\n{copy}\n{workdir}\nRUN npm ci\nRUN npm run build\n").after

    assert after.splitlines()[-4:] == [workdir, "RUN npm ci", moved, "RUN npm run build"]


def test_a_comment_and_flags_go_with_the_sources() -> None:
    text = "WORKDIR /app\n# All\nCOPY --chown=node . .\nWORKDIR packages/api\nRUN npm ci && npm run build\n"

    assert rewritten(text)[-4:] == ["RUN npm ci", "# All", "COPY --chown=node . /app", "RUN npm run build"]


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("ARG D=/app\nWORKDIR $D\nCOPY . .\nWORKDIR $D/packages/api\nRUN npm ci\n", "WORKDIR changes the folder"),
        ("FROM private/base\nCOPY . .\nWORKDIR packages/api\nRUN npm ci\n", "WORKDIR changes the folder"),
        ("WORKDIR /app\nCOPY . \\\n    .\nWORKDIR packages/api\nRUN npm ci\n", "WORKDIR changes the folder"),
        ("WORKDIR /app\nCOPY . .\nWORKDIR src\nRUN cd /app && npm ci\n", "WORKDIR makes /app/src where"),
    ],
)
def test_sources_stay_above_a_workdir_where_that_is_not_sure(text: str, because: str) -> None:
    result = run(text)

    assert result.before == result.after
    assert [because in one.reason for one in result.declined] == [True]


def test_what_lies_above_the_copied_folder_counts() -> None:
    after = rewritten("WORKDIR /app\nCOPY packages packages\nCOPY package*.json ./\nWORKDIR packages/api\nRUN npm i\n")

    assert after[1:] == [
        *MEMBERS,
        "COPY package*.json ./",
        "WORKDIR packages/api",
        "RUN npm i",
        "COPY packages /app/packages",
    ]


def test_settings_from_another_folder_stay_beside_the_manifests() -> None:
    result = run("WORKDIR /app\nCOPY . .\nCOPY ci/.npmrc ./\nRUN npm ci\n", {"ci/.npmrc": ""})

    assert result.after.splitlines()[-3:] == ["COPY ci/.npmrc ./", "RUN npm ci", "COPY . ."]


def test_lerna_bootstraps_before_the_sources() -> None:
    files = {"lerna.json": "{}", "package.json": '{"devDependencies": {"lerna": "6.6.2"}}'}
    result = run("WORKDIR /app\nCOPY . .\nRUN npm i && npx lerna bootstrap && npx lerna run build\n", files)

    assert result.after.splitlines()[-3:] == ["RUN npm i && npx lerna bootstrap", "COPY . .", "RUN npx lerna run build"]


def test_turbo_prune_is_left_to_itself() -> None:
    text = (
        "AS pruner\nWORKDIR /app\nCOPY . .\nRUN npx turbo prune api --docker\n"
        "FROM node:20\nWORKDIR /app\nCOPY --from=pruner /app/out/json/ .\nRUN npm ci\n"
        "COPY --from=pruner /app/out/full/ .\nRUN npx turbo run build\n"
    )
    result = optimize(f"FROM node:20 {text}", Context.of(FILES), PLAN)

    assert result.before == result.after
    assert not result.declined


@pytest.mark.parametrize(
    ("flag", "because"), [("", ""), ("--chmod=755 ", ""), ("--chmod=a+x ", ""), ("--chmod=644 ", "takes away that")]
)
def test_a_program_of_a_workspace_stays_executable(flag: str, because: str) -> None:
    program = "packages/money/cli.js"
    files = FILES | {"packages/money/package.json": '{"bin": "cli.js"}', program: "#!/usr/bin/env node\n"}
    context = Context.of(files, executable=lambda path: path == program)
    result = optimize(f"FROM node:20\nWORKDIR /app\nCOPY {flag}. .\nRUN npm ci\n", context, PLAN)

    assert (f"package.json {program} packages/money/" in result.after) == (not because)
    assert [because in one.reason for one in result.declined] == [True] * bool(because)


@pytest.mark.parametrize("dependency", ["nx", "lerna"])
def test_what_nx_caches_of_the_sources_is_no_longer_there(dependency: str) -> None:
    package = {"package.json": f'{{"devDependencies": {{"{dependency}": "20.2.2"}}}}', "package-lock.json": "{}"}
    text = "WORKDIR /app\nCOPY . .\nRUN npm ci\nRUN npx nx build api\n"

    levels = [[one.level for one in run(text, files).applied] for files in (package, package | {"nx.json": "{}"})]

    assert levels == [[Level.EXACT], [Level.EQUIVALENT]]
