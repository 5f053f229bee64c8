"""Node.js: what runs is the tree of the project with its `node_modules`, and what of it was built."""

import posixpath
from itertools import pairwise

from optimizer.images.npm import native_package
from optimizer.model import Step
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._scripts import text_of
from optimizer.transforms.stages._node_outputs import why_outside
from optimizer.transforms.stages.interpreted import (
    absolute,
    folder_of,
    home_of,
    in_folder,
    needed_on,
    sentence,
    small_base,
    text,
)
from optimizer.transforms.stages.nodes import NOTHING, Build, Effect, Runtime
from optimizer.transforms.stages.paths import SYSTEM

_MANAGERS = frozenset({"npm", "yarn", "pnpm", "bun"})
_INSTALLS = frozenset(
    "install i ci add clean-install rebuild prune dedupe update up upgrade remove uninstall rm fetch import".split()
)
_LOOKS = frozenset(
    "-v --version audit bin cache doctor fund help info list ls outdated ping root show store version view "
    "why whoami".split()
)
_SETTINGS = frozenset({"config", "set", "get", "login", "logout"})
_INTO = {"npm": ("--prefix", "-C"), "yarn": ("--cwd",), "pnpm": ("-C", "--dir"), "bun": ("--cwd",)}
# Programs of packages, which work on the folder that they are started in.
_TOOLS = frozenset(
    "astro babel bower esbuild eslint gatsby grunt gulp jest lerna mocha nest next ng nuxt nx parcel prisma "
    "react-scripts remix rimraf rollup sequelize svelte-kit tailwindcss tsc tsup turbo typeorm vite "
    "vue-cli-service webpack".split()
)
_FETCHING = frozenset({"cypress", "playwright", "puppeteer", "@puppeteer/browsers", "electron-builder", "pm2"})
_GLOBAL = frozenset({"-g", "--global", "--location=global"})
_SETS = lazy_pattern(
    r"(?:/root|/home/\w+|~|\$HOME|/etc)/\.?(?:npm|yarn)rc\b"
    r"|\b(?:npm|yarn|pnpm)\s+(?:config\s+)?(?:set|login)\b[^&;|\n]*(?:registry|auth|prefix|proxy|cafile|strict-ssl)"
)
_BUILD_TOOLS = frozenset(
    "@angular/cli @nestjs/cli @vue/cli bower grunt grunt-cli gulp gulp-cli lerna node-gyp rimraf rollup turbo "
    "typescript webpack webpack-cli".split()
)
_STARTED_AS = {"@angular/cli": "ng", "@nestjs/cli": "nest", "@vue/cli": "vue", "grunt-cli": "grunt", "gulp-cli": "gulp",
               "typescript": "tsc", "webpack-cli": "webpack"}  # fmt: skip
_HOME = lazy_pattern(
    r"homedir\(|process\.env\.HOME|[\"'`]/(?:etc|home|opt|root|srv|usr|var)/|\.\./\.\./|puppeteer|playwright"
)
_WHY = "compilers and headers are installed that no container needs"


def effect(call: Call, step: Step, build: Build) -> Effect | None:
    """Say where npm and its kin, the tools of packages, and scripts of the project put their files."""
    words = [text(word, call) for word in call.arguments]
    if call.program in _MANAGERS:
        return _of_manager(call, step, build, words)
    if call.program in {"npx", "bunx", "pnpx"}:
        return _of_tool(call, step, build, next((word for word in words if not word.startswith("-")), ""))
    if call.program == "corepack":
        return Effect(again=True)
    if call.program in _TOOLS:
        return _of_tool(call, step, build, call.program)
    if call.program in {"node", "nodejs"}:
        return _of_node(call, step, build, words)
    return None


def _of_manager(call: Call, step: Step, build: Build, words: list[str]) -> Effect:
    name = call.program
    folder = _folder(call, words)
    plain = _plain(words, name)
    verb = plain[0] if plain else "install" if name in {"yarn", "bun"} else words[0] if words else ""
    if verb in _LOOKS or (verb == "global" and plain[1:2] == ["bin"]):
        return NOTHING
    if verb in _SETTINGS:
        return Effect(leaves=(f"{home_of(call, step, build)}/.npmrc", f"{home_of(call, step, build)}/.yarnrc*"))
    if _GLOBAL & set(words) or verb == "global":
        return _of_global([word for word in plain[1:] if word != "add"], step, build)
    if verb in {"link", "ln", "unlink"}:
        return Effect(unknown=f"what {name} {verb} of line {step.line} leads to is not known")
    caches = tuple(_caches(home_of(call, step, build)))
    if verb in _INSTALLS:
        if folder is None or (folder in SYSTEM and plain[1:]):
            return Effect(unknown=f"what {name} {verb} of line {step.line} changes is not known")
        makes = f"{folder.rstrip('/')}/node_modules/" if folder in SYSTEM else f"{folder}/"
        return Effect((makes,), caches)
    if verb in {"exec", "dlx", "x"}:
        return _of_tool(call, step, build, plain[1] if plain[1:] else "")
    script = plain[1] if verb in {"run", "run-script"} and plain[1:] else verb
    if verb == "workspace" and plain[2:]:
        script = plain[-1]
    return _of_build(call, step, build, folder, script)


