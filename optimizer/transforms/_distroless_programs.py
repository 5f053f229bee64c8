"""What a program that an earlier stage built asks of the image that it runs in: nothing, or libraries of Debian."""

import posixpath
import re
from collections.abc import Iterator

from optimizer.context import Context
from optimizer.images import suite
from optimizer.model import Dockerfile, Step
from optimizer.model.base_images import repository
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._base_exchange import named_variant
from optimizer.transforms._copies import image_path
from optimizer.transforms._runtime_needs import installed

_COMPILERS = frozenset({"c++", "cc", "clang", "clang++", "g++", "gcc"})
_LIBRARIES = frozenset({"-lm", "-lpthread", "-ldl", "-lrt", "-lstdc++", "-lssl", "-lcrypto", "-lc", "-lgcc"})
_BUILDERS = frozenset({"buildpack-deps", "debian", "golang", "rust"})  # with the libraries of Debian itself
# Crates that link to the system's libraries only where those are in every such image, or on other systems.
_PLAIN_CRATES = lazy_pattern(
    r"(?:openssl|windows|winapi|web|js|linux-raw|inotify|core-foundation|security-framework|schannel|wasi|fsevent|io-kit"
    r"|aws-lc|ring|jemalloc|tikv-jemalloc|mimalloc|libmimalloc|libc|redox|android|objc|mach|hermit|iana-time-zone)-sys.*"
    r"|wasm-bindgen.*|libmimalloc-sys|core-graphics.*"
)
_CRATE = lazy_pattern(r"^name = \"([^\"]+)\"", re.MULTILINE)
_LINKED = lazy_pattern(r"^\s*(?://)?\s*#cgo\s+(?:\S+\s+)?(?:LDFLAGS|pkg-config)\s*:.*", re.MULTILINE)
_PLAIN_LINK = lazy_pattern(r"\s*(?://)?\s*#cgo\s+(?:\S+\s+)?LDFLAGS\s*:\s*(?:-l(?:m|pthread|dl|rt|stdc\+\+|c)\s*)*")
_PLAIN_HEADERS = lazy_pattern(
    r"libssl-dev|libc6-dev|linux-libc-dev|libstdc\+\+-\d+-dev|libgcc-\d+-dev|lib(?:crypt|nsl|tirpc)-dev"
)
_STARTING = {
    ".go": lazy_pattern(r"\"os/exec\"|\bsyscall\.(?:Exec|ForkExec)\b|\bos\.StartProcess\b|\"plugin\"|\"net/http/cgi\""),
    ".rs": lazy_pattern(r"\bprocess::Command\b|\bCommand::new\b|\blibloading\b|\bdlopen\b"),
    ".c": lazy_pattern(r"\b(?:system|popen|execl?[vpe]*|posix_spawnp?|dlopen)\s*\("),
}
_STARTING |= dict.fromkeys((".cc", ".cpp", ".cxx", ".h", ".hpp"), _STARTING[".c"])
_STATIC = lazy_pattern(r"-extldflags[= ]['\"]?[^'\"]*-static\b")


def kind_of(dockerfile: Dockerfile, context: Context, origin: str, path: str, release: str) -> tuple[str, str]:
    """Return the kind of image that a program can do with (`static`, `cc`), or "" and why none can be told.

    `origin` is the stage (or image) where it is built, `path` its place there, `release` the one that it runs on now.
    """
    stage = next((s for s in dockerfile.stages if origin in {s.name, str(s.index)}), None)
    if stage is None:
        return "", f"what {path} of {origin} is linked to is not known"
    lineage = dockerfile.lineage(stage.index)
    for step in dockerfile:
        for call in step.run.calls if step.run and step.stage in lineage else ():
            if _makes(call, step, path):
                if call.program == "go":
                    found = _of_go(call, step)
                elif call.program == "cargo":
                    found = _of_rust(context, path)
                else:
                    found = _of_compiler(call)
                if found[0] != "cc":
                    return found
                return next(_why_dynamic(dockerfile, context, step, release), found)
    return "", f"which command makes {path} is not known"


