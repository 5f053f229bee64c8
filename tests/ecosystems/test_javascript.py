# ruff: noqa: E501, FBT001 - a row of a table is one line, and pytest fills the parameters in
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from optimizer.ecosystems import Install, Refusal

PACKAGE: dict[str, Any] = {"name": "app", "version": "1.0.0", "dependencies": {"left": "^1.0.0"}}
LOCK = {"lockfileVersion": 3, "packages": {"": PACKAGE, "node_modules/left": {"version": "1.0.0"}}}
YARN_1_LOCK = '# yarn lockfile v1\n\n\nleft@^1.0.0, left@^1.1.0:\n  version "1.2.0"\n'
YARN_2_LOCK = '__metadata:\n  version: 8\n\n"left@npm:^1.0.0, left@npm:^1.1.0":\n  version: 1.2.0\n'
PNPM_LOCK = "lockfileVersion: '6.0'\n\ndependencies:\n  left:\n    specifier: ^1.0.0\n    version: 1.2.0\n\npackages:\n\n  /left: {}\n"
BUN_LOCK = '{"workspaces": {"": {"name": "app", "dependencies": {"left": "^1.0.0",},},},}'
LOCKS = {
    "npm": ("package-lock.json", json.dumps(LOCK)),
    "yarn": ("yarn.lock", YARN_1_LOCK),
    "pnpm": ("pnpm-lock.yaml", PNPM_LOCK),
    "bun": ("bun.lock", BUN_LOCK),
}
PRISMA = 'generator client {\n  provider = "prisma-client-js"\n}\n'


def project(manager: str = "npm", **changes: object) -> dict[str, str]:
    """A project with its lock file; `changes` go into package.json."""
    name, lock = LOCKS[manager]
    return {"package.json": json.dumps({**PACKAGE, **changes}), name: lock, "index.js": ""}


NPM = ("package.json", "package-lock.json")
OUT = ("node_modules",)


@pytest.mark.parametrize("text", ["npm ci", "npm install", "npm i", "npm ci --omit=dev --no-audit -s", "npm --loglevel warn ci",
                                  "npm install --production", "npm install --no-optional", "npm ci -ddd", "npm clean-install",
                                  "npm ci --prefix .", "cd sub && npm --prefix /app ci", "npm ci --registry $REGISTRY/x"])  # fmt: skip
def test_npm_reads_package_json_and_the_lock_file(ask: Callable[..., object], text: str) -> None:
    text = text.replace("$REGISTRY/x", '"$REGISTRY"')

    assert ask("npm", text, project()) == Install(NPM, OUT)


@pytest.mark.parametrize(
    ("text", "files", "because"),
    [
        ("npm ci", {"package.json": "{}"}, "npm ci needs package-lock.json, which the build does not see"),
        ("npm ci", {}, "package.json is not in the build context"),
        ("npm ci", {"package.json": "{}", ".dockerignore": "*.json"}, "package.json is kept out of the build by .dockerignore"),
        ("npm ci", {"package.json": "{"}, "package.json cannot be read"),
        ("npm install express", project(), "npm install express changes package.json"),
        ("npm add express", project(), "npm add express changes package.json"),
        ("npm install ./lib", {}, "npm install ./lib reads the project"),
        ("npm install -g .", project(), "npm install -g . reads the project"),
        ("npm install -g", project(), "installs the project"),
        ("npm install --frobnicate x", project(), "the option --frobnicate is not known"),
        ("npm --prefix web ci", project(), "web/package.json is not in the build context"),
        ("npm --prefix $DIR/x ci", project(), "not known"),
        ("npm ci --cache .npm", project(), "the option --cache names a place in the project"),
        ("cd $UNKNOWN && npm ci", project(), "the directory of the install is not known"),
        ("cd /srv && npm ci", project(), "the install works in /srv, outside of the copied files"),
        ("npm ci", project() | {".npmrc": "prefix = ./x\n"}, ".npmrc sets prefix"),
        ("npm ci", project() | {".npmrc": "cafile=ca.pem\n"}, "ca.pem is not in the build context"),
        ("npm ci", project() | {"binding.gyp": "{}"}, "binding.gyp builds an addon"),
        ("npm i", project(dependencies={"l": "file:../l"}), "the dependency l is a folder of the project (file:../l)"),
        ("npm i", project(devDependencies={"l": "link:./l"}), "the dependency l is a folder"),
        ("npm i", project(dependencies={"l": "../l"}), "the dependency l is a folder"),
        ("npm i", project(overrides={"a": {"b": "file:./b"}}), "the dependency b is a folder"),
        ("npm i", project(dependencies={"l": "file:l.tgz"}), "l.tgz is not in the build context"),
        ("npm ci", project(workspaces=["p/*"]) | {"p/a/package.json": '{"scripts": {"prepare": "tsc"}}'}, "prepare"),
    ],
)  # fmt: skip
def test_says_why_npm_needs_the_sources(
    ask: Callable[..., object], text: str, files: Mapping[str, str], because: str
) -> None:
    answer = ask("npm", text, files)

    assert isinstance(answer, Refusal)
    assert because in answer.reason


