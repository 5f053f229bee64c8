"""What the npm packages of an image need of its base: a compiler where they have native parts, programs, libraries.

A lock file says which packages have install scripts (`hasInstallScript` of npm's, `requiresBuild` of pnpm's) or, by
their names, what compiles; without one the names in package.json must do.
"""

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from optimizer.context import Context
from optimizer.context.manifests import table
from optimizer.images.npm import native_package
from optimizer.model import BASE_WORKDIR, Dockerfile, Step
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._lack import Lack, named_in
from optimizer.transforms._scripts import text_of

_MANAGERS = frozenset({"npm", "yarn", "pnpm", "bun", "npx"})
_INSTALLS = frozenset({"install", "i", "ci", "add", "clean-install", "rebuild", "global", "bootstrap", "dedupe"})
# Install scripts that print, patch text or look whether the registry's part for the platform is there.
_HARMLESS = frozenset(
    (
        "@nestjs/core @parcel/watcher @prisma/client @prisma/engines @scarf/scarf @swc/core @tailwindcss/oxide "
        "bootstrap core-js core-js-bundle core-js-pure ejs es5-ext esbuild fsevents highlight.js husky less lmdb "
        "msgpackr-extract nodemon nx postinstall-postinstall preact prisma protobufjs styled-components tesseract.js "
        "uglifyjs-webpack-plugin unrs-resolver vue-demi vuepress web-streams-polyfill workerd yarn"
    ).split()
)
# From these releases on the package holds, or the registry has beside it, a build for every current Node.js.
_READY_FROM = {
    "argon2": (0, 40), "bcrypt": (6,), "bufferutil": (4, 0, 2), "classic-level": (1,), "leveldown": (6,),
    "sharp": (0, 33), "utf-8-validate": (5, 0, 3),
}  # fmt: skip
# Packages by which others are compiled, or find what was.
_MARKERS = frozenset(
    "@mapbox/node-pre-gyp bindings cmake-js nan node-addon-api node-gyp node-gyp-build node-pre-gyp "
    "prebuild-install".split()
)
_NATIVE = frozenset(
    (
        "@playwright/test @tensorflow/tfjs-node appmetrics bcrypt better-sqlite3 canvas cpu-features cwebp-bin "
        "cypress deasync electron farmhash ffi ffi-napi gifsicle grpc heapdump hiredis ibm_db iconv iltorb "
        "isolated-vm jpegtran-bin kerberos keytar libpq libxmljs libxmljs2 lzma-native microtime "
        "mongodb-client-encryption mongodb-memory-server mozjpeg node-canvas node-expat node-hid node-libcurl "
        "node-pty node-rdkafka node-sass nodegit nodejieba opencv4nodejs optipng-bin oracledb pg-native phantomjs "
        "phantomjs-prebuilt playwright pngquant-bin posix puppeteer re2 ref ref-napi robotjs serialport snappy "
        "sodium-native sqlite3 tree-sitter usb uws v8-profiler xxhash zeromq zmq"
    ).split()
)
# What those are linked to that are compiled against libraries of the system.
_LINKED: dict[str, tuple[str, ...]] = {
    "cwebp-bin": ("libjpeg62-turbo", "libpng16-16", "libtiff6"),
    "jpegtran-bin": ("libjpeg62-turbo",),
    "kerberos": ("libgssapi-krb5-2",),
    "keytar": ("libsecret-1-0",),
    "mongodb-client-encryption": ("libgssapi-krb5-2",),
    "mozjpeg": ("libpng16-16",),
    "node-hid": ("libudev1", "libusb-1.0-0"),
    "node-libcurl": ("libcurl4",),
    "node-rdkafka": ("liblz4-1", "libsasl2-2", "libssl3"),
    "odbc": ("libodbc2",),
    "optipng-bin": ("libpng16-16",),
    "pngquant-bin": ("liblcms2-2", "libpng16-16"),
    "zeromq": ("libzmq5",),
    "zmq": ("libzmq5",),
}
# Packages that fetch programs of their own, browsers most of all, or are linked to more than is known here.
_FETCHING = frozenset(
    "@playwright/test cypress electron gl ibm_db mongodb-memory-server nodegit opencv4nodejs oracledb phantomjs "
    "phantomjs-prebuilt playwright puppeteer robotjs".split()
)
# What packages start or load.
_LOADED = {
    **dict.fromkeys(("@prisma/client", "@prisma/engines", "prisma"), "openssl"),
    **dict.fromkeys(("git-rev-sync", "nodegit", "semantic-release", "simple-git"), "git"),
    **dict.fromkeys(("easyimage", "gm", "imagemagick"), "imagemagick"),
    "phantomjs-prebuilt": "fontconfig",
}
_GIT = lazy_pattern(
    r"git(?:\+[a-z]+)?:|git@|git\+|(?:github|gitlab|bitbucket|gist):|[\w.-]+/[\w.-]+(?:#.*)?$|.*\.git(?:#.*)?$"
)
_YARN_NAME = lazy_pattern(r'^"?(@?[^@\s"]+)@[^\n]*:\n(?:\s+version:? "?([^"\s]+)"?)?', re.MULTILINE)
_PNPM_NAME = lazy_pattern(r"^  ['\"]?/?((?:@[^/@\s]+/)?[^/@\s]+)[@/]([^:(_'\"]+)[^\n]*:$", re.MULTILINE)
_GIT_IN_LOCK = lazy_pattern(r"resolved \"git|resolution: \".*@git|git\+ssh:|type: git|git@github", re.IGNORECASE)


