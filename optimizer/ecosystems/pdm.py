"""PDM: install the dependencies without the project, and the project once its sources are there.

Sources: https://pdm-project.org/en/latest/reference/cli/, https://pdm-project.org/en/latest/usage/hooks/ and, for the
hash that ties lock file and pyproject.toml together, PDM's `project/project_file.py`.
"""

import re
from collections.abc import Mapping
from posixpath import join

from msgspec import Struct

from optimizer.context.manifests import table
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
from optimizer.ecosystems._files import Refused, missing, nearest, unique, visible
from optimizer.ecosystems._python import (
    CHANGING,
    environments,
    local_requirement,
    pyproject,
    refusal_of_change,
    requirement_lists,
    started,
    texts,
)
from optimizer.ecosystems.ecosystem import Cache, Install, Project, Refusal
from optimizer.ecosystems.pip import cache_folder
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern

OPTIONS = Options.of(
    switches="""--prod --production --dev -d --no-self --no-editable --frozen-lockfile --no-lock --check --no-default
        --no-isolation --clean --clean-unselected --only-keep --dry-run --fail-fast -x --reinstall -v --verbose -q
        --quiet -n --non-interactive -h --help -V --version -I --ignore-python -g --global --plugins""",
    values="""-G --group --with --without -L --lockfile -p --project -k --skip --venv --override -c --config
        --no-editable-package""",
)
_PDM = lazy_pattern(r"pdm")
_INSTALLS = frozenset({"install", "sync"})
_HOOKS = lazy_pattern(r"(?:pre|post)_(?:install|sync|lock)|post_use|pre_invoke")
_HASH = lazy_pattern(r"^content_hash = \"sha256:([0-9a-f]+)\"", re.MULTILINE)


class Pdm(Struct, frozen=True):
    """`pdm install` and `pdm sync`."""

    id: str = "pdm"
    title: str = "PDM"
    programs: frozenset[str] = frozenset({"pdm", "python", "pypy"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say what the call reads; where it installs the project too, `then` does that later."""
        start = started(call, _PDM, "pdm")
        command = command_of(start.arguments, OPTIONS) if start else None
        if start is None or command is None:
            return None
        words = [word.value for word in start.arguments]
        if (command.value == "config" and not {"-l", "--local"} & set(words)) or command.value in {"cache", "self"}:
            return Install(())
        if command.value in CHANGING:
            return refusal_of_change("pdm", command.value)
        if command.value not in _INSTALLS:
            return None
        arguments = parse(start.arguments, OPTIONS, variables_of(call, project.env))
        if isinstance(arguments, Refusal):
            return arguments
        try:
            refuse_paths(call, project, arguments, "-L", "--lockfile", "--override", "-c", "--config")
            return _install(call, project, arguments)
        except Refused as refused:
            return Refusal(str(refused))

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:
        """Name PDM's cache; `pdm cache clear` keeps the packages that environments link to."""
        start = started(call, _PDM, "pdm")
        command = command_of(start.arguments, OPTIONS) if start else None
        if command is None or command.value not in _INSTALLS:
            return None
        variables = variables_of(call, env)
        linked = is_on(variables.get("PDM_INSTALL_CACHE"))
        return Cache(
            "PDM's download cache",
            cleanup=("pdm cache clear",),
            targets=(cache_folder(variables, "PDM_CACHE_DIR", "pdm"),),
            off="PDM_INSTALL_CACHE links the installed packages to the cache" if linked else None,
        )

    def cleans(self, call: Call) -> bool:
        """`pdm cache clear`, or the folder removed."""
        cleared = call.program == "pdm" and [w.value for w in call.arguments][:2] == ["cache", "clear"]
        return cleared or removes(call, ".cache/pdm")


ECOSYSTEM = Pdm()


def _install(call: Call, project: Project, arguments: Arguments) -> Install:
    if arguments.has("-g", "--global", "--plugins"):
        raise Refused("pdm installs another project than the one that is copied")
    folder = folder_of(call, project, arguments, "-p", "--project")
    root = nearest(project, folder, "pyproject.toml")
    if root is None:
        raise Refused(missing(project.context, join(folder, "pyproject.toml")).reason)
    content = pyproject(project.context, root)
    if isinstance(content, Refusal):
        raise Refused(content.reason)
    _check(content)
    locks = visible(project.context, root, "pdm.lock")
    is_sync = arguments.plain[0].value == "sync"
    if not locks and (is_sync or arguments.has("--frozen-lockfile", "--no-lock", "--check")):
        raise Refused(f"pdm needs {join(root, 'pdm.lock')}, which the build does not see")
    fixed = is_sync or arguments.has("--frozen-lockfile", "--no-lock", "--check")
    current = fixed or not locks or _is_current(content, project.context.text(locks[0]) or "")
    more = visible(project.context, root, "pdm.toml", ".pdm.toml", ".pdm-python", ".python-version")
    manifests = (join(root, "pyproject.toml"), *locks, *more)
    places = environments(call, project)
    if isinstance(places, Refusal):
        raise Refused(places.reason)
    outputs = unique([*places, *(join(root, name) for name in (".venv", "__pypackages__"))])
    rewrites = () if current else locks
    if arguments.has("--no-self", "--no-default") or not _is_package(content):
        return Install(manifests, outputs, rewrites)
    command = with_switch(call, arguments.plain[0].word, "--no-self")
    return Install(manifests, outputs, rewrites, command=command, then=whole(call))


def _check(content: Mapping[str, object]) -> None:
    settings = table(content, "tool", "pdm")
    if hook := next((name for name in table(settings, "scripts") if _HOOKS.fullmatch(name)), None):
        raise Refused(f"the script {hook} may read the sources")
    if settings.get("plugins"):
        raise Refused("the project requires plugins of PDM")
    dynamic = table(content, "project").get("dynamic")
    if isinstance(dynamic, list) and {"dependencies", "optional-dependencies", "requires-python"} & {*dynamic}:
        raise Refused("pdm builds the project to learn its dynamic dependencies")
    groups = table(settings, "dev-dependencies")
    lines = [*requirement_lists(dict(content)), *(line for group in groups for line in texts(groups, group))]
    if refusal := local_requirement(lines):
        raise Refused(refusal.reason)


def _is_package(content: Mapping[str, object]) -> bool:
    chosen = table(content, "tool", "pdm").get("distribution")
    return bool(chosen) if chosen is not None else bool(table(content, "project").get("name"))


def _is_current(content: Mapping[str, object], lock: str) -> bool:
    """Tell whether the lock file carries the hash of the dependencies, as PDM 2 takes it."""
    import json
    from hashlib import sha256

    settings, project = table(content, "tool", "pdm"), table(content, "project")
    data = {
        "sources": settings.get("source", []),
        "dependencies": project.get("dependencies", []),
        "dev-dependencies": {**table(content, "dependency-groups"), **table(settings, "dev-dependencies")},
        "optional-dependencies": project.get("optional-dependencies", {}),
        "requires-python": project.get("requires-python", ""),
        "resolution": settings.get("resolution", {}),
    }
    older = {
        **{k: v for k, v in data.items() if k != "resolution"},
        "overrides": table(settings, "resolution", "overrides"),
    }
    digests = {sha256(json.dumps(each, sort_keys=True, default=str).encode()).hexdigest() for each in (data, older)}
    found = _HASH.search(lock)
    return found is not None and found[1] in digests