def starters(context: Context) -> Iterator[tuple[str, str]]:
    """Go through the sources that start other programs or load libraries by name, with the words that say so."""
    for path in context.under(""):
        pattern = _STARTING.get(posixpath.splitext(path)[1])
        if pattern is None or path.endswith("_test.go") or "/testdata/" in path:
            continue
        if found := pattern.search(context.text(path) or ""):
            yield path, found[0].strip('"( ')


def _makes(call: Call, step: Step, path: str) -> bool:
    """Tell whether a command writes the program."""
    words = [word.value if word.value is not None else word.text for word in call.arguments]
    folder = call.directory or step.state.workdir or "/"
    if call.program == "cargo":
        return "build" in words and ("/release/" in path or "/debug/" in path)
    if call.program == "go" and words[:1] == ["install"]:
        return posixpath.dirname(path) == "/go/bin"
    if not (call.program == "go" and words[:1] == ["build"]) and call.program not in _COMPILERS:
        return False
    output = words[words.index("-o") + 1] if "-o" in words[:-1] else ""
    output = output or next((word[3:] for word in words if word.startswith("-o=")), "")
    if not output:
        return call.program == "go" and posixpath.dirname(path) == folder
    place = image_path(output, folder)
    return place == path or (output.endswith(("/", ".")) and posixpath.dirname(path) == place)


def _of_go(call: Call, step: Step) -> tuple[str, str]:
    env = {**step.state.env, **call.variables}
    flags = " ".join(word.text for word in call.arguments)
    if env.get("CGO_ENABLED") == "0" or _STATIC.search(flags):
        return "static", ""
    if "-buildmode" in flags:
        return "", f"how line {step.line} builds is not known"
    return "cc", ""


def _of_rust(context: Context, path: str) -> tuple[str, str]:
    if "-musl/" in path:
        return "static", ""
    locks = [file for file in context.under("") if posixpath.basename(file) == "Cargo.lock"]
    if not locks:
        return "", "without Cargo.lock it is not known which libraries the program is linked to"
    for lock in locks:
        for name in _CRATE.findall(context.text(lock) or ""):
            if name.endswith("-sys") and not _PLAIN_CRATES.fullmatch(name):
                return "", f"the crate {name} may link to a library that is not there"
    return "cc", ""


def _of_compiler(call: Call) -> tuple[str, str]:
    words = [word.value if word.value is not None else word.text for word in call.arguments]
    if "-static" in words:
        return "static", ""
    odd = next((word for word in words if word.startswith("-l") and word not in _LIBRARIES), None)
    dark = next((word for word in words if "$" in word or "`" in word or "pkg-config" in word), None)
    if odd or dark:
        return "", f"{odd or dark} may name a library that is not there"
    return "cc", ""


def _why_dynamic(dockerfile: Dockerfile, context: Context, step: Step, release: str) -> Iterator[tuple[str, str]]:
    """Go through what speaks against a program that is linked to libraries of Debian."""
    first = dockerfile.stages[min(dockerfile.lineage(step.stage))]
    base = first.base or ""
    found = named_variant(base)
    name = repository(base)
    if isinstance(found, str) or found is None or name not in _BUILDERS or suite(found) != release:
        yield "", f"the program is linked to the libraries of {base or 'another image'}, not to those of {release}"
    for package in sorted(installed(dockerfile, step.stage, release, step.index)):
        if package.endswith("-dev") and not _PLAIN_HEADERS.fullmatch(package):
            yield "", f"the program may be linked to the library of {package}"
    for path in context.under(""):
        if path.endswith(".go"):
            for line in _LINKED.findall(context.text(path) or ""):
                if not _PLAIN_LINK.fullmatch(line):
                    yield "", f"{path} links to a library that may not be there"


def release_of(base: str | None) -> str | None:
    """Return the release of Debian (`bookworm`) that an image of `debian` is, None for another image."""
    found = named_variant(base or "")
    if isinstance(found, str) or found is None or found.image != "debian":
        return None
    return suite(found)