class Stock(Struct, frozen=True):
    """Debian packages: those that only the full image has, that count as installed, and that what is compiled finds."""

    lost: frozenset[str]
    has: frozenset[str]
    pool: frozenset[str]


def why_needed(dockerfile: Dockerfile, context: Context, step: Step, stock: Stock) -> Iterator[Lack]:
    """Go through what a RUN installs that the small image is not enough for.

    A browser and the like is fetched to a folder of the user, and loads libraries that no table names.
    """
    for call in step.run.calls if step.run else ():
        if call.program in {"lerna", "rush"}:
            yield Lack(f"what {call.program} installs is not known")
        if call.program not in _MANAGERS:
            continue
        words = [word.value or "" for word in call.arguments]
        names = [word for word in words if word and not word.startswith("-")]
        if call.program == "yarn" and not names:
            names = ["install"]
        if call.program == "npx":
            yield from _why_listed(((_bare(name), None) for name in names[:1]), stock)
        elif names and names[0] in _INSTALLS:
            yield from _why_words(names[1:], stock)
            if not {"-g", "--global", "--location=global"} & set(words) and names[0] != "global":
                yield from _why_project(dockerfile, context, step, call, stock)


def _why_words(names: list[str], stock: Stock) -> Iterator[Lack]:
    if any(_GIT.match(name) and not name.startswith(("@", ".", "/")) for name in names) and "git" not in stock.has:
        yield Lack("a package is fetched from a repository with git", built=True)
    yield from _why_listed(((_bare(name), _version_in(name)) for name in names), stock)


def _bare(name: str) -> str:
    at = name.find("@", 1)
    return name if at < 0 else name[:at]


def _version_in(name: str) -> str | None:
    at = name.find("@", 1)
    return None if at < 0 else name[at + 1 :]


def _why_project(dockerfile: Dockerfile, context: Context, step: Step, call: Call, stock: Stock) -> Iterator[Lack]:
    manifest = _text(dockerfile, context, step, call, "package.json")
    if manifest is None:
        yield Lack(f"the package.json of the install in line {step.line} is not known")
        return
    content = table(_json(manifest))
    ranges = {
        name: version if isinstance(version, str) else ""
        for field in ("dependencies", "devDependencies", "optionalDependencies")
        for name, version in table(content, field).items()
    }
    if "git" not in stock.has and (name := next((n for n, v in ranges.items() if _GIT.match(v)), None)):
        yield Lack(f"{name} is fetched from a repository with git", built=True)
    names = ("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml")
    locks = {name: text for name in names if (text := _text(dockerfile, context, step, call, name)) is not None}
    if not locks:
        dev = frozenset(table(content, "devDependencies")) - table(content, "dependencies").keys()
        yield from _why_listed(((name, _lowest(version)) for name, version in ranges.items()), stock, dev)
    for name, text in locks.items():
        if "git" not in stock.has and _GIT_IN_LOCK.search(text):
            yield Lack(f"{name} has a package of a repository, which git fetches", built=True)
        yield from _why_locked(name, text, stock)


