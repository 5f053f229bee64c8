"""What the Python ecosystems share: how programs are started, where virtual environments are, pyproject.toml."""

import re
from collections.abc import Iterable, Iterator, Mapping
from posixpath import dirname, join

from msgspec import Struct

from optimizer.context import Context
from optimizer.context.manifests import table, toml_file
from optimizer.ecosystems._arguments import variables_of
from optimizer.ecosystems.ecosystem import Project, Refusal
from optimizer.shell import Call, Word, resolve
from optimizer.syntax.lazy_pattern import lazy_pattern

_PYTHON = lazy_pattern(r"(?:python|pypy)(?:\d+(?:\.\d+)*)?")
_LONE = frozenset({"-u", "-B", "-E", "-s", "-S", "-I", "-O", "-OO", "-q", "-v", "-P", "-b", "-bb", "-d", "-x"})
PATH_TABLES = ("dependencies", "dev-dependencies")
_LOCAL = lazy_pattern(r"@\s*file:|^\s*(?:-e\s|\.{0,2}/|file:)")


class Start(Struct, frozen=True):
    """A program as it was started: its word (of the interpreter for `python -m`), and what stands behind it."""

    program: Word
    arguments: tuple[Word, ...]


def started(call: Call, names: re.Pattern[str], module: str) -> Start | None:
    """Return how a program is started, by a name or as `python -m module`; None where the call is another."""
    if names.fullmatch(call.program):
        return Start(call.words[0], call.arguments)
    behind = _behind_interpreter(call)
    if len(behind) > 1 and behind[0].value == "-m" and behind[1].value == module:
        return Start(call.words[0], behind[2:])
    return None


def script_of(call: Call) -> Start | None:
    """Return the script that a Python interpreter is started with (its word as `program`), None for anything else."""
    behind = _behind_interpreter(call)
    if not behind or (behind[0].value or "-").startswith("-"):
        return None
    return Start(behind[0], behind[1:])


def module_of(call: Call) -> str | None:
    """Return the module of `python -m`, None for anything else."""
    behind = _behind_interpreter(call)
    return behind[1].value if len(behind) > 1 and behind[0].value == "-m" else None


def environments(call: Call, project: Project, program: Word | None = None) -> tuple[str, ...] | Refusal:
    """Return the virtual environments below the project that an install goes to, as far as the call shows them.

    They are told by the path of the program, by VIRTUAL_ENV and by PATH.
    """
    seen = variables_of(call, project.env)
    paths = [f"{entry}/python" for entry in (seen.get("PATH") or "").split(":") if entry.startswith("/")]
    paths += [f"{seen['VIRTUAL_ENV']}/bin/python"] if seen.get("VIRTUAL_ENV") else []
    if program is not None and "/" in (name := resolve(program, seen) or ""):
        paths.append(name)
    found = []
    for path in paths:
        place = project.locate(path, call.directory or "/")
        if place is None or not f"/{dirname(place)}".endswith("/bin"):
            continue
        if project.context.exists(dirname(place)):
            return Refusal(f"the programs in {dirname(place)} come from the build context")
        found.append(dirname(dirname(place)))
    return tuple(dict.fromkeys(place for place in found if place))


def pyproject(context: Context, folder: str) -> dict[str, object] | Refusal:
    """Return what a folder's pyproject.toml holds, or why it cannot be read."""
    path = join(folder, "pyproject.toml")
    found = toml_file(context, path)
    return table(found) if isinstance(found, dict) else Refusal(f"{path} cannot be read")


def requirement_lists(project: dict[str, object]) -> Iterator[str]:
    """Go through the requirements of `[project]` and `[dependency-groups]`."""
    metadata = table(project, "project")
    lists = [metadata.get("dependencies"), *table(metadata, "optional-dependencies").values()]
    lists += table(project, "dependency-groups").values()
    yield from (line for each in lists if isinstance(each, list) for line in each if isinstance(line, str))


def texts(mapping: Mapping[str, object], *keys: str) -> list[str]:
    """Return the texts in the lists at these keys."""
    lists = [mapping.get(key) for key in keys]
    return [text for each in lists if isinstance(each, list) for text in each if isinstance(text, str)]


def normal_name(name: str) -> str:
    """Return a package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def local_requirement(lines: Iterable[str]) -> Refusal | None:
    """Say which requirement is a folder or file of the project, None where none is."""
    found = next((line for line in lines if _LOCAL.search(line)), None)
    return None if found is None else Refusal(f"the dependency {found.strip()} is a path of the project")


def _behind_interpreter(call: Call) -> tuple[Word, ...]:
    """Return the words behind an interpreter and its own options; none where the call is no interpreter."""
    if not _PYTHON.fullmatch(call.program):
        return ()
    words = list(call.arguments)
    while words and (words[0].value in _LONE or words[0].value in {"-W", "-X"}):
        words = words[2 if words[0].value in {"-W", "-X"} else 1 :]
    return tuple(words)


CHANGING = frozenset({"add", "remove", "update", "lock"})  # commands of Poetry, PDM and uv that write manifests


def refusal_of_change(tool: str, command: str) -> Refusal:
    """Say why a command that writes the manifest or the lock file stays with the sources."""
    return Refusal(f"{tool} {command} changes pyproject.toml or the lock file")
