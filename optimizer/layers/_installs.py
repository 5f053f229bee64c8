"""What package managers of languages and compilers leave on the disk, as far as lock files and tables tell."""

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from optimizer.context import Context
from optimizer.context.manifests import table
from optimizer.images.installed import with_dependencies
from optimizer.layers._contents import Stored, image_path
from optimizer.model import Step
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern

Locate = Callable[[str], str | None]

_PACKED = 0.3  # of what is unpacked; download caches hold it so
# What usually is there after such a command, in bytes: modules or crates fetched, and what compiling leaves.
_GO_PROGRAM, _GO_MODULE, _GO_BUILT = 2_200_000, 700_000, 95_000_000
_CRATE, _CRATE_BUILT = 1_500_000, 9_000_000
_JAVA_FETCHED, _JAR = 70_000_000, 15_000_000
_GEM, _COMPOSED = 900_000, 700_000
_ENVIRONMENT = 15_000_000
_SMALL, _LIBC = 20_000, 800_000
_REQUIREMENT = lazy_pattern(r"[A-Za-z0-9][\w.-]*")
_LOCKED = lazy_pattern(r"^name = \"([^\"]+)\"", re.MULTILINE)
_GEM_LINE = lazy_pattern(r"^    ([\w-]+) \(", re.MULTILINE)
_QUIET = frozenset(
    "[ : . addgroup adduser bash cat cd chmod chown cp date echo env exit export false find getent grep groupadd head "
    "id install ldconfig ln ls mkdir mkfifo mv printf pwd read rm rmdir sed set sh sleep sort source stat sync tail "
    "tee test touch tr true umask uname unset useradd usermod wait which xargs".split()
)
_NODE = frozenset({"npm", "yarn", "pnpm"})
_PYTHON_LOCKS = {"poetry": "poetry.lock", "uv": "uv.lock", "pdm": "pdm.lock"}
_LEAN_NODE = frozenset({"--omit=dev", "--production", "--only=production", "--prod", "-P", "--omit"})


def is_quiet(call: Call) -> bool:
    """Tell whether a command makes nothing that counts."""
    return call.program in _QUIET or call.own or "--version" in {word.text for word in call.arguments}


class _Asked(Struct, frozen=True):
    """A command as the readers see it."""

    program: str
    words: list[str]
    folder: str
    env: Mapping[str, str | None]
    file: Callable[[str], str | None]

    def text(self, name: str) -> str:
        """Return the text of a file that the command sees, "" where there is none."""
        return self.file(image_path(name, self.folder)) or ""

    def place(self, default: str) -> str:
        """Return where the output goes."""
        words = self.words
        return image_path(words[words.index("-o") + 1] if "-o" in words[:-1] else default, self.folder)


def installed(call: Call, step: Step, context: Context, locate: Locate) -> tuple[Stored, ...] | None:
    """Return what a command leaves behind; None for one that is not known. `locate` finds files of the context."""
    reader = next((read for names, read in _READERS if call.program in names), None)
    if reader is None:
        return None

    def text(path: str) -> str | None:
        found = locate(path)
        return context.text(found) if found else None

    words = [word.value or "" for word in call.arguments]
    env = {**step.state.env, **call.variables}
    found = reader(_Asked(call.program, words, call.directory or step.state.workdir or "/", env, text))
    return None if found is None else tuple(found)


Found = Iterable[Stored] | None


def _python(asked: _Asked) -> Found:
    program, words, folder, env = asked.program, asked.words, asked.folder, asked.env
    if program.startswith("python"):
        if words[:2] == ["-m", "venv"]:
            return [Stored(image_path(words[-1], folder), "a virtual environment", _ENVIRONMENT)]
        if words[:2] != ["-m", "pip"]:
            return None
        words = words[2:]
    if program == "uv" and words[:1] == ["pip"]:
        words = words[1:]
    if "install" not in words and not (program == "uv" and words[:1] == ["sync"]):
        return []
    known, names, whole = _python_projects(asked, words)
    bytes_ = 1000 * with_dependencies("pypi", names, whole=whole)
    place = env.get("VIRTUAL_ENV") or "/usr/local/lib"
    own = folder if program in _PYTHON_LOCKS and "install" not in words else place
    found = [Stored(own, f"{len(names)} projects of PyPI", bytes_, known)]
    if program.startswith(("pip", "python")) and "--no-cache-dir" not in words and not env.get("PIP_NO_CACHE_DIR"):
        found.append(Stored("/root/.cache/pip", "pip's download cache", round(bytes_ * _PACKED)))
    return found


def _python_projects(asked: _Asked, words: list[str]) -> tuple[bool, list[str], bool]:
    """Return whether the projects are known, their names, and whether these are all that is installed."""
    text = asked.text
    if lock := text(_PYTHON_LOCKS[asked.program]) if asked.program in _PYTHON_LOCKS else "":
        return True, _LOCKED.findall(lock), True
    names: list[str] = []
    whole = "--no-deps" in words
    for at, word in enumerate(words):
        if word in {"-r", "--requirement"} and words[at + 1 :]:
            names += _requirements(text(words[at + 1]))
        elif word.startswith("--requirement="):
            names += _requirements(text(word.partition("=")[2]))
        elif not word.startswith("-") and words[at - 1] not in {"-r", "-c", "-i", "--index-url", "--requirement"}:
            names += _requirements(word) if word not in {"install", "."} else []
    return bool(names), names, whole


