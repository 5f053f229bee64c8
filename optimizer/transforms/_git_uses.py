"""Who reads the project's git repository: the build's commands, its tools, and the program itself."""

import re
from collections.abc import Iterator
from posixpath import basename, splitext

from optimizer.context import Context
from optimizer.context.manifests import json_file, table
from optimizer.model import Dockerfile, Step
from optimizer.shell import Call
from optimizer.transforms._copies import below, image_path

# Files of these kinds are looked through; documentation, data and lock files are not.
_CODE = frozenset(
    ".py .pyx .sh .bash .zsh .js .mjs .cjs .ts .mts .cts .tsx .jsx .vue .svelte .astro .rb .rake .gemspec .ru .php .pl"
    " .pm .go .rs .c .cc .cpp .cxx .h .hpp .cmake .java .kt .kts .gradle .groovy .scala .sbt .cs .fs .vb .ex .exs .erl"
    " .hs .lua .swift .nim .zig .dart .r .mk .am .ac .in .bat .ps1".split()
)
_SETTINGS = frozenset(
    ".toml .cfg .ini .xml .yml .yaml .txt .csproj .fsproj .vbproj .props .targets .cabal .conf .properties".split()
)
_LOCKS = re.compile(r"(.*[.-])?lock(file)?\.(json|ya?ml|toml)|go\.sum|.*\.lock|.*\.min\.js|packages\.config")
_PIPELINES = re.compile(r"\.|.*(compose|pipelines?|appveyor|cloudbuild|buildspec|codecov)|Jenkinsfile", re.IGNORECASE)
_FOREIGN = frozenset({".git", ".github", ".gitlab", ".circleci", "node_modules", "vendor", "site-packages", ".tox"})
MOST_FILES = 4000
LARGEST = 1_000_000

_VERBS = (
    rb"(describe|rev-parse|rev-list|log|status|show|diff|tag|branch|ls-files|ls-tree|symbolic-ref|name-rev|shortlog"
    rb"|for-each-ref|cat-file|hash-object|blame|archive|submodule|remote|config --get|check-ignore|fetch|pull|checkout"
    rb"|worktree|commit|add|push|stash|reset|restore|switch|merge|show-ref|merge-base|var|notes|grep)\b"
)
_COMMAND = rb"(?<![\w./@+-])git(\.exe)?\s+(-\S+\s+\S+\s+)?" + _VERBS
_WORD = rb"[\"'`/]git(\.exe)?[\"'`]|%w[\[(]git\s"
_FOLDER = rb"(?<![\w.*-])\.git(?![\w-])"
_TOOLS = (
    rb"setuptools[-_]scm|setuptools[-_]git|hatch[-_]vcs|versioneer|versioningit|dunamai|[\"'\s]pbr\b|vcversioner"
    rb"|poetry-(dynamic-versioning|version-plugin)|GitPython|dulwich|pygit2|simple-git|isomorphic-git|nodegit"
    rb"|go-git\b|libgit2|\brugged\b|\bjgit|grgit|\bgit2\b|\bvergen|shadow-rs|git-version|gitversion|git_version"
    rb"|git-commit-id|buildnumber-maven|git-properties|axion-release|reckon|nebula\.release|sbt-(git|dynver)"
    rb"|MinVer|Nerdbank\.GitVersioning|InformationalVersion|ReadBuildInfo|getRootPackage|self\.version|branch-alias"
    rb"|gitrev|githash|git[-_]revision|git[-_]info|gitinfo|last[-_]modified[-_]at|last[-_]updated[-_]by[-_]git"
    rb"|showLastUpdate|lastUpdated|sentry[-_]|raven\b|airbrake|scout[-_]apm|ddtrace|husky|lefthook|yorkie"
)
_IN_CODE = re.compile(b"|".join((_COMMAND, _WORD, _FOLDER, b"(?i:" + _TOOLS + b")", rb"\b(import|from) git\b")))
_IN_SETTINGS = re.compile(b"|".join((_COMMAND, b"(?i:" + _TOOLS + b")")))
_PACKAGES = re.compile(
    r"(^|[@/_-])git([-_/]|$)|husky|lefthook|yorkie|ghooks|nodegit|release-it|semantic-release|standard-version|^lerna$"
    r"|sentry.*(plugin|cli)|^pre-(commit|push)$"
)
_IN_RUN = re.compile(
    rb"goreleaser|semantic-release|pre-commit|release-it|git-cliff|sentry-cli|\blerna\b|\bnx\b|(poetry|hatch|flit|pdm|uv"
    rb"|maturin)\s+build|-m\s+build\b"
)
# What git does without a repository, or to another one.
_HARMLESS = frozenset({"clone", "config", "lfs", "version", "--version", "init", "ls-remote", "help", "credential"})
_FILE_BACKENDS = ("poetry", "flit", "pdm", "hatch", "maturin")  # they ask git which files belong to a package
_INSTALL_HERE = re.compile(r"pip3?\s+install\s[^&|;]*(?<=[\s\"'])(\.|\.?/[^\s\"']*)(?=[\s\"'\[]|$)")