@pytest.mark.parametrize("text", ["npm install -g npm@$V", "npm i --global yarn pnpm", "npm config set registry x", "npm cache clean --force"])  # fmt: skip
def test_some_npm_calls_read_nothing(ask: Callable[..., object], text: str) -> None:
    assert ask("npm", text, project()) == Install(())


def test_packages_by_name_without_a_package_json_make_one(ask: Callable[..., object]) -> None:
    assert ask("npm", "npm install express", {}) == Install((), ("node_modules", "package.json", "package-lock.json"))


@pytest.mark.parametrize(
    ("files", "manifests"),
    [
        (
            {".npmrc": "//r/:_authToken=${NPM_TOKEN}\ncafile=certs/ca.pem\n", "certs/ca.pem": ""},
            (*NPM, ".npmrc", "certs/ca.pem"),
        ),
        ({"npm-shrinkwrap.json": "{}"}, ("package.json", "npm-shrinkwrap.json")),
        ({"yarn.lock": YARN_1_LOCK}, (*NPM, "yarn.lock")),
        ({"node_modules/x/package.json": "{}", "sub/package.json": "{}"}, NPM),
    ],
)
def test_npm_reads_further_files_where_they_are(
    ask: Callable[..., object], files: Mapping[str, str], manifests: tuple[str, ...]
) -> None:
    assert ask("npm", "npm ci", project() | files) == Install(manifests, OUT)


def test_npm_takes_every_workspace(ask: Callable[..., object]) -> None:
    files = project(workspaces=["packages/*", "apps/**", "!packages/old", "./tools/{a,b}"]) | {
        "packages/x/package.json": "{}",
        "packages/old/package.json": "{}",
        "packages/x/deep/package.json": "{}",
        "packages/ignored/package.json": "{}",
        "apps/a/b/package.json": "{}",
        "tools/a/package.json": "{}",
        "tools/c/package.json": "{}",
        "packages/x/node_modules/y/package.json": "{}",
        ".dockerignore": "packages/ignored\n",
    }

    answer = ask("npm", "npm ci", files)

    assert isinstance(answer, Install)
    assert answer.manifests == (*NPM, "apps/a/b/package.json", "packages/x/package.json", "tools/a/package.json")
    assert answer.outputs == (
        "node_modules",
        "apps/a/b/node_modules",
        "packages/x/node_modules",
        "tools/a/node_modules",
    )