def _why_locked(name: str, text: str, stock: Stock) -> Iterator[Lack]:
    if name == "yarn.lock":
        yield from _why_named(((m[1], m[2]) for m in _YARN_NAME.finditer(text)), stock)
        return
    if name == "pnpm-lock.yaml":
        yield from _why_named(((m[1], m[2]) for m in _PNPM_NAME.finditer(text)), stock)
        yield from _why_built(text, stock)
        return
    content = table(_json(text))
    packages = table(content, "packages")
    if packages:
        yield from _why_scripted(packages, stock)
    else:
        yield from _why_named(_of_first_form(content), stock)


def _why_built(text: str, stock: Stock) -> Iterator[Lack]:
    """Judge what pnpm's lock file says is to be built: the mark stands below the name."""
    for block in text.split("\n\n"):
        found = _PNPM_NAME.search(block) if "requiresBuild: true" in block else None
        if found and not _is_ready(found[1], found[2]):
            yield _scripted(found[1], stock)


def _of_first_form(content: Mapping[str, object]) -> Iterator[tuple[str, str | None]]:
    """Go through a lock file of npm 6, whose packages lie within each other."""
    for name, entry in table(content, "dependencies").items():
        version = table(entry).get("version")
        yield name, version if isinstance(version, str) else None
        yield from _of_first_form(table(entry))


def _why_scripted(packages: Mapping[str, object], stock: Stock) -> Iterator[Lack]:
    """Judge a lock file that tells which packages have install scripts."""
    for path, value in packages.items():
        entry = table(value)
        name = path.rpartition("node_modules/")[2]
        if not path or entry.get("link"):
            continue
        yield from _why_loaded(name, stock)
        if entry.get("hasInstallScript") and not _is_ready(name, str(entry.get("version", ""))):
            yield _scripted(name, stock, dev=entry.get("dev") is True)


def _why_named(names: Iterator[tuple[str, str | None]], stock: Stock) -> Iterator[Lack]:
    """Judge a lock file that has names alone: what compiles brings its means along."""
    found = dict(names)
    yield from _why_listed(iter(found.items()), stock)
    if marker := next(iter(sorted(_MARKERS & found.keys())), None):
        yield Lack(f"the lock file has {marker}, by which packages are compiled", built=True)


def _why_listed(
    names: Iterator[tuple[str, str | None]], stock: Stock, dev: frozenset[str] = frozenset()
) -> Iterator[Lack]:
    for name, version in names:
        yield from _why_loaded(name, stock)
        known = native_package(name)
        if (name in _NATIVE or (known and not known.comes_ready)) and not _is_ready(name, version or ""):
            yield _native(name, stock, "may be compiled when it is installed", dev=name in dev)


def _is_ready(name: str, version: str) -> bool:
    if name in _READY_FROM:
        numbers = re.match(r"[\^~>=v\s]*(\d+)(?:\.(\d+))?(?:\.(\d+))?", version)
        found = tuple(int(part) for part in numbers.groups() if part is not None) if numbers else ()
        return bool(found) and found >= _READY_FROM[name]
    return name in _HARMLESS


def _why_loaded(name: str, stock: Stock) -> Iterator[Lack]:
    package = _LOADED.get(name)
    if package in stock.lost and package not in stock.has:
        yield Lack(f"{name} needs {package}, which the slim image lacks", packages=(package,))


def _scripted(name: str, stock: Stock, *, dev: bool = False) -> Lack:
    return _native(name, stock, "has an install script, which may compile it", dev=dev)


def _native(name: str, stock: Stock, what: str, *, dev: bool = False) -> Lack:
    """Say that a package is compiled; what it is linked to is found where it was compiled."""
    known = native_package(name)
    libraries = known.run if known else _LINKED.get(name, ())
    if name in _FETCHING:
        return Lack(f"{name} {what}", built=dev)
    return Lack(f"{name} {what}", built=True, packages=named_in(libraries, stock.pool))


def _lowest(version: str) -> str:
    """Return the release that a range starts at."""
    return re.sub(r"^[\^~>=v\s]+", "", version)


def _text(dockerfile: Dockerfile, context: Context, step: Step, call: Call, name: str) -> str | None:
    text = text_of(dockerfile, context, step, name, call.directory or step.state.workdir or BASE_WORKDIR)
    return context.text(name) if text is None and step.instruction.flags else text


def _json(text: str) -> object:
    from json import JSONDecodeError, loads

    try:
        return loads(text)
    except JSONDecodeError:
        return None
