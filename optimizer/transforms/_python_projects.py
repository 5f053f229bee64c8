"""What a Python project of the build context asks for: its metadata, its lock files, single requirements."""

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
    if "install_requires" in f"{setup}{config}":
        yield from _of_setup(setup, config)


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
    if isinstance(dynamic, list) and "dependencies" in dynamic:
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


def _of_setup(setup: str, config: str) -> Iterator[Wanted | Lack]:
    """Go through what setup.py or setup.cfg asks for, where it is a list of texts."""
    listed = re.search(r"install_requires\s*=\s*\[([^\]]*)\]", setup)
    section = re.search(r"^install_requires\s*=\s*\n((?:[ \t]+\S.*\n?)*)", config, re.MULTILINE)
    if listed is None and section is None:
        yield Lack("what setup.py asks for is not known")
        return
    lines = (
        re.findall(r"['\"]([^'\"]+)['\"]", listed[1])
        if listed
        else [line.strip() for line in (section or [""])[1].splitlines()]
    )
    for line in lines:
        if line and not line.startswith("#") and (one := parse_requirement(line)) is not None:
            yield one
