"""Rust: Cargo makes a binary a target, linked to the C library and to what the `-sys` crates of the lock file name.

Source: The Cargo Book, "Cargo Targets" and "Build Cache"; the crates' own build scripts.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping

from optimizer.images import packages
from optimizer.model import Step
from optimizer.shell import Call, resolve
from optimizer.transforms.stages import compiled
from optimizer.transforms.stages.nodes import NOTHING, Build, Effect, Runtime
from optimizer.transforms.stages.packages import libraries_of
from optimizer.transforms.stages.words import known_path, option

_OF_IMAGE = ("/usr/local/cargo", "/usr/local/rustup", "/root/.cargo")
_HARMLESS = frozenset("check clean clippy doc fetch fmt generate-lockfile metadata search test tree update version "
                      "vendor add remove verify-project --version -V".split())  # fmt: skip
_SOURCES = compiled.Sources(
    files=re.compile(
        r"(?:.*/)?(?:[^/]+\.rs|Cargo\.(?:toml|lock)|rust-toolchain(?:\.toml)?|build\.rs|rustfmt\.toml|clippy\.toml)"
        r"|(?:.*/)?\.cargo/.*|target/.*"
    ),
    looks_back=re.compile(r"CARGO_MANIFEST_DIR|\bfile!\(\)"),
    builders=frozenset({"cargo", "rustc", "cargo-watch", "trunk", "dx"}),
)
# What crates link to where they find it, by the development package that the full image has.
_LINKS = {
    "bzip2-sys": "libbz2-dev", "curl-sys": "libcurl4-openssl-dev", "freetype-sys": "libfreetype6-dev",
    "libgit2-sys": "libssl-dev", "libpq-sys": "libpq-dev", "libsqlite3-sys": "libsqlite3-dev",
    "libssh2-sys": "libssl-dev", "libxml": "libxml2-dev", "libz-sys": "zlib1g-dev", "lzma-sys": "liblzma-dev",
    "mysqlclient-sys": "default-libmysqlclient-dev", "openssl-sys": "libssl-dev", "pq-sys": "libpq-dev",
    "yaml-sys": "libyaml-dev",
}  # fmt: skip
# Crates of that name which bring their library along, or belong to other systems.
_BUNDLED = re.compile(
    r"(?:android|apple|aws-lc|aws-lc-fips|basis-universal|blake3|brotli|cc|clang|core-foundation|core-graphics|coreaudio"
    r"|cssparser|dirs|esaxx|fsevent|hermit|iana-time-zone|inotify|io-kit|jemalloc|jni|js|kqueue|libbpf|libdeflate|libmimalloc"
    r"|librocksdb|linux-raw|lz4|lzma-rust|mach|mimalloc|mozjpeg|ndk|ntapi|objc|oboe|psm|quickjs|ring|rdkafka|rocksdb"
    r"|security-framework|secp256k1|snappy|snmalloc|sys-info|system-configuration|tikv-jemalloc|tree-sitter.*|wasi|web"
    r"|webpki|winapi|windows|winreg|xxhash|zstd)-sys(?:\d|-next)?|tikv-jemalloc-sys|linux-raw-sys.*|windows-.*|objc-sys|rquickjs-sys"
)
_STARTS_RUST = re.compile(r"Command::new\(\s*\"(?:cargo|rustc|rustup|rustfmt|[\w./]*target/(?:release|debug)/)")
_TOOLS = frozenset({"CARGO_HOME", "RUSTUP_HOME", "RUST_VERSION"})


def effect(call: Call, step: Step, build: Build) -> Effect | None:
    """Say what Cargo and rustup leave behind."""
    if call.program in {"rustup", "rustc"}:
        return Effect(leaves=_OF_IMAGE) if call.program == "rustup" else _compiled(call)
    if call.program != "cargo":
        return None
    words = [word for word in call.arguments if not word.text.startswith("+")]
    verb = resolve(words[0], call.variables) if words else None
    if verb in _HARMLESS:
        return Effect(leaves=(*_OF_IMAGE, f"{_target(call)}"))
    if verb in {"build", "b", "rustc"}:
        return _built(call, build)
    if verb == "install":
        return _installed(call, build)
    if verb in {"new", "init"}:
        return _begun(call, str(verb))
    if verb == "chef":
        return Effect(leaves=(*_OF_IMAGE, _target(call), f"{call.directory}/recipe.json"))
    return NOTHING if verb is None else Effect(unknown=f"what cargo {verb} of line {step.line} makes is not known")


def _compiled(call: Call) -> Effect:
    named = option(call, "-o")
    path = known_path(named, call) if named else None
    return Effect((path,)) if path else Effect(unknown="where rustc puts its program is not known")


def _target(call: Call) -> str:
    given = option(call, "--target-dir")
    path = known_path(given, call) if given else call.variables.get("CARGO_TARGET_DIR")
    return posixpath.normpath(posixpath.join(_root(call), path or "target"))


def _root(call: Call) -> str:
    manifest = option(call, "--manifest-path")
    path = known_path(manifest, call) if manifest else None
    return posixpath.dirname(path) if path else (call.directory or "/")


def _begun(call: Call, verb: str) -> Effect:
    """`cargo new` makes a project, of which nothing but what is built from it later runs."""
    words = [word for word in call.arguments[1:] if not word.text.startswith("-")]
    path = known_path(words[-1], call) if words else call.directory if verb == "init" else None
    return (
        Effect(leaves=(path,))
        if path and path.startswith("/")
        else Effect(unknown=f"where cargo {verb} works is not known")
    )


def _built(call: Call, build: Build) -> Effect:
    target = _target(call)
    words = [resolve(word, call.variables) or "" for word in call.arguments]
    if not target.startswith("/") or any(
        "$" in word.text and not resolve(word, call.variables) for word in call.arguments
    ):
        return Effect(unknown="where cargo build puts its programs is not known")
    triple = _value(words, "--target") or _configured(build, _root(call), "target") or ""
    if _configured(build, _root(call), "target-dir"):
        return Effect(unknown=".cargo/config.toml says where the programs go")
    profile = _value(words, "--profile") or ("release" if {"--release", "-r"} & set(words) else "dev")
    folder = posixpath.join(target, triple, "debug" if profile in {"dev", "test"} else profile)
    names = _value(words, "--bin")
    found = (names,) if names else tuple(_programs(build, _root(call)))
    return Effect(tuple(posixpath.join(folder, name) for name in found), leaves=(target, *_OF_IMAGE))


def _installed(call: Call, build: Build) -> Effect:
    words = [resolve(word, call.variables) or "" for word in call.arguments]
    root = option(call, "--root")
    place = known_path(root, call) if root else call.variables.get("CARGO_HOME") or "/usr/local/cargo"
    given = option(call, "--path")
    source = known_path(given, call) if given else None
    if place is None or (given is not None and source is None):
        return Effect(unknown="where cargo install puts its programs is not known")
    if source is None:
        operands = [w for w in words[1:] if w and not w.startswith("-")]
        named = tuple(f"{place}/bin/{name.partition('@')[0]}" for name in operands[:1])
        return Effect(named if root else (), leaves=_OF_IMAGE)
    names = _value(words, "--bin")
    found = (names,) if names else tuple(_programs(build, source))
    return Effect(tuple(f"{place}/bin/{n}" for n in found), leaves=(f"{source}/target", _target(call), *_OF_IMAGE))


def _value(words: list[str], name: str) -> str | None:
    for index, word in enumerate(words):
        if word == name:
            return words[index + 1] if index + 1 < len(words) else None
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
    return None


def _configured(build: Build, folder: str, key: str) -> str | None:
    for name in (".cargo/config.toml", ".cargo/config"):
        if source := build.copied.get(posixpath.join(folder, name)):
            found = _table(build, source).get("build")
            return str(found[key]) if isinstance(found, Mapping) and key in found else None
    return None


def _table(build: Build, source: str) -> Mapping[str, object]:
    """Return what a file in TOML says, nothing where it is broken."""
    import tomllib

    try:
        return tomllib.loads(build.subject.context.text(source) or "")
    except tomllib.TOMLDecodeError:
        return {}


def _programs(build: Build, folder: str) -> Iterator[str]:
    """Go through the binaries of the package in a folder of the image, and of the members of its workspace.

    The manifest may have come with an earlier COPY than the sources; those of the whole context count.
    """
    source = build.copied.get(posixpath.join(folder, "Cargo.toml"))
    if source is None:
        return
    base = posixpath.dirname(source)
    manifest = _table(build, source)
    yield from _of_package(build, base, manifest)
    workspace = manifest.get("workspace")
    members = workspace.get("members") if isinstance(workspace, Mapping) else None
    for member in members if isinstance(members, list) else ():
        for path in build.subject.context.match(posixpath.join(base, str(member))):
            yield from _of_package(build, path, _table(build, posixpath.join(path, "Cargo.toml")))


def _of_package(build: Build, base: str, manifest: Mapping[str, object]) -> Iterator[str]:
    context = build.subject.context
    package = manifest.get("package")
    name = str(package.get("name")) if isinstance(package, Mapping) else None
    if name is None:
        return
    tables = manifest.get("bin")
    bins = [one for one in tables if isinstance(one, Mapping)] if isinstance(tables, list) else []
    yield from (str(one["name"]) for one in bins if "name" in one and "required-features" not in one)
    paths = {posixpath.normpath(str(one.get("path"))) for one in bins if one.get("path")}
    if context.is_file(posixpath.join(base, "src/main.rs")) and "src/main.rs" not in paths:
        yield name
    for path in context.match(posixpath.join(base, "src/bin/*")):
        inner = posixpath.relpath(path, base or ".")
        if inner not in paths and f"{inner}/main.rs" not in paths:
            yield posixpath.basename(path).removesuffix(".rs")


def runtime(build: Build) -> Runtime | str | None:
    """Say which binary is started, and which shared libraries it needs."""
    if reason := compiled.why_builds(build, _SOURCES):
        return reason
    base = compiled.slim_debian(build)
    if isinstance(base, str):
        return base
    found = compiled.binaries(build, ("/usr/local/cargo/bin",))
    if isinstance(found, str):
        return found
    linked = _linked(build)
    if isinstance(linked, str):
        return linked
    if any(_STARTS_RUST.search(text) for text in compiled.own_code(build)):
        return "the code starts the toolchain, or a program beside itself"
    programs = compiled.started_by_code(build, base)
    if isinstance(programs, str):
        return programs
    named = {name for name in _TOOLS if any(name in text for text in compiled.own_code(build))}
    on_path = any(path.startswith("/usr/local/cargo/bin/") for path in found)
    return Runtime(
        base,
        (*found, *compiled.filled(build), "/etc/ssl/certs/ca-certificates.crt"),
        "The Rust toolchain, the sources and all that Cargo keeps stay in the build stage: the program needs neither.",
        packages=(*linked, *programs),
        leaves_out=(*compiled.left_sources(build, _SOURCES), *_OF_IMAGE),
        left_variables=(_TOOLS - named) | (frozenset() if on_path else {"PATH"}),
    )


def _linked(build: Build) -> tuple[str, ...] | str:
    """Return the packages of the libraries that the crates of the lock file are linked to, or what is not known."""
    held = packages(build.full) or frozenset()
    locks = [source for path, source in build.copied.items() if posixpath.basename(path) == "Cargo.lock"]
    if not locks:
        locks = [path for path in ("Cargo.lock",) if build.subject.context.is_file(path)]
    if not locks:
        return () if not _depends(build) else "no Cargo.lock says what the program is linked to"
    found: dict[str, None] = {}
    for crate in sorted({name for lock in locks for name in _crates(build.subject.context.text(lock) or "")}):
        package = _LINKS.get(crate)
        if package is None:
            if crate.endswith("-sys") and "libssl-dev" in held and not _BUNDLED.fullmatch(crate):
                return f"what {crate} is linked to is not known"
        elif package in held:
            names = libraries_of(package, build.release)
            if names is None:
                return f"which library {crate} needs on {build.release} is not known"
            found.update(dict.fromkeys(names))
    return tuple(found)


def _crates(text: str) -> list[str]:
    return re.findall(r'^name = "([^"]+)"', text, re.MULTILINE)


def _depends(build: Build) -> bool:
    """Tell whether any manifest asks for other crates."""
    manifests = [source for path, source in build.copied.items() if posixpath.basename(path) == "Cargo.toml"]
    return any("dependencies" in key and table for one in manifests for key, table in _table(build, one).items())
