"""Cargo: third-party crates compiled with the manifests and empty targets, ahead of the project itself.

Cargo loads no manifest whose targets are missing, so empty ones stand in for them. It tells a stale target by the
time of its file, which a COPY takes over from the build context and may be older than the stand-in: `cargo clean -p`
takes the project's own packages out again, so that all of them are compiled once the sources are there.

Sources: https://doc.rust-lang.org/cargo/commands/cargo-build.html, …/cargo-clean.html, …/cargo-install.html,
https://doc.rust-lang.org/cargo/reference/config.html, https://rust-lang.github.io/rustup/overrides.html and cargo's
`src/cargo/core/compiler/fingerprint/mod.rs`.
"""

import re
from collections.abc import Mapping
from posixpath import dirname, join, relpath

from msgspec import Struct

from optimizer.ecosystems._arguments import Arguments, Options, parse, variables_of
from optimizer.ecosystems._cargo_workspace import Workspace, read_workspace, settings_files
from optimizer.ecosystems._files import Refused, unique
from optimizer.ecosystems.ecosystem import Ahead, Cache, Install, Project, Refusal
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern

OPTIONS = Options.of(
    switches="""--workspace --all --lib --bins --examples --tests --benches --all-targets --all-features
        --no-default-features --release -r --keep-going --ignore-rust-version --locked --offline --frozen --verbose -v
        -vv --quiet -q --timings --future-incompat-report""",
    values="""-p --package --exclude --bin --example --test --bench --features -F --profile --jobs -j --target
        --target-dir --manifest-path --message-format --color --config -Z --artifact-dir --out-dir""",
)
_MARKS = ("cargo build", "cargo b ", "cargo fetch", "cargo chef", "cargo check", "cargo vendor", "cargo +")
_TOO_MUCH = ("--examples", "--tests", "--benches", "--all-targets", "--example", "--test", "--bench", "--config", "-Z")
_KEPT = ("--release", "-r", "--profile", "--target", "--target-dir", "--manifest-path")  # what `cargo clean` must know
_ELSEWHERE = ("CARGO_BUILD_TARGET", "CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR", "CARGO_NET_OFFLINE")
_STRICT = lazy_pattern(r"-D|deny|forbid|-T")
_PLAIN = lazy_pattern(r"[\w./-]+", re.ASCII)
_MOST_TARGETS = 6  # more stand-ins than this would bury the file