def reader_of_git(dockerfile: Dockerfile, context: Context) -> str | None:
    """Say who reads `.git` ("line 4 runs git describe", "setup.py names setuptools_scm"), None where nobody does."""
    for step in dockerfile.steps:
        found = _in_step(step, dockerfile, context)
        if found:
            return f"line {step.line} {found}"
    return context.once("reader of git", _in_files)


def _in_step(step: Step, dockerfile: Dockerfile, context: Context) -> str | None:
    text = step.instruction.text.encode("utf-8", "surrogateescape")
    named = re.search(_FOLDER, text) or re.search(b"(?i:" + _TOOLS + b")", text) or _IN_RUN.search(text)
    if named:
        return f"names {_shown(named)}"
    if step.run is not None and step.run.script.problem is None:
        call = next((c for c in step.run.calls if c.program == "git" and _reads(c, step, dockerfile)), None)
        if call:
            return f"runs git {' '.join(str(word) for word in call.arguments[:1])}".strip()
    elif found := re.search(_COMMAND, text):
        return f"names {_shown(found)}"
    if _INSTALL_HERE.search(step.instruction.text):
        backend = table(_pyproject(context), "build-system").get("build-backend")
        if isinstance(backend, str) and backend.startswith(_FILE_BACKENDS):
            return f"builds a package with {backend}, which asks git for the files"
    return None


def _reads(call: Call, step: Step, dockerfile: Dockerfile) -> bool:
    first = call.arguments[0].value if call.arguments else "help"
    if first in _HARMLESS:
        return False
    if first is None or first.startswith("-") or call.directory is None:
        return True
    # A clone of something else lies elsewhere than what the COPYs of the stage bring.
    return any(
        below(call.directory, image_path(other.instruction.arguments[-1], other.state.workdir)) is not None
        or "$" in other.instruction.arguments[-1]
        for stage in dockerfile.lineage(step.stage)
        for other in dockerfile.stages[stage].body
        if other.name in {"COPY", "ADD"} and other.instruction.arguments
    )


def _pyproject(context: Context) -> object:
    from optimizer.context.manifests import toml_file

    return toml_file(context, "pyproject.toml")


def _in_files(context: Context) -> str | None:
    for number, (path, pattern) in enumerate(files_to_look_through(context)):
        if number >= MOST_FILES:
            return "the project has too many files to look through"
        data = context.read_bytes(path) or b""
        found = pattern.search(data) if len(data) <= LARGEST else None
        if found:
            return f"{path} names {_shown(found)}"
    for path in context.under(""):
        if basename(path) == "package.json" and not _is_foreign(path) and (found_name := _in_package(context, path)):
            return f"{path} names {found_name}"
    return None


def _in_package(context: Context, path: str) -> str | None:
    package = json_file(context, path)
    for section in ("dependencies", "devDependencies", "optionalDependencies"):
        name = next((n for n in table(package, section) if _PACKAGES.search(n)), None)
        if name:
            return name
    scripts = " ; ".join(str(script) for script in table(package, "scripts").values()).encode()
    found = _IN_CODE.search(scripts)
    return _shown(found) if found else None


def files_to_look_through(context: Context) -> Iterator[tuple[str, re.Pattern[bytes]]]:
    """Go through the project's own scripts, sources and settings, each with what betrays a use of git in it."""
    for path in context.under(""):
        pattern = None if path == context.dockerfile or _is_foreign(path) else _pattern_for(basename(path))
        if pattern:
            yield path, pattern


def _pattern_for(name: str) -> re.Pattern[bytes] | None:
    ending = splitext(name)[1].lower()
    if _LOCKS.fullmatch(name) or (ending not in _CODE and _PIPELINES.match(name)):
        return None
    if ending in _CODE or not ending:
        return _IN_CODE
    return _IN_SETTINGS if ending in _SETTINGS or name == "composer.json" else None


def _is_foreign(path: str) -> bool:
    return not _FOREIGN.isdisjoint(path.split("/")[:-1])


def _shown(found: re.Match[bytes]) -> str:
    return " ".join(found[0].decode("utf-8", "replace").strip(" \t\r\n\"'`/,").split())
