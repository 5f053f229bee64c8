"""What a Python project of the build context asks for: its metadata, its lock files, single requirements."""

import posixpath
import re
from collections.abc import Iterator

from msgspec import Struct

from optimizer.context import Context
from optimizer.context.manifests import json_file, table, toml_file
from optimizer.ecosystems._python import normal_name, requirement_lists
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._lack import Lack

_REQUIREMENT = lazy_pattern(
    r"([A-Za-z0-9][\w.-]*)\s*(?:\[([^\]]*)\])?\s*\(?((?:[=<>~!]=?=?[^;,)#]+,?\s*)*)\)?\s*(@[^;]*)?\s*(?:;(.*))?"
)
_BUILDS_FROM = ("setuptools", "poetry", "hatchling", "hatch", "flit", "pdm", "uv_build", "uv-build", "whey", "jupyter")
_OTHER_SYSTEM = lazy_pattern(
    r"(?:sys_platform|platform_system|os_name)\s*==\s*['\"](?:win32|windows|darwin|cygwin|nt)['\"]", re.IGNORECASE
)
_VERSIONED_BY_GIT = lazy_pattern(
    r"setuptools[-_]scm|hatch-vcs|versioneer|\bpbr\b|dunamai|dynamic-versioning|versioningit"
)
_EXTENSIONS = lazy_pattern(r"ext_modules|Extension\(|cythonize|cffi_modules|rust_extensions|CMakeExtension|pybind11")
_LINKS = lazy_pattern(r"librar(?:y|ies)|pkg-?config|include_dirs|link_args|CMakeExtension|rust_extensions")
_REQUIREMENT_FILES = lazy_pattern(r"[\"']([\w./-]*require[\w./-]*\.txt)[\"']")
_DEEPEST = 5
_PINNED = lazy_pattern(r"={2,3}\s*([^\s,*]+)")
_LOWER = lazy_pattern(r"(?:>=?\s*[^\s,]+\s*)?")


class Wanted(Struct, frozen=True):
    """A project that is installed; `version` is None where the newest is taken, "?" where it cannot be told."""

    name: str
    version: str | None
    extras: frozenset[str] = frozenset()


def parse_requirement(text: str) -> Wanted | Lack | None:
    """Return the project that a requirement names, None for one of another system, a reason where it is not read."""
    match = _REQUIREMENT.fullmatch(text.strip())
    if match is None:
        return Lack(f"the requirement {text[:50]} is not understood")
    name, extras, specifier, address, marker = match.groups()
    if marker and _OTHER_SYSTEM.search(marker) and " or " not in marker:
        return None
    if address and not address.rstrip().endswith(".whl"):
        return Lack(f"{name} is fetched from {address[:40]}, and may be compiled", built=True)
    found = frozenset(extra.strip().lower() for extra in (extras or "").split(",") if extra.strip())
    return Wanted(normal_name(name), _version(specifier), found)


def _version(specifier: str) -> str | None:
    specifier = specifier.strip()
    pinned = _PINNED.fullmatch(specifier)
    if pinned:
        return pinned[1].strip()
    return None if _LOWER.fullmatch(specifier) else "?"


def of_lock(context: Context, lock: str, manifest: str) -> Iterator[Wanted | Lack]:
    """Go through the projects of every lock file of this name, or of the manifests where there is none."""
    places = [path for path in context.under("") if path == lock or path.endswith(f"/{lock}")]
    for path in places:
        yield from _locked(context, path)
    if places:
        return
    manifests = [path for path in context.under("") if path == manifest or path.endswith(f"/{manifest}")]
    if not manifests:
        yield Lack(f"neither {lock} nor {manifest} is in the build context")
    for path in manifests:
        yield from of_project(context, path.rpartition("/")[0])


def _locked(context: Context, path: str) -> Iterator[Wanted | Lack]:
    if path.endswith("Pipfile.lock"):
        lock = json_file(context, path)
        for section in ("default", "develop"):
            for name, found in table(lock, section).items():
                entry = table(found)
                version = entry.get("version")
                if "git" in entry:
                    yield Lack(f"{name} is fetched from a repository, and may be compiled", built=True)
                yield Wanted(normal_name(name), version.lstrip("=") if isinstance(version, str) else None)
        return
    packages = table(toml_file(context, path)).get("package")
    if not isinstance(packages, list):
        yield Lack(f"{path} is not understood")
        return
    for each in packages:
        locked = table(each)
        project, number, source = locked.get("name"), locked.get("version"), table(locked, "source")
        if "git" in source or source.get("type") == "git":
            yield Lack(f"{project} is fetched from a repository, and may be compiled", built=True)
        local = {"virtual", "editable", "directory"} & source.keys()
        if isinstance(project, str) and not local:
            yield Wanted(normal_name(project), number if isinstance(number, str) else None)


