"""How the downloads of each ecosystem are kept in a cache mount (`RUN --mount=type=cache`).

Two kinds are told apart. A *download cache* is read by the installs that fill it and by nothing else: an install
copies from it, so that each RUN can have the mount or not. A *store* is what builds read where it lies (Go's modules,
Cargo's crates, Maven's repository): every RUN that may need it has to have the mount.

`sharing=locked` is for programs whose lock lies outside of the folder, or that have none between two containers.
Sources: the manuals named in each ecosystem's module; https://docs.docker.com/build/cache/optimize/#use-cache-mounts.
"""

from collections.abc import Callable, Mapping
from importlib import import_module

from msgspec import Struct

Env = Mapping[str, str | None]


class Download(Struct, frozen=True):
    """A download cache; `below` are the folders in each of `Cache.targets` that hold it, "" for the whole.

    `flags` keep the tool from using its cache; `key` is the setting in one of the project's files `settings` that
    moves it; `folder` says where it lies where `Cache.targets` does not. `compiles`: it also holds what was compiled
    against the libraries of the base image, which a build on another base must not find (pip tells wheels that it
    built on Alpine and on Debian apart by nothing: both are `linux_x86_64`). `links` is what a call, a variable or one
    of the settings files says where the install makes links into the cache, which a mount cannot hold for the image.
    """

    sharing: str = "shared"
    below: tuple[str, ...] = ("",)
    flags: frozenset[str] = frozenset()
    settings: tuple[str, ...] = ()
    key: str = ""
    folder: Callable[[Env], str] | None = None
    compiles: bool = False
    links: str = ""


class Store(Struct, frozen=True):
    """A store; `folders` gives where it lies by the environment, `idle` the subcommands that do not need it.

    `own` are words of a call that put results of the project itself there, `offline` those with which a call makes do
    with what is there; `compiled` are the subcommands that alone use and fill a `build_cache`.
    """

    name: str
    programs: frozenset[str]
    folders: Callable[[Env], tuple[str, ...]]
    sharing: str = "shared"
    idle: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    offline: frozenset[str] = frozenset()
    compiled: frozenset[str] = frozenset()
    build_cache: Callable[[Env], str] | None = None


def _pnpm_store(env: Env) -> str:
    """Return pnpm's store (https://pnpm.io/settings#storedir)."""
    if home := env.get("PNPM_HOME"):
        return f"{home}/store"
    return f"{env.get('XDG_DATA_HOME') or str(env.get('HOME') or '/root') + '/.local/share'}/pnpm/store"


_PIP = frozenset({"--no-cache-dir", "--no-cache"})
_NPMRC = (".npmrc",)
# Hard links cannot lead out of a mount, and the global virtual store is one of symbolic links (https://pnpm.io/settings).
_PNPM_LINKS = r"package[-_]?import[-_]?method\W+(?:hardlink|clone\b)|enable[-_]?global[-_]?virtual[-_]?store\W+true"
DOWNLOADS: Mapping[str, Download] = {
    "pip": Download(flags=_PIP, compiles=True),
    "pip_tools": Download(compiles=True),
    "pipenv": Download(compiles=True),
    "pdm": Download(sharing="locked", compiles=True),
    # Poetry's virtual environments stand beside these two.
    "poetry": Download(
        sharing="locked", below=("artifacts", "cache"), settings=("poetry.toml",), key="cache-dir", compiles=True
    ),
    "uv": Download(flags=_PIP | {"-n"}, settings=("pyproject.toml", "uv.toml"), key="cache-dir", compiles=True),
    "npm": Download(settings=_NPMRC, key="cache"),
    "yarn": Download(sharing="locked", settings=(".yarnrc", *_NPMRC), key="cache-folder"),
    # pnpm keeps what install scripts make, too (https://pnpm.io/settings#sideeffectscache).
    "pnpm": Download(
        settings=(*_NPMRC, "pnpm-workspace.yaml"),
        key="store-?[dD]ir",
        folder=_pnpm_store,
        compiles=True,
        links=_PNPM_LINKS,
    ),
    "bun": Download(settings=("bunfig.toml",), key="(?:dir|disable)", links=r"--backend[= ]\W*symlink"),
    "composer": Download(flags=frozenset({"--no-cache"}), settings=("composer.json",), key='"cache-dir"'),
    "mix": Download(sharing="locked"),
}
# What is not mounted, and why: a clause.
REFUSED: Mapping[str, str] = {
    "apk": "apk's index is small, and a cache of its packages would have to be told apart by architecture",
    "dnf": "which folder holds the packages hangs on the release of dnf or yum",
    "zypper": "zypper removes the packages once they are installed",
    "pacman": "pacman's packages belong to one day's state of the distribution",
    "conda": "where conda keeps its packages hangs on how it was installed",
    "bundler": "what Bundler caches beside the gems themselves is only their index",
}


def _lazily(module: str, function: str) -> Callable[[Env], tuple[str, ...]]:
    """Return a function of an ecosystem's module, which is loaded once it is needed."""

    def call(env: Env) -> tuple[str, ...]:
        found: tuple[str, ...] = getattr(import_module(f"optimizer.ecosystems.{module}"), function)(env)
        return found

    return call


def _go_builds(env: Env) -> str:
    """Return Go's build cache (`go help cache`): addressed by what went into each result, the compiler too."""
    return env.get("GOCACHE") or f"{env.get('XDG_CACHE_HOME') or str(env.get('HOME') or '/root') + '/.cache'}/go-build"


STORES: Mapping[str, Store] = {
    "go": Store(
        "Go's modules",
        frozenset({"go"}),
        _lazily("go", "module_caches"),
        idle=frozenset({"env", "fmt", "help", "telemetry", "version"}),
        offline=frozenset({"-mod=vendor"}),
        compiled=frozenset({"build", "install"}),
        build_cache=_go_builds,
    ),
    "cargo": Store(
        "Cargo's crates",
        frozenset({"cargo"}),
        _lazily("cargo", "registries"),
        sharing="locked",  # its lock is $CARGO_HOME/.package-cache, beside the registry
        idle=frozenset({"--version", "-V", "clean", "fmt", "help", "init", "new", "version"}),
        offline=frozenset({"--offline", "--frozen"}),
    ),
    "maven": Store(
        "Maven's repository",
        frozenset({"mvn", "mvnw", "mvnd"}),
        _lazily("maven", "repositories"),
        sharing="locked",
        idle=frozenset({"--version", "-v", "-version", "--help", "-h"}),
        own=frozenset({"install", "deploy"}),
        offline=frozenset({"-o", "--offline"}),
    ),
    "dotnet": Store(
        "NuGet's packages",
        frozenset({"dotnet"}),
        _lazily("dotnet", "packages"),
        sharing="locked",  # its locks lie in the folder for temporary files
        idle=frozenset({"--info", "--list-runtimes", "--list-sdks", "--version", "dev-certs", "help", "new", "sln"}),
        offline=frozenset({"--no-restore", "--no-build"}),
    ),
}
STORE_OF = {program: id_ for id_, store in STORES.items() for program in store.programs}
