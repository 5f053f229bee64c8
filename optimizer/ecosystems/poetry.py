"""Poetry: install the dependencies without the project, and the project once its sources are there.

Sources: https://python-poetry.org/docs/cli/#install, https://python-poetry.org/docs/configuration/,
https://python-poetry.org/docs/pyproject/ and Poetry's `console/commands/install.py`.
"""

import re
from collections.abc import Iterator, Mapping
from posixpath import join

from msgspec import Struct

from optimizer.context.manifests import table, toml_file
from optimizer.ecosystems._arguments import (
    Arguments,
    Options,
    command_of,
    folder_of,
    parse,
    removes,
    variables_of,
    whole,
    with_switch,
)
from optimizer.ecosystems._files import Refused, beside, missing, nearest, need, visible
from optimizer.ecosystems._python import (
    CHANGING,
    PATH_TABLES,
    environments,
    local_requirement,
    pyproject,
    refusal_of_change,
    requirement_lists,
    started,
)
from optimizer.ecosystems._requirements import ARCHIVES
from optimizer.ecosystems.ecosystem import Cache, Install, Project, Refusal
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern

OPTIONS = Options.of(
    switches="""--no-root --no-dev --dev-only --sync --all-extras --all-groups --no-directory --compile --dry-run
        --remove-untracked --default --only-root --no-interaction -n --no-ansi --ansi --no-plugins --no-cache
        -q --quiet -v -vv -vvv --verbose -h --help -V --version""",
    values="-E --extras --only --with --without -C --directory -P --project",
)
_POETRY = lazy_pattern(r"poetry")
_INSTALLS = frozenset({"install", "sync"})
_LOCKED = lazy_pattern(r"\[package\.source\]\s+type = \"(directory|file)\"\s+url = \"([^\"]+)\"")
_OFF = frozenset({"0", "false", "no", "off"})


