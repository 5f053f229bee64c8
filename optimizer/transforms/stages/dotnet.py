""".NET: the SDK publishes a program, and the image of the ASP.NET runtime of the same release runs it.

Sources: https://learn.microsoft.com/dotnet/core/tools/dotnet-publish, …/dotnet-build, and the images' own Dockerfiles
(github.com/dotnet/dotnet-docker): the SDK stands on the ASP.NET image, and takes its port back.
"""

import posixpath
import re
from collections.abc import Iterator

from optimizer.images import Variant, variant
from optimizer.images._tables import image_table
from optimizer.model import Step
from optimizer.shell import Call, resolve
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._slim_packages import ARCHIVED
from optimizer.transforms.stages import compiled
from optimizer.transforms.stages._built_sources import left_of_project
from optimizer.transforms.stages._java_outputs import start_texts
from optimizer.transforms.stages.interpreted import absolute, folder_of, home_of
from optimizer.transforms.stages.nodes import NOTHING, Build, Effect, Runtime
from optimizer.transforms.stages.packages import code
from optimizer.transforms.stages.paths import is_covered

ASPNET = "mcr.microsoft.com/dotnet/aspnet"
_FIRST = 5  # from here on the SDK stands on the ASP.NET image
_PORTS = 8  # from here on the port is HTTP_PORTS
_BUILDS = frozenset({"build", "publish"})
_LEAVES = frozenset({"clean", "restore", "test", "vstest", "msbuild"})
_LOOKING = frozenset({"--info", "--list-runtimes", "--list-sdks", "--version", "help", "list", "sln", "workload"})
_GLUED = lazy_pattern(r"(?:(?:--output|-o)[=:]|[-/]p:(?:PublishDir|OutputPath)=)(.+)", re.IGNORECASE)
_OUTPUT = lazy_pattern(r"(?:^|/)bin/(Debug|Release)/(net[\w.]+)/")
_STARTED = lazy_pattern(r"[^\s\"',;&|]+\.(?:dll|exe)\b")
_FROM_SOURCES = lazy_pattern(r"\bdotnet[\s\"',]+(run|watch|test|build|publish|ef|tool|fsi|script)\b")
_SERVES = lazy_pattern(r"WebApplication|WebHost|AspNetCore")
_FRAMEWORK = lazy_pattern(r"<TargetFrameworks?>([^<]+)<")
_OF_HOME = (".nuget", ".dotnet", ".local/share/NuGet", ".templateengine", ".cache", ".aspnet")
_OF_IMAGE = (
    *(f"/usr/share/dotnet/{name}" for name in ("metadata", "packs", "sdk", "sdk-manifests", "templates")),
    "/usr/share/powershell",
    "/usr/bin/pwsh",
)
_PROJECT = compiled.Sources(
    files=re.compile(
        r"(?:.*/)?(?:obj|\.vs|\.config)/.*|(?:.*/)?[^/]+\.(?:cs|csproj|cshtml|fs|fsproj|razor|resx|sln|slnx|user|vb|vbproj"
        r"|props|targets|runsettings|dcproj)|(?:.*/)?(?:NuGet\.[cC]onfig|nuget\.config|global\.json|packages\.lock\.json"
        r"|launchSettings\.json)"
    ),
    looks_back=re.compile(r"CallerFilePath|CSharpCodeProvider|CSharpScript|AddRazorRuntimeCompilation"),
    builders=frozenset({"msbuild", "nuget"}),
)


def effect(call: Call, step: Step, build: Build) -> Effect | None:
    """Say where the SDK puts what it builds."""
    if posixpath.basename(call.program) != "dotnet":
        return None
    words = [resolve(word, call.variables) or word.text for word in call.arguments]
    verb, folder = words[0] if words else "", folder_of(call)
    if verb in _LOOKING:
        return NOTHING
    if verb not in _BUILDS | _LEAVES or folder is None:
        return Effect(unknown=f"what dotnet {verb} of line {step.line} makes is not known")
    home = home_of(call, step, build)
    below = ("bin", "obj", "**/bin", "**/obj") if folder != "/" else ()
    leaves = (*(f"{folder}/{name}" for name in below), *(posixpath.join(home, name) for name in _OF_HOME))
    output = _output_folder(words)
    if output is None:
        return Effect(leaves=leaves)
    if "$" in output or verb not in _BUILDS:
        return Effect(unknown=f"where the dotnet {verb} of line {step.line} puts its files is not known")
    return Effect((f"{absolute(output, folder)}/",), leaves)