@pytest.mark.parametrize("name", ["preinstall", "install", "postinstall", "prepublish", "prepare", "postprepare", "dependencies"])  # fmt: skip
def test_a_lifecycle_script_may_read_the_sources(ask: Callable[..., object], name: str) -> None:
    files = project(scripts={name: "node build.js"})

    assert ask("npm", "npm ci", files) == Refusal(f"the lifecycle script {name} may read the sources")
    assert ask("npm", "npm ci --ignore-scripts", files) == Install(NPM, OUT)
    assert ask("npm", "npm ci", files, env={"NPM_CONFIG_IGNORE_SCRIPTS": "true"}) == Install(NPM, OUT)
    assert ask("npm", "npm ci", files | {".npmrc": "ignore-scripts=true\n"}) == Install((*NPM, ".npmrc"), OUT)


@pytest.mark.parametrize(
    ("scripts", "files", "more"),
    [
        ({"build": "tsc", "test": "jest", "pretest": "lint"}, {}, ()),
        ({"preinstall": "npx only-allow npm"}, {}, ()),
        ({"postinstall": "true; exit 0"}, {}, ()),
        ({"prepare": "husky install"}, {}, ()),
        ({"prepare": "husky || true"}, {}, ()),
        ({"prepare": "is-ci || npx husky install .config/husky"}, {}, ()),
        ({"postinstall": "patch-package"}, {"patches/a.patch": "", "patches/b.patch": ""}, ("patches",)),
        ({"postinstall": "patch-package"}, {}, ()),
        ({"postinstall": "patch-package --patch-dir fixes"}, {"fixes/a.patch": ""}, ("fixes",)),
        ({"postinstall": "prisma generate"}, {"prisma/schema.prisma": PRISMA}, ("prisma/schema.prisma",)),
    ],
)
def test_some_scripts_read_no_sources(
    ask: Callable[..., object], scripts: Mapping[str, str], files: Mapping[str, str], more: tuple[str, ...]
) -> None:
    assert ask("npm", "npm ci", project(scripts=scripts) | files) == Install((*NPM, *more), OUT)


@pytest.mark.parametrize(
    ("changes", "files", "because"),
    [
        ({"scripts": {"prepare": "husky install"}}, {".git/HEAD": ""}, "prepare may read the sources"),
        ({"scripts": {"postinstall": "patch-package && node x.js"}}, {}, "postinstall may read"),
        ({"scripts": {"postinstall": "echo $(node x.js)"}}, {}, "postinstall may read"),
        ({"scripts": {"postinstall": "echo x > src/y"}}, {}, "postinstall may read"),
        ({"devDependencies": {"husky": "^4.2.0"}}, {".git/HEAD": ""}, "the package husky reads .git"),
        ({"devDependencies": {"lefthook": "^1"}}, {".git/HEAD": ""}, "the package lefthook reads .git"),
        ({"dependencies": {"puppeteer": "^20"}}, {".puppeteerrc.cjs": ""}, "the package puppeteer reads .puppeteerrc.cjs"),
        ({"devDependencies": {"msw": "^1"}, "msw": {"workerDirectory": "public"}}, {}, "the package msw writes"),
        ({"dependencies": {"@prisma/client": "^5"}}, {"prisma/schema.prisma": PRISMA.replace("}", '  output = "../src"\n}')},
         "Prisma generates code from prisma/schema.prisma"),
        ({"dependencies": {"@prisma/client": "^5"}}, {"db/schema.prisma": PRISMA}, "Prisma generates its client"),
        ({"dependencies": {"@prisma/client": "^5"}}, {"prisma.config.ts": ""}, "Prisma reads prisma.config.ts"),
    ],
)  # fmt: skip
def test_scripts_and_packages_that_look_at_the_project(
    ask: Callable[..., object], changes: dict[str, object], files: Mapping[str, str], because: str
) -> None:
    answer = ask("npm", "npm ci", project(**changes) | files)

    assert isinstance(answer, Refusal)
    assert because in answer.reason


