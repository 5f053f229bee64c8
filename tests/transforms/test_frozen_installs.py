"""Which installs are bound to their lock file, and which are not."""

import json

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize
from optimizer.transforms import Level

PLAN = Plan(level=Level.ASSUMED, select=frozenset({"frozen-installs"}))
MANIFEST = {"dependencies": {"a": "^1.0.0"}, "devDependencies": {"b": "^2.0.0"}}
PACKAGES: dict[str, object] = {
    "": MANIFEST,
    "node_modules/a": {"version": "1.0.0", "dependencies": {"c": "*"}},
    "node_modules/a/node_modules/c": {"version": "1.0.0"},
    "node_modules/b": {"version": "2.0.0", "peerDependencies": {"a": "1"}, "dev": True},
}
YARN_1 = '# yarn lockfile v1\n\n\na@^1.0.0:\n  version "1.0.0"\n\nb@^2.0.0:\n  version "2.0.0"\n'
BERRY = """__metadata:
  version: 8
  cacheKey: 10

"a@npm:^1.0.0":
  version: 1.0.0

"b@npm:^2.0.0":
  version: 2.0.0

"app@workspace:.":
  version: 0.0.0-use.local
  resolution: "app@workspace:."
  dependencies:
    a: "npm:^1.0.0"
    b: "npm:^2.0.0"
  languageName: unknown
  linkType: soft
"""
PNPM = """lockfileVersion: '9.0'

importers:
  .:
    dependencies:
      a:
        specifier: ^1.0.0
        version: 1.0.0
    devDependencies:
      b:
        specifier: ^2.0.0
        version: 2.0.0

packages:
"""
PROJECT = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["a>=1"]\n'
UV = (
    'version = 1\nrequires-python = ">=3.11"\n\n[[package]]\nname = "app"\nversion = "1"\nsource = { virtual = "." }\n'
    'dependencies = [{ name = "a" }]\n\n[package.metadata]\nrequires-dist = [{ name = "a", specifier = ">=1" }]\n'
)


def lock(version: int = 3, **changes: object) -> str:
    return json.dumps({"lockfileVersion": version, "packages": PACKAGES | changes})


def npm(**files: str) -> dict[str, str]:
    return {"package.json": json.dumps(MANIFEST), "package-lock.json": lock()} | files


def run(text: str, files: dict[str, str]) -> Result:
    return optimize(text, Context.of(files), PLAN)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("npm install", "npm ci"),
        ("npm i", "npm ci"),
        ("npm --quiet install --production", "npm --quiet ci --production"),
        ("npm install --no-audit --no-fund --loglevel=error", "npm ci --no-audit --no-fund --loglevel=error"),
        ("npm install && npm run build", "npm ci && npm run build"),
        ("npm install -g serve && npm install", "npm install -g serve && npm ci"),
        ("npm install \\\n  --omit=dev", "npm ci \\\n  --omit=dev"),
        ("NODE_ENV=production npm install", "NODE_ENV=production npm ci"),
    ],
)
def test_npm_changes(before: str, after: str) -> None:
    head = "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN "
    result = run(f"{head}{before}\n", npm())

    assert result.after == f"{head}{after}\n"
    assert result.applied[0].rewrite.assumption


@pytest.mark.parametrize(
    ("call", "files", "reason"),
    [
        ("npm install", {"package-lock.json": "{}"}, "says something else than the manifests"),
        ("npm install", {"package-lock.json": lock(**{"": {}})}, "says something else than the manifests"),
        ("npm install", {"package-lock.json": lock(1)}, "does not know the form"),
        ("npm install", {".dockerignore": "package-lock.json"}, "no package-lock.json is copied"),
        (
            "npm install",
            {"package-lock.json": lock(**{"node_modules/d": {"dependencies": {"e": "1"}}})},
            "e, which d needs, is not in the lock file",
        ),
        (
            "npm install",
            {"package-lock.json": lock(**{"node_modules/d": {"peerDependencies": {"e": "1"}}})},
            "e, which d needs, is not in the lock file",
        ),
        ("npm install", {".npmrc": "package-lock=false\n"}, "the .npmrc says what to do with the lock file"),
        ("npm install", {"package.json": json.dumps(MANIFEST | {"overrides": {"a": "2"}})}, "has overrides"),
        ("npm install --global-style", {}, "what npm ci makes of the option --global-style"),
        ("npm install --force", {}, "what npm ci makes of the option --force"),
        ("npm install a", {}, "the install names a"),
        ("npm install $X", {}, "not known before the command runs"),
        ("true || npm install", {}, "under a condition only"),
        ("sh -c 'npm install'", {}, "in a script within the script"),
        ("rm package-lock.json && npm install", {}, "line 4 may change the manifests"),
        ("npm pkg set a=b && npm install", {}, "line 4 may change the manifests"),
        ("npm install -g npm@6 && npm install", {}, "npm 6 does not know the form"),
        ("npm install -g npm@5 && npm install", {}, "npm 5 may not have npm ci"),
        ("npm install -g npm@$V && npm install", {}, "which npm runs is not known"),
        ("npm ci && npm install", {}, "npm ci removes what an npm before it installed"),
        ("npm install", {"node_modules/d/a.js": ""}, "npm ci removes the node_modules that is copied"),
        ("cd sub && npm install", {"sub/package.json": "{}"}, "no package-lock.json is copied"),
    ],
)
def test_npm_stays(call: str, files: dict[str, str], reason: str) -> None:
    result = run(f"FROM node:20\nWORKDIR /app\nCOPY . .\nRUN {call}\n", npm(**files))

    assert not result.applied
    assert any(reason in declined.reason for declined in result.declined), result.declined


