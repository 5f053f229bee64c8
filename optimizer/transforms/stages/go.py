"""Go: `go build` and `go install` make one binary, which needs a C library at most.

What cgo links to comes from packages that the Dockerfile installs, for the image has no other libraries.
Source: `go help build`, `go help install`.
"""

import posixpath
import re
from collections.abc import Iterator

from optimizer.images import packages
from optimizer.model import Step
from optimizer.shell import Call, resolve
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms.stages import compiled
from optimizer.transforms.stages.nodes import NOTHING, Build, Effect, Runtime
from optimizer.transforms.stages.paths import SYSTEM
from optimizer.transforms.stages.words import known_path

_CACHES = ("/go/pkg", "/root/.cache", "/home/*/.cache", "/root/.config/go", "/root/go")
_OF_IMAGE = ("/usr/local/go", "/go/bin", "/go/pkg")
_STARTS_GO = lazy_pattern(r"\b(?:Command(?:Context)?|LookPath)\s*\([^\"\n]*\"go(?:fmt)?\"")
_VALUED = frozenset(
    "-asmflags -buildmode -buildvcs -compiler -coverpkg -covermode -gccgoflags -gcflags -installsuffix -ldflags -mod "
    "-modfile -o -overlay -p -pgo -pkgdir -tags -toolexec -C".split()
)
_HARMLESS = frozenset("clean env fmt list mod test version vet work".split())
_MODULE = lazy_pattern(r"^module\s+\"?([^\s\"]+)", re.MULTILINE)
_MAJOR = lazy_pattern(r"v\d+")
_MAIN = lazy_pattern(r"^package\s+main\b", re.MULTILINE)
_SERVES = lazy_pattern(r"FileServer|ServeFile|ServeContent|TypeByExtension|\.Static|http\.Dir|StripPrefix")
_SOURCES = compiled.Sources(
    files=re.compile(r"(?:.*/)?(?:[^/]+\.go|go\.(?:mod|sum|work|work\.sum)|Gopkg\.(?:toml|lock)|glide\.\w+)|vendor/.*"
                     r"|(?:.*/)?testdata/.*"),
    looks_back=re.compile(r"\bruntime\.Caller\b|\bgo/(?:build|parser|packages)\b|\bplugin\.Open\b"),
    builders=frozenset({"go", "air", "fresh", "gin", "realize", "reflex", "CompileDaemon", "dlv", "gow"}),
)  # fmt: skip
_TOOLS = frozenset({"GOPATH", "GOTOOLCHAIN", "GOLANG_VERSION"})


def effect(call: Call, step: Step, build: Build) -> Effect | None:
    """Say what the go command leaves behind."""
    if call.program in {"gofmt", "goimports"}:
        return NOTHING
    if call.program != "go":
        return None
    words = [resolve(word, call.variables) for word in call.arguments]
    verb = words[0] if words else None
    if verb in _HARMLESS:
        return Effect(leaves=_CACHES)
    if verb in {"build", "install", "get"}:
        return _made(call, step, build, str(verb))
    return NOTHING if verb is None else Effect(unknown=f"what go {verb} of line {step.line} makes is not known")


def _made(call: Call, step: Step, build: Build, verb: str) -> Effect:
    output, targets = None, list[str]()
    words = iter(call.arguments[1:])
    for word in words:
        flag = word.text.replace("--", "-", 1) if word.text.startswith("--") else word.text
        if flag == "-o":
            output = next(words, None)
        elif flag.startswith("-o="):
            return Effect(unknown=f"where the go build of line {step.line} puts its program is not known")
        elif flag in _VALUED:
            next(words, None)
        elif not flag.startswith("-"):
            value = resolve(word, call.variables)
            if value is None:
                return Effect(unknown=f"what the go {verb} of line {step.line} builds is not known")
            targets.append(value)
    if verb == "build" and output is not None:
        return _named(call, known_path(output, call), output.text, targets, build)
    folder = call.directory if verb == "build" else _bin(call)
    return _in_folder(call, folder, targets or ["."], verb, build)


def _bin(call: Call) -> str:
    if found := call.variables.get("GOBIN"):
        return found
    return posixpath.join((call.variables.get("GOPATH") or "/go").partition(":")[0], "bin")


def _named(call: Call, path: str | None, text: str, targets: list[str], build: Build) -> Effect:
    if path is None:
        return Effect(unknown="where go build puts its program is not known")
    is_folder = text.endswith("/") or path in SYSTEM or any(p.startswith(f"{path}/") for p in build.copied)
    if is_folder or any("..." in target for target in targets):
        return _in_folder(call, path, targets or ["."], "build", build)
    return Effect((path,), leaves=_CACHES)


