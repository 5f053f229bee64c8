"""Pipenv: Pipfile and Pipfile.lock.

Sources: https://pipenv.pypa.io/en/latest/cli.html, https://pipenv.pypa.io/en/latest/configuration.html and, for the
hash that ties the two files together, plette's `pipfiles.py`.
"""

from collections.abc import Mapping
from posixpath import join

from msgspec import Struct

from optimizer.context.manifests import json_file, table, toml_file
from optimizer.ecosystems._arguments import (
    Arguments,
    Options,
    command_of,
    folder_of,
    is_on,
    parse,
    removes,
    variables_of,
)
from optimizer.ecosystems._files import Refused, beside, missing, nearest, need, unique, visible
from optimizer.ecosystems._python import environments, started
from optimizer.ecosystems._requirements import ARCHIVES
from optimizer.ecosystems.ecosystem import Cache, Install, Project, Refusal
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern

OPTIONS = Options.of(
    switches="""-d --dev --dev-only --system --deploy --ignore-pipfile --skip-lock --keep-outdated --sequential --pre
        --clear -v --verbose -q --quiet --site-packages --no-site-packages --selective-upgrade --three --two
        --bare --version -h --help -y --yes""",
    values="""--python --pypi-mirror -i --index --extra-pip-args -r --requirements -e --editable -c --code
        --categories --extra-index-url""",
)
_PIPENV = lazy_pattern(r"pipenv")
_INSTALLS = frozenset({"install", "sync"})
_PLAIN_SECTIONS = frozenset(
    {"source", "packages", "dev-packages", "requires", "scripts", "pipfile", "pipenv", "default", "develop"}
)


class Pipenv(Struct, frozen=True):
    """`pipenv install` and `pipenv sync`."""

    id: str = "pipenv"
    title: str = "Pipenv"
    programs: frozenset[str] = frozenset({"pipenv", "python", "pypy"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say what the call reads; one that names packages changes the Pipfile."""
        start = started(call, _PIPENV, "pipenv")
        command = command_of(start.arguments, OPTIONS) if start else None
        if start is None or command is None or command.value not in _INSTALLS:
            return None
        variables = variables_of(call, project.env)
        arguments = parse(start.arguments, OPTIONS, variables)
        if isinstance(arguments, Refusal):
            return arguments
        try:
            return _install(call, project, arguments, variables)
        except Refused as refused:
            return Refusal(str(refused))

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:
        """Name the folder that Pipenv gives pip for its cache (PIPENV_CACHE_DIR)."""
        start = started(call, _PIPENV, "pipenv")
        command = command_of(start.arguments, OPTIONS) if start else None
        if command is None or command.value not in _INSTALLS:
            return None
        variables = variables_of(call, env)
        named = next((name for name in ("PIPENV_CACHE_DIR", "XDG_CACHE_HOME") if name in variables), None)
        home = variables.get("HOME") or "/root"
        return Cache(
            "Pipenv's download cache",
            cleanup=("rm -rf ~/.cache/pipenv",),
            targets=(f"{home}/.cache/pipenv",),
            off=f"{named} puts the cache elsewhere" if named else None,
        )

    def cleans(self, call: Call) -> bool:
        """`pipenv --clear` alone, or the folder removed."""
        return (call.program == "pipenv" and [w.value for w in call.arguments] == ["--clear"]) or removes(
            call, ".cache/pipenv"
        )


ECOSYSTEM = Pipenv()


def _install(call: Call, project: Project, arguments: Arguments, variables: Mapping[str, str | None]) -> Install:
    folder = folder_of(call, project, arguments)
    words = [argument.text for argument in arguments.plain[1:]] + [v or "" for v in arguments.all("-e", "--editable")]
    if words:
        raise Refused(f"pipenv install {words[0]} changes the Pipfile")
    if arguments.all("-r", "--requirements", "-c", "--code") or "PIPENV_PIPFILE" in variables:
        raise Refused("pipenv takes its packages from another file than the Pipfile beside it")
    root = nearest(project, folder, "Pipfile")
    if root is None:
        raise Refused(missing(project.context, join(folder, "Pipfile")).reason)
    pipfile = toml_file(project.context, join(root, "Pipfile"))
    if not isinstance(pipfile, dict):
        raise Refused(f"{join(root, 'Pipfile')} cannot be read")
    locks = visible(project.context, root, "Pipfile.lock")
    if not locks and (arguments.plain[0].value == "sync" or arguments.has("--deploy", "--ignore-pipfile")):
        raise Refused(f"pipenv needs {join(root, 'Pipfile.lock')}, which the build does not see")
    lock = table(json_file(project.context, locks[0])) if locks else {}
    archives = [path for sections in (pipfile, lock) for path in _archives(project, root, sections)]
    relocks = arguments.plain[0].value == "install" and not arguments.has("--deploy", "--ignore-pipfile", "--skip-lock")
    rewrites = locks if relocks and not _is_current(pipfile, lock) else ()
    places = environments(call, project)
    if isinstance(places, Refusal):
        raise Refused(places.reason)
    outputs = list(places)
    if not arguments.has("--system") and (
        is_on(variables.get("PIPENV_VENV_IN_PROJECT")) or project.context.exists(join(root, ".venv"))
    ):
        outputs.append(join(root, ".venv"))
    return Install(unique([join(root, "Pipfile"), *locks, *archives]), unique(outputs), rewrites)


def _archives(project: Project, root: str, sections: Mapping[str, object]) -> list[str]:
    """Return the local archives among the packages; raise `Refused` for a folder, which is built."""
    found = []
    for section in sections.values():
        for name, package in table(section).items():
            wanted = table(package)
            path = wanted.get("path") or wanted.get("file")
            if not isinstance(path, str) or ("://" in path and not path.startswith("file:")):
                continue
            if not path.lower().endswith(ARCHIVES):
                raise Refused(f"the dependency {name} is a folder of the project ({path})")
            found.append(need(project.context, beside(root, path) or path))
    return found


def _is_current(pipfile: Mapping[str, object], lock: Mapping[str, object]) -> bool:
    """Tell whether the lock file carries the hash of this Pipfile, in the older or the newer way of taking it."""
    import json
    from hashlib import sha256

    data: dict[str, object] = {
        "_meta": {"sources": pipfile.get("source", []), "requires": pipfile.get("requires", {})},
        "default": pipfile.get("packages", {}),
        "develop": pipfile.get("dev-packages", {}),
    }
    newer = data | {name: section for name, section in pipfile.items() if name not in _PLAIN_SECTIONS}
    texts = (json.dumps(each, sort_keys=True, separators=(",", ":"), default=str) for each in (data, newer))
    return table(lock, "_meta", "hash").get("sha256") in {sha256(text.encode()).hexdigest() for text in texts}
