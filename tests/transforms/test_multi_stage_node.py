"""What a Node.js project is copied as into the stage that runs, and what keeps it in one stage."""

import json

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize

TREE = "COPY --from=build /app /app"
MANIFEST = {
    "scripts": {"build": "tsc", "start": "node dist/main.js", "site": "vite build --outDir ../public"},
    "dependencies": {"bcrypt": "5.1.1"},
}


def run(steps: str, manifest: dict[str, object] | None = None, files: dict[str, str] | None = None) -> Result:
    text = f'FROM node:20-bookworm\nWORKDIR /app\nCOPY . .\n{steps}\nCMD ["node", "server.js"]\n'
    given = {"server.js": "", "package.json": json.dumps({**MANIFEST, **(manifest or {})}), **(files or {})}
    return optimize(text, Context.of(given), Plan(select=frozenset({"multi-stage"})))


def runtime(result: Result) -> list[str]:
    """Return the lines of the stage that runs."""
    lines = result.after.splitlines()
    starts = [at for at, line in enumerate(lines) if line.startswith("FROM")]
    assert len(starts) == 2, result.declined
    return lines[starts[1] :]


@pytest.mark.parametrize(
    "steps",
    [
        "RUN npm install",
        "RUN npm ci --omit=dev && npm cache clean --force",
        "RUN npm install\nRUN npm run build",
        "RUN npm install && npx tsc -p . && npm prune --production",
        "RUN yarn && yarn build",
        "RUN yarn install --frozen-lockfile --network-timeout 100000",
        "RUN npm config set fund false && npm install",
        "RUN npm install && node scripts/prepare.js",
        "RUN npm install -g typescript && npm install && tsc",
        "RUN npm --prefix client install && npm install",
    ],
)
def test_the_tree_of_the_project_is_copied(steps: str) -> None:
    found = runtime(run(steps, files={"scripts/prepare.js": "console.log(1)\n"}))

    assert found == ["FROM node:20-bookworm-slim", "WORKDIR /app", TREE, 'CMD ["node", "server.js"]']


@pytest.mark.parametrize(
    ("steps", "again"),
    [
        ("RUN npm install -g serve && npm install", "npm install -g serve"),
        ("RUN npm i -g npm@9.8.1 && npm install", "npm i -g npm@9.8.1"),
        ("RUN corepack enable && npm install", "corepack enable"),
        ("RUN yarn global add pm2 && yarn", "yarn global add pm2"),
    ],
)
def test_what_is_installed_for_all_is_installed_again(steps: str, again: str) -> None:
    assert f"RUN {again}" in runtime(run(steps))


@pytest.mark.parametrize(
    ("dependencies", "packages"),
    [
        ({"@prisma/client": "5.19.1", "bcrypt": "5.1.1"}, "openssl"),
        ({"pg-native": "3.2.0"}, "libpq5"),
        ({"simple-git": "3.27.0", "bcrypt": "5.1.1"}, "git"),
        ({"canvas": "2.11.2"}, "libpango-1.0-0"),
        ({"sqlite3": "5.1.7"}, None),
    ],
)
def test_libraries_and_programs_of_packages(dependencies: dict[str, str], packages: str | None) -> None:
    found = "\n".join(runtime(run("RUN npm install", {"dependencies": dependencies})))

    assert (packages in found) if packages else ("apt-get" not in found)


@pytest.mark.parametrize(
    ("steps", "manifest", "files", "reason"),
    [
        ("RUN npm install", {"dependencies": {"puppeteer": "22.0.0"}}, {}, "puppeteer may be compiled"),
        ("RUN npm install && npx playwright install", {}, {}, "what playwright of line 4 makes is not known"),
        ("RUN npm install -g bcrypt && npm install", {}, {}, "bcrypt, which line 4 installs for all"),
        ("RUN npm install && npm run site", {}, {}, "the script site of package.json speaks of ../public"),
        (
            "RUN npm install && npm run build",
            {},
            {"tsconfig.json": '{"compilerOptions": {"outDir": "../dist"}}'},
            "tsconfig.json has files put into ../dist",
        ),
        (
            "RUN npm install && node prepare.js",
            {},
            {"prepare.js": "require('os').homedir()\n"},
            "what prepare.js of line 4 makes is not known",
        ),
        ("RUN npm install && node -e 'x()'", {}, {}, "what node of line 4 makes is not known"),
        ("WORKDIR /\nRUN npm install express", {}, {}, "what npm install of line 5 changes is not known"),
        ("RUN lerna bootstrap && npm install", {}, {}, "what lerna"),
    ],
)
def test_what_keeps_one_stage(steps: str, manifest: dict[str, object], files: dict[str, str], reason: str) -> None:
    result = run(steps, manifest, files)

    assert [reason for decline in result.declined if reason in decline.reason] == [reason], result.declined
    assert not result.applied


def test_a_browser_for_tests_alone_is_left_behind() -> None:
    manifest = {"dependencies": {"bcrypt": "5.1.1"}, "devDependencies": {"puppeteer": "22.0.0"}}

    assert TREE in runtime(run("RUN npm install", manifest))


def test_plain_packages_need_no_second_stage() -> None:
    result = run("RUN npm install", {"dependencies": {"express": "4.19.2"}})

    assert (result.applied, result.declined) == ((), ())