class Cargo(Struct, frozen=True):
    """`cargo build`, and what cargo and rustup install of their own."""

    id: str = "cargo"
    title: str = "Cargo"
    programs: frozenset[str] = frozenset({"cargo", "rustup"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say what the call reads; a build has the crates that it needs compiled ahead."""
        words = [word.value or "" for word in call.arguments if not word.text.startswith("+")]
        if call.program not in self.programs or not words or call.directory is None:
            return None
        start = project.locate(".", call.directory)
        if start is None:
            return None
        try:
            if call.program == "rustup":
                return Install(settings_files(project, start)) if words[0] in _RUSTUP else None
            if words[0] == "install":
                return _tool(call, project, start)
            return _build(call, project, start) if words[0] in {"build", "b"} else None
        except Refused as refused:
            return Refusal(str(refused), _MARKS)

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:
        """Name the registry's index and crates, which stay: cargo has no command that removes them."""
        if call.program != "cargo" or not any(word.value == "install" for word in call.arguments[:2]):
            return None
        return Cache(
            "cargo's registry",
            targets=registries(variables_of(call, env)),
            off="cargo has no command that removes what it downloads: leave it in a build stage",
        )

    def cleans(self, call: Call) -> bool:
        """Tell whether the registry is removed."""
        return call.program == "rm" and any("registry" in word.text for word in call.arguments)


ECOSYSTEM = Cargo()
_RUSTUP = frozenset({"component", "default", "install", "set", "show", "target", "toolchain", "update"})


def registries(variables: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return the folders where crates may be put, those of the rust images and of root where nothing is said."""
    home = variables.get("CARGO_HOME")
    homes = (home,) if home else ("/usr/local/cargo", join(variables.get("HOME") or "/root", ".cargo"))
    return tuple(join(home, "registry") for home in homes)


def _tool(call: Call, project: Project, start: str) -> Install:
    """Answer for `cargo install`, which compiles a crate of the registry unless it is told of a path."""
    words = [word.text for word in call.arguments]
    named = [word for word in words[1:] if not word.startswith(("-", "+"))]
    if not named or any(word.partition("=")[0] in {"--path", "--root", "--config"} for word in words):
        raise Refused("cargo install builds the project from its sources")
    return Install(settings_files(project, start))


def _build(call: Call, project: Project, start: str) -> Install | None:
    variables = variables_of(call, project.env)
    toolchain = [word.text for word in call.arguments[:1] if word.text.startswith("+")]
    arguments = parse(call.arguments[len(toolchain) :], OPTIONS, variables)
    if isinstance(arguments, Refusal):
        raise Refused(arguments.reason)
    _check(call, arguments, variables)
    manifest = arguments.last("--manifest-path")
    package = start if manifest is None else project.locate(dirname(manifest) or ".", call.directory or "/")
    if package is None:
        raise Refused("--manifest-path leads out of the copied files")
    workspace = read_workspace(project, package, tuple(name for name in arguments.all("--bin") if name))
    if not workspace.crates:
        return None
    commands = (*_stand_ins(workspace, start), _run(call), _clean(call, toolchain, arguments, workspace))
    manifests = unique([*workspace.manifests, *settings_files(project, start)])
    sources = (*workspace.programs, *workspace.libraries)
    ahead = Ahead(commands, start, registries(variables), _MARKS, "compiles the dependencies", sources)
    return Install(manifests, (join(workspace.root, "target"),), ahead=ahead)


def _check(call: Call, arguments: Arguments, variables: Mapping[str, str | None]) -> None:
    """Raise `Refused` where empty programs would not do, or would be put somewhere else."""
    if odd := next((name for name in _TOO_MUCH if arguments.all(name)), None):
        raise Refused(f"cargo build {odd} builds more than programs and libraries")
    if any(arguments.hidden(name) for name in (*_KEPT, "--bin", "--package", "-p")):
        raise Refused("an option of cargo build is not known before it runs")
    if "none" in (arguments.last("--target") or "") or ".json" in (arguments.last("--target") or ""):
        raise Refused("an empty program does not build for a target without a system")
    if name := next((name for name in _ELSEWHERE if name in variables), None):
        raise Refused(f"{name} changes where or how cargo builds")
    flags = next((n for n in variables if n.endswith("RUSTFLAGS") and _STRICT.search(variables[n] or "-D")), None)
    if flags is not None:
        raise Refused(f"{flags} may refuse empty programs")
    # A crate's build script may read any variable, and is not run again where it does not say so.
    own = {name for name, _ in call.command.assignments}
    if name := next((name for name in call.variables if name not in own), None):
        raise Refused(f"{name} is set for cargo build by another command")
    if call.user is not None or len(call.words) != len(call.command.words):
        raise Refused("cargo build runs within another command")


def _stand_ins(workspace: Workspace, start: str) -> list[str]:
    """Return the commands that put empty programs and libraries in the place of the real ones, which replace them."""
    files = [relpath(path, start or ".") for path in (*workspace.programs, *workspace.libraries)]
    if len(files) > _MOST_TARGETS:
        raise Refused(f"the project has {len(files)} targets, each of which would need a stand-in")
    if odd := next((path for path in files if not _PLAIN.fullmatch(path)), None):
        raise Refused(f"the name {odd} would need quoting")
    programs, libraries = files[: len(workspace.programs)], files[len(workspace.programs) :]
    folders = dict.fromkeys(dirname(path) for path in files if dirname(path))
    commands = [f"mkdir -p {' '.join(folders)}"] if folders else []
    if programs:
        first, *others = programs
        commands += [f"echo 'fn main() {{}}' > {first}", *(f"cp {first} {other}" for other in others)]
    return [*commands, f"touch {' '.join(libraries)}"] if libraries else commands


def _run(call: Call) -> str:
    return " ".join([*_prefix(call), *(word.text for word in call.words)])


def _clean(call: Call, toolchain: list[str], arguments: Arguments, workspace: Workspace) -> str:
    """Return the command that takes the packages of the project out of the target folder again."""
    options = [word for name, value in arguments.options if name in _KEPT for word in (name, value) if word]
    packages = [word for name in workspace.names for word in ("-p", name)]
    return " ".join([*_prefix(call), call.words[0].text, *toolchain, "clean", *options, *packages])


def _prefix(call: Call) -> list[str]:
    return [f"{name}={word.text}" for name, word in call.command.assignments]
