"""The files that `dotnet restore` reads of a solution: projects, what they refer to and import, and settings.

Sources: https://learn.microsoft.com/dotnet/core/tools/dotnet-restore,
https://learn.microsoft.com/visualstudio/msbuild/customize-by-directory,
https://learn.microsoft.com/visualstudio/msbuild/property-functions,
https://learn.microsoft.com/nuget/consume-packages/configuring-nuget-behavior,
https://learn.microsoft.com/nuget/consume-packages/central-package-management and
https://learn.microsoft.com/nuget/reference/msbuild-targets#restore-properties.
"""

import re
from collections.abc import Iterator
from posixpath import basename, dirname, join

from msgspec import Struct

from optimizer.context import Context
from optimizer.ecosystems._files import Refused, beside, nearest, need, unique, upwards, visible
from optimizer.ecosystems.ecosystem import Project
from optimizer.syntax.lazy_pattern import lazy_pattern

PROJECTS = (".csproj", ".fsproj", ".vbproj")
SOLUTIONS = (".sln", ".slnx")
_SDK = lazy_pattern(r"\s*<Project\s[^>]*\bSdk\s*=\s*[\"']Microsoft\.NET\.Sdk(?:\.\w+)?[\"']")
_COMMENT = lazy_pattern(r"<!--(?:(?!<!--).)*?-->|<\?(?:(?!<\?).)*?\?>", re.DOTALL)
_TAG = lazy_pattern(r"<(\w[\w.]*)((?:\s+[\w:.-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*)\s*/?>")
_ATTRIBUTE = lazy_pattern(r"([\w:.-]+)\s*=\s*[\"']([^\"']*)[\"']")
_READS = lazy_pattern(
    r"\bExists\s*\(|\$\(\[System\.IO|FileAbove|<!DOCTYPE|<!\[CDATA|<UsingTask|InitialTargets", re.IGNORECASE
)
_MOVES = lazy_pattern(
    r"<((?:Restore(?!PackagesWithLockFile|LockedMode|Ignore|NoCache)\w+|NuGetLockFilePath|BaseIntermediateOutputPath"
    r"|MSBuildProjectExtensionsPath|ArtifactsPath|UseArtifactsOutput|IntermediateOutputPath|\w*ImportDirectory\w+"
    r"|DirectoryBuild\w+Path|DirectoryPackagesPropsPath)\b)"
)
_HOOK = lazy_pattern(r"Restore|CollectPackage|PackageVersion|ProjectReference", re.IGNORECASE)
_ENTRY = lazy_pattern(r'^Project\("\{([\w-]+)\}"\) = "[^"]*", "([^"]+)"', re.MULTILINE)
_FOLDER = "2150E333-8FDC-42A3-9474-1A3956D46DE8"
_LISTED = lazy_pattern(r"<Project\s[^>]*?\bPath\s*=\s*\"([^\"]+)\"")
_HARMLESS = lazy_pattern(r"true|false|\d+|https?://\S+", re.IGNORECASE)
_CREDENTIAL = lazy_pattern(r"user\s?name|\w*password|\w*auth\w*", re.IGNORECASE)
_DIRECTORY = "$(MSBuildThisFileDirectory)"


class Solution(Struct, frozen=True):
    """What a restore reads, where it writes, and the lock files that it may write anew."""

    manifests: tuple[str, ...]
    outputs: tuple[str, ...]
    locks: tuple[str, ...]
    depends_on_configuration: bool


def read_solution(project: Project, start: str, target: str) -> Solution:
    """Read the solution or project at a context path, for a command that runs in the folder `start`.

    Raises `Refused` where it cannot be told which files a restore reads.
    """
    context = project.context
    first = [target] if target.endswith(SOLUTIONS) else []
    found: dict[str, str] = {}
    todo = list(_listed(context, target)) if first else [target]
    while todo:
        path = todo.pop(0)
        if path not in found:
            found[path] = _text(context, path)
            if not _SDK.match(found[path]):
                raise Refused(f"{path} is no project of the usual kind")
            todo += _references(path, found[path])
    shared = _shared(project, [target, *found])
    for path, text in [*found.items()]:
        _add_imports(context, path, text, found)
    for path in shared:
        _add_imports(context, path, _text(context, path), found)
    settings = _settings(project, start, [target, *found])
    folders = unique(dirname(path) for path in found if path.endswith(PROJECTS))
    locks = tuple(path for folder in folders for path in visible(context, folder, "packages.lock.json"))
    texts = [*found.values(), *(context.text(path) or "" for path in shared)]
    return Solution(
        unique([*first, *found, *shared, *settings, *locks]),
        tuple(join(folder, "obj") for folder in folders),
        locks,
        any("$(Configuration)" in text for text in texts),
    )


