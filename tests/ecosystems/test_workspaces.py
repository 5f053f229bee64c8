# ruff: noqa: E501 - a row of a table is one line
import json
from collections.abc import Mapping

import pytest

from optimizer.context import Context
from optimizer.ecosystems import Install, Project, Refusal, ecosystem_modules
from optimizer.shell import parse_script
from optimizer.shell.calls import calls

LOCKS = {
    "package-lock.json": '{"lockfileVersion": 3, "packages": {"": {}}}',
    "yarn.lock": "# yarn lockfile v1\n",
    "pnpm-lock.yaml": "lockfileVersion: '9.0'\n\nimporters:\n\n  .: {}\n",
    "bun.lock": "{}",
}
BERRY = {".yarnrc.yml": "nodeLinker: node-modules\n", "yarn.lock": "__metadata:\n  version: 8\n"}
PNPM = {"pnpm-workspace.yaml": "packages:\n  - packages/*\n"}
SHEBANG = "#!/usr/bin/env node\n"


def repository(lock: str, **money: object) -> dict[str, str]:
    """A repository of two packages; `money` goes into the package.json of one of them."""
    return {
        "package.json": '{"name": "repo", "workspaces": ["packages/*"]}',
        lock: LOCKS[lock],
        "packages/api/package.json": '{"name": "api"}',
        "packages/api/index.js": "",
        "packages/money/package.json": json.dumps({"name": "money", **money}),
        "packages/money/index.js": "",
        "tools/package.json": '{"name": "tools"}',
    }


def ask(
    manager: str, text: str, files: Mapping[str, str], programs: tuple[str, ...] = (), at: str = "/app"
) -> Install | Refusal | None:
    context = Context.of(files, executable=lambda path: path in programs)
    (*_, call) = calls(parse_script(text), at, {})
    return ecosystem_modules()[manager].install(call, Project(context, "", "/app"))


BOTH = ("packages/api/package.json", "packages/money/package.json")
FOLDERS = ("node_modules", "packages/api/node_modules", "packages/money/node_modules")


@pytest.mark.parametrize(
    ("manager", "text", "lock"),
    [
        ("npm", "cd packages/api && npm ci", "package-lock.json"),
        ("npm", "cd packages/api && npm install", "package-lock.json"),
        ("npm", "npm ci --workspace api", "package-lock.json"),
        ("npm", "npm ci -w packages/api --include-workspace-root", "package-lock.json"),
        ("npm", "npm --workspaces=false ci", "package-lock.json"),
        ("yarn", "cd packages/api && yarn --frozen-lockfile", "yarn.lock"),
        ("yarn", "yarn --cwd packages/api install --frozen-lockfile", "yarn.lock"),
        ("yarn", "yarn workspace api install --frozen-lockfile", "yarn.lock"),
        ("yarn", "yarn workspace $APP install --frozen-lockfile", "yarn.lock"),
        ("bun", "cd packages/api && bun install --frozen-lockfile", "bun.lock"),
        ("bun", "bun install --frozen-lockfile --filter api", "bun.lock"),
    ],
)
def test_an_install_in_a_workspace_reads_them_all(manager: str, text: str, lock: str) -> None:
    text = text.replace("$APP", '"$APP"')
    answer = ask(manager, text, repository(lock))

    assert isinstance(answer, Install)
    assert answer.manifests == ("package.json", lock, *BOTH)
    assert answer.outputs == FOLDERS


@pytest.mark.parametrize(
    "text",
    [
        "cd packages/api && pnpm install --frozen-lockfile",
        "pnpm install --frozen-lockfile --filter api...",
        "pnpm --filter=./packages/api install --frozen-lockfile",
        "pnpm -r install --frozen-lockfile",
        "pnpm -C packages/api i --frozen-lockfile",
    ],
)
def test_pnpm_reads_every_workspace_whatever_the_filter(text: str) -> None:
    answer = ask("pnpm", text, repository("pnpm-lock.yaml") | PNPM)

    assert isinstance(answer, Install)
    assert answer.manifests == ("package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", *BOTH)


@pytest.mark.parametrize(
    "text", ["cd packages/api && yarn install --immutable", "yarn workspaces focus api --production", "yarn workspace api install"]
)  # fmt: skip
def test_yarn_2_reads_every_workspace(text: str) -> None:
    answer = ask("yarn", text, repository("yarn.lock") | BERRY)

    assert isinstance(answer, Install)
    assert answer.manifests == ("package.json", "yarn.lock", *BOTH, ".yarnrc.yml")


@pytest.mark.parametrize(
    ("manager", "text", "lock", "more"),
    [
        ("npm", "npm ci", "package-lock.json", {"packages/api/package-lock.json": "{}", "packages/api/.npmrc": ""}),
        ("yarn", "yarn --frozen-lockfile", "yarn.lock", {"packages/api/.npmrc": "", "packages/api/.yarnrc": ""}),
        ("bun", "bun ci", "bun.lock", {"packages/api/bunfig.toml": ""}),
    ],
)
def test_settings_beside_the_workspace_are_read(manager: str, text: str, lock: str, more: Mapping[str, str]) -> None:
    answer = ask(manager, f"cd packages/api && {text}", {**repository(lock), **more})

    assert isinstance(answer, Install)
    assert set(more) <= set(answer.manifests)