def test_a_later_husky_does_nothing_when_it_is_installed(ask: Callable[..., object]) -> None:
    files = project(devDependencies={"husky": "^8.0.0"}) | {".git/HEAD": ""}

    assert ask("npm", "npm ci", files) == Install(NPM, OUT)


def test_prisma_takes_its_schema_along(ask: Callable[..., object]) -> None:
    files = project(dependencies={"@prisma/client": "^5"}) | {
        "prisma/schema.prisma": PRISMA,
        "prisma/migrations/1.sql": "",
    }

    answer = ask("npm", "npm ci", files)

    assert answer == Install((*NPM, "prisma/schema.prisma"), OUT)


@pytest.mark.parametrize(
    ("lock", "text", "stale"),
    [
        (LOCK, "npm install", False),
        ({**LOCK, "packages": {"": {**PACKAGE, "dependencies": {"left": "^2.0.0"}}}}, "npm install", True),
        ({**LOCK, "packages": {"": {**PACKAGE, "dependencies": {}}}}, "npm install", True),
        ({**LOCK, "packages": {"": {**PACKAGE, "version": "0.9.0"}}}, "npm install", True),
        ({"lockfileVersion": 1, "dependencies": {"left": {"version": "1.0.0"}}}, "npm install", True),
        ({"lockfileVersion": 1, "dependencies": {}}, "npm install --no-save", False),
        ({"lockfileVersion": 1, "dependencies": {}}, "npm ci", False),
    ],
)  # fmt: skip
def test_npm_install_may_write_the_lock_file(ask: Callable[..., object], lock: object, text: str, stale: bool) -> None:
    answer = ask("npm", text, project() | {"package-lock.json": json.dumps(lock)})

    assert answer == Install(NPM, OUT, ("package-lock.json",) if stale else ())


@pytest.mark.parametrize(
    "text", ["yarn", "yarn install", "yarn --frozen-lockfile", "yarn install --production=true --network-timeout 100000",
             "yarn --cwd /app install --non-interactive", "yarn install --ignore-engines --cache-folder /tmp/c"]
)  # fmt: skip
def test_yarn_1_reads_package_json_and_the_lock_file(ask: Callable[..., object], text: str) -> None:
    assert ask("yarn", text, project("yarn")) == Install(("package.json", "yarn.lock"), OUT)


@pytest.mark.parametrize(
    ("files", "manifests"),
    [
        ({".yarnrc": 'registry "https://example.org"\n', ".npmrc": "x=y\n"}, (".npmrc", ".yarnrc")),
        ({".yarnrc": 'yarn-path ".yarn/releases/yarn-1.22.19.cjs"\n', ".yarn/releases/yarn-1.22.19.cjs": ""},
         (".yarn/releases/yarn-1.22.19.cjs", ".yarnrc")),
        ({".yarnrc": "yarn-offline-mirror ./mirror\n", "mirror/a.tgz": "", "mirror/b.tgz": ""}, ("mirror", ".yarnrc")),
        ({".yarnclean": "*.md\n"}, (".yarnclean",)),
    ],
)  # fmt: skip
def test_yarn_1_follows_its_settings(
    ask: Callable[..., object], files: Mapping[str, str], manifests: tuple[str, ...]
) -> None:
    answer = ask("yarn", "yarn", project("yarn") | files)

    assert answer == Install(("package.json", "yarn.lock", *manifests), OUT)


