"""pnpm: package.json, the lock file, the workspace file, hooks and patches.

Sources: https://pnpm.io/cli/install, https://pnpm.io/cli/fetch, https://pnpm.io/pnpm-workspace_yaml,
https://pnpm.io/pnpmfile, https://pnpm.io/settings.
"""

from collections.abc import Mapping
from posixpath import join

from msgspec import Struct

from optimizer.context.manifests import table, yaml_file
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
from optimizer.ecosystems._files import Refused, below_folders, nearest, upwards, visible
from optimizer.ecosystems._javascript import (
    FIELDS,
    Manifest,
    Packages,
    local_files,
    nearest_package,
    patched_dependencies,
    read_packages,
)
from optimizer.ecosystems._lifecycle import PNPM, caches_sources, files_of_dependencies, files_of_scripts
from optimizer.ecosystems._npmrc import LOCAL_SPECS, global_install, rc_files, rc_ignores_scripts
from optimizer.ecosystems.ecosystem import Cache, Install, Project, Refusal
from optimizer.ecosystems.npm import ignores_scripts
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern

OPTIONS = Options.of(
    switches="""--frozen-lockfile --prod --production -P --dev -D --optional -O --offline --prefer-offline
        --ignore-scripts --shamefully-hoist --strict-peer-dependencies -r --recursive -w --workspace-root
        --lockfile-only --fix-lockfile --lockfile --ignore-workspace --unsafe-perm --verify-store-integrity
        --aggregate-output --stream --use-store-server --force --side-effects-cache --side-effects-cache-readonly
        --hoist --resolution-only --merge-git-branch-lockfiles --ignore-pnpmfile --silent -s --color -g --global
        --save --save-dev --save-prod --save-exact -E --version -v --help -h --yes -y --audit --fund
        --dangerously-allow-all-builds --prefer-frozen-lockfile --verify-deps-before-run --if-present
        --auto-install-peers --link-workspace-packages --engine-strict --strict-ssl""",
    values="""--reporter --loglevel -F --filter --filter-prod -C --dir --store-dir --lockfile-dir --virtual-store-dir
        --modules-dir --package-import-method --child-concurrency --workspace-concurrency --network-concurrency
        --fetch-retries --fetch-timeout --registry --hoist-pattern --public-hoist-pattern --allow-build --cpu --os
        --libc --node-linker --pnpmfile --global-pnpmfile --cache-dir --state-dir --config-dir --test-pattern
        --changed-files-ignore-pattern --network-timeout --proxy --https-proxy --userconfig""",
    negatable=True,
)
_INSTALLS = frozenset({"install", "i", "fetch", "ci", "clean-install"})
_RESOLVES = frozenset({"install", "i"})
_INDEPENDENT = frozenset({"config", "c", "setup", "store", "env", "help"})
_PNPMFILES = (".pnpmfile.cjs", ".pnpmfile.mjs", "pnpmfile.js")
_REQUIRES = lazy_pattern(
    r"require\(\s*[^'\"]|(?:require\(|from|import)\s*\(?['\"]\.{1,2}/|readFile|__dirname|process\.cwd"
)
_LOCAL = lazy_pattern(r"(?:link|file|portal):")
_FOLDERS = ("--lockfile-dir", "--virtual-store-dir", "--modules-dir", "--pnpmfile", "--global-pnpmfile", "--store-dir",
            "--cache-dir", "--state-dir", "--userconfig")  # fmt: skip


