"""Yarn, both lines: Yarn 1 (classic) and Yarn 2 and later (berry), told apart by what the project says.

Sources: https://classic.yarnpkg.com/en/docs/cli/install, https://yarnpkg.com/cli/install,
https://classic.yarnpkg.com/en/docs/cli/cache.
"""

import re
from collections.abc import Callable, Mapping
from posixpath import join

from msgspec import Struct
from msgspec.structs import replace

from optimizer.context.manifests import table
from optimizer.ecosystems._arguments import (
    Arguments,
    Options,
    folder_of,
    parse,
    refuse_paths,
    removes,
    variables_of,
)
from optimizer.ecosystems._files import Refused, below_folders, upwards, visible
from optimizer.ecosystems._javascript import (
    Packages,
    dependency_ranges,
    local_files,
    nearest_package,
    package_root,
    read_packages,
)
from optimizer.ecosystems._lifecycle import YARN_1, YARN_2, caches_sources, files_of_dependencies, files_of_scripts
from optimizer.ecosystems._npmrc import LOCAL_SPECS, global_install, rc_files
from optimizer.ecosystems._yarn_settings import (
    files_of_settings_1,
    files_of_settings_2,
    is_yarn_2,
    major_of,
    settings_2,
    why_not_yarn_1,
    why_yarn_2,
)
from optimizer.ecosystems.ecosystem import Cache, Install, Project, Refusal
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern

OPTIONS = Options.of(
    switches="""--frozen-lockfile --pure-lockfile --lockfile --production --prod --non-interactive --ignore-engines
        --ignore-scripts --ignore-optional --ignore-platform --silent -s --verbose --prefer-offline --offline
        --check-files --flat --force --har --bin-links --link-duplicates --progress --default-rc --json --focus
        --audit --skip-integrity-check --strict-semver --node-version-check --update-checksums --immutable
        --immutable-cache --check-cache --check-resolutions --refresh-lockfile --inline-builds --version -v --help -h
        -A --all --ignore-workspace-root-check -W -D --dev -E --exact -T --tilde""",
    values="""--network-timeout --network-concurrency --cache-folder --modules-folder --cwd --registry --mutex
        --use-yarnrc --proxy --https-proxy --preferred-cache-folder --global-folder --link-folder --prefix --mode
        --emoji --otp""",
    negatable=True,
)
_FIXED = ("--frozen-lockfile", "--pure-lockfile", "--immutable")
_LOCK_ENTRY = lazy_pattern(r"^(?![ #]).*:\s*$", re.MULTILINE)
_MAJOR_WITH_GLOBAL_CACHE = 4
_Stale = Callable[[Packages, str], bool]