def _in_folder(call: Call, folder: str | None, targets: list[str], verb: str, build: Build) -> Effect:
    """Return the programs of several packages, each named after its folder or its module."""
    if folder is None:
        return Effect(unknown=f"where go {verb} puts its program is not known")
    if any("..." in target for target in targets):
        # Which of the packages are programs also hangs on their build constraints.
        return Effect((f"{folder.rstrip('/')}/",) if folder != call.directory else (), leaves=_CACHES)
    names = [name for target in targets for name in _names(call, target, build)]
    several = verb == "build" and len(names) > 1 and folder == call.directory
    return Effect(() if several else tuple(posixpath.join(folder, name) for name in names), leaves=_CACHES)


def _names(call: Call, target: str, build: Build) -> list[str]:
    target = target.partition("@")[0]
    if target.endswith(".go"):
        return [posixpath.basename(target).removesuffix(".go")]
    if not target.startswith((".", "/")):
        return [_last(target)]
    folder = posixpath.normpath(posixpath.join(call.directory or "/", target.rstrip("/")))
    return [_name_of(folder, build)]


def _programs(build: Build) -> frozenset[str]:
    """Return the names of the programs that the sources in the image make."""
    context = build.subject.context
    folders = {
        posixpath.dirname(path)
        for path, source in build.copied.items()
        if path.endswith(".go") and not path.endswith("_test.go") and _MAIN.search(context.text(source) or "")
    }
    return frozenset(_name_of(folder, build) for folder in folders)


def _name_of(folder: str, build: Build) -> str:
    """Return the name of the program that a folder's package makes: its import path's last part."""
    if source := build.copied.get(posixpath.join(folder, "go.mod")):
        match = _MODULE.search(build.subject.context.text(source) or "")
        if match:
            return _last(match[1])
    return posixpath.basename(folder)


def _last(path: str) -> str:
    parts = path.rstrip("/").split("/")
    return parts[-2] if len(parts) > 1 and _MAJOR.fullmatch(parts[-1]) else parts[-1]


def runtime(build: Build) -> Runtime | str | None:
    """Say which binary is started, and what it needs beside itself."""
    if reason := compiled.why_builds(build, _SOURCES):
        return reason
    base = compiled.slim_debian(build)
    if isinstance(base, str):
        return base
    found = compiled.binaries(build, ("/go/bin", "/usr/local/go/bin"))
    if isinstance(found, str):
        return found
    if strange := next(
        (p for p in found if p not in build.made and posixpath.basename(p) not in _programs(build)), None
    ):
        return f"{strange} is started, and what makes it is not known"
    programs = compiled.started_by_code(build, base)
    if isinstance(programs, str):
        return programs
    texts = list(compiled.own_code(build))
    if any(_STARTS_GO.search(text) for text in texts):
        return "the code starts the go command"
    mime = any(_SERVES.search(text) for text in texts)
    types = (
        ("/etc/mime.types",) if mime and (packages(build.full) or frozenset()) & {"media-types", "mime-support"} else ()
    )
    named = {name for name in _TOOLS if any(name in text for text in texts)}
    on_path = any(path.startswith("/go/bin/") for path in found)
    return Runtime(
        base,
        (
            *found,
            *_installed(build),
            *_spoken_of(build, texts),
            *compiled.filled(build),
            "/etc/ssl/certs/ca-certificates.crt",
            *types,
        ),
        "The Go toolchain and the sources stay in the build stage: the program does not need them to run.",
        packages=programs,
        leaves_out=(*compiled.left_sources(build, _SOURCES), *_OF_IMAGE, *_downloads(build)),
        left_variables=(_TOOLS - named) | (frozenset() if on_path else {"PATH"}),
    )


def _installed(build: Build) -> Iterator[str]:
    """Go through the programs of the project that `go install` makes; a tool that is fetched has a version."""
    for work in build.works:
        for call, effect in work.effects:
            words = [word.text for word in call.arguments] if call is not None and call.program == "go" else []
            if words[:1] == ["install"] and not any("@" in word for word in words):
                yield from (path for path in effect.makes if path in build.made)


def _spoken_of(build: Build, texts: list[str]) -> Iterator[str]:
    """Go through the installed tools that the code may start: those that it names."""
    for path in build.made:
        if path.startswith("/go/bin/") and any(f'"{posixpath.basename(path)}"' in text for text in texts):
            yield path


def _downloads(build: Build) -> tuple[str, ...]:
    """Return the folder of downloaded sources, unless the project itself lies in it."""
    own = any(path.startswith("/go/src/") for path in (*build.copied, *build.made, f"{build.workdir}/"))
    return () if own else ("/go/src",)
