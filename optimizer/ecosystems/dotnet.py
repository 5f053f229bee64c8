"""The .NET SDK: packages restored with solutions, projects and settings alone.

A build restores again, which finds the packages in place and downloads what another option asks for.

Sources: https://learn.microsoft.com/dotnet/core/tools/dotnet-restore, …/dotnet-build, …/dotnet-publish and
https://learn.microsoft.com/nuget/consume-packages/managing-the-global-packages-and-cache-folders.
Read, not tried: no build with packages stands behind this module.
"""

import re
from collections.abc import Mapping
from posixpath import join

from msgspec import Struct

from optimizer.ecosystems._arguments import Arguments, Options, parse, variables_of
from optimizer.ecosystems._dotnet_projects import (
    PROJECTS,
    SOLUTIONS,
    Solution,
    find_target,
    package_settings,
    read_solution,
)
from optimizer.ecosystems._files import Refused
from optimizer.ecosystems.ecosystem import Ahead, Cache, Install, Project, Refusal
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern

RESTORE = Options.of(
    switches="""--disable-build-servers --disable-parallel -f --force --force-evaluate --ignore-failed-sources
        --interactive --locked-mode --no-cache --no-http-cache --no-dependencies --use-lock-file""",
    values="-r --runtime -s --source -v --verbosity --configfile -p --property --tl",
)
BUILD = Options.of(
    switches="""--no-incremental --no-dependencies --nologo --no-logo --no-restore --no-build --disable-build-servers
        --interactive --force --tl""",
    values="""-c --configuration -o --output -r --runtime -v --verbosity -p --property -f --framework
        --version-suffix""",
)
_RESTORE = "dotnet restore"
_BUILDS = frozenset({"build", "publish"})
_PROPERTY = lazy_pattern(r"(?:--?|/)p(?:roperty)?:([\w.]+)=([\w.:+-]*)", re.IGNORECASE)
_ELSEWHERE = lazy_pattern(
    r"(?:Restore|MSBuild|NuGet|Directory)\w+|NUGET_(?!PACKAGES$|XMLDOC_MODE$|CERT)\w+|DOTNET_CLI_HOME"
)
_WORD = lazy_pattern(r"[\w./:+-]+", re.ASCII)


class DotNet(Struct, frozen=True):
    """`dotnet restore`, and `dotnet build` and `dotnet publish`, which restore first."""

    id: str = "dotnet"
    title: str = ".NET"
    programs: frozenset[str] = frozenset({"dotnet"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say what the call reads; a build has its packages restored ahead."""
        words = [word.value for word in call.arguments]
        start = None if call.directory is None else project.locate(".", call.directory)
        if call.program != "dotnet" or start is None or not words:
            return None
        try:
            if words[:2] == ["tool", "install"] and {"-g", "--global"} & set(words):
                return Install(tuple(package_settings(project, start)))
            if words[0] == "restore":
                return _restore(call, project, start)
            return _build(call, project, start) if words[0] in _BUILDS else None
        except Refused as refused:
            return Refusal(str(refused), (_RESTORE,) if words[0] in _BUILDS else ())

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:
        """Name the packages, which stay: a build reads them where they are."""
        if call.program != "dotnet" or [word.value for word in call.arguments[:1]] != ["restore"]:
            return None
        return Cache(
            "NuGet's packages",
            targets=packages(variables_of(call, env)),
            off="a build reads NuGet's packages where they are: leave them behind in a build stage",
        )

    def cleans(self, call: Call) -> bool:
        """`dotnet nuget locals all --clear`."""
        words = [word.value for word in call.arguments]
        return call.program == "dotnet" and words[:2] == ["nuget", "locals"] and bool({"-c", "--clear"} & set(words))


ECOSYSTEM = DotNet()


def packages(variables: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return the folder of the packages, root's where no home is known."""
    return (variables.get("NUGET_PACKAGES") or join(variables.get("HOME") or "/root", ".nuget/packages"),)


def _restore(call: Call, project: Project, start: str) -> Install:
    arguments, properties, solution = _read(call, project, start, RESTORE)
    for name in ("--configfile", "-s", "--source"):
        if any(not (value or "").startswith("https://") for value in arguments.all(name)):
            raise Refused(f"the option {name} may name a place in the project")
    if any(name.lower().startswith(("restore", "nuget", "msbuild", "base", "artifacts")) for name, _ in properties):
        raise Refused("a property of the command changes what is restored")
    return Install(solution.manifests, solution.outputs, rewrites=solution.locks)


def _build(call: Call, project: Project, start: str) -> Install | None:
    arguments, properties, solution = _read(call, project, start, BUILD)
    if arguments.has("--no-restore", "--no-build"):
        return None
    if call.user is not None or len(call.words) != len(call.command.words):
        raise Refused("the build runs within another command")
    if start != project.source and not any(path.startswith(f"{start}/") for path in solution.manifests):
        raise Refused(f"{start} holds nothing of what is restored")
    configuration = arguments.last("-c", "--configuration")
    runtime = arguments.last("-r", "--runtime")
    if solution.depends_on_configuration and arguments.all("-c", "--configuration"):
        properties.append(("Configuration", configuration))
    words = [call.words[0].text, "restore", *(argument.text for argument in arguments.plain[1:])]
    if arguments.all("-r", "--runtime"):
        words += ["-r", runtime or "$"]
    words += [f"-p:{name}={value or '$'}" for name, value in properties]
    if odd := next((word for word in words if not _WORD.fullmatch(word.replace("=", ""))), None):
        raise Refused(f"the word {odd} changes what is restored, and is not known before the build")
    prefix = [f"{name}={word.text}" for name, word in call.command.assignments]
    ahead = Ahead(
        (" ".join([*prefix, *words]),),
        start,
        packages(variables_of(call, project.env)),
        (_RESTORE,),
        "restores the packages",
    )
    return Install(solution.manifests, solution.outputs, ahead=ahead)


def _read(
    call: Call, project: Project, start: str, known: Options
) -> tuple[Arguments, list[tuple[str, str | None]], Solution]:
    """Return the options, the properties and the solution of a call; raise `Refused` where one is not understood."""
    variables = variables_of(call, project.env)
    if name := next((name for name in variables if _ELSEWHERE.fullmatch(name)), None):
        raise Refused(f"{name} changes what is restored")
    if variables.get("NUGET_PACKAGES", "/") is None or project.holds(packages(variables)[0]):
        raise Refused("NUGET_PACKAGES may name a place in the project")
    matches = {word: _PROPERTY.fullmatch(word.text) for word in call.arguments}
    properties: list[tuple[str, str | None]] = [(found[1], found[2]) for found in matches.values() if found]
    arguments = parse([word for word in call.arguments if not matches[word]], known, variables)
    if isinstance(arguments, Refusal):
        raise Refused(arguments.reason)
    if arguments.all("-p", "--property"):
        raise Refused("a property of the command is not understood")
    return arguments, properties, read_solution(project, start, _target(call, project, start, arguments))


def _target(call: Call, project: Project, start: str, arguments: Arguments) -> str:
    named = arguments.plain[1:]
    if not named:
        return find_target(project.context, start)
    value = named[0].value
    path = None if value is None or len(named) > 1 else project.locate(value, call.directory or "/")
    if path is None:
        raise Refused(f"{named[0].text} is not known to be a project of the build context")
    if project.context.is_dir(path):
        return find_target(project.context, path)
    if not path.endswith((*PROJECTS, *SOLUTIONS)):
        raise Refused(f"{path} is no solution and no project")
    return path
