"""Who reads the project's git repository: the build's commands, its tools, and the program itself."""

import re
from collections.abc import Iterator
from posixpath import basename, splitext

from optimizer.context import Context
from optimizer.context.manifests import json_file, table
from optimizer.model import Dockerfile, Step
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._copies import below, image_path

# Files of these kinds are looked through; documentation, data and lock files are not.
_CODE = frozenset(
    ".py .pyx .sh .bash .zsh .js .mjs .cjs .ts .mts .cts .tsx .jsx .vue .svelte .astro .rb .rake .gemspec .ru .php .pl"
    " .pm .go .rs .c .cc .cpp .cxx .h .hpp .cmake .java .kt .kts .gradle .groovy .scala .sbt .cs .fs .vb .ex .exs .erl"
    " .hs .lua .swift .nim .zig .dart .r .mk .am .ac .in .bat .ps1".split()
)
_SETTINGS = frozenset(
    ".toml .cfg .ini .xml .yml .yaml .txt .csproj .fsproj .vbproj .props .targets .cabal .conf .properties .mod".split()
)
_LOCKS = lazy_pattern(r"(.*[.-])?lock(file)?\.(json|ya?ml|toml)|go\.sum|.*\.lock|.*\.min\.js|packages\.config")
_PIPELINES = lazy_pattern(r"\.|.*(compose|pipelines?|appveyor|cloudbuild|buildspec|codecov)|Jenkinsfile", re.IGNORECASE)
_FOREIGN = frozenset(
    {".git", ".husky", ".github", ".gitlab", ".circleci", "node_modules", "vendor", "site-packages", ".tox"}
)
MOST_FILES = 4000
LARGEST = 1_000_000

_VERBS = (
    rb"(describe|rev-parse|rev-list|log|status|show|diff|tag|branch|ls-files|ls-tree|symbolic-ref|name-rev|shortlog"
    rb"|for-each-ref|cat-file|hash-object|blame|archive|submodule|remote|config --get|check-ignore|fetch|pull|checkout"
    rb"|worktree|commit|add|push|stash|reset|restore|switch|merge|show-ref|merge-base|var|notes|grep)\b"
)
# Each begins with its literal, for a search for one is fast: the sources of a project may be large.
_COMMAND = rb"(?<![\w./@+-]git)\s+(-\S+\s+\S+\s+)?" + _VERBS
_WORD = rb"(?<=[\"'`/]git)[\"'`]|(?<=[\"'`/]git)\.exe\b|(?<=%w.git)\s"
_FOLDER = rb"(?<=\.git)(?<![\w.*})-]\.git)(?![\w-])"
_IN_SETTINGS = re.compile(rb"git(" + _COMMAND + b")")
_IN_CODE = re.compile(rb"git(" + b"|".join((_COMMAND, _WORD, _FOLDER)) + b")")
_IN_STEP = re.compile(rb"git(" + _FOLDER + b")")
_PYTHON = re.compile(
    rb"setuptools[-_]scm|setuptools[-_]git|hatch[-_]vcs|versioneer|versioningit|dunamai|[\"'\s]pbr\b|vcversioner"
    rb"|poetry-(dynamic-versioning|version-plugin)|[Gg]it[Pp]ython|dulwich|pygit2|sentry[-_]sdk|raven\b|scout[-_]apm"
    rb"|ddtrace|git[-_]revision|last[-_]updated[-_]by[-_]git|(import|from) git\b"
)
_RUST = re.compile(rb"\bvergen|shadow-rs|git-version|git_version|\bgit2\b|\bgix\b|\bbuilt\s*=")
_JAVA = re.compile(
    rb"git-commit-id|buildnumber-maven|git-properties|jgit|grgit|git-version|gitversion|axion-release|reckon"
    rb"|nebula\.release|sbt-(git|dynver)|ratchetFrom|plugin-git"
)
_DOTNET = re.compile(rb"MinVer\b|GitVersion|GitInfo|Nerdbank\.GitVersioning|InformationalVersion")
_GO = re.compile(rb"ReadBuildInfo|go-git\b|git2go")
_RUBY = re.compile(rb"\brugged\b|last-modified-at|sentry-r|airbrake|[\"']git[\"']|scout_apm")
_PHP = re.compile(rb"getRootPackage|self\.version|branch-alias")
_HASKELL = re.compile(rb"gitrev|githash|GitHash")
_BY_KIND = {
    **dict.fromkeys((".py", ".cfg", ".txt", ".toml", ".in", "Pipfile"), _PYTHON),
    **dict.fromkeys((".rs", "Cargo.toml"), _RUST),
    **dict.fromkeys((".xml", ".gradle", ".kts", ".sbt", ".java", ".kt"), _JAVA),
    **dict.fromkeys((".cs", ".fs", ".vb", ".csproj", ".fsproj", ".vbproj", ".props", ".targets"), _DOTNET),
    **dict.fromkeys((".go", ".mod"), _GO),
    **dict.fromkeys((".rb", ".gemspec", "Gemfile", ".yml", ".yaml"), _RUBY),
    **dict.fromkeys((".php", "composer.json"), _PHP),
    **dict.fromkeys((".hs", ".cabal"), _HASKELL),
}
_LATEST_CHANGE = re.compile(rb"lastUpdated|showLastUpdate|enableGitInfo")
_SITES = lazy_pattern(r"(.*/)?(\.vitepress/config\.\w+|\.vuepress/config\.\w+|docusaurus\.config\.\w+|hugo\.\w+)")
_PACKAGES = lazy_pattern(
    r"(^|[@/_-])git([-_/]|$)|husky|lefthook|yorkie|ghooks|nodegit|release-it|semantic-release|standard-version|^lerna$"
    r"|sentry.*(plugin|cli)|^pre-(commit|push)$"
)
_IN_RUN = re.compile(
    rb"goreleaser|semantic-release|pre-commit|release-it|git-cliff|sentry-cli|\blerna\b|\bnx\b|husky|lefthook"
    rb"|(poetry|hatch|flit|pdm|uv|maturin)\s+build|(python[\d.]*\s+)?-m\s+build\b"
)
# What git does without a repository, or to another one.
_HARMLESS = frozenset({"clone", "config", "lfs", "version", "--version", "init", "ls-remote", "help", "credential"})
_FILE_BACKENDS = ("poetry", "flit", "pdm", "hatch", "maturin")  # they ask git which files belong to a package
_INSTALL_HERE = lazy_pattern(r"pip3?\s+install\s[^&|;]*(?<=[\s\"'])(\.|\.?/[^\s\"']*)(?=[\s\"'\[]|$)")


