"""Which installs may leave development dependencies out, and which may not."""

import json

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize
from optimizer.transforms import Level

PLAN = Plan(level=Level.ASSUMED, select=frozenset({"omit-dev-dependencies"}))
MANIFEST = {"dependencies": {"express": "4", "next": "14"}, "devDependencies": {"pug": "3", "nodemon": "3", "tsx": "4"}}
SERVER = "const app = require('express')()\n"


def npm(scripts: dict[str, str] | None = None, **files: str) -> dict[str, str]:
    manifest = json.dumps(MANIFEST | {"scripts": scripts or {}})
    return {"package.json": manifest, "package-lock.json": "{}", "server.js": SERVER} | files


def run(text: str, files: dict[str, str]) -> Result:
    return optimize(text, Context.of(files), PLAN)


def project(install: str, end: str = 'CMD ["node", "server.js"]', base: str = "node:20") -> str:
    return f"FROM {base}\nWORKDIR /app\nCOPY . .\nRUN {install}\n{end}\n"


@pytest.mark.parametrize(
    ("before", "after", "base"),
    [
        ("npm ci", "npm ci --omit=dev", "node:20"),
        ("npm install --no-audit", "npm install --omit=dev --no-audit", "node"),
        ("npm ci", "npm ci --only=production", "node:14-alpine"),
        ("npm install -g npm@10 && npm ci", "npm install -g npm@10 && npm ci --omit=dev", "debian:12"),
        ("NODE_ENV=test npm ci", "NODE_ENV=test npm ci --omit=dev", "node:20"),
        ("yarn", "yarn --production", "node:20"),
        (
            "yarn install --frozen-lockfile && yarn cache clean",
            "yarn install --production --frozen-lockfile && yarn cache clean",
            "node:20",
        ),
        ("pnpm install --frozen-lockfile", "pnpm install --prod --frozen-lockfile", "node:20"),
        ("npm ci \\\n && rm -rf /tmp/*", "npm ci --omit=dev \\\n && rm -rf /tmp/*", "node:20"),
    ],
)
def test_changes(before: str, after: str, base: str) -> None:
    files = npm(**{"yarn.lock": "# yarn lockfile v1\n", "pnpm-lock.yaml": "lockfileVersion: '9.0'\n"})
    result = run(project(before, base=base), files)

    assert result.after == project(after, base=base)
    assert result.applied[0].rewrite.assumption


@pytest.mark.parametrize(
    ("end", "scripts"),
    [
        ("CMD node server.js", {}),
        ('CMD ["node", "--max-old-space-size=512", "server.js"]', {}),
        ('ENTRYPOINT ["tini", "--"]\nCMD ["node", "server.js"]', {}),
        ('ENTRYPOINT ["node"]\nCMD ["server.js"]', {}),
        ('CMD ["npm", "start"]', {"start": "NODE_ENV=production node server.js", "build": "tsx build.ts"}),
        ("CMD yarn start", {"start": "npm run serve", "serve": "next start -p 80"}),
        ("CMD npm run start", {"prestart": "echo up", "start": "node server.js"}),
        ("HEALTHCHECK CMD curl -f localhost || exit 1\nCMD node server.js", {}),
        ("USER node\nEXPOSE 80\nCMD node server.js", {}),
    ],
)
def test_what_the_container_starts_is_understood(end: str, scripts: dict[str, str]) -> None:
    result = run(project("npm ci", end), npm(scripts))

    assert result.after == project("npm ci --omit=dev", end), result.declined


@pytest.mark.parametrize(
    ("end", "script"),
    [
        ('COPY e.sh /\nENTRYPOINT ["/e.sh"]\nCMD ["node", "a.js"]', '#!/bin/sh\nset -e\nexec "$@"\n'),
        ('COPY e.sh /usr/bin/\nENTRYPOINT ["e.sh"]\nCMD ["node", "a.js"]', '#!/usr/bin/env bash\nexec "$@"\n'),
        ('COPY . .\nCMD ["sh", "e.sh"]', "set -- node a.js\nexec $@\n"),
        ("COPY . .\nCMD ./e.sh", '#!/bin/sh\nif [ -z "$PORT" ]; then\n  export PORT=80\nfi\nexec node a.js "$@"\n'),
        ("COPY . .\nCMD ./e.sh", "#!/bin/sh\n. ./lib.sh\nrun() { mkdir -p /data; }\nrun && exec node a.js\n"),
    ],
)
def test_start_scripts_are_read(end: str, script: str) -> None:
    result = run(project("npm ci", end), npm(**{"e.sh": script, "lib.sh": "echo\n"}))

    assert result.after == project("npm ci --omit=dev", end), result.declined