def of_project(context: Context, folder: str) -> Iterator[Wanted | Lack]:
    """Go through what a project of the build context asks for, and how it is built itself."""
    prefix = f"{folder}/" if folder else ""
    setup, text = context.text(f"{prefix}setup.py") or "", context.text(f"{prefix}pyproject.toml") or ""
    config = context.text(f"{prefix}setup.cfg") or ""
    pipfile = table(toml_file(context, f"{prefix}Pipfile"), "packages")
    if not (setup or text or config or pipfile):
        yield Lack(f"the project in {folder or '.'} is not in the build context")
        return
    content = table(toml_file(context, f"{prefix}pyproject.toml"))
    yield from _why_built(setup, text, config, content)
    for line in requirement_lists(content):
        if (one := parse_requirement(line)) is not None:
            yield one
    for name, value in (*_poetry(content), *pipfile.items()):
        yield from _of_table(name, value)
    told = table(content, "tool", "setuptools", "dynamic", "dependencies").get("file")
    for file in told if isinstance(told, list) else [told] if told else ():
        yield from _of_lines(context.text(f"{prefix}{file}"), file)
    if "install_requires" in f"{setup}{config}":
        yield from _of_setup(context, folder, setup, config)


def _why_built(setup: str, text: str, config: str, content: dict[str, object]) -> Iterator[Lack]:
    """Go through what building the project itself takes, beyond Python."""
    if _EXTENSIONS.search(setup) or _EXTENSIONS.search(text) or "ext_modules" in config or "ext-modules" in text:
        yield Lack("the project compiles extensions", built=not _LINKS.search(f"{setup}{text}{config}"))
    if any(_VERSIONED_BY_GIT.search(part) for part in (setup, text, config)):
        yield Lack("the version of the project comes from git", built=True)
    backend = str(table(content, "build-system").get("build-backend", "setuptools"))
    if not backend.startswith(_BUILDS_FROM):
        yield Lack(f"the build backend {backend} may compile", built=True)
    dynamic = table(content, "project").get("dynamic")
    told = table(content, "tool", "setuptools", "dynamic").get("dependencies")
    if isinstance(dynamic, list) and "dependencies" in dynamic and not isinstance(told, dict):
        yield Lack("the dependencies of the project are worked out when it is built")


def _poetry(content: dict[str, object]) -> Iterator[tuple[str, object]]:
    poetry = table(content, "tool", "poetry")
    yield from table(poetry, "dependencies").items()
    for group in table(poetry, "group").values():
        yield from table(group, "dependencies").items()


def _of_table(name: str, value: object) -> Iterator[Wanted | Lack]:
    if name == "python":
        return
    entry = table(value)
    if {"git", "path", "url"} & entry.keys():
        yield Lack(f"{name} comes from a repository or a folder, and may be compiled", built=True)
        yield Wanted(normal_name(name), "?")
        return
    version = entry.get("version", value)
    text = version if isinstance(version, str) else ""
    exact = re.fullmatch(r"={0,3}(\d[\w.]*)", text)
    newest = text in {"*", ""} or re.fullmatch(r">=\s*\S+", text)
    yield Wanted(normal_name(name), exact[1] if exact else None if newest else "?")


def _of_setup(context: Context, folder: str, setup: str, config: str) -> Iterator[Wanted | Lack]:
    """Go through what setup.py or setup.cfg asks for, where it is a list of texts, or the lines of a file."""
    section = re.search(r"^install_requires\s*=\s*\n((?:[ \t]+\S.*\n?)*)", config, re.MULTILINE)
    lines = _listed(setup) if "install_requires" in setup else None
    if lines is None and len(files := set(_REQUIREMENT_FILES.findall(setup))) == 1:
        text = context.text(posixpath.join(folder, files.pop()))
        lines = None if text is None else text.splitlines()
    if lines is None and section is not None:
        lines = section[1].splitlines()
    if lines is None:
        yield Lack("what setup.py asks for is not known")
    yield from _of_lines("\n".join(lines or ()), "setup.py")


def _of_lines(text: str | None, name: object) -> Iterator[Wanted | Lack]:
    """Go through the requirements in the lines of a file."""
    if text is None:
        yield Lack(f"{name} is not in the build context")
    for line in (text or "").splitlines():
        bare = line.partition(" #")[0].strip()
        if bare and not bare.startswith(("-", "#")) and (one := parse_requirement(bare)) is not None:
            yield one


def _listed(setup: str) -> list[str] | None:
    """Return the texts of `install_requires`: a list, names of lists, or several of them in a row."""
    import ast

    try:
        tree = ast.parse(setup)
    except (SyntaxError, ValueError, RecursionError):
        return None
    named = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }

    def texts(node: ast.expr | None, depth: int = 0) -> list[str] | None:
        if isinstance(node, ast.List | ast.Tuple):
            found = [one.value for one in node.elts if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            return found if len(found) == len(node.elts) else None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = texts(node.left, depth), texts(node.right, depth)
            return None if left is None or right is None else left + right
        return texts(named.get(node.id), depth + 1) if isinstance(node, ast.Name) and depth < _DEEPEST else None

    given = [node.value for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "install_requires"]
    return texts(given[0]) if len(given) == 1 else None