def test_a_package_beside_the_workspaces_is_on_its_own() -> None:
    assert ask("npm", "cd tools && npm install", repository("package-lock.json")) == Install(
        ("tools/package.json",), ("tools/node_modules",)
    )


def test_a_prefix_leads_to_no_workspace() -> None:
    assert ask("npm", "npm --prefix packages/api install", repository("package-lock.json")) == Install(
        ("packages/api/package.json",), ("packages/api/node_modules",)
    )


@pytest.mark.parametrize(
    ("manager", "text", "lock", "more", "because"),
    [
        ("npm", "npm ci", "package-lock.json", {"packages/api/package.json": '{"workspaces": ["x"]}'}, "workspaces of its own"),
        ("npm", "npm ci", "yarn.lock", {}, "npm ci needs package-lock.json"),
        ("npm", "npm ci express", "package-lock.json", {}, "npm ci express changes packages/api/package.json"),
        ("npm", "npm ci", "package-lock.json", {"packages/money/package.json": '{"scripts": {"prepare": "tsc"}}'}, "prepare"),
        ("yarn", "yarn", "yarn.lock", {**BERRY, "packages/api/yarn.lock": ""}, "makes a project of its own"),
        ("pnpm", "pnpm i", "pnpm-lock.yaml", {"pnpm-workspace.yaml": "packages: ['apps/*']"}, "is in no workspace"),
        ("pnpm", "pnpm i --filter '[origin/main]'", "pnpm-lock.yaml", PNPM, "asks version control"),
    ],
)  # fmt: skip
def test_says_why_an_install_in_a_workspace_needs_the_sources(
    manager: str, text: str, lock: str, more: Mapping[str, str], because: str
) -> None:
    answer = ask(manager, f"cd packages/api && {text}", {**repository(lock), **more})

    assert isinstance(answer, Refusal)
    assert because in answer.reason


MANAGERS = [("npm", "npm ci", "package-lock.json"), ("yarn", "yarn --frozen-lockfile", "yarn.lock"), ("pnpm", "pnpm ci", "pnpm-lock.yaml"), ("bun", "bun ci", "bun.lock")]  # fmt: skip


@pytest.mark.parametrize(("manager", "text", "lock"), MANAGERS)
@pytest.mark.parametrize("programs", ["dist/cli.js", {"money": "./dist/cli.js"}, {}, ""])
def test_a_program_that_is_built_later_is_never_linked(manager: str, text: str, lock: str, programs: object) -> None:
    files = repository(lock, bin=programs) | (PNPM if manager == "pnpm" else {})
    answer = ask(manager, text, files)

    assert isinstance(answer, Install)
    assert not [path for path in answer.manifests if path.endswith(".js")]


@pytest.mark.parametrize(("manager", "text", "lock"), MANAGERS)
def test_a_program_among_the_sources_comes_with_the_manifests(manager: str, text: str, lock: str) -> None:
    files = repository(lock, bin={"money": "./bin/money.js"}) | (PNPM if manager == "pnpm" else {})
    answer = ask(manager, text, files | {"packages/money/bin/money.js": SHEBANG}, ("packages/money/bin/money.js",))

    assert isinstance(answer, Install)
    assert "packages/money/bin/money.js" in answer.manifests


@pytest.mark.parametrize(
    ("money", "content", "programs", "because"),
    [
        ({"bin": "bin/m.js"}, SHEBANG, (), "the install makes the program packages/money/bin/m.js executable"),
        (
            {"bin": "bin/m.js"},
            "#!/bin/sh\r\n",
            ("packages/money/bin/m.js",),
            "line endings of the program packages/money/bin/m.js",
        ),
        ({"directories": {"bin": "bin"}}, SHEBANG, (), "links the programs in packages/money/bin"),
    ],
)
def test_a_program_that_the_install_changes_needs_the_sources(
    money: dict[str, object], content: str, programs: tuple[str, ...], because: str
) -> None:
    answer = ask(
        "npm", "npm ci", repository("package-lock.json", **money) | {"packages/money/bin/m.js": content}, programs
    )

    assert isinstance(answer, Refusal)
    assert because in answer.reason


@pytest.mark.parametrize(
    ("manager", "text", "lock", "version", "linked"),
    [
        ("npm", "npm ci", "package-lock.json", "file:../money", True),
        ("npm", "npm ci", "package-lock.json", "file:../other", False),
        ("yarn", "yarn --frozen-lockfile", "yarn.lock", "link:../money", True),
        ("yarn", "yarn --frozen-lockfile", "yarn.lock", "file:../money", False),
        ("bun", "bun ci", "bun.lock", "link:../money", True),
    ],
)
def test_a_link_to_a_workspace_needs_no_sources(
    manager: str,
    text: str,
    lock: str,
    version: str,
    linked: bool,  # noqa: FBT001 - pytest fills it in
) -> None:
    api = json.dumps({"name": "api", "dependencies": {"money": version}})

    answer = ask(manager, text, repository(lock) | {"packages/api/package.json": api})

    assert isinstance(answer, Install if linked else Refusal)