@pytest.mark.parametrize(
    ("install", "end", "files", "reason"),
    [
        ("npm ci && npm run build", "CMD node a.js", npm(), "line 4 runs npm run behind it"),
        ("npm ci", "RUN npx tsc\nCMD node a.js", npm(), "line 5 runs npx tsc behind it"),
        ("npm ci", "RUN ./build.sh\nCMD node a.js", npm(), "line 5 runs ./build.sh behind it"),
        ("npm ci", 'RUN ["make"]\nCMD node a.js', npm(), "line 5 runs make behind it"),
        ("npm ci", "RUN <<EOF\nnpm test\nEOF\nCMD node a.js", npm(), "behind it"),
        ("npm ci", "CMD nodemon server.js", npm(), "nodemon is a development dependency"),
        ("npm ci", "CMD npx nodemon server.js", npm(), "nodemon is a development dependency"),
        ("npm ci", "CMD npm start", npm({"start": "tsx a.ts"}), "the script start: tsx is a development"),
        ("npm ci", "CMD npm start", npm({"prestart": "tsx a.ts", "start": "node a"}), "the script prestart: tsx"),
        ("npm ci", "CMD npm start", npm({"start": "odd ."}), "which package odd comes from is not known"),
        ("npm ci", "CMD npm start", npm(), "what npm start starts is not known"),
        ("npm ci", "CMD npm start", npm({"start": "npm start"}), "what npm start starts is not known"),
        ("npm ci", "CMD node -r tsx a.js", npm(), "what node's option -r loads"),
        ("npm ci", "CMD node --import=tsx a.js", npm(), "what node's option --import=tsx loads"),
        ("npm ci", "CMD node a.ts", npm(), "what node runs is not known"),
        ("npm ci", "ENV NODE_OPTIONS='-r tsx'\nCMD node a.js", npm(), "what NODE_OPTIONS loads"),
        ("npm ci", 'ENTRYPOINT ["/entry.sh"]\nCMD ["node", "a"]', npm(), "which package"),
        (
            "npm ci",
            'COPY e.sh /\nENTRYPOINT ["/e.sh"]\nCMD ["nodemon", "a"]',
            npm(**{"e.sh": '#!/bin/sh\nexec "$@"\n'}),
            "the script /e.sh: nodemon is a development",
        ),
        (
            "npm ci",
            'COPY e.sh /\nENTRYPOINT ["/e.sh"]\nCMD ["node", "a"]',
            npm(**{"e.sh": '#!/bin/sh\nnpm run build\nexec "$@"\n'}),
            "the script /e.sh: what npm run build starts",
        ),
        (
            "npm ci",
            'COPY . .\nCMD ["sh", "e.sh"]',
            npm(**{"e.sh": "set -- tsx a\nexec $@\n"}),
            "the script e.sh: tsx is a development",
        ),
        (
            "npm ci",
            'COPY . .\nCMD ["./e.sh"]',
            npm(**{"e.sh": "#!/bin/sh\nexec $SERVER\n"}),
            "which package $SERVER comes from",
        ),
        (
            "npm ci",
            'COPY . .\nCMD ["./e.sh"]',
            npm(**{"e.sh": "#!/bin/sh\nif\n"}),
            "the script ./e.sh is not understood",
        ),
        ("npm ci", 'COPY . .\nCMD ["./e.sh"]', npm(**{"e.sh": "#!/bin/sh\n./e.sh\n"}), "is not understood"),
        ("npm ci", 'COPY . .\nCMD ["./e.sh"]', npm(**{"e.sh": "#!/usr/bin/perl\n"}), "which package"),
        ("npm ci", "EXPOSE 80", npm(), "how the container starts is not known"),
        ("npm ci", "HEALTHCHECK CMD npm test\nCMD node a.js", npm({"test": "pug"}), "pug is a development"),
        ("npm ci", "CMD node a.js", npm(**{"src/a.js": "app.set('view engine', 'pug')\n"}), "src/a.js speaks of pug"),
        ("npm ci", "CMD node a.js", npm(**{"a.ts": 'import x from "pug/lib"\n'}), "a.ts speaks of pug"),
        ("npm ci", "CMD node a.js", npm({"prepare": "husky"}), "the lifecycle script prepare"),
        ("npm ci", "CMD node a.js", npm(**{"node_modules/a/b.js": ""}), "node_modules of the build context"),
        ("npm ci || npm install", "CMD node a.js", npm(), "line 4 runs npm install behind it"),
        ("npm install && npm ci", "CMD node a.js", npm(), "line 4 installs them before"),
        ("sh -c 'npm ci'", "CMD node a.js", npm(), "in a script within the script"),
        ("yarn", "CMD node a.js", npm(**{"yarn.lock": "__metadata:\n"}), "Yarn 2 and later"),
    ],
)
def test_stays(install: str, end: str, files: dict[str, str], reason: str) -> None:
    result = run(project(install, end), files)

    assert not result.applied
    assert any(reason in declined.reason for declined in result.declined), result.declined