@pytest.mark.parametrize(
    ("base", "version", "applied"),
    [
        ("node:20-alpine", 3, 1),
        ("node:lts", 3, 1),
        ("node", 3, 1),
        ("node:14", 2, 1),
        ("node:14", 3, 0),
        ("node:8", 2, 1),
        ("node:8.9", 2, 0),
        ("node:9", 2, 0),
        ("node:6-slim", 2, 0),
        ("debian:12", 2, 0),
    ],
)
def test_the_release_of_npm_must_know_the_lock_file(base: str, version: int, applied: int) -> None:
    text = f"FROM {base}\nWORKDIR /app\nCOPY . .\nRUN npm install\n"

    assert len(run(text, npm(**{"package-lock.json": lock(version)})).applied) == applied


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ("COPY package.json .\nRUN npm install", "no package-lock.json is copied"),
        ("RUN npm install", "its manifests are not copied"),
        ("COPY --from=x /a /app\nCOPY package*.json ./\nRUN npm install", "line 3 may bring other manifests"),
        ("COPY . .\nRUN sed -i s/a/b/ package.json\nRUN npm install", "line 4 may change the manifests"),
        ("COPY . .\nRUN npm ci\nRUN npm install", "npm ci removes what an npm before it installed"),
        ("COPY . .\nRUN --mount=type=cache,target=/app/node_modules npm install", "a mount may hold node_modules"),
        ('COPY . .\nRUN ["npm", "install"]', "the RUN is in exec form"),
    ],
)
def test_steps_above_may_stop_it(steps: str, reason: str) -> None:
    result = run(f"FROM node:20\nWORKDIR /app\n{steps}\n", npm())

    assert not result.applied
    assert any(reason in declined.reason for declined in result.declined), result.declined


@pytest.mark.parametrize(
    ("call", "files", "after"),
    [
        ("yarn", {"yarn.lock": YARN_1}, "yarn --frozen-lockfile"),
        ("yarn install --production", {"yarn.lock": YARN_1}, "yarn install --frozen-lockfile --production"),
        ("yarn", {"yarn.lock": YARN_1.replace("a@^1", "a@^0")}, None),
        ("yarn --pure-lockfile", {"yarn.lock": YARN_1}, None),
        ("yarn", {}, None),
        ("yarn --version", {"yarn.lock": YARN_1}, None),
        ("yarn build", {"yarn.lock": YARN_1}, None),
        ("yarn install", {"yarn.lock": BERRY}, None),
        ("yarn install", {"yarn.lock": BERRY, "manager": "yarn@4.5.0"}, "yarn install --immutable"),
        ("yarn install", {"yarn.lock": BERRY, "manager": "yarn@3.6.0"}, None),
        ("yarn install", {"yarn.lock": BERRY.replace("    b", "    z"), "manager": "yarn@4.5.0"}, None),
        ("pnpm install", {"pnpm-lock.yaml": PNPM, "manager": "pnpm@9.1.0"}, "pnpm install --frozen-lockfile"),
        ("pnpm i --prod", {"pnpm-lock.yaml": PNPM, "manager": "pnpm@10.1.0"}, "pnpm i --frozen-lockfile --prod"),
        ("npm i -g pnpm@9 && pnpm i", {"pnpm-lock.yaml": PNPM}, "npm i -g pnpm@9 && pnpm i --frozen-lockfile"),
        ("pnpm install", {"pnpm-lock.yaml": PNPM, "manager": "pnpm@8.1.0"}, None),
        ("pnpm install", {"pnpm-lock.yaml": PNPM}, None),
        ("pnpm install", {"pnpm-lock.yaml": PNPM.replace("^1", "^0"), "manager": "pnpm@9.1.0"}, None),
        ("CI=true pnpm install", {"pnpm-lock.yaml": PNPM, "manager": "pnpm@9.1.0"}, None),
    ],
)
def test_other_managers_of_javascript(call: str, files: dict[str, str], after: str | None) -> None:
    manifest = MANIFEST | ({"packageManager": files["manager"]} if "manager" in files else {})
    seen = {name: text for name, text in files.items() if name != "manager"} | {"package.json": json.dumps(manifest)}
    head = "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN "

    assert run(f"{head}{call}\n", seen).after == f"{head}{after or call}\n"


