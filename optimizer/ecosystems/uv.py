"""uv: `uv sync` of a project without installing it, and `uv pip`.

Sources: https://docs.astral.sh/uv/reference/cli/, https://docs.astral.sh/uv/reference/environment/,
https://docs.astral.sh/uv/concepts/cache/.
"""

from collections.abc import Mapping
from posixpath import join

from msgspec import Struct
from msgspec.structs import replace

from optimizer.context import Context
from optimizer.ecosystems._arguments import (
    Arguments,
    Options,
    command_of,
    folder_of,
    is_on,
    parse,
    refuse_paths,
    removes,
    variables_of,
    whole,
    with_switch,
)
from optimizer.ecosystems._files import Refused, nearest, unique
from optimizer.ecosystems._python import CHANGING, Start, environments, refusal_of_change, started
from optimizer.ecosystems._uv_pip import install_pip
from optimizer.ecosystems._uv_project import (
    UvProject,
    check_static,
    is_stale,
    local_archives,
    read_project,
    settings_files,
)
from optimizer.ecosystems.ecosystem import Cache, Install, Project, Refusal
from optimizer.ecosystems.pip import OPTIONS as PIP
from optimizer.ecosystems.pip import cache_folder
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern

OPTIONS = PIP | Options.of(
    switches="""--no-install-project --no-install-workspace --no-install-local --locked --frozen --no-dev --dev
        --only-dev --all-extras --all-groups --no-default-groups --inexact --exact --active --no-active --no-editable
        --compile-bytecode --no-compile-bytecode --reinstall --refresh --no-sources --no-build --no-cache -n --offline
        --native-tls --system-certs --no-progress --no-config --no-python-downloads --managed-python
        --no-managed-python --check --all-packages --system --no-system --strict --verify-hashes --no-verify-hashes
        --preview --no-preview --no-break-system-packages --clear --seed --allow-existing --no-project
        --relocatable --show-settings -vv -vvv --no-installer-metadata --only-managed --no-index""",
    values="""--extra --no-extra --group --no-group --only-group --package --no-install-package -p --python
        --default-index --index --index-strategy --resolution --prerelease --fork-strategy --exclude-newer
        --exclude-newer-package --link-mode --no-build-package --no-binary-package --no-build-isolation-package
        -P --upgrade-package --reinstall-package --refresh-package --no-sources-package --python-preference --color
        --allow-insecure-host --directory --project --config-file --output-format --python-platform --torch-backend
        --constraints --override --overrides --requirements --build-constraints -b --exclude --excludes --prompt
        --preview-features --config-settings-package --upgrade-group""",
)
_UV = lazy_pattern(r"uv")
_LINKS = lazy_pattern(r"(?m)^\s*link-mode\s*=\s*[\"']symlink")
_INDEPENDENT = frozenset({"cache", "self", "help", "generate-shell-completion"})
_TOOL_COMMANDS = frozenset({"install", "uninstall", "upgrade", "update-shell", "list", "dir"})
_PIP_COMMANDS = frozenset({"install", "sync", "uninstall"})
_ELSEWHERE = ("UV_PROJECT", "UV_WORKING_DIRECTORY", "UV_WORKING_DIR", "UV_CONFIG_FILE")
_ONLY = ("--only-dev", "--only-group")