class Poetry(Struct, frozen=True):
    """`poetry install` and `poetry sync`."""

    id: str = "poetry"
    title: str = "Poetry"
    programs: frozenset[str] = frozenset({"poetry", "python", "pypy"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say what the call reads; where it installs the project too, `then` does that later."""
        start = started(call, _POETRY, "poetry")
        if start is None:
            return None
        words = [word.value for word in start.arguments]
        if _is_independent(words):
            return Install(())
        command = command_of(start.arguments, OPTIONS)
        if command is not None and command.value in CHANGING:
            return refusal_of_change("poetry", command.value)
        if command is None or command.value not in _INSTALLS:
            return None
        variables = variables_of(call, project.env)
        arguments = parse(start.arguments, OPTIONS, variables)
        if isinstance(arguments, Refusal):
            return arguments
        try:
            found = _install(call, project, arguments, variables)
        except Refused as refused:
            return Refusal(str(refused))
        places = environments(call, project)
        return places if isinstance(places, Refusal) else found

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:
        """Name the downloaded archives and index pages; the virtual environments stand beside them and stay."""
        start = started(call, _POETRY, "poetry")
        command = command_of(start.arguments, OPTIONS) if start else None
        if command is None or command.value not in _INSTALLS:
            return None
        variables = variables_of(call, env)
        folder = _cache_folder(variables)
        dry = any(word.value == "--dry-run" for word in call.arguments)
        return Cache(
            "Poetry's download cache",
            cleanup=(f"rm -rf {folder}/artifacts {folder}/cache",) if folder else (),
            targets=(folder.replace("~", variables.get("HOME") or "/root", 1),) if folder else (),
            off="the call is a dry run" if dry else None if folder else "the folder of Poetry's cache is not known",
        )

    def cleans(self, call: Call) -> bool:
        """`poetry cache clear`, or the folder removed."""
        words = [word.value for word in call.arguments]
        cleared = call.program == "poetry" and words[:2] == ["cache", "clear"]
        return cleared or removes(call, ".cache/pypoetry", "/pypoetry", "pypoetry/artifacts", "pypoetry/cache")


ECOSYSTEM = Poetry()


def _is_independent(words: list[str | None]) -> bool:
    """Tell whether a command neither reads nor writes files of the project."""
    if words[:1] == ["config"]:
        return "--local" not in words
    return words[:1] in (["--version"], ["-V"]) or words[:2] in (["self", "add"], ["cache", "clear"])


def _cache_folder(variables: Mapping[str, str | None]) -> str | None:
    """Return the cache folder as a shell word, None where it cannot be told."""
    for name, below in (("POETRY_CACHE_DIR", ""), ("XDG_CACHE_HOME", "/pypoetry")):
        if name in variables:
            value = variables[name]
            return value.rstrip("/") + below if value and re.fullmatch(r"/[\w./-]+", value) else None
    return "~/.cache/pypoetry"


def _install(call: Call, project: Project, arguments: Arguments, variables: Mapping[str, str | None]) -> Install:
    start = folder_of(call, project, arguments, "-C", "--directory", "-P", "--project")
    if arguments.has("--only-root"):
        raise Refused("poetry install --only-root installs the project itself")
    root = nearest(project, start, "pyproject.toml")
    if root is None:
        raise Refused(missing(project.context, join(start, "pyproject.toml")).reason)
    content = pyproject(project.context, root)
    if isinstance(content, Refusal):
        raise Refused(content.reason)
    _check_plugins(content)
    needed = [*_archives(project, root, content, arguments), *_license(project, root, content)]
    manifests = [join(root, "pyproject.toml"), *visible(project.context, root, "poetry.lock", "poetry.toml"), *needed]
    outputs = _outputs(project, root, variables)
    if arguments.has("--no-root") or table(content, "tool", "poetry").get("package-mode") is False:
        return Install(tuple(dict.fromkeys(manifests)), outputs)
    behind = next(argument.word for argument in arguments.plain[:1])
    command = with_switch(call, behind, "--no-root")
    return Install(tuple(dict.fromkeys(manifests)), outputs, command=command, then=whole(call))


def _check_plugins(content: dict[str, object]) -> None:
    """Refuse where a plugin reads more than the manifests."""
    tools, poetry = table(content, "tool"), table(content, "tool", "poetry")
    for name in ("poetry-dynamic-versioning", "poetry-version-plugin", "poetry-monorepo-dependency-plugin"):
        if name in tools or name in poetry:
            raise Refused(f"the plugin {name} reads the sources")
    if poetry.get("requires-plugins"):
        raise Refused("the project requires plugins of Poetry")


def _archives(project: Project, root: str, content: dict[str, object], arguments: Arguments) -> Iterator[str]:
    """Go through the local archives that are installed; raise `Refused` for a folder, which is built."""
    if refusal := local_requirement(requirement_lists(content)):
        raise Refused(refusal.reason)
    for name, path in (*_paths(content), *_locked_paths(project, root)):
        if path.lower().endswith(ARCHIVES):
            yield need(project.context, beside(root, path) or path)
        elif not arguments.has("--no-directory"):
            raise Refused(f"the dependency {name} is a folder of the project ({path})")


def _paths(content: dict[str, object]) -> Iterator[tuple[str, str]]:
    poetry = table(content, "tool", "poetry")
    groups = [poetry.get(name) for name in PATH_TABLES]
    groups += [table(group, "dependencies") for group in table(poetry, "group").values()]
    for group in groups:
        for name, wanted in table(group).items():
            for one in wanted if isinstance(wanted, list) else (wanted,):
                path = table(one).get("path")
                if isinstance(path, str):
                    yield name, path


def _locked_paths(project: Project, root: str) -> Iterator[tuple[str, str]]:
    """Go through what the lock file takes from the disk, dependencies of dependencies included."""
    text = project.context.text(join(root, "poetry.lock")) or ""
    for match in _LOCKED.finditer(text):
        yield f"{match[1]} in poetry.lock", match[2]


def _license(project: Project, root: str, content: dict[str, object]) -> Iterator[str]:
    """Go through the licence files, whose text is read with the metadata (poetry-core's factory.py)."""
    path = table(content, "project", "license").get("file")
    if isinstance(path, str):
        yield need(project.context, beside(root, path) or path)


def _outputs(project: Project, root: str, variables: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return the environment in the project, which a setting out of sight may ask for."""
    settings = table(toml_file(project.context, join(root, "poetry.toml")), "virtualenvs")
    created = variables.get("POETRY_VIRTUALENVS_CREATE", str(settings.get("create", "true"))) or ""
    return () if created.lower() in _OFF else (join(root, ".venv"),)