LERNA = repository("package-lock.json") | {
    "lerna.json": '{"packages": ["packages/*"]}',
    "package.json": '{"name": "repo", "devDependencies": {"lerna": "^6.6.2"}}',
}


@pytest.mark.parametrize(
    "text", ["lerna bootstrap", "npx lerna bootstrap --hoist", "npx --yes lerna@6 bootstrap --scope=api"]
)
def test_lerna_reads_what_every_package_declares(text: str) -> None:
    answer = ask("lerna", text, LERNA)

    assert isinstance(answer, Install)
    assert answer.manifests == ("package.json", "lerna.json", "package-lock.json", *BOTH)
    assert answer.outputs == FOLDERS


@pytest.mark.parametrize(
    "text", ["lerna run build", "npx lerna run build", "npx tsc", "npx turbo prune api --docker", "npx"]
)
def test_what_else_lerna_and_npx_do_is_no_install(text: str) -> None:
    assert ask("lerna", text, LERNA) is None


@pytest.mark.parametrize(
    ("text", "more", "because"),
    [
        ("npx lerna@7 bootstrap", {}, "Lerna 7"),
        ("npx lerna bootstrap", {"package.json": '{"devDependencies": {"lerna": "^2.11.0"}}'}, "Lerna 2"),
        ("npx lerna bootstrap", {"package.json": "{}"}, "which Lerna runs cannot be told"),
        ("lerna bootstrap -- --omit=dev", {}, "hands options to npm"),
        ("lerna bootstrap --npm-client yarn", {}, "lerna has yarn install"),
        ("lerna bootstrap --frobnicate", {}, "the option --frobnicate is not known"),
        ("lerna bootstrap", {"lerna.json": '{"useWorkspaces": true}'}, "lerna.json sets useWorkspaces"),
        ("lerna bootstrap", {"lerna.json": '{"command": {"bootstrap": {"npmClientArgs": ["x"]}}}'}, "hands options to npm"),
        ("lerna bootstrap", {"packages/api/package.json": '{"scripts": {"prepublish": "tsc"}}'}, "prepublish"),
    ],
)  # fmt: skip
def test_says_why_lerna_needs_the_sources(text: str, more: Mapping[str, str], because: str) -> None:
    answer = ask("lerna", text, {**LERNA, **more})

    assert isinstance(answer, Refusal)
    assert because in answer.reason


@pytest.mark.parametrize(
    ("api", "copied"),
    [("{}", ("packages/api/package.json", "package.json")), ('{"packageManager": "yarn@4.1.0"}', ("packages/api/package.json",))],
)  # fmt: skip
def test_corepack_goes_up_to_the_package_that_names_the_manager(api: str, copied: tuple[str, ...]) -> None:
    answer = ask(
        "corepack", "cd packages/api && corepack install", repository("yarn.lock") | {"packages/api/package.json": api}
    )

    assert answer == Install(copied)


@pytest.mark.parametrize(
    ("settings", "programs", "copied"),
    [("nodeLinker: node-modules\n", ("cli.js",), True), ("nodeLinker: pnp\n", (), False)],
)
def test_yarn_2_links_the_programs_of_the_root(settings: str, programs: tuple[str, ...], copied: bool) -> None:  # noqa: FBT001 - pytest fills it in
    files = {"package.json": '{"name": "app", "bin": "cli.js"}', "cli.js": SHEBANG, **BERRY, ".yarnrc.yml": settings}

    answer = ask("yarn", "yarn install --immutable", files, programs)

    assert isinstance(answer, Install)
    assert ("cli.js" in answer.manifests) == copied


def test_yarn_2_makes_a_program_of_the_root_executable() -> None:
    files = {"package.json": '{"name": "app", "bin": "cli.js"}', "cli.js": SHEBANG, **BERRY}

    assert ask("yarn", "yarn install --immutable", files) == Refusal("the install makes the program cli.js executable")


def test_a_workspace_may_depend_on_the_root() -> None:
    files = repository("package-lock.json") | {
        "package.json": '{"name": "repo", "bin": "cli.js", "workspaces": ["packages/*"]}',
        "packages/api/package.json": '{"name": "api", "dependencies": {"repo": "*"}}',
        "cli.js": SHEBANG,
    }

    assert ask("npm", "npm ci", files) == Refusal("the install makes the program cli.js executable")


def test_a_link_to_the_root_is_no_link_to_a_workspace() -> None:
    api = '{"name": "api", "dependencies": {"repo": "file:../.."}}'

    assert isinstance(
        ask("npm", "npm ci", repository("package-lock.json") | {"packages/api/package.json": api}), Refusal
    )
