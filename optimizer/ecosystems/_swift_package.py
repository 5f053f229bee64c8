"""Package.swift and Package.resolved, as far as the resolution of packages reads them.

Package.swift is a program: what it may read besides the description of the package is a reason to leave it alone.

Sources: https://docs.swift.org/swiftpm/documentation/packagedescription, `PackageLoading/ManifestLoader.swift` and
`Workspace/Workspace+BinaryArtifacts.swift` of the package manager.
"""

import re
from posixpath import dirname, join

from msgspec import Struct

from optimizer.context import Context
from optimizer.context.manifests import json_file, table
from optimizer.ecosystems._files import Refused, beside, nearest, need, unique, visible
from optimizer.ecosystems.ecosystem import Project
from optimizer.syntax.lazy_pattern import lazy_pattern

_NAME, _LOCK = "Package.swift", "Package.resolved"
_SETTINGS = (".swiftpm/configuration/mirrors.json", ".swiftpm/configuration/registries.json")
_COMMENT = lazy_pattern(r"^\s*//(?! swift-tools-version).*$", re.MULTILINE)
_IMPORT = lazy_pattern(r"^[ \t]*(?:@\w+[ \t]+)?import[ \t]+(?:\w+[ \t]+)?(\w+)", re.MULTILINE)
_IMPORTS = frozenset({"PackageDescription", "CompilerPluginSupport", "Foundation"})
_READS = lazy_pattern(
    r"FileManager|contentsOf|FileHandle|InputStream|Process\s*\(|Bundle\b|Context\s*\.\s*(?:packageDirectory|gitInformation)"
    r"|#file\w*|\b(?:f?open|popen|system|access|stat|dlopen|readlink)\s*\("
)
_LOCAL = lazy_pattern(r"\.package\s*\(\s*(?:name\s*:\s*\"[^\"]*\"\s*,\s*)?path\s*:\s*(\"[^\"]*\"|[^,)]*)")
_REMOTE = lazy_pattern(r"\.package\s*\((?!\s*(?:name\s*:\s*\"[^\"]*\"\s*,\s*)?path\s*:)([^)]*)\)?")
_URL = lazy_pattern(r"\burl\s*:\s*\"([^\"]+)\"")
_FROM = lazy_pattern(r"(?:\bfrom|\bupToNextMajor\s*\(\s*from)\s*:\s*\"(\d+(?:\.\d+){1,2})\"")
_EXACT = lazy_pattern(r"\bexact\s*[:(]\s*\"(\d+\.\d+\.\d+)\"|\.exact\(\s*\"(\d+\.\d+\.\d+)\"")
_BINARY = lazy_pattern(r"\.binaryTarget\s*\(\s*name\s*:\s*[^,]*,\s*path\s*:")


class Package(Struct, frozen=True):
    """The folder of the package, the files that are read, whether anything is fetched, and why pins may change."""

    root: str
    manifests: tuple[str, ...]
    wanted: bool
    stale: str | None


def read_package(project: Project, start: str) -> Package:
    """Read the package that a context folder belongs to; raise `Refused` where more may be read."""
    context = project.context
    root = nearest(project, start, _NAME)
    if root is None:
        raise Refused("the project has no Package.swift")
    texts: dict[str, str] = {}
    todo = [root]
    while todo:
        folder = todo.pop(0)
        for path in _manifests_in(context, folder):
            if path not in texts:
                texts[path] = _program(context, path)
                todo += _folders(context, path, texts[path])
    remote = [match for text in texts.values() for match in _REMOTE.findall(text)]
    locks = visible(context, root, _LOCK)
    first = (join(root, _NAME), *locks, *visible(context, root, *_SETTINGS))
    return Package(
        root, unique([*first, *texts]), bool(remote), _why_stale(context, locks[0], remote) if locks else None
    )


def _manifests_in(context: Context, folder: str) -> list[str]:
    """Return Package.swift, and those for a certain version of the tools beside it."""
    path = need(context, join(folder, _NAME))
    return [path, *context.match(join(folder, "Package@swift-*.swift"))]


def _program(context: Context, path: str) -> str:
    text = _COMMENT.sub("", context.text(path) or "")
    if odd := next((name for name in _IMPORT.findall(text) if name not in _IMPORTS), None):
        raise Refused(f"{path} is a program, and what {odd} reads is not known")
    if match := _READS.search(text):
        raise Refused(f"{path} is a program that may read other files ({match[0].strip(' (')})")
    if _BINARY.search(text):
        raise Refused(f"{path} names a binary target that lies in the project")
    return text


def _folders(context: Context, path: str, text: str) -> list[str]:
    """Return the folders of the packages that are named by a path."""
    found = []
    for name in _LOCAL.findall(text):
        if not name.startswith('"') or "\\" in name:
            raise Refused(f"{path} works out where a package lies")
        inside = None if name[1] in "/~" else beside(dirname(path), name.strip('"'))
        if inside is None:
            raise Refused(f"the package in {name.strip(chr(34))} lies outside of the build context")
        need(context, join(inside, _NAME))
        found.append(inside)
    return found


def _why_stale(context: Context, path: str, remote: list[str]) -> str | None:
    """Say why a resolution may write Package.resolved anew, None where its pins are certainly those wanted."""
    pins = _pins(json_file(context, path))
    for words in remote:
        url = _URL.search(words)
        if url is None or not _is_met(pins.get(_identity(url[1])), words):
            return f"{path} may not pin {url[1] if url else 'all packages'} as Package.swift asks for it"
    return None


def _pins(resolved: object) -> dict[str, str]:
    """Return the pinned version of each package, by its repository's name ("" for a branch or commit)."""
    listed = table(resolved).get("pins") or table(resolved, "object").get("pins")
    found = {}
    for pin in listed if isinstance(listed, list) else ():
        location = table(pin).get("location") or table(pin).get("repositoryURL")
        found[_identity(str(location))] = str(table(pin, "state").get("version") or "")
    return found


def _identity(url: str) -> str:
    return url.rstrip("/").removesuffix(".git").rsplit("/", 1)[-1].lower()


def _is_met(version: str | None, words: str) -> bool:
    """Tell whether a pin is certainly what a requirement asks for."""
    if not version or not re.fullmatch(r"\d+\.\d+\.\d+", version):
        return False
    have = [*map(int, version.split("."))]
    if exact := _EXACT.search(words):
        return version in exact.groups()
    least = _FROM.search(words)
    wanted = [*map(int, least[1].split("."))] if least else []
    return bool(wanted) and have[0] == wanted[0] and have >= wanted
