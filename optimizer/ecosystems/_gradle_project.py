"""The files that Gradle reads to load a build: settings, the scripts of every module, properties, locks, catalogs.

Sources: https://docs.gradle.org/current/userguide/directory_layout.html, …/settings_file_basics.html,
…/sharing_build_logic_between_subprojects.html, …/composite_builds.html, …/version_catalogs.html,
…/dependency_locking.html and …/build_environment.html.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from posixpath import basename, dirname, join

from msgspec import Struct

from optimizer.context import Context
from optimizer.context.manifests import table, toml_file
from optimizer.ecosystems._files import Refused, beside, nearest, need, unique, visible
from optimizer.ecosystems._gradle_scripts import check_plugins, check_script, scripts_taken_in, without_comments
from optimizer.ecosystems.ecosystem import Project
from optimizer.syntax.lazy_pattern import lazy_pattern

_MOST_MODULES = 200
_MOST_FILES = 200  # in a folder that is copied whole
_SETTINGS = ("settings.gradle", "settings.gradle.kts")
_SCRIPTS = ("build.gradle", "build.gradle.kts")
_BESIDE = ("gradle.properties", "gradle.lockfile", "buildscript-gradle.lockfile", "settings-gradle.lockfile")
_CODE = (".gradle", ".kts", ".groovy", ".kt", ".java")
_STRING = r"""["'][^"'$\n]+["']"""
_INCLUDE = lazy_pattern(
    rf"""\binclude\b(?!\s*+[:=])\s*+(?P<names>\(?\s*+{_STRING}(?:\s*+,\s*+{_STRING})*)?(?P<more>\s*+[,+])?"""
)
_INCLUDED_BUILD = lazy_pattern(rf"\bincludeBuild\b\s*+\(?\s*+(?P<name>{_STRING})?")
_QUOTED = lazy_pattern(r"""["']([^"']+)["']""")
_MOVED = lazy_pattern(
    rf"""(?:\bproject\s*+\(\s*+(?P<module>{_STRING})\s*+\)\s*+\.\s*+)?\bprojectDir\s*+=(?!=)
    (?:\s*+(?:file|new\s+File|File)\s*+\(\s*+(?:(?:rootDir|settingsDir|rootProject\.projectDir)\s*+,\s*+)?(?P<place>{_STRING})\s*+\))?""",
    re.VERBOSE,
)
_OWN_PLUGIN = lazy_pattern(r"""\bid\s*+=\s*+["']([\w.-]+)["']""")
_STEERING = lazy_pattern(r"isolated-projects\s*+=\s*+true|javaagent|^[ \t]*+org\.gradle\.offline", re.MULTILINE)
_CACHED = lazy_pattern(r"^[ \t]*+org\.gradle\.(?:unsafe\.)?configuration-cache\s*+=\s*+true", re.MULTILINE)


class Build(Struct, frozen=True):
    """What one call of Gradle loads: its files, the code of its scripts by path, and what is known by reading them."""

    root: str
    files: tuple[str, ...]
    code: Mapping[str, str]
    plugins: frozenset[str]
    is_cached: bool  # the configuration is kept from one build to the next


def read_build(project: Project, start: str) -> Build:
    """Return what a build that starts in a context folder loads; raise `Refused` where that cannot be told."""
    context = project.context
    above = nearest(project, start, *_SETTINGS)
    root = start if above is None else above
    code = _codes(context, visible(context, root, *_SETTINGS)[:1])
    modules, wholes = tuple(_modules(root, code)), tuple(_wholes(context, root, code))
    scripts = [path for folder, needed in modules if (path := _script_of(context, folder, needed=needed))]
    if not scripts:
        raise Refused(missing_script(root))
    code |= _codes(context, [*scripts, *(path for whole in wholes for path in _code_in(context, whole))])
    _take_in(context, root, code)
    folders = [folder for folder, _ in modules]
    is_cached = _is_cached(context, folders)
    files = [*code, *_settled(context, folders)]
    kept = (path for path in files if not path.startswith(tuple(f"{whole}/" for whole in wholes)))
    return Build(root, unique([*kept, *wholes]), code, _plugins(context, root, code, wholes), is_cached)


def _codes(context: Context, paths: Iterable[str]) -> dict[str, str]:
    return {path: without_comments(context.text(path) or "") for path in paths}


def _settled(context: Context, folders: Iterable[str]) -> Iterator[str]:
    """Go through the properties and lock files of the modules."""
    for folder in folders:
        yield from visible(context, folder, *_BESIDE)
        if context.is_dir(locks := join(folder, "gradle/dependency-locks")):
            yield locks


def _is_cached(context: Context, folders: Iterable[str]) -> bool:
    """Tell whether the properties keep the configuration; raise `Refused` where they lead to files of the project."""
    text = "\n".join(context.text(path) or "" for path in _settled(context, folders) if path.endswith(".properties"))
    if steering := _STEERING.search(text):
        raise Refused(f"gradle.properties says {steering[0].strip()}")
    return _CACHED.search(text) is not None


def missing_script(root: str) -> str:
    """Say that no build script was found."""
    return f"{join(root, 'build.gradle')} is not among the copied files"


def _modules(root: str, settings: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
    """Go through the folders of the modules, each with whether it must have a script: the root, and those between."""
    places: dict[str, tuple[str, bool]] = {"": (root, False)}
    for path, code in settings.items():
        for found in _INCLUDE.finditer(code):
            if found["names"] is None or found["more"]:
                raise Refused(f"{path} finds its modules in a way that is not known before it runs")
            for name in _QUOTED.findall(found["names"]):
                places |= _places(root, name.strip(":").split(":"), places)
                if len(places) > _MOST_MODULES:
                    raise Refused(f"the project has more than {_MOST_MODULES} modules")
        places |= dict(_moved(root, path, code, places))
    return iter(places.values())


def _places(root: str, names: list[str], known: Mapping[str, tuple[str, bool]]) -> dict[str, tuple[str, bool]]:
    between = {":".join(names[:n]): (join(root, *names[:n]), False) for n in range(1, len(names))}
    own = (join(root, *names), True)
    return {name: known.get(name, place) for name, place in between.items()} | {":".join(names): own}


def _moved(
    root: str, path: str, code: str, places: Mapping[str, tuple[str, bool]]
) -> Iterator[tuple[str, tuple[str, bool]]]:
    """Go through the modules that lie elsewhere than their names say."""
    for found in _MOVED.finditer(code):
        name = (found["module"] or "").strip("\"'").strip(":")
        place = found["place"] and beside(root, found["place"].strip("\"'"))
        if name not in places or not place:
            raise Refused(f"where a module of {path} lies is not known before it runs")
        yield name, (place, True)


def _script_of(context: Context, folder: str, *, needed: bool) -> str | None:
    """Return the build script of a module; one without would be a folder that is not there."""
    found = visible(context, folder, *_SCRIPTS)
    if not found and needed:
        raise Refused(f"the module {folder} has no build script of its own")
    return found[0] if found else None


def _wholes(context: Context, root: str, settings: Mapping[str, str]) -> Iterator[str]:
    """Go through the folders that are needed whole: the wrapper and the catalogs, and the builds that make plugins."""
    for name in ("gradle", "buildSrc"):
        if context.is_dir(folder := join(root, name)):
            yield folder
    for path, code in settings.items():
        for found in _INCLUDED_BUILD.finditer(code):
            name = (found["name"] or "").strip("\"'")
            included = beside(root, name) if name else None
            if not included or not context.is_dir(included):
                raise Refused(f"{path} takes in a build that is not known, or not among the copied files")
            yield included


def _code_in(context: Context, folder: str) -> list[str]:
    """Return the scripts and sources in a folder that is copied whole."""
    files = list(context.under(folder))
    if len(files) > _MOST_FILES:
        raise Refused(f"{folder} has more than {_MOST_FILES} files, not all of them part of loading the build")
    if made := next((f for f in files if re.search(r"/(?:build|\.gradle)/", f)), None):
        raise Refused(f"{made} was made by a build, and would be copied with the scripts")
    return [path for path in files if path.endswith(_CODE)]


def _take_in(context: Context, root: str, code: dict[str, str]) -> None:
    """Add the scripts that others apply by name, and check all of them."""
    todo = list(code)
    while todo:
        path = todo.pop()
        check_script(path, code[path])
        for name, is_rooted in scripts_taken_in(path, code[path]):
            if not is_rooted and basename(path) not in _SCRIPTS:
                raise Refused(f"{path} applies {name}, and from where is not known")
            taken = beside(root if is_rooted else dirname(path), name)
            if taken is None:
                raise Refused(f"{path} applies {name} from outside of the copied files")
            if need(context, taken) not in code:
                code[taken] = without_comments(context.text(taken) or "")
                todo.append(taken)


def _plugins(context: Context, root: str, code: Mapping[str, str], wholes: tuple[str, ...]) -> frozenset[str]:
    """Return the ids of all plugins; those of the project's own are scripts in the folders copied whole."""
    catalogs = {
        basename(path).partition(".")[0]: _catalog(context, path)
        for path in context.under(join(root, "gradle"))
        if path.endswith(".versions.toml")
    }
    inner = {path: text for path, text in code.items() if path.startswith(tuple(f"{whole}/" for whole in wholes))}
    own = {re.sub(r"\.gradle(?:\.kts)?$", "", basename(path)) for path in inner if "/src/" in path}
    own |= {name for text in inner.values() for name in _OWN_PLUGIN.findall(text)}
    return frozenset(one for path, text in code.items() for one in check_plugins(path, text, catalogs, own))


def _catalog(context: Context, path: str) -> dict[str, str]:
    """Return the plugins of a version catalog by the names that scripts call them."""
    read = {}
    for name, value in table(toml_file(context, path), "plugins").items():
        text = value.partition(":")[0] if isinstance(value, str) else table(value).get("id")
        read[re.sub(r"[-_]", ".", name)] = str(text)
    return read