class Yarn(Struct, frozen=True):
    """`yarn`, `yarn install`, `yarn workspaces focus`."""

    id: str = "yarn"
    title: str = "Yarn"
    programs: frozenset[str] = frozenset({"yarn", "yarnpkg"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say what the call reads; `yarn global add` and the like read nothing."""
        if call.program not in {"yarn", "yarnpkg"}:
            return None
        variables = variables_of(call, project.env)
        arguments = parse(call.arguments, OPTIONS, variables)
        if isinstance(arguments, Refusal):
            return arguments if _is_install(_words(call)) else None
        words = [argument.text for argument in arguments.plain]
        if words[:2] == ["cache", "clean"]:
            kept = why_yarn_2(project.context)
            return Refusal(f"{kept}, which yarn cache clean empties") if kept else Install(())
        if words[:2] == ["global", "add"]:
            local = next((w for w in words[2:] if w.startswith(LOCAL_SPECS)), None)
            return Refusal(f"yarn global add {local} reads the project") if local else global_install(call, project)
        if not words and arguments.has("--version", "-v", "--help", "-h"):
            return Install(())
        if words[:1] == ["add"]:
            return Refusal(f"yarn {' '.join(words)} changes package.json")
        if not _is_install(words):
            return None
        try:
            return _install(call, project, arguments, variables)
        except Refused as refused:
            return Refusal(str(refused))

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:
        """Name the archives of Yarn 1; later versions may run the project from their cache, which must stay."""
        if call.program not in {"yarn", "yarnpkg"}:
            return None
        words = _words(call)
        is_global = words[:2] == ["global", "add"]
        if not (is_global or _is_install(words)) or any(
            w.value in {"--version", "-v", "--help"} for w in call.arguments
        ):
            return None
        variables = variables_of(call, env)
        found = Cache("yarn's download cache", cleanup=("yarn cache clean",), targets=(_cache_folder(variables),))
        if any(word.text.startswith("--cache-folder") for word in call.arguments):
            return replace(found, off="the call names a cache folder of its own")
        if is_global:
            return found
        unsure = "which Yarn runs cannot be told without the project"
        return replace(found, off=unsure, decide=lambda context: replace(found, off=why_not_yarn_1(context)))

    def cleans(self, call: Call) -> bool:
        """`yarn cache clean`, or the folder removed."""
        words = [word.value for word in call.arguments]
        return (call.program in {"yarn", "yarnpkg"} and words[:2] == ["cache", "clean"]) or removes(
            call, ".cache/yarn", "share/.cache"
        )


ECOSYSTEM = Yarn()


def _words(call: Call) -> list[str]:
    """Return the words that are no options, also where one of the options is not known."""
    arguments = parse(call.arguments, OPTIONS, {})
    if isinstance(arguments, Refusal):
        return [w.text for w in call.arguments if not w.text.startswith("-")]
    return [argument.text for argument in arguments.plain]


def _is_install(words: list[str]) -> bool:
    in_workspace = words[:1] == ["workspace"] and words[2:] == ["install"]
    return not words or words == ["install"] or words[:2] == ["workspaces", "focus"] or in_workspace


def _cache_folder(variables: Mapping[str, str | None]) -> str:
    """Return Yarn 1's folder: it keeps root's cache below /usr/local/share (its src/util/user-dirs.js)."""
    if own := variables.get("YARN_CACHE_FOLDER"):
        return own
    if caches := variables.get("XDG_CACHE_HOME"):
        return join(caches, "yarn")
    home = variables.get("HOME") or "/root"
    return "/usr/local/share/.cache/yarn" if home == "/root" else join(home, ".cache/yarn")


def _install(call: Call, project: Project, arguments: Arguments, variables: Mapping[str, str | None]) -> Install:
    folder = folder_of(call, project, arguments, "--cwd")
    refuse_paths(call, project, arguments, "--cache-folder", "--modules-folder", "--use-yarnrc", "--global-folder")
    if renamed := next((n for n in ("YARN_RC_FILENAME", "YARN_LOCKFILE_FILENAME") if n in variables), None):
        raise Refused(f"{renamed} names other files")
    root = package_root(project, folder)
    packages = read_packages(project, root)
    if not is_yarn_2(project, root):
        return _install_1(project, packages, folder, arguments)
    own = nearest_package(project, folder)
    if own != root and visible(project.context, own, "yarn.lock"):
        raise Refused(f"{join(own, 'yarn.lock')} makes a project of its own of a workspace")
    return _install_2(project, packages, folder, arguments, variables)


def _install_1(project: Project, packages: Packages, folder: str, arguments: Arguments) -> Install:
    root, context = packages.root, packages.context
    locks = visible(context, root, "yarn.lock")
    needed = [path for at in upwards(project, folder) for path in rc_files(packages, at)]
    needed += [*files_of_settings_1(project, folder), *local_files(packages, ("link:",))]
    if not arguments.has("--ignore-scripts"):
        needed += [*files_of_scripts(packages, YARN_1), *files_of_dependencies(packages)]
    return Install(
        below_folders([packages.files[0], *locks, *packages.files[1:], *needed], context),
        packages.outputs,
        _rewritten(packages, locks, arguments, _is_stale_1),
        caches_sources=caches_sources(packages),
    )


def _install_2(
    project: Project, packages: Packages, folder: str, arguments: Arguments, variables: Mapping[str, str | None]
) -> Install:
    root, context = packages.root, packages.context
    locks = visible(context, root, "yarn.lock")
    linker = _linker(project, packages, variables)
    # Where it makes a node_modules/.bin, Yarn links the programs of the root there as well.
    needed = [*files_of_settings_2(project, folder)]
    needed += local_files(packages, ("link:", "portal:"), of_root=linker != "pnp")
    needed += [join(root, name) for name in (".yarn/patches", ".yarn/cache") if context.is_dir(join(root, name))]
    if "skip-build" not in arguments.all("--mode"):
        needed += [*files_of_scripts(packages, YARN_2), *files_of_dependencies(packages)]
    return Install(
        below_folders([packages.files[0], *locks, *packages.files[1:], *needed], context),
        _outputs_2(project, packages, variables),
        _rewritten(packages, locks, arguments, _is_stale_2),
        caches_sources=caches_sources(packages),
    )


def _linker(project: Project, packages: Packages, variables: Mapping[str, str | None]) -> object:
    return variables.get("YARN_NODE_LINKER") or settings_2(project, packages.root).get("nodeLinker") or "pnp"


def _outputs_2(project: Project, packages: Packages, variables: Mapping[str, str | None]) -> tuple[str, ...]:
    settings, linker = settings_2(project, packages.root), _linker(project, packages, variables)
    names = [".pnp.cjs", ".pnp.loader.mjs", ".yarn/unplugged"] if linker == "pnp" else []
    names += [".yarn/install-state.gz", ".yarn/build-state.yml"]
    major = major_of(packages, settings)
    is_global = settings.get("enableGlobalCache", major is not None and major >= _MAJOR_WITH_GLOBAL_CACHE)
    if not is_global and not packages.context.is_dir(join(packages.root, ".yarn/cache")):
        names.append(".yarn/cache")
    return (*(packages.outputs if linker != "pnp" else ()), *(join(packages.root, name) for name in names))


def _rewritten(packages: Packages, locks: tuple[str, ...], arguments: Arguments, is_stale: _Stale) -> tuple[str, ...]:
    if not locks or arguments.has(*_FIXED) or arguments.denies("--lockfile"):
        return ()
    return locks if is_stale(packages, packages.context.text(locks[0]) or "") else ()


def _ranges(packages: Packages) -> list[tuple[str, str]]:
    """Return what is to be resolved: without the workspaces themselves and what is overridden."""
    manifests = packages.manifests.values()
    known = {str(m.get("name")) for m in manifests} | {
        n.rpartition("/")[2] for m in manifests for n in table(m, "resolutions")
    }
    return [(name, version) for m in manifests for name, version in dependency_ranges(m) if name not in known]


def _entries(lock: str) -> frozenset[str]:
    """Return the `name@range` keys of a lock file."""
    keys = (line.strip().removesuffix(":") for line in _LOCK_ENTRY.findall(lock))
    return frozenset(key.strip().strip('"') for line in keys for key in line.split(","))


def _is_stale_1(packages: Packages, lock: str) -> bool:
    entries = _entries(lock)
    return any(f"{name}@{version}" not in entries for name, version in _ranges(packages))


def _is_stale_2(packages: Packages, lock: str) -> bool:
    if "__metadata:" not in lock:
        return True
    entries = _entries(lock)
    return any(
        f"{name}@npm:{version}" not in entries and f"{name}@{version}" not in entries
        for name, version in _ranges(packages)
        if not version.startswith(("patch:", "workspace:"))
    )