def test_npm_ci_in_a_workspace_would_remove_what_others_need() -> None:
    lock = {
        "lockfileVersion": 2,
        "packages": {"": {"workspaces": ["p"]}, "node_modules/p": {"resolved": "p", "link": True}, "p": {}},
    }
    files = {"package.json": '{"workspaces": ["p"]}', "p/package.json": "{}", "package-lock.json": json.dumps(lock)}
    result = run("FROM node:20\nWORKDIR /app\nCOPY . .\nRUN cd p && npm install\n", files)

    assert [one.reason for one in result.declined] == [
        "npm ci in one of the workspaces removes what was installed for the others"
    ]


@pytest.mark.parametrize(
    ("base", "text", "applied"),
    [("oven/bun:1", "^1.0.0", 1), ("oven/bun:1.1", "^1.0.0", 0), ("node:20", "^1.0.0", 0), ("oven/bun:1", "^9.0.0", 0)],
)
def test_bun(base: str, text: str, applied: int) -> None:
    locked = json.dumps({"workspaces": {"": MANIFEST | {"dependencies": {"a": text}}}})
    files = {"package.json": json.dumps(MANIFEST), "bun.lock": locked}

    assert len(run(f"FROM {base}\nWORKDIR /app\nCOPY . .\nRUN bun install\n", files).applied) == applied


@pytest.mark.parametrize(
    ("project", "locked", "after"),
    [
        (PROJECT, UV, "uv sync --locked --no-dev"),
        (PROJECT.replace("a>=1", "a>=2"), UV, None),
        (PROJECT.replace("a>=1", "a>=1; python_version > '3'"), UV, None),
        (PROJECT + '[dependency-groups]\ndev = ["b"]\n', UV, None),
        (
            PROJECT + '[dependency-groups]\ndev = ["b"]\n',
            UV + '\n[package.metadata.requires-dev]\ndev = [{ name = "b" }]\n',
            "uv sync --locked --no-dev",
        ),
        (PROJECT + '[tool.uv]\nindex-url = "https://x"\n', UV, None),
        (PROJECT, "", None),
    ],
)
def test_uv(project: str, locked: str, after: str | None) -> None:
    files = {"pyproject.toml": project} | ({"uv.lock": locked} if locked else {})
    head = "FROM python:3.12\nWORKDIR /app\nCOPY . .\nRUN "

    assert run(f"{head}uv sync --no-dev\n", files).after == f"{head}{after or 'uv sync --no-dev'}\n"


@pytest.mark.parametrize(("base", "applied"), [("python:3.12-slim", 1), ("python:3.11", 0), ("debian:12", 0)])
def test_pipenv_insists_on_its_python(base: str, applied: int) -> None:
    from hashlib import sha256

    pipfile = '[packages]\na = "*"\n[requires]\npython_version = "3.12"\n'
    data = {
        "_meta": {"sources": [], "requires": {"python_version": "3.12"}},
        "default": {"a": "*"},
        "develop": {},
    }
    digest = sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    files = {"Pipfile": pipfile, "Pipfile.lock": json.dumps({"_meta": {"hash": {"sha256": digest}}})}
    result = run(f"FROM {base}\nWORKDIR /app\nCOPY . .\nRUN pipenv install --system\n", files)

    assert len(result.applied) == applied
    assert ("pipenv install --deploy --system" in result.after) == bool(applied)


def test_poetry_stops_by_itself() -> None:
    files = {"pyproject.toml": "[tool.poetry]\n", "poetry.lock": ""}
    result = run("FROM python:3.12\nWORKDIR /app\nCOPY . .\nRUN poetry install --no-root\n", files)

    assert not result.applied
    assert not result.declined