@pytest.mark.parametrize(
    "install",
    ["npm ci --omit=dev", "npm install --production", "NODE_ENV=production npm ci", "npm i -g serve", "yarn --prod"],
)
def test_nothing_is_said_of(install: str) -> None:
    result = run(project(install), npm())

    assert not result.applied
    assert not result.declined


def test_nothing_is_said_without_development_dependencies() -> None:
    result = run(project("npm ci"), npm() | {"package.json": '{"dependencies": {"a": "1"}}'})

    assert not result.applied
    assert not result.declined


def test_tests_and_settings_may_speak_of_them() -> None:
    files = npm(**{"test/a.js": "require('pug')", "webpack.config.js": "require('pug')", "a.test.js": "require('pug')"})

    assert run(project("npm ci"), files).applied


def test_the_stages_above_count() -> None:
    text = "FROM node:20 AS a\nWORKDIR /app\nCOPY . .\nRUN npm ci\nFROM a\nCMD node server.js\n"

    assert "RUN npm ci --omit=dev" in run(text, npm()).after
    assert not run(text + "RUN npm test\n", npm()).applied


def test_a_stage_that_others_copy_from_keeps_them() -> None:
    text = (
        "FROM node:20 AS a\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD node server.js\n"
        "FROM a AS b\nFROM node:20\nCOPY --from=a /app /app\nFROM a\nCMD node server.js\n"
    )

    assert not run(text, npm()).applied


@pytest.mark.parametrize(
    ("groups", "end", "applied"),
    [
        ('dev = ["pytest", "ruff>=0.1"]', 'CMD ["python", "app.py"]', 1),
        ('dev = ["pytest", "ruff>=0.1"]', 'CMD ["gunicorn", "app:app"]', 1),
        ('dev = ["pytest"]', 'CMD ["uv", "run", "app.py"]', 0),
        ('dev = ["pytest"]', 'CMD ["pytest"]', 0),
        ('dev = ["pytest"]', 'CMD ["python", "-m", "pytest"]', 0),
        ('dev = ["pytest"]', "RUN uv run build.py\nCMD python app.py", 0),
        ('dev = ["django-debug-toolbar"]', 'CMD ["python", "app.py"]', 0),
        ('dev = ["pytest", {include-group = "x"}]', 'CMD ["python", "app.py"]', 0),
        ("", 'CMD ["python", "app.py"]', 0),
    ],
)
def test_uv(groups: str, end: str, applied: int) -> None:
    content = '[project]\nname = "a"\nversion = "1"\ndependencies = ["gunicorn"]\n[dependency-groups]\n' + groups
    result = run(
        project("uv sync --locked", end, "python:3.12"), {"pyproject.toml": content, "uv.lock": "version = 1\n"}
    )

    assert len(result.applied) == applied, result.declined
    assert ("uv sync --no-dev --locked" in result.after) == bool(applied)


@pytest.mark.parametrize(("asked", "applied"), [("poetry==1.8.3", 1), ("poetry==1.1.4", 0), ("poetry", 0)])
def test_poetry_must_know_its_groups(asked: str, applied: int) -> None:
    content = '[tool.poetry.dependencies]\nflask = "*"\n[tool.poetry.group.dev.dependencies]\nblack = "*"\n'
    steps = project(f"pip install {asked} && poetry install --no-root", "CMD python app.py", "python:3.12")
    result = run(steps, {"pyproject.toml": content, "poetry.lock": ""})

    assert len(result.applied) == applied, result.declined
    assert ("poetry install --only main --no-root" in result.after) == bool(applied)