@pytest.mark.parametrize(
    ("text", "files", "because"),
    [
        ("yarn add express", project("yarn"), "yarn add express changes package.json"),
        ("yarn", project("yarn", scripts={"postinstall": "x"}), "the lifecycle script postinstall"),
        ("yarn", project("yarn", scripts={"prepare": "x"}), "the lifecycle script prepare"),
        ("yarn", project("yarn") | {".yarnrc": "--modules-folder ./x\n"}, ".yarnrc sets modules-folder"),
        ("yarn", project("yarn") | {".yarnrc": 'yarn-path "yarn.js"\n'}, "yarn.js is not in the build context"),
        ("yarn --modules-folder lib", project("yarn"), "--modules-folder names a place"),
        ("yarn --frobnicate", project("yarn"), "the option --frobnicate is not known"),
        ("yarn", project("yarn") | {"yarn.lock": YARN_2_LOCK, ".yarnrc.yml": "plugins: [./own.cjs]\n"}, "plugin ./own.cjs"),
        ("yarn", project("yarn") | {"yarn.lock": YARN_2_LOCK, ".yarnrc.yml": "yarnPath: y.cjs\n"}, "y.cjs is not in"),
        ("yarn", project("yarn") | {"yarn.lock": YARN_2_LOCK, ".yarnrc.yml": "cacheFolder: ./c\n"}, "sets cacheFolder"),
        ("yarn", project("yarn") | {"yarn.lock": YARN_2_LOCK, ".yarnrc.yml": "enableConstraintsChecks: true\n"}, "constraints"),
        ("yarn", project("yarn", dependencies={"p": "portal:../p"}), "the dependency p is a folder"),
        ("yarn", project("yarn", dependencies={"p": "exec:./gen.js"}), "the dependency p is a folder"),
        ("yarn", project("yarn", resolutions={"p": "patch:p@npm:1#./no.patch"}), "no.patch is not in the build context"),
    ],
)  # fmt: skip
def test_says_why_yarn_needs_the_sources(
    ask: Callable[..., object], text: str, files: Mapping[str, str], because: str
) -> None:
    answer = ask("yarn", text, files)

    assert isinstance(answer, Refusal)
    assert because in answer.reason


RELEASE = ".yarn/releases/yarn-3.6.1.cjs"
PLUGIN = ".yarn/plugins/@yarnpkg/plugin-workspace-tools.cjs"
STATE = (".yarn/install-state.gz", ".yarn/build-state.yml")
PNP = (".pnp.cjs", ".pnp.loader.mjs", ".yarn/unplugged")


@pytest.mark.parametrize(
    ("changes", "files", "manifests", "outputs"),
    [
        ({}, {".yarnrc.yml": f"yarnPath: {RELEASE}\nnodeLinker: node-modules\n", RELEASE: ""},
         (".yarnrc.yml", ".yarn/releases"), ("node_modules", *STATE, ".yarn/cache")),
        ({}, {".yarnrc.yml": f"yarnPath: {RELEASE}\nplugins:\n  - path: {PLUGIN}\n    spec: x\n", RELEASE: "", PLUGIN: ""},
         (".yarnrc.yml", ".yarn/releases", ".yarn/plugins"), (*PNP, *STATE, ".yarn/cache")),
        ({"packageManager": "yarn@4.1.0"}, {}, (), (*PNP, *STATE)),
        ({"packageManager": "yarn@4.1.0"}, {".yarn/cache/left.zip": ""}, (".yarn/cache",), (*PNP, *STATE)),
        ({"packageManager": "yarn@4.1.0", "scripts": {"prepare": "tsc"}}, {}, (), (*PNP, *STATE)),
        ({"packageManager": "yarn@4.1.0", "resolutions": {"left": "patch:left@npm:^1#~/.yarn/patches/left.patch"}},
         {".yarn/patches/left.patch": ""}, (".yarn/patches",), (*PNP, *STATE)),
    ],
)  # fmt: skip
def test_yarn_2_follows_its_settings(
    ask: Callable[..., object],
    changes: dict[str, object],
    files: Mapping[str, str],
    manifests: tuple[str, ...],
    outputs: tuple[str, ...],
) -> None:
    answer = ask("yarn", "yarn install", project("yarn", **changes) | {"yarn.lock": YARN_2_LOCK} | files)

    assert answer == Install(("package.json", "yarn.lock", *manifests), outputs)


