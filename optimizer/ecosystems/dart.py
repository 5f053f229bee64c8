"""Dart and Flutter: the packages of a project, downloaded with its pubspec files alone.

`pub get` below the sources stays as it is: it finds all packages in pub's cache, and writes what depends on the
sources (the example's packages, generated registrants), as https://hub.docker.com/_/dart advises.

Sources: https://dart.dev/tools/pub/cmd/pub-get, https://dart.dev/tools/pub/workspaces,
https://dart.dev/tools/pub/environment-variables, https://docs.flutter.dev/packages-and-plugins/using-packages and
pub's `lib/src/entrypoint.dart`. Read, not tried: no build with packages stands behind this module.
"""

from collections.abc import Mapping
from posixpath import join

from msgspec import Struct

from optimizer.ecosystems._arguments import Arguments, Options, folder_of, parse, removes, variables_of
from optimizer.ecosystems._files import Refused
from optimizer.ecosystems._pubspec import read_packages
from optimizer.ecosystems.ecosystem import Ahead, Cache, Install, Project, Refusal
from optimizer.shell import Call

OPTIONS = Options.of(
    switches="""--offline --no-offline --enforce-lockfile --no-precompile --example --no-example -v
        --verbose --no-color --color --suppress-analytics --disable-analytics --no-version-check --release --profile
        --debug --no-pub --pub""",
    values="-C --directory",
)
_MARKS = (
    "dart pub get",
    "dart pub upgrade",
    "flutter pub get",
    "flutter packages get",
    "pub get",
    "flutter pub upgrade",
)
_CHANGES = frozenset({"add", "downgrade", "remove", "upgrade"})
_TOOLS = frozenset(
    "--version -v --help config disable-analytics doctor precache sdk upgrade channel --disable-analytics".split()
)
# Before all of these Flutter gets the packages itself; what is cleaned is to be built.
_BUILDS = frozenset({"build", "clean", "drive", "run", "test"})
_PLACES = ("PUB_CACHE", "PUB_HOSTED_URL", "FLUTTER_STORAGE_BASE_URL")


class Dart(Struct, frozen=True):
    """`dart pub get`, `flutter pub get`, and the commands of Flutter that get the packages unasked."""

    id: str = "dart"
    title: str = "Dart and Flutter"
    programs: frozenset[str] = frozenset({"dart", "flutter", "pub"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say what the call reads; the packages can be downloaded ahead of it."""
        words = _words(call)
        if words is None or "--offline" in words:
            return None
        if (
            (words[0] in _TOOLS and not _is_pub(call))
            or words[:2] == ["global", "activate"]
            or words[:2] == ["cache", "add"]
        ):
            return Refusal("the package to activate may be the project") if _is_local(call) else Install(())
        is_build = call.program == "flutter" and words[0] in _BUILDS and "--no-pub" not in words
        if words[0] != "get" and not is_build and words[0] not in _CHANGES:
            return None
        if call.directory is None or project.locate(".", call.directory) is None:
            return None
        try:
            return _ahead(call, project, words[0], is_build=is_build)
        except Refused as refused:
            return Refusal(str(refused), _MARKS)

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:
        """Name pub's cache, which stays: the packages are compiled from there."""
        if (_words(call) or [""])[0] not in {"get", "global", "upgrade"}:
            return None
        return Cache(
            "pub's cache",
            targets=(_cache_folder(variables_of(call, env)),),
            off="the packages of pub are used from its cache, so it stays: leave it behind in a build stage",
        )

    def cleans(self, call: Call) -> bool:
        """`dart pub cache clean`, or the folder removed."""
        return (_words(call) or [])[:2] == ["cache", "clean"] or removes(call, ".pub-cache")


ECOSYSTEM = Dart()


def _words(call: Call) -> list[str] | None:
    """Return the words behind `dart pub`, `flutter pub`, `flutter` or `pub`; None for another command."""
    words = [word.value or "" for word in call.arguments]
    if call.program == "pub":
        return words or None
    at = next((n for n, word in enumerate(words) if not word.startswith("-")), 0)
    if words[at : at + 1] in (["pub"], ["packages"]):
        return words[at + 1 :] or None
    return words[at:] or None if call.program == "flutter" or words[:1] == ["--version"] else None


def _is_pub(call: Call) -> bool:
    return call.program == "pub" or any(word.value in {"pub", "packages"} for word in call.arguments[:2])


def _is_local(call: Call) -> bool:
    words = [word.value or "" for word in call.arguments]
    return any(word in {"path", "-spath", "--source=path"} for word in words)


def _ahead(call: Call, project: Project, command: str, *, is_build: bool) -> Install | None:
    variables = variables_of(call, project.env)
    if command in _CHANGES:
        raise Refused(f"pub {command} changes which packages are used")
    if call.user is not None or len(call.words) != len(call.command.words):
        raise Refused(f"{call.program} runs within another command")
    if name := next((name for name in _PLACES if variables.get(name, "") is None), None):
        raise Refused(f"the value of {name} is not known")
    folder = _folder(call, project, variables, is_build=is_build)
    packages = read_packages(project, folder, is_flutter=call.program == "flutter")
    if not packages.wanted:
        return None
    line = "flutter pub get" if is_build else " ".join(word.text for word in call.words)
    prefix = "".join(f"{name}={word.text} " for name, word in call.command.assignments)
    fills = (_cache_folder(variables),)
    ahead = Ahead((f"{prefix}{line}",), folder, fills, _MARKS, "downloads the packages")
    return Install(packages.manifests, ahead=ahead)


def _folder(call: Call, project: Project, variables: Mapping[str, str | None], *, is_build: bool) -> str:
    """Return the context folder that the command runs in, which its own words say again where they name another."""
    if is_build:
        return folder_of(call, project, Arguments((), ()))
    arguments = parse(call.arguments, OPTIONS, variables)
    if isinstance(arguments, Refusal):
        raise Refused(arguments.reason)
    if len(arguments.plain) > (1 if call.program == "pub" else 2):
        raise Refused("pub get knows no names of packages")
    if arguments.all("-C", "--directory"):
        raise Refused("pub get is told of another folder")
    return folder_of(call, project, arguments)


def _cache_folder(variables: Mapping[str, str | None]) -> str:
    return variables.get("PUB_CACHE") or join(variables.get("HOME") or "/root", ".pub-cache")
