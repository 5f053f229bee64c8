"""npm: package.json, the lock file, workspaces, and what the lifecycle scripts need.

Sources: https://docs.npmjs.com/cli/v10/commands/npm-install, https://docs.npmjs.com/cli/v10/commands/npm-ci,
https://docs.npmjs.com/cli/v10/using-npm/config, https://docs.npmjs.com/cli/v10/configuring-npm/package-lock-json.
"""

from collections.abc import Mapping
from posixpath import join

from msgspec import Struct

from optimizer.context.manifests import json_file, table
from optimizer.ecosystems._arguments import (
    Arguments,
    Options,
    command_of,
    folder_of,
    is_on,
    parse,
    refuse_paths,
    removes,
    variables_of,
)
from optimizer.ecosystems._files import Refused, below_folders, visible
from optimizer.ecosystems._javascript import (
    FIELDS,
    Manifest,
    Packages,
    local_files,
    nearest_package,
    package_root,
    read_packages,
)
from optimizer.ecosystems._lifecycle import NPM, caches_sources, files_of_dependencies, files_of_scripts
from optimizer.ecosystems._npmrc import LOCAL_SPECS, rc_files, rc_ignores_scripts
from optimizer.ecosystems.ecosystem import Cache, Install, Project, Refusal
from optimizer.shell import Call

OPTIONS = Options.of(
    switches="""-g --global -D --save-dev -S --save -O --save-optional -P --save-prod -E --save-exact -B --save-bundle
        --save-peer --ignore-scripts --production --workspaces -ws --include-workspace-root --legacy-peer-deps
        --strict-peer-deps -f --force --audit --fund --optional --dev -s --silent -q --quiet -d -dd -ddd --verbose
        --unsafe-perm --prefer-offline --prefer-online --offline --package-lock --package-lock-only --progress
        --strict-ssl --bin-links --engine-strict --color --unicode --update-notifier --foreground-scripts
        --global-style --legacy-bundling --prefer-dedupe --build-from-source --dry-run --install-links --shrinkwrap
        --timing --json -v --version -h --help --yes -y --allow-same-version --rebuild-bundle
        --scripts-prepend-node-path --workspaces-update --format-package-lock --save-bundle""",
    values="""-C --prefix -w --workspace --omit --include --only --also --registry --cache --loglevel --userconfig
        --globalconfig --location -L --maxsockets --fetch-retries --fetch-retry-factor --fetch-retry-mintimeout
        --fetch-retry-maxtimeout --fetch-timeout --network-concurrency --network-timeout --proxy --https-proxy
        --noproxy --tag --depth --install-strategy --python --target --arch --platform --cpu --os --libc --tmp
        --user --node-gyp --script-shell --before --ca --auth-type --otp --target_arch --target_platform --sqlite
        --cache-min --cache-max --node-options --dist-url --disturl --runtime --cafile""",
    negatable=True,
)
_CI = frozenset({"ci", "clean-install", "ic", "install-clean", "isntall-clean"})
_INSTALL = frozenset({"install", "i", "in", "ins", "inst", "insta", "instal", "isnt", "isnta", "isntal", "isntall"})
_ADD = frozenset({"add"})
_INDEPENDENT = frozenset({"cache", "config", "set", "login", "adduser", "ping", "help", "view", "info", "whoami"})
_LOCKS = ("npm-shrinkwrap.json", "package-lock.json")