def reader_of_git(dockerfile: Dockerfile, context: Context) -> str | None:
    """Say who reads `.git` ("line 4 runs git describe", "setup.py names setuptools_scm"), None where nobody does."""
    for step in dockerfile.steps:
        found = _in_step(step, dockerfile, context)
        if found:
            return f"line {step.line} {found}"
    return context.once("reader of git", _in_files)


def _in_step(step: Step, dockerfile: Dockerfile, context: Context) -> str | None:
    text = step.instruction.text.encode("utf-8", "surrogateescape")
    if tool := _IN_RUN.search(text):
        return f"runs {_shown(tool, text)}, which may ask git"
    if named := _IN_STEP.search(text) or _PYTHON.search(text):
        return f"names {_shown(named, text)}"
    if step.run is not None and step.run.script.problem is None:
        call = next((c for c in step.run.calls if c.program == "git" and _reads(c, step, dockerfile)), None)
        if call:
            return f"runs git {' '.join(str(word) for word in call.arguments[:1])}".strip()
    elif found := _IN_SETTINGS.search(text):
        return f"names {_shown(found, text)}"
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
        if len(data) > LARGEST:
            continue
        found = (pattern.search(data) if b"git" in data else None) or _tool_in(path, data)
        if found:
            return f"{path} names {_shown(found, data)}"
    for path in context.under(""):
        if basename(path) == "package.json" and not _is_foreign(path) and (name := _in_package(context, path)):
            return f"{path} names {name}"
    return None


def _tool_in(path: str, data: bytes) -> re.Match[bytes] | None:
    name = basename(path)
    patterns = (_BY_KIND.get(name), _BY_KIND.get(splitext(name)[1]), _LATEST_CHANGE if _SITES.fullmatch(path) else None)
    return next((found for p in patterns if p is not None and (found := p.search(data))), None)


def _in_package(context: Context, path: str) -> str | None:
    package = json_file(context, path)
    for section in ("dependencies", "devDependencies", "optionalDependencies"):
        name = next((n for n in table(package, section) if _PACKAGES.search(n)), None)
        if name:
            return name
    scripts = " ; ".join(str(script) for script in table(package, "scripts").values()).encode()
    found = _IN_CODE.search(scripts)
    return _shown(found, scripts) if found else None


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


def _shown(found: re.Match[bytes], data: bytes) -> str:
    """Return what was found in one line, `.git` with its dot."""
    start = found.start() - (data[found.start() - 1 : found.start()] == b"." and found[0] == b"git")
    return " ".join(data[start : found.end()].decode("utf-8", "replace").strip(" \t\r\n\"'`/,").split())
