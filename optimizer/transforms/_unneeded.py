"""What lies in a build context and is certainly no part of the program."""

import re
from collections.abc import Iterator
from posixpath import basename, dirname, splitext

from msgspec import Struct

from optimizer.context import Context
from optimizer.syntax.lazy_pattern import lazy_pattern

# Folders that tools make for themselves, and that they make again.
_CACHES = ("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".tox", ".nox", ".nyc_output")
_STRAY = (".DS_Store", "npm-debug.log", "yarn-error.log", "yarn-debug.log", "lerna-debug.log")
_REPORTS = {
    ".coverage": "",
    "htmlcov": "index.html",
    "coverage": "lcov.info",
}
_SETTINGS = (".github", ".idea", ".vscode")
_COMPOSE = lazy_pattern(r"(docker-)?compose([.-][^/]*)?\.ya?ml")
_FOLDERS = frozenset({*_CACHES, ".git", "node_modules", "htmlcov", "coverage"})
_FILES = frozenset({"pyvenv.cfg", *_STRAY, *_REPORTS})
_PYTHON = (".py", ".pyc", ".pyo")


class Unneeded(Struct, frozen=True):
    """An ignore pattern, and what of it the build sees now."""

    line: str
    paths: tuple[str, ...]
    name: str
    made: bool  # by a tool: never part of what version control holds
    settles: bool = True  # worth an ignore file of its own; the others come along
    speech: str | None = None  # how scripts and sources would speak of it (an expression), None where nobody would


def unneeded(context: Context, folder: str) -> Iterator[Unneeded]:
    """Go through what can be left out below a folder of the context, `.git` and `node_modules` not among it."""
    found = context.once(f"unneeded in {folder}", lambda seen: _by_name(seen, folder))
    if not folder:
        yield from (_entry(found, name, made=False, settles=False) for name in _SETTINGS if context.is_dir(name))
    for path in sorted({dirname(p) for p in found.get("pyvenv.cfg", ())} - {""}):
        name = re.escape(basename(path))
        speech = rf"{name}[/\\](bin|lib|Scripts)|\b(virtualenv|venv|home)\s*=\s*\S*{name}\b"
        yield Unneeded(path, (path,), basename(path), made=True, speech=speech)
    yield from (_entry(found, name, made=True) for name in _CACHES if name in found)
    yield from (_entry(found, name, made=True, settles=False) for name in _STRAY if name in found)
    if ".py" in found and "__pycache__" not in found:
        yield Unneeded("**/__pycache__", (), "__pycache__", made=True)
    yield from _compiled(found)
    yield from _reports(found, context)
    if not folder:
        yield from _of_docker(context)


def folders_named(context: Context, folder: str, name: str) -> tuple[str, ...]:
    """Return the outermost folders of that name below a folder."""
    return context.once(f"unneeded in {folder}", lambda seen: _by_name(seen, folder)).get(name, ())


def pattern_for(name: str, paths: tuple[str, ...]) -> str:
    """Return the ignore pattern for a name found at these paths."""
    return paths[0] if len(paths) == 1 else f"**/{name}"


def spoken(name: str) -> str:
    """Return the expression for a name standing for itself in a text."""
    return rf"(?<![\w.-]){re.escape(name)}(?![\w-])"


def _entry(found: dict[str, tuple[str, ...]], name: str, *, made: bool, settles: bool = True) -> Unneeded:
    paths = found.get(name, (name,))
    line = f"**/{name}" if name in {"__pycache__", ".DS_Store"} else pattern_for(name, paths)
    return Unneeded(line, paths, name, made, settles, None if made else spoken(name))


def _by_name(context: Context, folder: str) -> dict[str, tuple[str, ...]]:
    """Return, by name, the outermost folders and the files that dfopt knows."""
    found: dict[str, dict[str, None]] = {}
    for path in context.under(folder):
        names = path.split("/")
        if names[-1] not in _FILES and _FOLDERS.isdisjoint(names) and not path.endswith(_PYTHON):
            continue
        at = next((i for i, name in enumerate(names[:-1]) if name in _FOLDERS), None)
        if at is not None:
            found.setdefault(names[at], {})["/".join(names[: at + 1])] = None
        elif names[-1] in _FILES:
            found.setdefault(names[-1], {})[path] = None
        elif names[-1].endswith((".pyc", ".pyo")):
            found.setdefault(".pyc", {})[path] = None
        elif names[-1].endswith(".py"):
            found.setdefault(".py", {})[path] = None
    return {name: tuple(paths) for name, paths in found.items()}


def _compiled(found: dict[str, tuple[str, ...]]) -> Iterator[Unneeded]:
    """Bytecode beside its source; without the source it is the program."""
    sources = set(found.get(".py", ()))
    compiled = found.get(".pyc", ())
    if compiled and all(f"{splitext(path)[0]}.py" in sources for path in compiled):
        yield Unneeded("**/*.py[co]", compiled, ".pyc", made=True)


def _reports(found: dict[str, tuple[str, ...]], context: Context) -> Iterator[Unneeded]:
    for name, proof in _REPORTS.items():
        paths = found.get(name, ())
        if paths and all(not proof or context.is_file(f"{path}/{proof}") for path in paths):
            yield Unneeded(pattern_for(name, paths), paths, name, made=True, speech=spoken(name))


def _of_docker(context: Context) -> Iterator[Unneeded]:
    compose = [path for path in context.match("*compose*.y*ml") if _COMPOSE.fullmatch(path)]
    own = [context.dockerfile] if context.is_file(context.dockerfile) else []
    ignore = [] if context.ignore_path.startswith("../") else [context.ignore_path]
    for path in (*compose, *own, *ignore):
        yield Unneeded(path, (path,), basename(path), made=False, settles=False, speech=spoken(basename(path)))