class Npm(Struct, frozen=True):
    """`npm install`, `npm ci` and their aliases."""

    id: str = "npm"
    title: str = "npm"
    programs: frozenset[str] = frozenset({"npm"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say what the call reads; a global install reads nothing."""
        if call.program != "npm":
            return None
        variables = variables_of(call, project.env)
        arguments = parse(call.arguments, OPTIONS, variables)
        if isinstance(arguments, Refusal):
            return arguments if _command(call) in _CI | _INSTALL | _ADD else None
        command = arguments.plain[0].value if arguments.plain else "help"
        if command in _INDEPENDENT and arguments.last("-L", "--location") != "project":
            return Install(())
        if command not in _CI | _INSTALL | _ADD:
            return None
        if arguments.has("-g", "--global") or arguments.last("-L", "--location") == "global":
            return _global(arguments)
        try:
            folder = folder_of(call, project, arguments, "-C", "--prefix")
            refuse_paths(call, project, arguments, "--userconfig", "--globalconfig", "--cafile", "--cache", "--tmp")
            return _install(project, folder, arguments, ignore_scripts=ignores_scripts(arguments, variables))
        except Refused as refused:
            return Refusal(str(refused))

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:
        """Name the packages as they were downloaded, in ~/.npm (https://docs.npmjs.com/cli/v10/commands/npm-cache)."""
        if call.program != "npm" or _command(call) not in _CI | _INSTALL | _ADD:
            return None
        variables = variables_of(call, env)
        own = variables.get("NPM_CONFIG_CACHE") or variables.get("npm_config_cache")
        return Cache(
            "npm's download cache",
            cleanup=("npm cache clean --force",),
            targets=(own or join(variables.get("HOME") or "/root", ".npm"),),
            off=_why_no_cache(call),
        )

    def cleans(self, call: Call) -> bool:
        """`npm cache clean` (`rm`, `clear`, `verify` does not), or the folder removed."""
        words = [word.value for word in call.arguments]
        cleaned = call.program == "npm" and "cache" in words and {"clean", "clear", "rm"} & set(words)
        return bool(cleaned) or removes(call, ".npm", ".npm/_cacache")


ECOSYSTEM = Npm()


def ignores_scripts(arguments: Arguments, variables: Mapping[str, str | None]) -> bool:
    """Tell whether an option or a variable switches lifecycle scripts off."""
    named = (variables.get(n) for n in ("NPM_CONFIG_IGNORE_SCRIPTS", "npm_config_ignore_scripts"))
    return arguments.has("--ignore-scripts") or any(map(is_on, named))


def _command(call: Call) -> str | None:
    word = command_of(call.arguments, OPTIONS)
    return word.value if word else None


def _global(arguments: Arguments) -> Install | Refusal:
    """Answer for packages by name, which go to a folder of the system; one that is a path is built from the project."""
    for word in arguments.plain[1:]:
        if word.text.startswith(LOCAL_SPECS):
            return Refusal(f"npm install -g {word.text} reads the project")
    return Install(()) if len(arguments.plain) > 1 else Refusal("npm install -g without a name installs the project")


def _install(project: Project, folder: str, arguments: Arguments, *, ignore_scripts: bool) -> Install:
    context = project.context
    command, *named = arguments.plain
    if named and not visible(context, folder, "package.json"):
        return _without_manifest(project, folder, named[0].text)
    # Only without --prefix does npm look for a package.json in the folders above.
    own, root = (folder, folder) if arguments.all("-C", "--prefix") else _roots(project, folder)
    if named:
        raise Refused(f"npm {command.text} {named[0].text} changes {join(own, 'package.json')}")
    packages = read_packages(project, root)
    # npm takes versions from a yarn.lock where it has no lock file of its own, and keeps it up to date.
    locks = (*visible(context, root, *_LOCKS)[:1], *visible(context, root, "yarn.lock"))
    if command.value in _CI and not visible(context, root, *_LOCKS):
        raise Refused(f"npm ci needs {join(root, 'package-lock.json')}, which the build does not see")
    needed = [*rc_files(packages), *local_files(packages, ("file:",))]
    # npm 6 knows no workspaces, and takes what lies beside the package.json.
    needed += [*rc_files(packages, own), *visible(context, own, *_LOCKS)] if own != root else []
    if not (ignore_scripts or rc_ignores_scripts(packages)):
        needed += [*files_of_scripts(packages, NPM), *files_of_dependencies(packages)]
    first, *members = packages.files
    manifests = below_folders([first, *locks, *members, *needed], context)
    stale = command.value not in _CI and any(_is_stale(packages, lock) for lock in locks)
    return Install(
        manifests,
        packages.outputs,
        locks if stale and not (arguments.denies("--save") or arguments.denies("--package-lock")) else (),
        caches_sources=caches_sources(packages),
    )


def _roots(project: Project, folder: str) -> tuple[str, str]:
    """Return the folder of the package.json that the call is about, and that of the workspaces that it is one of."""
    return nearest_package(project, folder), package_root(project, folder)


def _without_manifest(project: Project, folder: str, name: str) -> Install:
    """Answer for packages by name where there is no package.json: npm makes one."""
    if name.startswith(LOCAL_SPECS):
        raise Refused(f"npm install {name} reads the project")
    try:
        above = package_root(project, folder)
    except Refused:
        return Install((), tuple(join(folder, n) for n in ("node_modules", "package.json", "package-lock.json")))
    raise Refused(f"npm install {name} changes {join(above, 'package.json')}")


def _is_stale(packages: Packages, path: str) -> bool:
    """Tell whether `npm install` may write the lock file anew: it says something else, or has the form of npm 6."""
    lock = json_file(packages.context, path)
    entries = table(lock, "packages")
    if not entries:
        return True
    prefix = f"{packages.root}/" if packages.root else ""
    return any(
        _differs(manifest, table(entries, folder[len(prefix) :] if folder != packages.root else ""))
        for folder, manifest in packages.manifests.items()
    )


def _differs(manifest: Manifest, entry: Mapping[str, object]) -> bool:
    if any(table(manifest, field) != table(entry, field) for field in (*FIELDS, "engines")):
        return True
    return any(
        manifest.get(field) != entry.get(field)
        for field in ("version", "license")
        if isinstance(manifest.get(field), str)
    )


def _why_no_cache(call: Call) -> str | None:
    words = {word.value for word in call.arguments}
    if any((word or "").startswith("--cache") for word in words):
        return "the call names a cache folder of its own"
    return "the call is a dry run" if "--dry-run" in words else None