def _caches(home: str) -> tuple[str, ...]:
    return (f"{home}/.npm/**", f"{home}/.cache/**", f"{home}/.yarn/**", f"{home}/.local/share/pnpm/**",
            "/usr/local/share/.cache/**", f"{home}/.node-gyp/**", f"{home}/.bun/**")  # fmt: skip


def _folder(call: Call, words: list[str]) -> str | None:
    folder = folder_of(call)
    for word, following in pairwise((*words, "")):
        name, equals, value = word.partition("=")
        if name in _INTO[call.program] and folder is not None:
            return absolute(value if equals else following, folder)
    return folder


def _plain(words: list[str], name: str) -> list[str]:
    valued = {
        *_INTO[name],
        "--registry",
        "--workspace",
        "-w",
        "--filter",
        "-F",
        "--loglevel",
        "--cache",
        "--network-timeout",
    }
    behind = {index + 1 for index, word in enumerate(words) if word in valued}
    return [word for index, word in enumerate(words) if index not in behind and not word.startswith("-")]


def _of_global(names: list[str], step: Step, build: Build) -> Effect:
    """Have packages for all installed again in the image that runs, but for tools of the build."""
    bare = [name[: at if (at := name.find("@", 1)) > 0 else None] for name in names]
    started = {need.name for need in build.needs}
    if bare and all(name in _BUILD_TOOLS and _STARTED_AS.get(name, name) not in started for name in bare):
        return Effect(leaves=("/usr/local/lib/node_modules/*/**", "/usr/local/bin/*"))
    if odd := next((name for name in bare if native_package(name) or name in _FETCHING - {"pm2"}), None):
        return Effect(unknown=f"{odd}, which line {step.line} installs for all, may be compiled")
    if setting := next((other for other in build.stage.body if _SETS.search(other.instruction.text)), None):
        return Effect(unknown=f"whether what line {step.line} installs hangs on line {setting.line} is not known")
    return Effect(again=True)


def _of_tool(call: Call, step: Step, build: Build, name: str) -> Effect:
    bare = name[: at if (at := name.find("@", 1)) > 0 else None]
    if bare in _FETCHING or not bare:
        return Effect(unknown=f"what {bare or call.program} of line {step.line} makes is not known")
    return _of_build(call, step, build, folder_of(call), None)


def _of_build(call: Call, step: Step, build: Build, folder: str | None, script: str | None) -> Effect:
    """Return what a build leaves behind: it writes to the folder of the project, unless its settings say otherwise."""
    if reason := why_outside(build.subject.context, script):
        return Effect(unknown=reason)
    found = in_folder(folder, script or call.program)
    return found if found.unknown else Effect(found.makes, _caches(home_of(call, step, build)))


def _of_node(call: Call, step: Step, build: Build, words: list[str]) -> Effect:
    path = next((word for word in words if not word.startswith("-")), None)
    if path is None or words[:1] in (["-e"], ["-p"], ["--eval"]):
        return (
            NOTHING
            if words[:1] in (["-v"], ["--version"])
            else Effect(unknown=f"what node of line {step.line} makes is not known")
        )
    if "node_modules/" in path:
        return _of_tool(call, step, build, posixpath.basename(path))
    folder = folder_of(call)
    subject = build.subject
    names = (path, f"{path}.js", posixpath.join(path, "index.js"))
    source = next(
        (t for n in names if (t := text_of(subject.dockerfile, subject.context, step, n, folder)) is not None), None
    )
    if source is None or _HOME.search(source):
        return Effect(unknown=f"what {path} of line {step.line} makes is not known")
    return in_folder(folder, path)


def runtime(build: Build) -> Runtime | str | None:
    """Say which libraries the compiled packages load; the tree of the project is copied as it was built."""
    if build.full.image != "node":
        return None
    base = small_base(build)
    if base is None:
        return None if "slim" in build.full.words else f"{build.full.name} has no slim variant on the same release"
    found = needed_on(build, base)
    if isinstance(found, str):
        return found
    if base is not build.full and not any(lack.built for lack in found):
        return None  # the slim image alone does, given the packages that it lacks
    packages = tuple(dict.fromkeys(package for lack in found for package in lack.packages))
    return Runtime(base, (), sentence(found, _WHY), packages)
