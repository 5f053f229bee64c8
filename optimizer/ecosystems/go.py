"""Go: the modules that a build needs, downloaded with go.mod and go.sum alone.

Sources: https://go.dev/ref/mod#go-mod-download, https://go.dev/ref/mod#environment-variables,
https://pkg.go.dev/cmd/go and `cmd/go/internal/modcmd/download.go`.

`go mod download` takes every module that go.mod requires (before go 1.17 every module of the graph), also one that the
build at hand does not need: the module cache can become larger, and a private module that only another program of the
project needs must be within reach.
"""

import re
from collections.abc import Mapping
from posixpath import join

from msgspec import Struct

from optimizer.ecosystems._arguments import variables_of
from optimizer.ecosystems._files import Refused
from optimizer.ecosystems._go_modules import Modules, read_modules
from optimizer.ecosystems.ecosystem import Ahead, Cache, Install, Project, Refusal
from optimizer.shell import Call, resolve
from optimizer.syntax.lazy_pattern import lazy_pattern

_DOWNLOAD = "go mod download"
_BUILDS = frozenset({"build", "generate", "get", "install", "list", "run", "test", "tool", "vet"})
_INDEPENDENT = frozenset({"env", "help", "telemetry", "version"})
_TIDY = frozenset({"edit", "init", "tidy", "vendor"})
# Variables that a compiler cares for, and a download does not.
_BUILD_ONLY = lazy_pattern(
    r"CGO_\w+|GO(?:OS|ARCH|ARM|ARM64|AMD64|386|MIPS\w*|PPC64|RISCV64|WASM|GCFLAGS|EXPERIMENT|CACHE|BIN)"
    r"|CC|CXX|LD|AR|FC|PKG_CONFIG\w*|LDFLAGS|BUILD_?TAGS"
)
_PACKAGE = lazy_pattern(r"[\w-]+(?:\.[\w-]+)+(?:/|$)")
_MODE = lazy_pattern(r"--?(mod|modfile|overlay|C)(?:=(.*))?", re.DOTALL)


