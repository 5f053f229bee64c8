"""Scripts that run during an install of JavaScript packages, and what they read of the project.

A script of the project may read any of its sources, so an install that runs one is refused, but for the few that
are known to read nothing else than the manifests. Some packages look at the project when they are installed.
Sources: https://docs.npmjs.com/cli/v10/using-npm/scripts, https://yarnpkg.com/advanced/lifecycle-scripts,
https://pnpm.io/scripts, https://typicode.github.io/husky/, https://github.com/ds300/patch-package.
"""

import re
from collections.abc import Iterator
from posixpath import join

from optimizer.context.manifests import table
from optimizer.ecosystems._files import Refused, need, visible
from optimizer.ecosystems._javascript import Manifest, Packages, dependency_ranges, string
from optimizer.syntax.lazy_pattern import lazy_pattern

NPM = ("preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare", "dependencies",
       "predependencies", "postdependencies")  # fmt: skip
YARN_1 = ("preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare")
YARN_2 = ("preinstall", "install", "postinstall")
PNPM = ("pnpm:devPreinstall", *YARN_1)

_JOINED = lazy_pattern(r"\s*(?:&&|\|\||;)\s*")
_RUNNER = lazy_pattern(r"^(?:npx(?: -y| --yes| --no-install| --no)*|pnpm (?:exec|dlx)|yarn dlx|bunx)\s+")
_NOTHING = lazy_pattern(
    r":|true|exit(?: 0)?|echo [^$`<>|&]*|only-allow \w+|is-ci|opencollective(?:-postinstall| postinstall)?"
)
_NUMBER = lazy_pattern(r"\d+")
_HUSKY = lazy_pattern(r"husky(?: install)?(?: [\w./-]+)?")
_PATCHES = lazy_pattern(r"patch-package(?P<options>(?: --?[\w=./-]+(?: [\w./-]+)?)*)")
_PATCH_DIR = lazy_pattern(r"--patch-dir[= ]([\w./-]+)")
_PRISMA = lazy_pattern(r"prisma generate")
_OUTPUT = lazy_pattern(r"^\s*output\s*=", re.MULTILINE)
_PROVIDER = lazy_pattern(r"generator\s+\w+\s*\{[^}]*?provider\s*=\s*\"([^\"]*)\"")
_HOOKS = ("simple-git-hooks", "lefthook", "@evilmartians/lefthook", "yorkie", "pre-commit", "ghooks", "pre-push",
          "git-hooks")  # fmt: skip
_FIRST_HUSKY_WITHOUT_SCRIPT = 5
_PUPPETEER = (".puppeteerrc", ".puppeteerrc.json", ".puppeteerrc.yaml", ".puppeteerrc.yml", ".puppeteerrc.js",
              ".puppeteerrc.cjs", ".puppeteerrc.mjs", ".puppeteerrc.ts", "puppeteer.config.js", "puppeteer.config.cjs",
              "puppeteer.config.mjs", "puppeteer.config.ts", ".config/puppeteerrc")  # fmt: skip
_PRISMA_CONFIG = tuple(f"prisma.config.{ext}" for ext in ("ts", "mts", "cts", "js", "mjs", "cjs"))


def files_of_scripts(packages: Packages, names: tuple[str, ...]) -> Iterator[str]:
    """Go through the files that the scripts of these names read; raise `Refused` for one that may read sources."""
    for folder, manifest in packages.manifests.items():
        scripts = table(manifest, "scripts")
        for name in names:
            if body := string(manifest, "scripts", name):
                yield from _files_of_script(packages, folder, name, body)
        if visible(packages.context, folder, "binding.gyp") and not {"install", "preinstall"} & scripts.keys():
            raise Refused(f"{join(folder, 'binding.gyp')} builds an addon during the install")


def caches_sources(packages: Packages) -> bool:
    """Tell whether Nx, or Lerna with it, looks through the workspaces when it is installed.

    Its postinstall script writes the project graph to .nx/workspace-data where it finds an nx.json; every run of Nx
    makes that anew (https://github.com/nrwl/nx/blob/20.2.2/packages/nx/bin/post-install.ts).
    """
    names = packages.names()
    return bool({"nx", "lerna"} & names) and bool(visible(packages.context, packages.root, "nx.json"))


def files_of_dependencies(packages: Packages) -> Iterator[str]:
    """Go through the files that packages read of the project when they are installed."""
    names = packages.names()
    context = packages.context
    hooked = next((name for name in _HOOKS if name in names), "husky" if _has_old_husky(packages) else None)
    if hooked and _has_git(packages):
        raise Refused(f"the package {hooked} reads .git when it is installed")
    if "puppeteer" in names and (found := visible(context, packages.root, *_PUPPETEER)):
        raise Refused(f"the package puppeteer reads {found[0]} when it is installed")
    if "msw" in names and any(table(m, "msw") for m in packages.manifests.values()):
        raise Refused("the package msw writes to the sources when it is installed")
    if "@prisma/client" in names:
        for folder, manifest in packages.manifests.items():
            yield from _prisma(packages, folder, manifest)


def _files_of_script(packages: Packages, folder: str, name: str, body: str) -> Iterator[str]:
    for part in _JOINED.split(body.strip()):
        command = _RUNNER.sub("", part)
        if _NOTHING.fullmatch(command):
            continue
        if _HUSKY.fullmatch(command) and not _has_git(packages):
            continue  # it looks for .git first, and leaves where there is none
        if patches := _PATCHES.fullmatch(command):
            place = _PATCH_DIR.search(patches["options"])
            path = join(folder, place[1] if place else "patches")
            yield from (path,) if packages.context.is_dir(path) else ()
        elif _PRISMA.fullmatch(command):
            yield from _prisma(packages, folder, packages.manifests[folder])
        else:
            owner = f" of {folder}" if folder != packages.root else ""
            raise Refused(f"the lifecycle script {name}{owner} may read the sources")


def _prisma(packages: Packages, folder: str, manifest: Manifest) -> Iterator[str]:
    """Go through the schema files that Prisma's client is generated from (`prisma generate`)."""
    context = packages.context
    if config := visible(context, folder, *_PRISMA_CONFIG):
        raise Refused(f"Prisma reads {config[0]} when its client is installed")
    named = string(manifest, "prisma", "schema")
    found = visible(context, folder, *((named,) if named else ("prisma/schema.prisma", "schema.prisma")))
    prefix = f"{folder}/" if folder else ""
    schemas = [f for f in context.files if f.endswith(".prisma") and f.startswith(prefix) and context.is_file(f)]
    if not schemas and not named:
        return
    if not found or len(schemas) > 1:
        raise Refused("Prisma generates its client from the sources when it is installed")
    text = context.text(need(context, found[0])) or ""
    if _OUTPUT.search(text) or any(p != "prisma-client-js" for p in _PROVIDER.findall(text)):
        raise Refused(f"Prisma generates code from {found[0]} when its client is installed")
    yield found[0]


def _has_old_husky(packages: Packages) -> bool:
    """Tell whether a husky is depended on that sets hooks when it is installed itself, as it did before version 5."""
    ranges = [v for m in packages.manifests.values() for name, v in dependency_ranges(m) if name == "husky"]
    majors = [_NUMBER.search(version) for version in ranges]
    return any(major is None or int(major[0]) < _FIRST_HUSKY_WITHOUT_SCRIPT for major in majors)


def _has_git(packages: Packages) -> bool:
    parts = packages.root.split("/") if packages.root else []
    folders = ["/".join(parts[:n]) for n in range(len(parts) + 1)]
    return any(packages.context.exists(join(folder, ".git")) for folder in folders)