@pytest.mark.parametrize(
    ("lock", "text", "stale"),
    [
        (YARN_1_LOCK, "yarn", False),
        (YARN_1_LOCK.replace("left@^1.0.0, ", ""), "yarn", True),
        (YARN_1_LOCK.replace("left@^1.0.0, ", ""), "yarn --frozen-lockfile", False),
        (YARN_1_LOCK.replace("left@^1.0.0, ", ""), "yarn --no-lockfile", False),
        (YARN_2_LOCK, "yarn", False),
        (YARN_2_LOCK.replace("left@npm:^1.0.0, ", ""), "yarn", True),
        (YARN_2_LOCK.replace("left@npm:^1.0.0, ", ""), "yarn install --immutable", False),
    ],
)
def test_yarn_may_write_the_lock_file(ask: Callable[..., object], lock: str, text: str, stale: bool) -> None:
    answer = ask("yarn", text, project("yarn") | {"yarn.lock": lock})

    assert isinstance(answer, Install)
    assert answer.rewrites == (("yarn.lock",) if stale else ())


@pytest.mark.parametrize("text", ["yarn global add serve", "yarn cache clean", "yarn --version"])
def test_some_yarn_calls_read_nothing(ask: Callable[..., object], text: str) -> None:
    assert ask("yarn", text, project("yarn")) == Install(())


def test_pnpm_takes_workspace_hooks_and_patches(ask: Callable[..., object]) -> None:
    files = project("pnpm", pnpm={"patchedDependencies": {"left@1": "patches/left.patch"}}) | {
        "pnpm-workspace.yaml": "packages:\n  - packages/*\n  - '!**/test/**'\n",
        "packages/a/package.json": '{"dependencies": {"app": "workspace:*"}}',
        "packages/a/test/package.json": "{}",
        ".npmrc": "shamefully-hoist=true\n",
        ".pnpmfile.cjs": "module.exports = {}",
        "patches/left.patch": "",
    }

    assert ask("pnpm", "pnpm install --frozen-lockfile", files) == Install(
        ("package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", "packages/a/package.json", ".npmrc", ".pnpmfile.cjs",
         "patches/left.patch"),
        ("node_modules", "packages/a/node_modules"),
    )  # fmt: skip


@pytest.mark.parametrize(
    "text", ["pnpm install", "pnpm i --prod", "pnpm fetch", "pnpm --filter app... install", "pnpm i -r"]
)
def test_pnpm_reads_package_json_and_the_lock_file(ask: Callable[..., object], text: str) -> None:
    assert ask("pnpm", text, project("pnpm")) == Install(("package.json", "pnpm-lock.yaml"), OUT)


@pytest.mark.parametrize(
    ("text", "files", "because"),
    [
        ("pnpm add x", project("pnpm"), "pnpm add x changes package.json"),
        ("pnpm i --frozen-lockfile", {"package.json": "{}"}, "pnpm needs pnpm-lock.yaml"),
        ("pnpm fetch", {"package.json": "{}"}, "pnpm needs pnpm-lock.yaml"),
        ("pnpm i", project("pnpm", scripts={"pnpm:devPreinstall": "x"}), "the lifecycle script pnpm:devPreinstall"),
        ("pnpm i", project("pnpm") | {".pnpmfile.cjs": "require('./rules')"}, ".pnpmfile.cjs reads other files"),
        ("pnpm i", project("pnpm", dependenciesMeta={"a": {"injected": True}}), "copies packages of the workspace"),
        (
            "pnpm i",
            project("pnpm") | {"pnpm-workspace.yaml": "overrides: {a: 'link:./a'}"},
            "the dependency a is a folder",
        ),
        ("pnpm i", project("pnpm") | {"pnpm-workspace.yaml": "x: 1", "b/package.json": "{}"}, "does not say whether"),
        ("pnpm i --store-dir .store", project("pnpm"), "--store-dir names a place"),
    ],
)
def test_says_why_pnpm_needs_the_sources(
    ask: Callable[..., object], text: str, files: Mapping[str, str], because: str
) -> None:
    answer = ask("pnpm", text, files)

    assert isinstance(answer, Refusal)
    assert because in answer.reason