class Go(Struct, frozen=True):
    """`go build`, `go install`, `go test` and the like, and `go mod download` itself."""

    id: str = "go"
    title: str = "Go"
    programs: frozenset[str] = frozenset({"go"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say what the call reads; a build has its modules downloaded ahead."""
        if call.program != "go" or not call.arguments:
            return None
        command, *rest = (word.value or "" for word in call.arguments)
        if command in _INDEPENDENT:
            return Install(())
        if command == "mod" and rest[:1] and rest[0] in _TIDY:
            return Refusal(f"go mod {rest[0]} reads the sources")
        if command == "install" and any("@" in word.text for word in call.arguments[1:]):
            return Install(())
        is_build = command in _BUILDS and not any("@" in word.text for word in call.arguments[1:2] if command == "run")
        if not is_build and [command, *rest[:1]] not in (["mod", "download"], ["mod", "verify"]):
            return None
        try:
            return _answer(call, project, command)
        except Refused as refused:
            return Refusal(str(refused), (_DOWNLOAD,) if is_build else ())

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:
        """Name the modules, which stay: a later step may need them, and downloading is what its layer is for."""
        words = [word.value for word in call.arguments[:2]]
        if call.program != "go" or (words != ["mod", "download"] and words[:1] not in (["build"], ["install"])):
            return None
        return Cache(
            "Go's module cache",
            targets=module_caches(variables_of(call, env)),
            off="the module cache of Go is kept, as later builds need it: leave it behind in a build stage",
        )

    def cleans(self, call: Call) -> bool:
        """`go clean -modcache`."""
        return call.program == "go" and {"clean", "-modcache"} <= {word.value for word in call.arguments}


ECOSYSTEM = Go()


def module_caches(variables: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return the folders where the modules may be put, those of the golang images and of root where nothing is said."""
    if own := variables.get("GOMODCACHE"):
        return (own,)
    if path := variables.get("GOPATH"):
        return (join(path.split(":")[0], "pkg/mod"),)
    return ("/go/pkg/mod", join(variables.get("HOME") or "/root", "go/pkg/mod"))


def _answer(call: Call, project: Project, command: str) -> Install | Refusal | None:
    variables = variables_of(call, project.env)
    modes = _modes(call, variables)
    if call.directory is None or modes.get("C", "") is None:
        raise Refused("the directory of the go command is not known")
    start = project.locate(modes.get("C") or ".", call.directory)
    if start is None:
        return None
    _check_settings(variables, modes)
    is_off = variables.get("GOWORK") == "off"
    modules = read_modules(project, start, workspaces=not is_off)
    if modules is None:
        raise Refused("the project has no go.mod")
    if command == "mod":
        return _download(call, project, modules, variables)
    if not modules.needed or (command == "tool" and not modules.has_tools):
        return None
    if _is_vendored(modules, variables, modes):
        raise Refused("the modules are vendored, so nothing is downloaded")
    if command == "get" and any(_PACKAGE.match(word.text) for word in call.arguments[1:]):
        raise Refused("go get changes go.mod")
    if modules.is_workspace and modules.sums is None:
        raise Refused("go mod download would write go.work.sum")
    fills = module_caches(variables)
    ahead = Ahead((f"{_prefix(call)}{_DOWNLOAD}",), modules.folder, fills, (_DOWNLOAD,), "downloads the modules")
    return Install(modules.manifests, _inside(project, fills), ahead=ahead)


def _download(call: Call, project: Project, modules: Modules, variables: Mapping[str, str | None]) -> Install:
    words = [word.text for word in call.arguments[1:] if not word.text.startswith("-")]
    if len(words) > 1:
        raise Refused(f"{_DOWNLOAD} with arguments writes go.sum")
    if modules.sums is not None:
        raise Refused(f"{_DOWNLOAD} writes {modules.sums}")
    return Install(modules.manifests, _inside(project, module_caches(variables)))


def _modes(call: Call, variables: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return the flags that decide which modules are used: -C, -mod, -modfile, -overlay."""
    found: dict[str, str | None] = {}
    for at, word in enumerate(call.arguments):
        match = _MODE.fullmatch(word.text if word.value is None else word.value)
        if match is None:
            continue
        following = call.arguments[at + 1 : at + 2]
        value = resolve(following[0], variables) if following else None
        found[match[1]] = value if match[2] is None else None if word.value is None else match[2]
    return found


def _check_settings(variables: Mapping[str, str | None], modes: Mapping[str, str | None]) -> None:
    """Raise `Refused` where a flag or variable leads to other files, or may do so."""
    if named := next((name for name in ("modfile", "overlay") if name in modes), None):
        raise Refused(f"-{named} names another file than go.mod")
    for name in ("GOFLAGS", "GO111MODULE", "GOPROXY", "GOWORK"):
        if name in variables and variables[name] is None:
            raise Refused(f"the value of {name} is not known")
    if variables.get("GO111MODULE") == "off":
        raise Refused("GO111MODULE is off")
    if variables.get("GOPROXY") == "off":
        raise Refused("GOPROXY is off")
    if variables.get("GOWORK") not in {None, "", "off"}:
        raise Refused("GOWORK names a workspace file")
    if re.search(r"-modfile|-overlay|-C\b", variables.get("GOFLAGS") or ""):
        raise Refused("GOFLAGS name another file than go.mod")


def _is_vendored(modules: Modules, variables: Mapping[str, str | None], modes: Mapping[str, str | None]) -> bool:
    flags = re.findall(r"-mod=(\w+)", variables.get("GOFLAGS") or "")
    mode = modes.get("mod") or (flags[-1] if flags else None)
    return modules.uses_vendor if mode is None else mode == "vendor"


def _prefix(call: Call) -> str:
    """Return the variables in front of a call that a download may care for."""
    if call.user is not None:
        raise Refused("the go command runs as another user")
    around = [word.text for word in call.command.words if word not in call.words and "=" in word.text]
    pairs = [*(f"{name}={word.text}" for name, word in call.command.assignments), *around]
    return "".join(f"{pair} " for pair in pairs if not _BUILD_ONLY.fullmatch(pair.partition("=")[0]))


def _inside(project: Project, folders: tuple[str, ...]) -> tuple[str, ...]:
    found = (project.locate(folder, "/") for folder in folders)
    return tuple(place for place in found if place)