class Pnpm(Struct, frozen=True):
    """`pnpm install` and `pnpm fetch`."""

    id: str = "pnpm"
    title: str = "pnpm"
    programs: frozenset[str] = frozenset({"pnpm"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say what the call reads; a global install reads nothing."""
        command = command_of(call.arguments, OPTIONS) if call.program == "pnpm" else None
        if command is None:
            return None
        variables = variables_of(call, project.env)
        arguments = parse(call.arguments, OPTIONS, variables)
        if command.value not in _INSTALLS | _INDEPENDENT | {"add"}:
            return None
        if isinstance(arguments, Refusal):
            return arguments
        if command.value in _INDEPENDENT:
            return Install(())
        named = arguments.plain[1:]
        if arguments.has("-g", "--global") and named and not any(w.text.startswith(LOCAL_SPECS) for w in named):
            return global_install(call, project)
        if named or command.value == "add":
            return Refusal(f"pnpm {' '.join(w.text for w in arguments.plain[:2])} changes package.json")
        try:
            folder = folder_of(call, project, arguments, "-C", "--dir")
            refuse_paths(call, project, arguments, *_FOLDERS)
            if any("[" in (value or "") for value in arguments.all("-F", "--filter", "--filter-prod")):
                return Refusal("the filter asks version control what has changed")
            return _install(project, folder, arguments, ignore_scripts=ignores_scripts(arguments, variables))
        except Refused as refused:
            return Refusal(str(refused))

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:
        """Answer that the store is to stay: the installed files are links to it (https://pnpm.io/motivation)."""
        command = command_of(call.arguments, OPTIONS) if call.program == "pnpm" else None
        if command is None or command.value not in _INSTALLS | {"add"}:
            return None
        home = {**env, **call.variables}.get("HOME") or "/root"
        off = "the installed packages are hard links into pnpm's store, so that its removal frees little"
        return Cache("pnpm's store", targets=(join(home, ".local/share/pnpm/store"),), off=off)

    def cleans(self, call: Call) -> bool:
        """`pnpm store prune`, or the folder removed."""
        pruned = call.program == "pnpm" and [w.value for w in call.arguments][:2] == ["store", "prune"]
        return pruned or removes(call, "pnpm/store", ".pnpm-store")


ECOSYSTEM = Pnpm()


def _install(project: Project, folder: str, arguments: Arguments, *, ignore_scripts: bool) -> Install:
    context = project.context
    top = None if arguments.has("--ignore-workspace") else nearest(project, folder, "pnpm-workspace.yaml")
    own = nearest_package(project, folder)
    root = own if top is None else top
    path = join(root, "pnpm-workspace.yaml")
    settings = table(yaml_file(context, path))
    packages = read_packages(project, root, _patterns(project, root, settings) if top is not None else ())
    if own not in packages.manifests:
        raise Refused(f"{join(own, 'package.json')} is in no workspace of {path}")
    _check(packages, settings)
    locks = visible(context, root, "pnpm-lock.yaml")
    fixed = arguments.has("--frozen-lockfile") or arguments.plain[0].value not in _RESOLVES
    if fixed and not locks:
        raise Refused(f"pnpm needs {join(root, 'pnpm-lock.yaml')}, which the build does not see")
    hooks = () if arguments.has("--ignore-pnpmfile") else _hooks(packages)
    needed = [
        *(rc for at in upwards(project, root) for rc in rc_files(packages, at)),
        *hooks,
        *local_files(packages, ("link:",)),
    ]
    needed += [rc for member in packages.manifests for rc in rc_files(packages, member)]
    needed += patched_dependencies(packages, table(packages.manifests[root], "pnpm").get("patchedDependencies"))
    needed += patched_dependencies(packages, settings.get("patchedDependencies"))
    if arguments.plain[0].value != "fetch" and not (ignore_scripts or rc_ignores_scripts(packages)):
        needed += [*files_of_scripts(packages, PNPM), *files_of_dependencies(packages)]
    first, *members = packages.files
    more = [
        lock for member in packages.manifests if member != root for lock in visible(context, member, "pnpm-lock.yaml")
    ]
    workspace = visible(context, root, "pnpm-workspace.yaml")
    stale = bool(locks) and not fixed and _is_stale(packages, context.text(locks[0]) or "")
    manifests = below_folders([first, *locks, *workspace, *members, *more, *needed], context)
    rewrites = locks if stale else ()
    return Install(manifests, packages.outputs, rewrites, caches_sources=caches_sources(packages))


def _patterns(project: Project, root: str, settings: Mapping[str, object]) -> tuple[str, ...]:
    found = settings.get("packages")
    if isinstance(found, list):
        return tuple(p for p in found if isinstance(p, str))
    prefix = f"{root}/" if root else ""
    below = (
        p
        for p in project.context.files
        if p.startswith(prefix) and p.endswith("/package.json") and "node_modules/" not in p
    )
    if other := next((p for p in below if p != join(root, "package.json")), None):
        raise Refused(f"pnpm-workspace.yaml does not say whether {other} belongs to the workspace")
    return ()


def _check(packages: Packages, settings: Mapping[str, object]) -> None:
    """Raise `Refused` for packages of the workspace that are copied into `node_modules` (injected)."""
    for folder, manifest in packages.manifests.items():
        if any(table(one).get("injected") for one in table(manifest, "dependenciesMeta").values()):
            raise Refused(f"the install copies packages of the workspace ({join(folder, 'package.json')})")
    if settings.get("injectWorkspacePackages"):
        raise Refused("the install copies packages of the workspace (injectWorkspacePackages)")
    if local := next(
        (n for n, v in table(settings, "overrides").items() if isinstance(v, str) and _LOCAL.match(v)), None
    ):
        raise Refused(f"the dependency {local} is a folder of the project")
    for key in ("modulesDir", "virtualStoreDir", "storeDir", "lockfileDir", "pnpmfile", "globalPnpmfile", "cacheDir"):
        if key in settings:
            raise Refused(f"pnpm-workspace.yaml sets {key}")


def _hooks(packages: Packages) -> tuple[str, ...]:
    found = visible(packages.context, packages.root, *_PNPMFILES)
    for path in found:
        if _REQUIRES.search(packages.context.text(path) or ""):
            raise Refused(f"{path} reads other files of the project")
    return found


def _is_stale(packages: Packages, lock: str) -> bool:
    """Tell whether the lock file says something else than the manifests; only its first part is read as YAML."""
    import yaml

    head = lock.split("\npackages:", 1)[0].split("\nsnapshots:", 1)[0]
    try:
        found = table(yaml.load(head, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))  # noqa: S506 - both are safe
    except yaml.YAMLError:
        return True
    importers = table(found, "importers") or {".": found}
    prefix = f"{packages.root}/" if packages.root else ""
    return any(
        _differs(manifest, table(importers, "." if folder == packages.root else folder[len(prefix) :]))
        for folder, manifest in packages.manifests.items()
    )


def _differs(manifest: Manifest, importer: Mapping[str, object]) -> bool:
    wanted = {name: version for field in FIELDS[:3] for name, version in table(manifest, field).items()}
    known = wanted.keys() | table(manifest, "peerDependencies").keys()
    locked = table(importer, "specifiers") or {
        name: table(entry).get("specifier") for field in FIELDS[:3] for name, entry in table(importer, field).items()
    }
    return bool(locked.keys() - known) or any(locked.get(name) != version for name, version in wanted.items())