def _output_folder(words: list[str]) -> str | None:
    for at, word in enumerate(words):
        if word in {"-o", "--output"} and len(words) > at + 1:
            return words[at + 1]
        if match := _GLUED.fullmatch(word):
            return match[1]
    return None


def runtime(build: Build) -> Runtime | str | None:
    """Say which program is started, and take it to the runtime."""
    texts = list(start_texts(build))
    for text in texts:
        if found := _FROM_SOURCES.search(text):
            return f"dotnet {found[1]} is started, which works on the sources"
    base = _aspnet(build.full)
    if base is None or build.release in ARCHIVED:
        return f"no image of the runtime is known for {build.full.name}"
    started = _started(build, texts)
    if isinstance(started, str):
        return started
    programs = compiled.started_by_code(build, base)
    if isinstance(programs, str):
        return programs
    leaves = (*left_of_project(build, _PROJECT, started), *_OF_IMAGE)
    why = "The SDK and the sources stay in the build stage: the program needs the runtime alone."
    return Runtime(base, started, why, packages=programs, leaves_out=leaves, variables=tuple(_ports(build)))


def _aspnet(full: Variant) -> Variant | None:
    """Return the runtime of the same minor version on the same release, by the same tag where that leads there."""
    minor = ".".join(full.version.split(".")[:2])
    table = image_table(ASPNET)
    if table is None or minor not in table.versions or int(minor.partition(".")[0]) < _FIRST:
        return None
    suffixes = table.sets[table.versions[minor][0]]
    wanted = full.suffix if full.version == minor and suffixes.get(full.suffix) == full.canonical else full.canonical
    return variant(ASPNET, "-".join(filter(None, (minor, wanted)))) if wanted in suffixes else None


def _started(build: Build, texts: list[str]) -> tuple[str, ...] | str:
    """Return the folders of what is started, each certain to be there."""
    found: dict[str, None] = {}
    words = [word for text in texts for word in _STARTED.findall(text)] or [need.program for need in build.needs]
    for word in words:
        path = posixpath.normpath(posixpath.join(build.workdir, word))
        if folder := next((made for made in build.made if is_covered(path, (made,))), None):
            found[folder] = None
        elif (match := _OUTPUT.search(path)) and _is_made(match, path, build):
            found[f"{posixpath.dirname(path)}/"] = None
        elif word.endswith(".dll"):
            return f"what makes {word} is not known"
    return tuple(found) or "which program is started is not known"


def _is_made(match: re.Match[str], path: str, build: Build) -> bool:
    """Tell whether the configuration and the framework in a path are those of a build."""
    texts = [build.subject.context.text(source) or "" for place, source in build.copied.items() if "proj" in place]
    frameworks = {name.strip() for text in texts for found in _FRAMEWORK.findall(text) for name in found.split(";")}
    verb = "publish" if "/publish/" in path else "build"
    for work in build.works:
        for call, _ in work.effects:
            words = [word.value or "" for word in call.arguments] if call else []
            if words[:1] in (["publish"], [verb]) and match[1] in words and match[2] in frameworks:
                return True
    return False


def _ports(build: Build) -> Iterator[tuple[str, str]]:
    """Give the variable back that the runtime's image sets and the SDK's empties: a program may listen elsewhere."""
    major = int(build.full.version.partition(".")[0])
    name = "ASPNETCORE_HTTP_PORTS" if major >= _PORTS else "ASPNETCORE_URLS"
    if not {name, "ASPNETCORE_URLS"} & build.env.keys() and any(map(_SERVES.search, code(build))):
        yield name, ""
