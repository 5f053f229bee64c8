"""C and C++: a compiler's output, what `make` leaves in its folder, or what it installs, with the shared libraries.

What a build file links to is found by name where the image itself has development packages; where the Dockerfile
installs them, the libraries follow from these.
"""

import posixpath
import re
from collections.abc import Iterator

from optimizer.images import Variant, packages
from optimizer.model import Step
from optimizer.shell import Call, resolve
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms.stages import compiled
from optimizer.transforms.stages.nodes import Build, Effect, Runtime
from optimizer.transforms.stages.packages import libraries_of
from optimizer.transforms.stages.paths import SYSTEM
from optimizer.transforms.stages.proof import of_known_packages
from optimizer.transforms.stages.words import known_path, option

_COMPILERS = frozenset("c++ cc clang clang++ g++ gcc gfortran musl-gcc".split())
_PREPARING = frozenset(
    "aclocal autoconf autoheader automake autoreconf autogen.sh bootstrap buildconf libtoolize configure".split()
)
_QUIET = frozenset({"ar", "ranlib", "pkg-config", "ccache", "ctest"})
_SOURCES = compiled.Sources(
    files=re.compile(
        r"(?:.*/)?(?:[^/]+\.(?:c|cc|cpp|cxx|h|hh|hpp|hxx|inl|f90|o|a|am|ac|m4|cmake)|CMakeLists\.txt|meson\.build"
        r"|GNUmakefile|[Mm]akefile[\w.-]*|configure)"
    ),
    looks_back=re.compile(r"__FILE__|CMAKE_SOURCE_DIR|TOP_SRCDIR"),
    builders=_COMPILERS | {"cmake", "make", "ninja"},
)
_BUILD_FILES = lazy_pattern(
    r"(?:.*/)?(?:CMakeLists\.txt|[^/]+\.cmake|meson\.build|(?:GNU)?[Mm]akefile[\w.-]*|[^/]+\.mk|configure\.(?:ac|in)|[^/]+\.pro)"
)
_LINKED = lazy_pattern(
    r"(?<![\w-])-l([A-Za-z][\w+.-]*)|find_package\s*\(\s*(\w+)|AC_CHECK_LIB\(\[?(\w+)|dependency\(\s*'([\w.+-]+)'"
)
_MODULES = lazy_pattern(r"pkg_check_modules\s*\(([^)]*)\)|PKG_CHECK_MODULES\(([^)]*)\)|pkg-config([^`)\n]*)")
_STATIC = lazy_pattern(r"(?<!\w)-static(?!-)\b")
_SANITIZER = lazy_pattern(r"-fsanitize=")
_OF_C = frozenset(
    "c m dl rt pthread util resolv crypt nsl anl stdc++ gcc gcc_s gcc_eh supc++ stdc++fs threads "
    "pkgconfig doxygen git gtest gtest_main gmock pybind11 catch2 benchmark".split()
)
# The development package that the full images have for what build files call a library.
_LIBRARIES = {
    **dict.fromkeys(("z", "zlib"), "zlib1g-dev"),
    **dict.fromkeys(("ssl", "crypto", "openssl", "libssl", "libcrypto"), "libssl-dev"),
    **dict.fromkeys(("curl", "libcurl"), "libcurl4-openssl-dev"),
    **dict.fromkeys(("pq", "libpq", "postgresql"), "libpq-dev"),
    **dict.fromkeys(("mysqlclient", "mariadb", "mysql"), "default-libmysqlclient-dev"),
    "sqlite3": "libsqlite3-dev",
    **dict.fromkeys(("xml2", "libxml2", "libxml-2.0"), "libxml2-dev"),
    **dict.fromkeys(("xslt", "libxslt", "exslt"), "libxslt-dev"),
    **dict.fromkeys(("ncurses", "ncursesw", "tinfo", "curses", "panel", "menu", "form"), "libncurses5-dev"),
    "readline": "libreadline-dev",
    **dict.fromkeys(("yaml", "yaml-0.1"), "libyaml-dev"),
    **dict.fromkeys(("png", "libpng", "png16"), "libpng-dev"),
    **dict.fromkeys(("jpeg", "libjpeg"), "libjpeg-dev"),
    **dict.fromkeys(("webp", "libwebp"), "libwebp-dev"),
    "gmp": "libgmp-dev",
    **dict.fromkeys(("event", "libevent", "event_core"), "libevent-dev"),
    **dict.fromkeys(("glib-2.0", "gio-2.0", "gobject-2.0"), "libglib2.0-dev"),
    **dict.fromkeys(("bz2", "bzip2"), "libbz2-dev"),
    **dict.fromkeys(("lzma", "liblzma"), "liblzma-dev"),
    **dict.fromkeys(("ffi", "libffi"), "libffi-dev"),
}
# Of the GCC image, which finds them through a file of its own in /etc/ld.so.conf.d.
_OF_GCC = ("/usr/local/lib64/libgcc_s.so.1", "/usr/local/lib64/libstdc++.so.6")
_OPENMP_OF_GCC = "/usr/local/lib64/libgomp.so.1"
_SEARCH = "/etc/ld.so.conf.d/000-local-lib.conf"
_OF_C_ALONE = frozenset({"gcc", "cc", "clang"})
_ELSEWHERE = re.compile(r"--[\w-]*(?:-path|dir)=|DESTDIR=")
_ABSOLUTE = re.compile(r"DESTINATION\s+\"?/", re.IGNORECASE)
_WHY = "The compilers and headers stay in the build stage: the program does not need them to run."