@pytest.mark.parametrize(("changes", "stale"), [({}, False), ({"dependencies": {"left": "^2"}}, True), ({"devDependencies": {"r": "1"}}, True)])  # fmt: skip
@pytest.mark.parametrize(("manager", "text"), [("pnpm", "pnpm i"), ("bun", "bun install")])
def test_pnpm_and_bun_may_write_the_lock_file(
    ask: Callable[..., object], manager: str, text: str, changes: dict[str, object], stale: bool
) -> None:
    answer = ask(manager, text, project(manager, **changes))

    assert isinstance(answer, Install)
    assert bool(answer.rewrites) is stale


@pytest.mark.parametrize(
    ("text", "files", "expected"),
    [
        ("bun install --frozen-lockfile", project("bun"), Install(("package.json", "bun.lock"), OUT)),
        ("bun ci", {"package.json": "{}", "bun.lockb": ""}, Install(("package.json", "bun.lockb"), OUT)),
        (
            "bun install",
            {"package.json": "{}", "bun.lockb": ""},
            Install(("package.json", "bun.lockb"), OUT, ("bun.lockb",)),
        ),
        ("bun i", project("bun") | {"bunfig.toml": ""}, Install(("package.json", "bun.lock", "bunfig.toml"), OUT)),
        (
            "bun i",
            {"package.json": "{}", "package-lock.json": "{}"},
            Install(("package.json", "package-lock.json"), OUT),
        ),
        ("bun add -g x", project("bun"), Install(())),
        ("bun ci", {"package.json": "{}"}, Refusal("bun needs bun.lock, which the build does not see")),
        ("bun add x", project("bun"), Refusal("bun add x changes package.json")),
        (
            "bun i",
            project("bun") | {"bunfig.toml": "install.cache.dir='c'"},
            Refusal("bunfig.toml puts files elsewhere"),
        ),
        (
            "bun i",
            project("bun", scripts={"prepare": "x"}),
            Refusal("the lifecycle script prepare may read the sources"),
        ),
    ],
)
def test_bun(ask: Callable[..., object], text: str, files: Mapping[str, str], expected: object) -> None:
    assert ask("bun", text, files) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("corepack enable", Install(())),
        ("corepack prepare yarn@4.1.0 --activate", Install(())),
        ("corepack install", Install(("package.json",))),
        ("corepack use yarn@4", Refusal("corepack use changes package.json")),
    ],
)
def test_corepack(ask: Callable[..., object], text: str, expected: object) -> None:
    assert ask("corepack", text, project()) == expected


@pytest.mark.parametrize(
    ("manager", "text", "expected"),
    [
        ("yarn", "yarn global add serve", Install((".npmrc", ".yarnrc"))),
        ("pnpm", "pnpm add -g serve", Install((".npmrc", ".yarnrc"))),
        ("bun", "bun add -g serve", Install((".npmrc", ".yarnrc"))),
        ("npm", "npm i -g serve", Install(())),
        ("yarn", "yarn global add file:./x", Refusal("yarn global add file:./x reads the project")),
    ],
)
def test_global_installs_read_settings_only(
    ask: Callable[..., object], manager: str, text: str, expected: object
) -> None:
    assert ask(manager, text, {".npmrc": "", ".yarnrc": "", "package.json": "{}"}) == expected


def test_cleaning_the_cache_of_yarn_2_touches_the_project(ask: Callable[..., object]) -> None:
    answer = ask("yarn", "yarn cache clean", {"yarn.lock": YARN_2_LOCK, "package.json": "{}"})

    assert isinstance(answer, Refusal)
    assert "which yarn cache clean empties" in answer.reason
