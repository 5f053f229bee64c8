"""What Go, Rust, C and C++ share: a binary runs, with the shared libraries and the files that it reads."""

import posixpath
import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from optimizer.images import Variant, variant
from optimizer.images._tables import packages_of_commands
from optimizer.images.packages import lost_commands
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._runtime_needs import Need
from optimizer.transforms.stages.nodes import Build
from optimizer.transforms.stages.packages import program_packages
from optimizer.transforms.stages.paths import SYSTEM, is_covered
from optimizer.transforms.stages.proof import of_known_packages

_SEARCHED = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
# What is for the people who work on a project, unless its code speaks of it.
_BESIDE = lazy_pattern(
    r"(?:[\w.-]*Dockerfile[\w.-]*|(?:docker-)?compose[\w.-]*\.ya?ml|Makefile|README[\w.-]*|LICEN[CS]E[\w.-]*|NOTICE"
    r"|CHANGELOG[\w.-]*|CONTRIBUTING[\w.-]*|CODEOWNERS|Jenkinsfile|\.(?:git|docker|editor|golangci|travis|gitlab|drone"
    r"|pre-commit|rustfmt|clippy|clang|air|github|vscode|idea|circleci)[\w.-]*|tests|benches|examples)(?:/.*)?",
    re.IGNORECASE,
)
_STARTING = lazy_pattern(
    r"\bos/exec\b|\bsyscall\.Exec\b|\bprocess::Command\b|\bCommand::new\b|\bpopen\s*\(|\bsystem\s*\(|\bexec[lv]p?e?\s*\("
    r"|\bposix_spawn|QProcess|boost::process"
    r"|\bProcess\.Start\b|ProcessStartInfo|\bSystem\.(?:cmd|shell)\b|\bPort\.open\b|:os\.cmd\b"
)
_QUOTED = lazy_pattern(r"""["'`\s](?:/usr)?(?:/s?bin/)?([\w.+-]+)(?=["'`\s])""")
_LITERAL = lazy_pattern(r"\"([^\"\\\n]{1,200})\"|`([^`]{1,200})`")
_OF_SYSTEM = lazy_pattern(
    r"[\"'`]/(?:usr/(?:share/(?!zoneinfo)|lib/|include/)|etc/(?:mime|ImageMagick|fonts))[\w./+-]*"
)
_OWN = lazy_pattern(
    r".*\.(?:c|cc|cpp|cxx|f90|go|h|hh|hpp|hxx|rs|sh|bash|toml|ya?ml|ini|cfg|conf"
    r"|cs|cshtml|eex|erl|exs?|fs|groovy|heex|java|kts?|properties|razor|scala|vb)|(?:.*/)?(?:Makefile|[\w.-]*entrypoint)"
)
_LARGE = 1_000_000  # bytes from which on a file is data, not code
_EMPTY = frozenset({"/opt/", "/srv/", "/usr/local/bin/", "/usr/local/lib/", "/usr/local/sbin/", "/usr/local/share/"})
_TOLD = frozenset({"CMD", "ENTRYPOINT", "ENV", "HEALTHCHECK", "VOLUME"})
_PATHS = lazy_pattern(r"(?:/|\b|\.{1,2}/)[\w.+-]+(?:/[\w.+-]+)*")
_SHELLS = frozenset({"sh", "bash", "dash", "exec", "env", "["})


class Sources(Struct, frozen=True):
    """How a language's sources look: what is compiled, and what makes a program look for them while it runs."""

    files: re.Pattern[str]  # by path in the build context
    looks_back: re.Pattern[str]
    builders: frozenset[str]  # programs that build from the sources


def slim_debian(build: Build) -> Variant | str:
    """Return the slim image of Debian of the same release, or a clause where there is none."""
    found = variant("debian", f"{build.release}-slim")
    return found or f"debian has no slim image of {build.release or build.full.name}"


def filled(build: Build) -> tuple[str, ...]:
    """Return the folders of the system that a step fills, and that hold nothing else on the images of compilers."""
    return tuple(path for path in build.made if path in _EMPTY)


def why_builds(build: Build, sources: Sources) -> str | None:
    """Say what is started that builds from the sources, None where nothing is."""
    found = next((need for need in build.needs if need.name in sources.builders), None)
    return f"{found.place} starts {found.name}, which builds from the sources" if found else None


def binaries(build: Build, path: Sequence[str] = ()) -> tuple[str, ...] | str:
    """Return what is started of all that the RUNs make, or a clause where something that starts is not known.

    `path` are the folders that the full image has in PATH before those of the system.
    """
    found: dict[str, None] = {}
    for need in build.needs:
        places = _places(need, build, path)
        own = next((place for place in places if place in build.made), None)
        own = own or next((place for place in places if is_covered(place, build.made)), None)
        if own is not None:
            found[own] = None
        elif not (_is_copied(places, build) or _is_installed(need, build)):
            return f"{need.place} starts {need.program}, and what makes it is not known"
    return tuple(found) or "what is started is not what a RUN builds"


