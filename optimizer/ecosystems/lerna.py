"""Lerna's `bootstrap`, which installs in every package of a repository and links these to one another.

Source: https://github.com/lerna/lerna/tree/v6.6.2/libs/commands/bootstrap (Lerna 7 left it out). Everything else that
Lerna does is a build step.
"""

from collections.abc import Mapping
from posixpath import join

from msgspec import Struct

from optimizer.context.manifests import json_file, table
from optimizer.ecosystems._arguments import Arguments, Options, folder_of, parse, refuse_paths, variables_of
from optimizer.ecosystems._files import Refused, below_folders, need, visible
from optimizer.ecosystems._javascript import Packages, dependency_ranges, local_files, read_packages
from optimizer.ecosystems._lifecycle import NPM, caches_sources, files_of_dependencies, files_of_scripts
from optimizer.ecosystems._npmrc import rc_files
from optimizer.ecosystems.ecosystem import Cache, Install, Project, Refusal
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern

OPTIONS = Options.of(
    switches="""--hoist --ci --ignore-scripts --ignore-prepublish --strict --force-local --private --progress --sort
        --include-dependencies --include-dependents --prefix --reject-cycles --yes -y --no-install --no --silent""",
    values="--scope --ignore --concurrency --loglevel --npm-client --registry --nohoist --max-buffer",
    negatable=True,
)
_LOCKS = ("npm-shrinkwrap.json", "package-lock.json")
_MAJOR = lazy_pattern(r"(?:lerna@)?[\^~]?(\d+)(?:\.[\w.-]+)?")
_WITH_BOOTSTRAP = range(3, 7)  # Lerna 2 asks git first


class Lerna(Struct, frozen=True):
    """`lerna bootstrap`, started as it is or through npx."""

    id: str = "lerna"
    title: str = "Lerna"
    programs: frozenset[str] = frozenset({"lerna", "npx"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say what the call reads: lerna.json and what each package declares."""
        arguments = parse(call.arguments, OPTIONS, variables_of(call, project.env))
        words = (
            [w.text for w in call.arguments] if isinstance(arguments, Refusal) else [a.text for a in arguments.plain]
        )
        named = words.pop(0) if call.program == "npx" and words else "lerna"
        if call.program not in self.programs or named.partition("@")[0] != "lerna" or "bootstrap" not in words:
            return None
        if isinstance(arguments, Refusal):
            return arguments
        if words != ["bootstrap"]:
            return Refusal(f"lerna {' '.join(words)} hands options to npm")
        try:
            folder = folder_of(call, project, arguments)
            refuse_paths(call, project, arguments)
            return _install(project, folder, arguments, named)
        except Refused as refused:
            return Refusal(str(refused))

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:  # noqa: ARG002 - part of the protocol
        """Answer none: npm, which Lerna starts, has a cache of its own."""
        return None

    def cleans(self, call: Call) -> bool:  # noqa: ARG002 - part of the protocol
        """Answer no, for there is no cache."""
        return False


ECOSYSTEM = Lerna()


def _install(project: Project, folder: str, arguments: Arguments, named: str) -> Install:
    context = project.context
    settings = table(json_file(context, need(context, join(folder, "lerna.json"))))
    bootstrap = {**table(settings, "command", "bootstrap"), **settings}
    _check(arguments, bootstrap)
    listed = settings.get("packages")
    patterns = [p for p in listed if isinstance(p, str)] if isinstance(listed, list) else ["packages/*"]
    packages = read_packages(project, folder, patterns)
    _check_version(packages, named)
    needed = [path for at in packages.manifests for path in rc_files(packages, at)]
    needed += local_files(packages, ("file:", "link:"))
    if not (arguments.has("--ignore-scripts") or bootstrap.get("ignoreScripts") is True):
        needed += [*files_of_scripts(packages, NPM), *files_of_dependencies(packages)]
    locks = {at: visible(context, at, *_LOCKS) for at in packages.manifests}
    first, *members = (path for at in packages.manifests for path in (join(at, "package.json"), *locks[at]))
    manifests = below_folders([first, join(folder, "lerna.json"), *members, *needed], context)
    written = () if arguments.has("--ci") else tuple(path for found in locks.values() for path in found)
    return Install(manifests, packages.outputs, written, caches_sources=caches_sources(packages))


def _check(arguments: Arguments, settings: Mapping[str, object]) -> None:
    """Raise `Refused` for settings that hand the work to something else than npm in every package."""
    client = arguments.last("--npm-client") or settings.get("npmClient") or "npm"
    if client != "npm":
        raise Refused(f"lerna has {client} install the packages")
    if settings.get("useWorkspaces") or "extends" in settings:
        raise Refused(f"lerna.json sets {'extends' if 'extends' in settings else 'useWorkspaces'}")
    if "npmClientArgs" in settings:
        raise Refused("lerna.json hands options to npm")


def _check_version(packages: Packages, named: str) -> None:
    """Raise `Refused` where the version may be one that reads more than the manifests."""
    ranges = [version for name, version in dependency_ranges(packages.manifests[packages.root]) if name == "lerna"]
    found = _MAJOR.fullmatch(named) or (_MAJOR.fullmatch(ranges[0]) if ranges else None)
    if found is None:
        raise Refused("which Lerna runs cannot be told")
    if int(found[1]) not in _WITH_BOOTSTRAP:
        raise Refused(f"Lerna {found[1]} is not one of those whose bootstrap reads package.json files alone")
