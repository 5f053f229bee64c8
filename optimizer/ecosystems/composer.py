"""Composer: install the packages without scripts and autoloader, and do both once the sources are there.

The second `composer install` finds all packages in place: it writes the autoloader and runs the scripts.

Sources: https://getcomposer.org/doc/03-cli.md#install-i, …#clear-cache-clearcache-cc and #environment-variables.
Tried with a package of type `package`; what Packagist adds is read.
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
    parse,
    removes,
    variables_of,
    whole,
    with_switch,
)
from optimizer.ecosystems._composer_project import read_project
from optimizer.ecosystems._files import Refused
from optimizer.ecosystems.ecosystem import Cache, Install, Project, Refusal
from optimizer.shell import Call

OPTIONS = Options.of(
    switches="""--prefer-source --prefer-dist --dev --no-suggest --no-dev --no-autoloader --no-scripts --no-progress
        --audit -v -vv -vvv --verbose -o --optimize-autoloader -a --classmap-authoritative --apcu-autoloader
        --ignore-platform-reqs -q --quiet -n --no-interaction --ansi --no-ansi --profile --no-plugins --no-cache""",
    values="--prefer-install --ignore-platform-req --apcu-autoloader-prefix --audit-format -d --working-dir",
)
_INSTALLS = frozenset({"install", "i"})
_FILLS = _INSTALLS | {"create-project", "global", "require", "req", "update", "u", "upgrade"}
_CLEARS = frozenset({"clear-cache", "clearcache", "cc"})
_CHANGES = frozenset({"require", "req", "remove", "rm", "update", "u", "upgrade"})
_INDEPENDENT = frozenset({"global", "self-update", "selfupdate"}) | _CLEARS
_PLACES = ("COMPOSER", "COMPOSER_VENDOR_DIR", "COMPOSER_BIN_DIR", "COMPOSER_HOME")
_STEPS = ("--no-scripts", "--no-autoloader")


class Composer(Struct, frozen=True):
    """`composer install`."""

    id: str = "composer"
    title: str = "Composer"
    programs: frozenset[str] = frozenset({"composer"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say what the call reads; where it writes the autoloader or runs scripts, `then` does that later."""
        name = _command(call)
        if call.program != "composer" or name is None:
            return None
        if name in _INDEPENDENT:
            return None if name in _CLEARS and _moves_cache(call, project) else Install(())
        if name in _CHANGES:
            return Refusal(f"composer {name} changes composer.json or composer.lock")
        variables = variables_of(call, project.env)
        arguments = parse(call.arguments, OPTIONS, variables) if name in _INSTALLS else None
        if arguments is None or isinstance(arguments, Refusal):
            return arguments
        directory = call.directory or ""
        if directory[:1] == "/" and project.locate(arguments.last("-d", "--working-dir") or ".", directory) is None:
            return None
        try:
            return _install(call, project, arguments, variables)
        except Refused as refused:
            return Refusal(str(refused))

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:
        """Name the archives and the index of the packages."""
        if call.program != "composer" or _command(call) not in _FILLS:
            return None
        variables = variables_of(call, env)
        off = any(word.value in {"--no-cache", "--dry-run"} for word in call.arguments)
        return Cache(
            "Composer's download cache",
            cleanup=("composer clear-cache",),
            targets=_folders(variables),
            off="nothing is cached" if off or variables.get("COMPOSER_CACHE_DIR") == "/dev/null" else None,
        )

    def cleans(self, call: Call) -> bool:
        """`composer clear-cache`, or the folder removed."""
        cleared = call.program == "composer" and _command(call) in _CLEARS
        return cleared or removes(call, ".composer/cache", "/.composer", ".cache/composer")


ECOSYSTEM = Composer()


def _command(call: Call) -> str | None:
    word = command_of(call.arguments, OPTIONS)
    return word.value if word else None


def _folders(variables: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return the folders of the cache, both usual ones where nothing is said."""
    if own := variables.get("COMPOSER_CACHE_DIR"):
        return (own,)
    if home := variables.get("COMPOSER_HOME"):
        return (join(home, "cache"),)
    return tuple(join(variables.get("HOME") or "/root", name) for name in (".composer/cache", ".cache/composer"))


def _moves_cache(call: Call, project: Project) -> bool:
    """Tell whether composer.json may say where the cache is."""
    folder = None if call.directory is None else project.locate(".", call.directory)
    manifest = None if folder is None else json_file(project.context, join(folder, "composer.json"))
    return call.directory is None or "cache-dir" in table(manifest, "config")


def _install(call: Call, project: Project, arguments: Arguments, variables: Mapping[str, str | None]) -> Install:
    for name in _PLACES:
        value = variables.get(name, "/")
        if value is None or not value.startswith("/") or (value != "/" and project.holds(value)):
            raise Refused(f"{name} may name a place in the project")
    if len(arguments.plain) > 1:
        raise Refused("composer install knows no names of packages")
    folder = folder_of(call, project, arguments, "-d", "--working-dir")
    left = [name for name in _STEPS if not arguments.has(name)]
    packages = read_project(
        project.context,
        folder,
        dev=not arguments.has("--no-dev"),
        plugins=not arguments.has("--no-plugins"),
        scripts=not arguments.has("--no-scripts"),
        twice=bool(left),
    )
    if not left:
        if not project.context.ignore.ignores(packages.vendor):
            raise Refused(
                f"{packages.vendor} of another machine could replace what is installed, as nothing ignores it"
            )
        return Install(packages.manifests, (packages.vendor,))
    command = with_switch(call, arguments.plain[0].word, " ".join(left))
    return Install(packages.manifests, (packages.vendor,), command=command, then=whole(call))