class Uv(Struct, frozen=True):
    """`uv sync`, `uv pip install`, `uv pip sync`, `uv venv`."""

    id: str = "uv"
    title: str = "uv"
    programs: frozenset[str] = frozenset({"uv", "python", "pypy"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say what the call reads; where it installs the project too, `then` does that later."""
        start = started(call, _UV, "uv")
        command = command_of(start.arguments, OPTIONS) if start else None
        if start is None or command is None:
            return None
        arguments = parse(start.arguments, OPTIONS, variables_of(call, project.env))
        words = [w.text for w in start.arguments if not w.text.startswith("-")]
        if command.value in _INDEPENDENT or (command.value == "tool" and {*words[1:2]} <= _TOOL_COMMANDS):
            local = any(word.startswith((".", "/")) for word in words[2:])
            return Refusal("uv tool install builds the project from its sources") if local else Install(())
        if command.value in CHANGING:
            return refusal_of_change("uv", command.value)
        if command.value not in {"sync", "pip", "venv", "python"} or (
            command.value == "python" and words[1:2] != ["install"]
        ):
            return None
        if isinstance(arguments, Refusal):
            return arguments
        try:
            refuse_paths(call, project, arguments, "--config-file", "--cache-dir")
            return _answer(call, project, start, arguments)
        except Refused as refused:
            return Refusal(str(refused))

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:
        """Name uv's cache, which `--no-cache` keeps in a temporary folder that goes with the command."""
        start = started(call, _UV, "uv")
        words = [w.value for w in start.arguments if not w.text.startswith("-")] if start else []
        if words[:1] != ["sync"] and words[:2] not in (["pip", "install"], ["pip", "sync"], ["tool", "install"]):
            return None
        behind = next(w for w in call.arguments if w.value in {"sync", "install"})
        variables = variables_of(call, env)
        found = Cache(
            "uv's download cache",
            flag="--no-cache",
            after=behind,
            targets=(cache_folder(variables, "UV_CACHE_DIR", "uv"),),
            off=_why_no_cache(call, variables),
        )
        return found if found.off else replace(found, decide=lambda context: replace(found, off=_why_linked(context)))

    def cleans(self, call: Call) -> bool:
        """`uv cache clean` (`prune` leaves much), `uv clean`, or the folder removed."""
        words = [word.value for word in call.arguments]
        return (call.program == "uv" and words[:2] == ["cache", "clean"]) or removes(call, ".cache/uv")


ECOSYSTEM = Uv()


def _answer(call: Call, project: Project, start: Start, arguments: Arguments) -> Install | None:
    variables = variables_of(call, project.env)
    if renamed := next((name for name in _ELSEWHERE if name in variables), None):
        raise Refused(f"{renamed} names another folder or file")
    command = arguments.plain[0].value
    if command == "pip":
        second = arguments.plain[1].value if len(arguments.plain) > 1 else None
        return install_pip(call, project, start.program, arguments, variables) if second in _PIP_COMMANDS else None
    folder = folder_of(call, project, arguments, "--directory", "--project")
    if command == "sync":
        return _sync(call, read_project(project, folder), arguments, variables)
    return _interpreter(project, folder, arguments)


def _why_no_cache(call: Call, variables: Mapping[str, str | None]) -> str | None:
    words = [word.text.partition("=")[0] for word in call.arguments]
    if {"--no-cache", "--no-cache-dir", "-n"} & set(words):
        return "uv runs with --no-cache already"
    if is_on(variables.get("UV_NO_CACHE")):
        return "UV_NO_CACHE is set already"
    if "symlink" in (
        variables.get("UV_LINK_MODE"),
        *(w.value for w in call.arguments),
        *(w.text.partition("=")[2] for w in call.arguments),
    ):
        return "the installed packages are links into the cache"
    return "the call names a cache folder of its own" if "--cache-dir" in words else None


def _why_linked(context: Context) -> str | None:
    """Say that a settings file of the project makes links into the cache of what is installed."""
    paths = (path for pattern in ("*.toml", "*/*.toml") for path in context.match(pattern))
    settings = (path for path in paths if path.rpartition("/")[2] in {"pyproject.toml", "uv.toml"})
    found = next((path for path in settings if _LINKS.search(context.text(path) or "")), None)
    return f"the installed packages are links into the cache ({found})" if found else None


def _sync(call: Call, found: UvProject, arguments: Arguments, variables: Mapping[str, str | None]) -> Install:
    frozen = arguments.has("--frozen") or is_on(variables.get("UV_FROZEN"))
    locked = arguments.has("--locked") or is_on(variables.get("UV_LOCKED"))
    if (frozen or locked) and found.lock is None:
        raise Refused(f"uv sync needs {join(found.root, 'uv.lock')}, which the build does not see")
    if not frozen:
        check_static(found)
    locks = (found.lock,) if found.lock else ()
    needed = [*settings_files(found.project, found.root), *local_archives(found)]
    manifests = unique([found.files[0], *locks, *found.files[1:], *needed])
    stale = locks if locks and not (frozen or locked) and is_stale(found) else ()
    outputs = _environment(call, found, arguments, variables)
    switch = _missing_switch(found, arguments)
    if switch is None:
        return Install(manifests, outputs, stale)
    behind = arguments.plain[0].word
    return Install(manifests, outputs, stale, command=with_switch(call, behind, switch), then=whole(call))


def _missing_switch(found: UvProject, arguments: Arguments) -> str | None:
    """Return what keeps uv from installing packages of the project, None where it does not install any."""
    has_members = len(found.contents) > 1
    if arguments.has("--no-install-local", "--no-install-workspace") or (arguments.has(*_ONLY) and not has_members):
        return None
    if has_members:
        return "--no-install-workspace"
    return "--no-install-project" if found.is_package and not arguments.has("--no-install-project") else None


def _environment(
    call: Call, found: UvProject, arguments: Arguments, variables: Mapping[str, str | None]
) -> tuple[str, ...]:
    places = environments(call, found.project) if arguments.has("--active") else ()
    if isinstance(places, Refusal):
        raise Refused(places.reason)
    if "UV_PROJECT_ENVIRONMENT" not in variables:
        return unique([join(found.root, ".venv"), *places])
    value = variables["UV_PROJECT_ENVIRONMENT"]
    if value is None:
        raise Refused("the value of UV_PROJECT_ENVIRONMENT is not known")
    if not value.startswith("/"):
        return (join(found.root, value),)
    place = found.project.locate(value, "/")
    return (place,) if place else ()


def _interpreter(project: Project, folder: str, arguments: Arguments) -> Install:
    """Answer for `uv venv` and `uv python install`, which look for the Python that the project pins."""
    needed = list(settings_files(project, folder))
    root = nearest(project, folder, "pyproject.toml")
    needed += [join(root, "pyproject.toml")] if root is not None else []
    words = arguments.plain[1:]
    if arguments.plain[0].value != "venv":
        return Install(unique(needed))
    path = words[0].value if words else ".venv"
    if path is None:
        raise Refused("the folder of the environment is not known")
    place = join(folder, path) if not path.startswith("/") else project.locate(path, "/")
    return Install(unique(needed), (place,) if place else ())