def _requirements(text: str) -> list[str]:
    lines = (line.strip() for line in text.splitlines())
    return [match[0] for line in lines if (match := _REQUIREMENT.match(line))]


def _node(asked: _Asked) -> Found:
    program, words = asked.program, asked.words
    if {"-g", "--global", "global"} & set(words):
        names = [word for word in words[1:] if word[:1] not in {"-", ""} and word != "add"]
        return [Stored("/usr/local/lib/node_modules", "tools of npm", 1000 * with_dependencies("npm", names))]
    if words[:1] == ["cache"]:
        return []
    if words[:1] not in (["ci"], ["install"], ["i"], ["add"], []) and "install" not in words:
        return None
    lean = bool(_LEAN_NODE & set(words)) or asked.env.get("NODE_ENV") == "production"
    known, names, whole = _node_packages(asked.text, lean=lean)
    bytes_ = 1000 * with_dependencies("npm", names, whole=whole)
    found = [Stored(posixpath.join(asked.folder, "node_modules"), f"{len(names)} packages of npm", bytes_, known)]
    cache = {"npm": "/root/.npm", "yarn": "/usr/local/share/.cache/yarn", "pnpm": "/root/.local/share/pnpm"}[program]
    share = 1.0 if program == "yarn" else _PACKED
    if program != "pnpm":
        found.append(Stored(cache, f"{program}'s download cache", round(bytes_ * share)))
    return found


def _node_packages(text: Callable[[str], str], *, lean: bool) -> tuple[bool, list[str], bool]:
    """Return whether the packages are known, their names, and whether these are all that is installed."""
    from json import JSONDecodeError, loads

    for name in ("package-lock.json", "package.json"):
        try:
            content = table(loads(text(name) or "{}"))
        except JSONDecodeError:
            continue
        packages = table(content, "packages")
        if packages:
            entries = [(path, table(entry)) for path, entry in packages.items() if path]
            return True, [p.rpartition("node_modules/")[2] for p, e in entries if not (lean and e.get("dev"))], True
        names = [*table(content, "dependencies"), *([] if lean else table(content, "devDependencies"))]
        if names:
            return False, names, False
    if yarn := text("yarn.lock"):
        return True, re.findall(r"^\"?(@?[^@\s\"]+)@", yarn, re.MULTILINE), True
    return bool(text("package.json")), [], True


def _go(asked: _Asked) -> Found:
    words = asked.words
    modules = asked.text("go.sum").count(" h1:") - asked.text("go.sum").count("/go.mod ")
    fetched = Stored("/go/pkg", "modules of Go", 3_000_000 * modules)
    if words[:2] == ["mod", "download"]:
        return [fetched]
    if words[:1] not in (["build"], ["install"]):
        return []
    place = asked.place(".") if words[0] == "build" else "/go/bin"
    program = Stored(place, "a program of Go", _GO_PROGRAM + _GO_MODULE * modules)
    return [program, fetched, Stored("/root/.cache/go-build", "Go's build cache", _GO_BUILT)]


def _rust(asked: _Asked) -> Found:
    words = asked.words
    if not {"build", "install", "fetch"} & set(words):
        return None
    crates = len(_LOCKED.findall(asked.text("Cargo.lock"))) or 1
    fetched = Stored("/usr/local/cargo/registry", f"{crates} crates", _CRATE * (crates - 1))
    built = Stored(posixpath.join(asked.folder, "target"), "what Cargo built", _CRATE_BUILT * crates)
    return [fetched] if "fetch" in words else [fetched, built]


def _java(asked: _Asked) -> Found:
    maven = asked.program.startswith("mvn")
    home = "/root/.m2" if maven else "/root/.gradle"
    built = posixpath.join(asked.folder, "target" if maven else "build")
    return [Stored(home, "dependencies of Java", _JAVA_FETCHED), Stored(built, "a program of Java", _JAR)]


def _ruby(asked: _Asked) -> Found:
    if asked.words[:1] != ["install"]:
        return []
    own = asked.program == "bundle"
    gems = len(_GEM_LINE.findall(asked.text("Gemfile.lock"))) if own else len(asked.words) - 1
    return [Stored("/usr/local/bundle", f"{gems} gems", _GEM * gems)]


def _php(asked: _Asked) -> Found:
    packages = asked.text("composer.lock").count('"dist":')
    return [Stored(posixpath.join(asked.folder, "vendor"), f"{packages} packages of PHP", _COMPOSED * packages)]


def _compiler(asked: _Asked) -> Found:
    static = _LIBC if "-static" in asked.words else 0
    return [Stored(asked.place("a.out"), "a compiled program", _SMALL + static)]


_READERS: tuple[tuple[frozenset[str], Callable[[_Asked], Found]], ...] = (
    (frozenset({"pip", "pip3", "python", "python3", "uv", "poetry", "pdm"}), _python),
    (_NODE, _node),
    (frozenset({"go"}), _go),
    (frozenset({"cargo"}), _rust),
    (frozenset({"mvn", "mvnw", "gradle", "gradlew"}), _java),
    (frozenset({"bundle", "gem"}), _ruby),
    (frozenset({"composer"}), _php),
    (frozenset({"cc", "gcc", "g++", "c++", "clang", "clang++"}), _compiler),
)
