"""Bun's installer: package.json, bun.lock or bun.lockb, bunfig.toml.

Sources: https://bun.sh/docs/cli/install, https://bun.sh/docs/runtime/bunfig, https://bun.sh/docs/install/cache.
"""

from collections.abc import Mapping
from posixpath import join

from msgspec import Struct

from optimizer.context import Context
from optimizer.context.manifests import table, toml_file
from optimizer.ecosystems._arguments import (
    Arguments,
    Options,
    command_of,
    folder_of,
    parse,
    refuse_paths,
    removes,
    variables_of,
)
from optimizer.ecosystems._files import Refused, below_folders, visible
from optimizer.ecosystems._javascript import (
    FIELDS,
    Packages,
    local_files,
    nearest_package,
    package_root,
    patched_dependencies,
    read_packages,
)
from optimizer.ecosystems._lifecycle import YARN_1, caches_sources, files_of_dependencies, files_of_scripts
from optimizer.ecosystems._npmrc import LOCAL_SPECS, global_install, rc_files
from optimizer.ecosystems.ecosystem import Cache, Install, Project, Refusal
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern

OPTIONS = Options.of(
    switches="""--production -p --frozen-lockfile --save --dry-run -f --force --cache --silent --quiet --verbose
        --progress --summary --verify --ignore-scripts --trust -g --global --save-text-lockfile --lockfile-only -d
        --dev -D --development -E --exact --optional --peer -y --yarn --version -v --help -h -a --analyze""",
    values="""--cache-dir --cwd --backend --registry --concurrent-scripts --network-concurrency --omit --filter -F
        --linker --ca --cafile -c --config --minimum-release-age --cpu --os""",
    negatable=True,
)
_INSTALLS = frozenset({"install", "i", "ci"})
_ADDS = frozenset({"add", "a"})
_OTHER_LOCKS = ("package-lock.json", "yarn.lock", "pnpm-lock.yaml", "pnpm-workspace.yaml")
_TRAILING_COMMA = lazy_pattern(r",(\s*[}\]])")


class Bun(Struct, frozen=True):
    """`bun install` and `bun ci`."""

    id: str = "bun"
    title: str = "Bun"
    programs: frozenset[str] = frozenset({"bun"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say what the call reads; a global install reads nothing."""
        command = command_of(call.arguments, OPTIONS) if call.program == "bun" else None
        if command is None or command.value not in _INSTALLS | _ADDS:
            return None
        arguments = parse(call.arguments, OPTIONS, variables_of(call, project.env))
        if isinstance(arguments, Refusal):
            return arguments
        named = arguments.plain[1:]
        if arguments.has("-g", "--global") and not any(w.text.startswith(LOCAL_SPECS) for w in named):
            return global_install(call, project)
        if named or command.value in _ADDS:
            return Refusal(f"bun {' '.join(w.text for w in arguments.plain[:2])} changes package.json")
        try:
            folder = folder_of(call, project, arguments, "--cwd")
            refuse_paths(call, project, arguments, "--cache-dir", "--cafile", "-c", "--config")
            return _install(project, folder, arguments)
        except Refused as refused:
            return Refusal(str(refused))

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:
        """Answer that the cache is to stay: on Linux the installed files are hard links to it."""
        command = command_of(call.arguments, OPTIONS) if call.program == "bun" else None
        if command is None or command.value not in _INSTALLS | _ADDS:
            return None
        variables = {**env, **call.variables}
        own = variables.get("BUN_INSTALL_CACHE_DIR")
        target = own or join(variables.get("HOME") or "/root", ".bun/install/cache")
        off = "the installed packages are hard links into Bun's cache, so that its removal frees little"
        return Cache("Bun's cache", targets=(target,), off=off)

    def cleans(self, call: Call) -> bool:
        """`bun pm cache rm`, or the folder removed."""
        cleaned = call.program == "bun" and [w.value for w in call.arguments][:3] == ["pm", "cache", "rm"]
        return cleaned or removes(call, ".bun/install/cache")


ECOSYSTEM = Bun()


def _install(project: Project, folder: str, arguments: Arguments) -> Install:
    context = project.context
    root = package_root(project, folder)
    packages = read_packages(project, root)
    locks = visible(context, root, "bun.lock", "bun.lockb")
    fixed = arguments.has("--frozen-lockfile") or arguments.plain[0].value == "ci"
    if fixed and not locks:
        raise Refused(f"bun needs {join(root, 'bun.lock')}, which the build does not see")
    # Without a lock file of its own, Bun takes over that of another package manager.
    locks = locks or visible(context, root, *_OTHER_LOCKS)
    needed = [*_settings(context, root), *rc_files(packages), *local_files(packages, ("link:",))]
    own = nearest_package(project, folder)
    needed += [*_settings(context, own), *rc_files(packages, own)] if own != root else []
    needed += patched_dependencies(packages, packages.manifests[root].get("patchedDependencies"))
    if not arguments.has("--ignore-scripts"):
        needed += [*files_of_scripts(packages, YARN_1), *files_of_dependencies(packages)]
    bound = tuple(path for path in locks if path.rpartition("/")[2].startswith("bun."))
    kept = fixed or arguments.denies("--save") or not _is_stale(packages, bound)
    manifests = below_folders([packages.files[0], *locks, *packages.files[1:], *needed], context)
    rewrites = () if kept else bound
    return Install(manifests, packages.outputs, rewrites, caches_sources=caches_sources(packages))


def _settings(context: Context, root: str) -> tuple[str, ...]:
    found = visible(context, root, "bunfig.toml")
    if not found:
        return ()
    content = toml_file(context, found[0])
    if not isinstance(content, dict):
        raise Refused(f"{found[0]} cannot be read")
    cache = table(content, "install").get("cache")
    if isinstance(cache, str) or table(cache).get("dir") or table(content, "install", "lockfile").get("path"):
        raise Refused(f"{found[0]} puts files elsewhere")
    if "$" in (context.text(found[0]) or "") and visible(context, root, ".env", ".env.local", ".env.production"):
        raise Refused(f"{found[0]} takes values from .env")
    return found


def _is_stale(packages: Packages, locks: tuple[str, ...]) -> bool:
    """Tell whether the lock file says something else than the manifests; the binary form cannot be read."""
    import json

    text = packages.context.text(locks[0]) if locks and locks[0].endswith("bun.lock") else None
    if text is None:
        return bool(locks)
    try:
        entries = table(json.loads(_TRAILING_COMMA.sub(r"\1", text)), "workspaces")
    except ValueError:
        return True
    prefix = f"{packages.root}/" if packages.root else ""
    for folder, manifest in packages.manifests.items():
        entry = table(entries, "" if folder == packages.root else folder[len(prefix) :])
        if any(table(manifest, field) != table(entry, field) for field in FIELDS):
            return True
    return False