def effect(call: Call, step: Step, build: Build) -> Effect | None:
    """Say what compilers and build systems leave behind."""
    if call.program in _COMPILERS:
        return _compiled(call)
    if call.program in _QUIET:
        return Effect()
    if call.program in _PREPARING:
        return _in_folder(call.directory)
    if call.program in {"make", "gmake", "ninja"}:
        return _made(call, step)
    if call.program in {"cmake", "meson"}:
        return _configured(call, step, build)
    return None


def _compiled(call: Call) -> Effect:
    words = {word.text for word in call.arguments}
    if not words - {"--version", "-v", "-dumpversion", "-dumpmachine"}:
        return Effect()
    named = option(call, "-o")
    if named is None and any(text.startswith("-o") for text in words):
        return Effect(unknown=f"where {call.program} puts its output is not known")
    if named is None:
        return _in_folder(call.directory) if "-c" in words else _file(call, f"{call.directory}/a.out")
    path = known_path(named, call)
    return Effect(leaves=(path,)) if "-c" in words and path else _file(call, path)


def _file(call: Call, path: str | None) -> Effect:
    known = path is not None and path.startswith("/")
    return Effect((path,)) if known and path else Effect(unknown=f"where {call.program} puts its output is not known")


def _in_folder(folder: str | None) -> Effect:
    if folder is None or not folder.startswith("/"):
        return Effect(unknown="the folder that is built in is not known")
    return Effect((f"{folder.rstrip('/')}/",))


def _made(call: Call, step: Step) -> Effect:
    named = option(call, "-C", "--directory")
    folder = known_path(named, call) if named else call.directory
    inside = _in_folder(folder)
    targets = [resolve(w, call.variables) for w in call.arguments if not w.text.startswith("-") and "=" not in w.text]
    if inside.unknown or not any("install" in (target or "install") for target in targets):
        return inside
    if not _is_prefixed(step) or any(_ELSEWHERE.match(word.text) for word in call.arguments):
        return Effect(unknown=f"where make install of line {step.line} puts its files is not known")
    return Effect((*inside.makes, *_prefixes(call, step)))


def _is_prefixed(step: Step) -> bool:
    """Tell whether what is installed was configured by a script or by CMake, with all of it below one folder."""
    others = step.run.calls if step.run else ()
    configured = [call for call in others if call.program in {"configure", "cmake", "meson"}]
    return bool(configured) and not any(_ELSEWHERE.match(word.text) for call in configured for word in call.arguments)


def _prefixes(call: Call, step: Step) -> Iterator[str]:
    """Go through the folders that an installation fills: what the calls above or its own words name, or the usual."""
    texts = [word.value or word.text for word in call.arguments]
    texts += [word.value or word.text for other in (step.run.calls if step.run else ()) for word in other.arguments]
    found = [
        m for text in texts for m in re.findall(r"(?:--prefix=|CMAKE_INSTALL_PREFIX=|PREFIX=|prefix=)(/[\w./-]+)", text)
    ]
    yield from (f"{folder.rstrip('/')}/" for folder in dict.fromkeys(found or ["/usr/local"]))


def _configured(call: Call, step: Step, build: Build) -> Effect:
    words = [word.text for word in call.arguments]
    if words[:1] in (["-E"], ["-P"]):
        return Effect(unknown=f"what {call.program} {words[0]} makes is not known")
    if "--install" in words or "install" in words:
        context = build.subject.context
        lists = (context.text(source) or "" for source in build.copied.values() if _BUILD_FILES.fullmatch(source))
        if any(_ABSOLUTE.search(text) for text in lists):
            return Effect(unknown=f"where {call.program} of line {step.line} installs to is not known")
        return Effect(tuple(_prefixes(call, step)))
    named = option(call, "-B", "--build", "-C")
    glued = next((w for w in call.arguments if w.text.startswith("-B") and len(w.text) > 2), None)  # noqa: PLR2004
    if glued is not None:
        return _in_folder(posixpath.join(call.directory or "", glued.text[2:]))
    if named is None and call.program == "meson":
        given = [w for w in call.arguments if not w.text.startswith("-") and w.text not in {"setup", "compile", "test"}]
        return _in_folder(known_path(given[0], call) if given else call.directory)
    return _in_folder(known_path(named, call) if named else call.directory)