def _places(need: Need, build: Build, path: Sequence[str]) -> list[str]:
    if "/" in need.program:
        return [posixpath.normpath(posixpath.join(build.workdir, need.program))]
    own = [folder for folder in (build.env.get("PATH") or "").split(":") if folder.startswith("/")]
    return [posixpath.join(folder, need.program) for folder in (*own, *path, *_SEARCHED)]


def _is_copied(places: list[str], build: Build) -> bool:
    return any(place in build.copied for place in places)


def _is_installed(need: Need, build: Build) -> bool:
    """Tell whether a program comes from a package of Debian, or may come from one that the file installs."""
    folder = posixpath.dirname(need.program)
    if folder not in {"", *_SEARCHED}:
        return False
    kept = bool(build.packages)
    return need.name in _SHELLS or need.name in packages_of_commands() or kept


def tops(build: Build) -> tuple[str, ...]:
    """Return the folders that hold the project in the image, those of the system not among them."""
    found = {folder for folder in build.folders if folder not in SYSTEM}
    return tuple(sorted(f for f in found if not any(f.startswith(f"{other}/") for other in found)))


def left_sources(build: Build, sources: Sources) -> tuple[str, ...]:
    """Return the image paths of what only the compiler and the people who work on the project read.

    None where other files lie among them that came with a whole folder: it goes over as it is, with what may be added.
    """
    texts = list(own_code(build))
    if any(sources.looks_back.search(text) for text in texts):
        return ()
    spoken = _literals(texts)
    left = {p for p, source in build.copied.items() if _is_left(source, sources, spoken)}
    if not left.isdisjoint(_named(build, left)):
        return ()
    mixed = {posixpath.dirname(p) for p in left} | set(build.folders)
    if any(p not in left and posixpath.dirname(p) in mixed and _is_of_folder(p, build) for p in build.copied):
        return ()
    kept = {folder for p in (*build.copied, *build.made, *build.perhaps) if p not in left for folder in _above(p)}
    barred = kept | {build.workdir} | {folder for top in build.folders for folder in (top, *_above(top))} | SYSTEM
    outer = {next((f for f in reversed(list(_above(p))) if f not in barred), p) for p in left}
    return tuple(sorted(outer))


def _named(build: Build, left: set[str]) -> Iterator[str]:
    """Go through the files, of some, that the container is told of by path, or whose folder it is told of."""
    tops = {build.workdir, *build.folders, *SYSTEM}
    steps = (step for step in build.stage.body if step.name in _TOLD)
    words = {word for step in steps for word in _PATHS.findall(step.instruction.body.text)}
    told = {posixpath.normpath(posixpath.join(build.workdir, word)) for word in words} - tops
    return (path for path in left if path in told or not told.isdisjoint(_above(path)))


def _is_of_folder(path: str, build: Build) -> bool:
    """Tell whether a file may have come with a folder that holds what the project holds."""
    return any(path.startswith(f"{folder.rstrip('/')}/") for folder in build.folders)


def _is_left(source: str, sources: Sources, spoken: frozenset[str]) -> bool:
    name = posixpath.basename(source)
    if name in spoken or source in spoken or source.partition("/")[0] in spoken:
        return False
    return bool(sources.files.fullmatch(source) or _BESIDE.fullmatch(source))


def _literals(texts: list[str]) -> frozenset[str]:
    """Return the paths and names that the code has as texts."""
    found: set[str] = set()
    for text in texts:
        for match in _LITERAL.finditer(text):
            literal = (match[1] or match[2]).strip("./")
            found |= {literal, posixpath.basename(literal), literal.partition("/")[0]}
    return frozenset(found)


def _above(path: str) -> Iterator[str]:
    folder = posixpath.dirname(path.rstrip("/"))
    while folder not in {"/", ""}:
        yield folder
        folder = posixpath.dirname(folder)


def own_code(build: Build) -> Iterator[str]:
    """Go through the texts of what is compiled, of scripts and of settings; what a browser gets is none of these."""
    context = build.subject.context
    for path in dict.fromkeys(build.copied.values()):
        if _OWN.fullmatch(path) and "/vendor/" not in f"/{path}" and context.size(path) < _LARGE:
            yield context.text(path) or ""


def started_by_code(build: Build, base: Variant) -> tuple[str, ...] | str:
    """Return the packages of the programs that the code starts and the small image lacks, or what cannot be told."""
    full = of_known_packages(build)
    lost = lost_commands((full.image, full.tag), (base.image, base.tag)) or {}
    found: set[str] = set()
    for text in own_code(build):
        if told := _OF_SYSTEM.search(text):
            return f"the code speaks of {told[0][1:]}, which {base.name} may lack"
        if _STARTING.search(text):
            found |= set(_QUOTED.findall(text)) & lost.keys()
    found -= _WORDS
    brought = program_packages(lost, found)
    return brought if isinstance(brought, str) else tuple(brought)


# Names of commands that are words of code as well.
_WORDS = frozenset(
    "animate ar as compare composite conjure convert display e file free identify import install kill ld load m4 make "
    "magick montage patch prove rename scalar size skill slogin split stream strings strip top view w watch link g "
    "extract diff3 ex head import mergetool config info addr2line add cc c++ g++ gcc nm ps rx sq uptime".split()
)
