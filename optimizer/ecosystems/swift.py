"""Swift: the packages of a project, resolved and fetched with Package.swift and Package.resolved alone.

`swift package resolve` in front of the sources is what the Dockerfiles of Vapor's and Hummingbird's templates do.

Sources: https://docs.swift.org/swiftpm/documentation/packagemanagerdocs/resolvingpackageversions,
`Sources/CoreCommands/Options.swift` and `Sources/Workspace/Workspace+Configuration.swift` of the package manager.
Read, not tried: no build with packages stands behind this module.
"""

from collections.abc import Mapping
from posixpath import join

from msgspec import Struct

from optimizer.ecosystems._arguments import Arguments, Options, folder_of, parse, removes, variables_of
from optimizer.ecosystems._files import Refused
from optimizer.ecosystems._swift_package import read_package
from optimizer.ecosystems.ecosystem import Ahead, Cache, Install, Project, Refusal
from optimizer.shell import Call

_PATHS = "--package-path --cache-path --scratch-path --build-path"
OPTIONS = Options.of(
    switches="""-v --verbose -vv --very-verbose -q --quiet --disable-sandbox --enable-dependency-cache
        --disable-dependency-cache --force-resolved-versions --disable-automatic-resolution
        --only-use-versions-from-resolved-file --skip-update --enable-prefetching --disable-prefetching --netrc
        --enable-netrc --disable-netrc --static-swift-stdlib --no-static-swift-stdlib --build-tests
        --enable-test-discovery --disable-local-rpath --enable-code-coverage --enable-experimental-prebuilts
        --skip-build --parallel --no-parallel --show-bin-path --enable-all-traits --disable-default-traits
        --enable-xctest --disable-xctest --enable-swift-testing --disable-swift-testing --auto-index-store""",
    values=f"""{_PATHS} -c --configuration -Xswiftc -Xcc -Xlinker -Xcxx -j --jobs --product --target --triple
        --sanitize --traits --build-system --swift-sdk --sdk --filter --skip --num-workers --color-diagnostics""",
)
_RESOLVE = "swift package resolve"
_MARKS = (_RESOLVE, "swift package update", "swift package fetch", "swift build", "swift test", "swift run")
# What a build says of the resolution; all else is for the compiler.
_KEPT = frozenset(
    f"""{_PATHS} --disable-sandbox --enable-dependency-cache --disable-dependency-cache --force-resolved-versions
    --disable-automatic-resolution --only-use-versions-from-resolved-file --skip-update --netrc --enable-netrc
    --disable-netrc --traits --enable-all-traits --disable-default-traits""".split()
)
_BUILDS = frozenset({"build", "run", "test"})


class Swift(Struct, frozen=True):
    """`swift package resolve`, and the builds that resolve unasked."""

    id: str = "swift"
    title: str = "Swift"
    programs: frozenset[str] = frozenset({"swift"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say what the call reads; a build has its packages fetched ahead."""
        words = [word.value or "" for word in call.arguments]
        if call.program != "swift" or not words or call.directory is None:
            return None
        if words[0] == "--version":
            return Install(())
        is_resolve = words[:2] in (["package", "resolve"], ["package", "fetch"])
        if words[:2] == ["package", "update"]:
            return Refusal("swift package update changes Package.resolved", _MARKS)
        is_build = words[0] in _BUILDS or words[:2] == ["package", "clean"]
        if not (is_resolve or is_build) or project.locate(".", call.directory) is None:
            return None
        try:
            return _answer(call, project, is_resolve=is_resolve)
        except Refused as refused:
            return Refusal(str(refused), () if is_resolve else _MARKS)

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:
        """Name the shared cache of the repositories, a copy of what .build holds."""
        words = [word.value for word in call.arguments[:2]]
        if call.program != "swift" or not (words[:1] == ["build"] or words == ["package", "resolve"]):
            return None
        home = variables_of(call, env).get("HOME") or "/root"
        return Cache(
            "the package manager's cache",
            targets=(join(home, ".cache/org.swift.swiftpm"), join(home, ".swiftpm/cache")),
            off="a Swift build keeps the repositories in .build too: leave both behind in a build stage",
        )

    def cleans(self, call: Call) -> bool:
        """`swift package purge-cache`, or the folder removed."""
        purged = [word.value for word in call.arguments[:2]] == ["package", "purge-cache"]
        return (call.program == "swift" and purged) or removes(call, ".cache/org.swift.swiftpm", ".swiftpm/cache")


ECOSYSTEM = Swift()


def _answer(call: Call, project: Project, *, is_resolve: bool) -> Install | None:
    variables = variables_of(call, project.env)
    arguments = parse(call.arguments[2 if call.arguments[0].value == "package" else 1 :], OPTIONS, variables)
    if isinstance(arguments, Refusal):
        raise Refused(arguments.reason)
    if call.user is not None or len(call.words) != len(call.command.words):
        raise Refused("swift runs within another command")
    if is_resolve and arguments.plain:
        raise Refused("swift package resolve of one package changes Package.resolved")
    for name in ("--scratch-path", "--build-path", "--cache-path"):
        if arguments.hidden(name):
            raise Refused(f"the value of {name} is not known")
    folder = folder_of(call, project, arguments, "--package-path")
    package = read_package(project, folder)
    if not package.wanted:
        return None
    outputs = _outputs(call, project, arguments, package.root)
    if is_resolve and package.stale is None:
        return Install(package.manifests, outputs)
    ahead = Ahead(
        (_command(call, arguments),), project.locate(".", call.directory or "/") or "", outputs, _MARKS, _DOES
    )
    return Install(package.manifests, outputs, ahead=ahead)


_DOES = "fetches the packages"


def _command(call: Call, arguments: Arguments) -> str:
    """Return the resolution for a build, with those of its options that matter to it."""
    prefix = "".join(f"{name}={word.text} " for name, word in call.command.assignments)
    options = (word for name, value in arguments.options if name in _KEPT for word in (name, value) if word)
    return " ".join([prefix + _RESOLVE, *options])


def _outputs(call: Call, project: Project, arguments: Arguments, root: str) -> tuple[str, ...]:
    """Return the folder for what is fetched and built, where that is among the copied files."""
    named = arguments.last("--scratch-path") or arguments.last("--build-path")
    if named is None:
        return (join(root, ".build"),)
    place = project.locate(named, call.directory or "/")
    return (place,) if place else ()