def find_target(context: Context, folder: str) -> str:
    """Return the solution or project that a command takes in a folder; raise `Refused` where there is not just one."""
    names = (path for path in context.under(folder) if dirname(path) == folder)
    found = [path for path in names if path.endswith((*PROJECTS, *SOLUTIONS, ".proj", ".slnf"))]
    if len(found) != 1:
        raise Refused(f"{folder or 'the folder'} holds {len(found) or 'no'} solutions and projects")
    return found[0]


def package_settings(project: Project, folder: str) -> list[str]:
    """Return the settings of NuGet that hold in a folder; raise `Refused` where packages come from a folder."""
    found = []
    for at in upwards(project, folder):
        for path in visible(project.context, at, "nuget.config", "NuGet.config", "NuGet.Config"):
            text = _COMMENT.sub("", project.context.text(path) or "")
            for name, attributes in _tags(text):
                value = attributes.get("value", "")
                secret = _CREDENTIAL.fullmatch(attributes.get("key", ""))
                if name == "add" and not secret and not _HARMLESS.fullmatch(value):
                    raise Refused(f"{path} takes packages from, or puts them into, {value}")
            found.append(path)
    return found


def _listed(context: Context, path: str) -> Iterator[str]:
    text = context.text(need(context, path)) or ""
    entries = _ENTRY.findall(text) if path.endswith(".sln") else [("", name) for name in _LISTED.findall(text)]
    for kind, name in entries:
        if kind.upper() != _FOLDER:
            yield _project(path, name)


def _project(path: str, name: str) -> str:
    """Return the context path of a project that another file names."""
    if re.search(r"[$@%*?]", name):
        raise Refused(f"{path} names projects by a pattern ({name})")
    inside = beside(dirname(path), name.strip().replace("\\", "/"))
    if inside is None or not inside.endswith(PROJECTS):
        raise Refused(f"{path} names {name}, which is no project of the build context")
    return inside


def _text(context: Context, path: str) -> str:
    """Return a project without its comments; raise `Refused` where it reads files or has its files elsewhere."""
    text = _COMMENT.sub("", context.text(need(context, path)) or "")
    if odd := _READS.search(text) or _MOVES.search(text):
        raise Refused(f"{path} may read or write other files ({odd[0].strip('<(')})")
    for name, attributes in _tags(text):
        if name == "Target" and any(_HOOK.search(v) for k, v in attributes.items() if k != "Condition"):
            raise Refused(f"{path} adds to the restore")
    return text


def _tags(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    return ((match[1], dict(_ATTRIBUTE.findall(match[2]))) for match in _TAG.finditer(text))


def _references(path: str, text: str) -> Iterator[str]:
    for name, attributes in _tags(text):
        if name == "ProjectReference":
            for one in filter(str.strip, attributes.get("Include", "").split(";")):
                yield _project(path, one)


def _shared(project: Project, paths: list[str]) -> tuple[str, ...]:
    """Return what MSBuild reads unasked of the folders above the projects, the nearest of each."""
    found = []
    for folder in unique(map(dirname, paths)):
        for name in ("Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props"):
            at = nearest(project, folder, name)
            found += [] if at is None else [join(at, name)]
        if nearest(project, folder, "Directory.Build.rsp", "MSBuild.rsp", "Directory.Solution.props") is not None:
            raise Refused("a Directory.Build.rsp or Directory.Solution.props changes how MSBuild is called")
    return unique(found)


def _add_imports(context: Context, path: str, text: str, found: dict[str, str]) -> None:
    """Add the files that a project imports, and those that they import."""
    for name, attributes in _tags(text):
        if name == "ProjectReference" and not path.endswith(PROJECTS):
            raise Refused(f"{path} refers to projects")
        if name != "Import":
            continue
        wanted = attributes.get("Project", "").replace("\\", "/").removeprefix(_DIRECTORY)
        inside = beside(dirname(path), wanted.removeprefix("/") if _DIRECTORY in attributes["Project"] else wanted)
        if "Sdk" in attributes or not wanted or inside is None or re.search(r"[$@%*?]", wanted):
            raise Refused(f"{path} imports {attributes.get('Project', 'a file')}")
        if inside not in found:
            found[inside] = _text(context, inside)
            _add_imports(context, inside, found[inside], found)


def _settings(project: Project, start: str, paths: list[str]) -> list[str]:
    found = []
    for folder in unique([start, *map(dirname, paths)]):
        found += package_settings(project, folder)
        at = nearest(project, folder, "global.json")
        found += [] if at is None else [join(at, "global.json")]
    if odd := next((path for path in paths if basename(path) == "packages.config"), None):
        raise Refused(f"{odd} is of an old kind")
    return found
