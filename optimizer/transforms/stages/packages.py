"""Which of the Debian packages that a Dockerfile installs a container needs; those of which it is not known stay.

What a package asks for comes from Debian's package indices, see `optimizer.images.apt`.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache

from msgspec import Struct

from optimizer.ecosystems import apt
from optimizer.ecosystems._system import invocation
from optimizer.images import packages
from optimizer.images._tables import packages_of_release
from optimizer.images.packages import brought_by
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._slim_packages import ARCHIVED, with_certificates
from optimizer.transforms.stages.nodes import Build, Runtime

# Compilers, what drives them, and what makes sources of other sources.
_COMPILERS = frozenset(
    "autoconf autoconf-archive automake autopoint autotools-dev binutils bison build-essential cargo ccache "
    "chrpath clang cmake cpp debhelper devscripts dh-python doxygen dpkg-dev fakeroot flex g++ g++-multilib gcc "
    "gcc-multilib gfortran golang golang-go gperf help2man intltool libtool libtool-bin lld llvm m4 make meson "
    "musl-dev musl-tools nasm ninja-build patch patchelf pkg-config pkgconf protobuf-compiler python-dev "
    "python3-dev python3-pip python3-setuptools python3-wheel quilt ragel re2c rustc scons swig texinfo yasm".split()
)
_VERSIONED = lazy_pattern(r"(?:gcc|g\+\+|cpp|clang|clang-tools|llvm|lld|gfortran|golang|binutils)-[\w.-]+")
# What fetches and unpacks: for the build where a RUN starts it, and nothing else does.
_TOOLS = {
    "apt-transport-https": (), "bzip2": ("bzip2",), "curl": ("curl",), "dirmngr": ("gpg",), "git": ("git",),
    "git-core": ("git",), "git-lfs": ("git",), "gnupg": ("gpg",), "gnupg2": ("gpg",), "gpg": ("gpg",),
    "lsb-release": ("lsb_release",), "lzma": ("lzma",), "mercurial": ("hg",), "rsync": ("rsync",),
    "software-properties-common": ("add-apt-repository",), "subversion": ("svn",), "unzip": ("unzip",),
    "upx": ("upx",), "upx-ucl": ("upx",), "wget": ("wget",), "xz-utils": ("xz", "tar"), "zip": ("zip",),
}  # fmt: skip
# What `effects` notes for apt as if it were a package: everything is brought up to date.
_UPGRADES = frozenset({"upgrade", "dist-upgrade", "full-upgrade"})
# What starts such a tool while something is built.
_USERS = {
    "git": ("bundle", "cargo", "cmake", "composer", "go", "mix", "npm", "pip", "pip3", "pnpm", "poetry", "uv", "yarn"),
    "gpg": ("apt-key", "gpg", "gpgv"),
    "unzip": ("composer",),
    "zip": ("composer",),
}
_OF_REPOSITORY = lazy_pattern(r"\"type\"\s*:\s*\"git\"|git(?:\+\w+)?:(?://)?|/[\w.-]+\.git\b")
_RECOMMENDS_CERTIFICATES = frozenset({"curl", "git", "git-core", "wget"})
# Of the C library and the compilers, whose libraries every image has.
_HEADERS = lazy_pattern(
    r"libc6?-dev|linux-libc-dev|lib(?:std|sup)c\+\+-[\w.]+-dev|libgcc-[\w.]+-dev|libpython3?[\d.]*-dev"
)
# What sets up a system and is in no table of commands; one that is there already is not installed again.
_BRINGING = {
    **dict.fromkeys(("addgroup", "adduser", "delgroup", "deluser"), "adduser"),
    **dict.fromkeys(("locale-gen", "update-locale"), "locales"),
    "fc-cache": "fontconfig",
    "update-ca-certificates": "ca-certificates",
}
# What full images have beside a program that it may ask for.
_WITH_IT = {
    **dict.fromkeys(("curl", "hg", "svn", "wget"), ("ca-certificates",)),
    "git": ("ca-certificates", "openssh-client"),
}
_NEEDS_MANUALS = lazy_pattern(r"openjdk-.*|default-j(?:re|dk).*|postgresql.*|ca-certificates-java|tomcat\d*|maven|ant")
_DEV = lazy_pattern(r"(.+)-dev(?:el|-compat)?")
_LIBRARY = lazy_pattern(
    r"lib(?!.*-(?:arch-config|bin|dbg|dev|doc|headers|tools|utils)$).+|.*-common|zlib1g|mysql-common"
)
# Names that another package stands for, in some releases or in all.
_PROVIDED_BY = {
    "libcurl-dev": "libcurl4-openssl-dev", "libfreetype6-dev": "libfreetype-dev", "libjpeg-dev": "libjpeg62-turbo-dev",
    "libmysqlclient-dev": "default-libmysqlclient-dev", "libncurses5-dev": "libncurses-dev", "libz-dev": "zlib1g-dev",
    "libpng12-dev": "libpng-dev", "libreadline6-dev": "libreadline-dev", "libtiff5-dev": "libtiff-dev",
}  # fmt: skip
_BASE_TOOLS = frozenset({"libc6", "libgcc-s1", "libstdc++6", "libc-bin"})
_CODE = lazy_pattern(
    r".*\.(?:c|cc|cpp|cs|cxx|exs?|go|h|hpp|java|kt|php|pl|py|rb|rs|scala|sh|bash|[cm]?[jt]sx?|toml|ya?ml|ini|cfg|conf"
    r"|json)|(?:.*/)?(?:Procfile|Makefile|[\w.-]*entrypoint[\w.-]*)"
)
_BESIDE = lazy_pattern(
    r"(?:.*/)?(?:node_modules|vendor|tests?|spec|docs?|examples?|\.github|\.git|\.circleci|\.devcontainer)/.*"
    r"|(?:.*/)?(?:package-lock|composer|tsconfig)\.json|(?:.*/)?[\w-]*(?:docker-)?compose[\w.-]*\.ya?ml|\.\w[\w.-]*"
)
_LARGE = 1_000_000  # bytes from which on a file is data, not code


class Installed(Struct, frozen=True):
    """The words of one `apt-get install` in the runtime stage."""

    words: tuple[str, ...]
    recommends: bool


class Sorted(Struct, frozen=True):
    """What the runtime stage installs, and which packages of the Dockerfile it does without."""

    installs: tuple[Installed, ...]
    dropped: tuple[str, ...]
    upgrade: str = ""  # the action of apt that brings the packages of the base image up to date

    @property
    def words(self) -> tuple[str, ...]:
        """All packages that are installed."""
        return tuple(word for one in self.installs for word in one.words)


def sort_packages(build: Build, runtime: Runtime, extra: Iterable[str]) -> Sorted | str:
    """Return what the runtime stage installs; `extra` are packages that bring a program which starts.

    A clause where that is not known: a development package whose libraries are not.
    """
    there = packages(runtime.base) or frozenset()
    plain: list[str] = []
    recommending: list[str] = []
    dropped: list[str] = []
    linked: list[str] = []
    upgrade = ""
    for word, recommends in _installed(build):
        name = _name(word)
        if name in _UPGRADES:
            upgrade = name
        elif name in runtime.build_only or _is_for_build(name, build):
            dropped.append(name)
            plain += ["ca-certificates"] if recommends and name in _RECOMMENDS_CERTIFICATES else []
        elif _HEADERS.fullmatch(name):
            dropped.append(name)
        elif _DEV.fullmatch(name):
            libraries = libraries_of(name, build.release)
            if libraries is None:
                return f"which libraries {name} stands for on {build.release} is not known"
            linked += libraries
            plain += ["ca-certificates"] if recommends and any("curl" in one for one in libraries) else []
            dropped.append(name)
        else:
            (recommending if recommends else plain).append(word)
    plain += with_certificates((*runtime.packages, *extra))
    plain += _not_brought([one for one in linked if one not in there], [*plain, *recommending], build.release)
    wanted = dict.fromkeys(word for word in plain if word not in there and word not in recommending)
    installs = [
        Installed(tuple(dict.fromkeys(recommending)), recommends=True),
        Installed(tuple(sorted(wanted)), recommends=False),
    ]
    return Sorted(tuple(one for one in installs if one.words), tuple(dict.fromkeys(dropped)), upgrade)


def _installed(build: Build) -> Iterator[tuple[str, bool]]:
    """Go through the packages that are there at the end, each with whether it came with those that it recommends."""
    for work in build.works:
        for call, effect in work.effects:
            if effect.packages and call is not None:
                given = invocation(call, apt.GRAMMAR)
                without = given.has("--no-install-recommends") or "APT::Install-Recommends" in " ".join(given.options)
                yield from (
                    (word, not without) for word in effect.packages if word in build.packages and not word.endswith("-")
                )


def _name(word: str) -> str:
    return re.split(r"[=:]", word, maxsplit=1)[0]


def _is_for_build(name: str, build: Build) -> bool:
    if name in _COMPILERS or _VERSIONED.fullmatch(name):
        return not _is_mentioned(name.partition("-")[0], build) if name in {"gcc", "g++", "make", "clang"} else True
    if name not in _TOOLS:
        return False
    commands = _TOOLS[name]
    if any(need.name in commands for need in build.needs):
        return False
    started = {call.program for work in build.works for call, _ in work.effects if call is not None}
    used = not commands or any(not started.isdisjoint({one, *_USERS.get(one, ())}) for one in commands)
    return used and not any(_is_named(command, build) for command in commands)


def _is_named(command: str, build: Build) -> bool:
    """Tell whether code of the project has the name of a tool at all, where that is not the address of a repository."""
    pattern = re.compile(rf"(?<![\w.@]){re.escape(command)}(?!\w)")
    return any(pattern.search(_OF_REPOSITORY.sub("", text)) for text in code(build))


def _is_mentioned(command: str, build: Build) -> bool:
    """Tell whether code of the project that comes into the image speaks of a program, in quotes or as a command."""
    pattern = re.compile(
        rf"""(?:["'`/]|(?:^|[;&|(])[ \t]*(?:exec[ \t]+)?){re.escape(command)}(?=["'`\s])""", re.MULTILINE
    )
    return any(pattern.search(text) for text in code(build))


def code(build: Build) -> Iterator[str]:
    """Go through the texts of the project's code that comes into the image."""
    context = build.subject.context
    for path in dict.fromkeys(build.copied.values()):
        if _CODE.fullmatch(path) and not _BESIDE.fullmatch(path) and context.size(path) < _LARGE:
            yield context.text(path) or ""


def libraries_of(name: str, release: str) -> list[str] | None:
    """Return the packages of shared libraries that a development package asks for, through others of its kind."""
    found: dict[str, None] = {}
    seen, left = set[str](), [name]
    while left:
        at = left.pop()
        if at in seen:
            continue
        seen.add(at)
        needs = _direct_needs(at, release)
        if needs is None:
            known = brought_by(at, release) - {at}
            if not known:
                return None
            found.update(dict.fromkeys(sorted(one for one in known if _LIBRARY.fullmatch(one))))
            continue
        left += [one for one in needs if _DEV.fullmatch(one) and not _HEADERS.fullmatch(one)]
        found.update(dict.fromkeys(one for one in needs if _LIBRARY.fullmatch(one)))
    return sorted(found.keys() - _BASE_TOOLS)


def _not_brought(libraries: list[str], others: list[str], release: str) -> list[str]:
    """Return the libraries that no other package brings along, of the same list or of those that are installed too."""
    kept = dict.fromkeys(libraries)
    brings = {name: _all_needs(name, release) for name in (*kept, *others)}
    for name in libraries:
        if any(name in brings[other] for other in (*kept, *others) if other != name):
            kept.pop(name, None)
    return list(kept)


def _all_needs(name: str, release: str) -> frozenset[str]:
    """Return all that comes along with a package, as far as it is known."""
    found, left = set[str](), [name]
    while left:
        for one in _direct_needs(left.pop(), release) or ():
            if one not in found:
                found.add(one)
                left.append(one)
    return frozenset(found)


def _direct_needs(name: str, release: str) -> tuple[str, ...] | None:
    """Return what a package of Debian asks for, the first of each choice; None where it is not known."""
    table, places = packages_of_release(release), _places(release)
    at = places.get(name, places.get(_PROVIDED_BY.get(name, "")))
    if table is None or at is None:
        return None
    return tuple(table.names[one if isinstance(one, int) else one[0]] for one in table.needs[at])


@cache
def _places(release: str) -> dict[str, int]:
    table = packages_of_release(release)
    return {} if table is None else {name: at for at, name in enumerate(table.names)}


def program_packages(lost: dict[str, frozenset[str]], programs: Iterable[str]) -> list[str] | str:
    """Return the packages that bring the programs which start and which the small image lacks, or a clause."""
    found = {_BRINGING[name]: None for name in sorted(set(programs) & _BRINGING.keys())}
    for name in sorted(set(programs) & lost.keys()):
        owners = lost[name]
        if len(owners) > 1 and name not in owners:
            return f"{name} is started, and which package brings it is not known"
        found[name if name in owners else min(owners).removesuffix("-minimal")] = None
        found.update(dict.fromkeys(_WITH_IT.get(name, ())))
    return list(found)


def why_not_installed(build: Build, installed: Sorted) -> str | None:
    """Say what of the packages cannot be installed on the small image, None where all can."""
    if not installed.words:
        return None
    if build.release in ARCHIVED and not build.packages:
        return f"{installed.words[0]} can no longer be installed on {build.release}"
    manual = next((word for word in installed.words if _NEEDS_MANUALS.fullmatch(word)), None)
    if manual and "slim" not in build.full.words:
        return f"{manual} may ask for the folders of manuals, which the slim image lacks"
    return None