def runtime(build: Build) -> Runtime | str | None:
    """Say what of the compiled files is started, and which shared libraries it needs."""
    started = {call.program for work in build.works for call, _ in work.effects if call is not None}
    if not started & (_COMPILERS | {"make", "gmake", "ninja", "cmake", "meson"}):
        return None
    if reason := compiled.why_builds(build, _SOURCES):
        return reason
    base = _base(build)
    if isinstance(base, str):
        return base
    if build.full.image == "gcc" and "/usr/local/" in build.made:
        return "what the build installs lies among the files of the compiler"
    if build.full.image == "gcc" and "/usr/local/" in build.made:
        return "what is installed into /usr/local lies among the files of the compiler"
    found = compiled.binaries(build)
    if isinstance(found, str):
        return found
    linked = _linked(build)
    if isinstance(linked, str):
        return linked
    programs = compiled.started_by_code(build, base)
    if isinstance(programs, str):
        return programs
    of_gcc = _libraries_of_gcc(build, started)
    whole = ("/usr/local/",) if "/usr/local/" in build.made and build.full.image != "gcc" else ()
    trees = tuple(p for p in build.made if p.endswith("/") and p.rstrip("/") not in SYSTEM and _stays(p))
    return Runtime(
        base,
        (*(path for path in found if path not in SYSTEM), *trees, *whole, *of_gcc, *_among_compiler(build)),
        _WHY,
        packages=(*linked, *programs),
        leaves_out=(*(() if trees else compiled.left_sources(build, _SOURCES)), *_of_image(build)),
        behind=("ldconfig",) if whole or of_gcc else (),
    )


def _stays(path: str) -> bool:
    return not path.startswith("/tmp/")  # noqa: S108 - a path of the image


def _among_compiler(build: Build) -> tuple[str, ...]:
    """Return what the Dockerfile puts where the image of GCC has the compiler."""
    own = (*build.made, *build.copied) if build.full.image == "gcc" else ()
    return tuple(path for path in own if path.startswith("/usr/local/"))


def _libraries_of_gcc(build: Build, started: set[str]) -> tuple[str, ...]:
    if build.full.image != "gcc":
        return ()
    texts = list(_build_texts(build))
    openmp = (_OPENMP_OF_GCC,) if _uses_openmp(texts) else ()
    plain = not started & ((_COMPILERS - _OF_C_ALONE) | {"make", "gmake", "ninja", "cmake", "meson"})
    found = (*(() if plain and not any("stdc++" in text for text in texts) else _OF_GCC), *openmp)
    return (*found, _SEARCH) if found else ()


def _uses_openmp(texts: list[str]) -> bool:
    return any("-fopenmp" in text or "OpenMP" in text for text in texts)


def _base(build: Build) -> Variant | str:
    if build.full.image == "debian" and "slim" in build.full.words:
        return build.full
    return compiled.slim_debian(build)


def _of_image(build: Build) -> tuple[str, ...]:
    return ("/usr/local",) if build.full.image == "gcc" else ()


def _linked(build: Build) -> tuple[str, ...] | str:
    """Return the packages of the libraries that the build files name, as far as the full image has them."""
    held = packages(of_known_packages(build)) or frozenset()
    texts = list(_build_texts(build))
    if any(_SANITIZER.search(text) for text in texts):
        return "the program is linked to the libraries of a sanitizer"
    if "libssl-dev" not in held:
        return _openmp(texts, build)
    if all(_STATIC.search(text) for text in texts):
        return ()
    found: dict[str, None] = {}
    for name in sorted({name.lower() for text in texts for name in _names(text)} - _OF_C):
        package = _LIBRARIES.get(name)
        libraries = libraries_of(package, build.release) if package else None
        if libraries is None:
            return f"which package has {name}, which the program is linked to, is not known"
        found.update(dict.fromkeys(libraries))
        if package in {"libssl-dev", "libcurl4-openssl-dev"}:
            found.update(dict.fromkeys(("ca-certificates", "openssl")))
    return (*found, *_openmp(texts, build))


def _openmp(texts: list[str], build: Build) -> tuple[str, ...]:
    found = ["libgomp1"] if _uses_openmp(texts) and build.full.image != "gcc" else []
    if any("getservbyname" in text or "getprotobyname" in text for text in compiled.own_code(build)):
        found.append("netbase")
    if any("-latomic" in text for text in texts):
        found.append("libatomic1")
    return tuple(found)


def _build_texts(build: Build) -> Iterator[str]:
    for work in build.works:
        if work.step.run is not None:
            yield work.step.run.script.text
    context = build.subject.context
    yield from (context.text(source) or "" for source in build.copied.values() if _BUILD_FILES.fullmatch(source))


def _names(text: str) -> Iterator[str]:
    for match in _LINKED.finditer(text):
        yield next(group for group in match.groups() if group)
    for match in _MODULES.finditer(text):
        words = re.findall(r"[A-Za-z][\w.+-]*", next((g for g in match.groups() if g), ""))
        yield from (word for word in words if word.lower() in _LIBRARIES)
