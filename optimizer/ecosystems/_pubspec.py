"""The pubspec files that `pub get` reads: of the project, its workspace, and the packages in its folders.

Sources: https://dart.dev/tools/pub/pubspec, https://dart.dev/tools/pub/dependencies,
https://dart.dev/tools/pub/workspaces and pub's `lib/src/entrypoint.dart` and `lib/src/pubspec.dart`.
"""

from collections.abc import Iterator
from posixpath import dirname, join

from msgspec import Struct

from optimizer.context import Context
from optimizer.context.manifests import table, yaml_file
from optimizer.ecosystems._files import Refused, beside, folder_pattern, nearest, need, unique, upwards, visible
from optimizer.ecosystems.ecosystem import Project

_NAME, _LOCK, _OVERRIDES = "pubspec.yaml", "pubspec.lock", "pubspec_overrides.yaml"
_SECTIONS = ("dependencies", "dev_dependencies", "dependency_overrides")


class Packages(Struct, frozen=True):
    """The package at the top of a workspace, the files that are read, and whether anything is to be downloaded."""

    root: str
    manifests: tuple[str, ...]
    wanted: bool


def read_packages(project: Project, start: str, *, is_flutter: bool) -> Packages:
    """Read the package that a context folder belongs to.

    Raises `Refused` where more than these files may be read.
    """
    context = project.context
    at = nearest(project, start, _NAME)
    if at is None:
        raise Refused("the project has no pubspec.yaml")
    root = _root_of(project, at)
    found: dict[str, dict[str, object]] = {}
    todo = [root]
    while todo:
        folder = todo.pop(0)
        if folder in found:
            continue
        found[folder] = _pubspec(context, folder)
        todo += _members(context, folder, found[folder])
        todo += _paths(context, folder, found[folder])
    if is_flutter:
        for folder, pubspec in found.items():
            _check_flutter(join(folder, _NAME), table(pubspec, "flutter"))
    more = (path for folder in found for path in visible(context, folder, _NAME, _OVERRIDES))
    wanted = any(_is_remote(value) for pubspec in found.values() for value in _dependencies(pubspec).values())
    first = (join(root, _NAME), *visible(context, root, _LOCK))
    return Packages(root, unique([*first, *more]), wanted)


def _root_of(project: Project, folder: str) -> str:
    """Return the top of the workspace that a package belongs to, its own folder where it stands alone."""
    for at in upwards(project, folder):
        if visible(project.context, at, _NAME) and _pubspec(project.context, at).get("resolution") != "workspace":
            return at
    raise Refused("the workspace's own pubspec.yaml is not among the copied files")


def _pubspec(context: Context, folder: str) -> dict[str, object]:
    path = need(context, join(folder, _NAME))
    found = yaml_file(context, path)
    if not isinstance(found, dict):
        raise Refused(f"{path} is not understood")
    return {**found, **_overrides(context, folder)}


def _overrides(context: Context, folder: str) -> dict[str, object]:
    """Return what pubspec_overrides.yaml puts in the place of the same keys."""
    paths = visible(context, folder, _OVERRIDES)
    found = yaml_file(context, paths[0]) if paths else {}
    if found is None or isinstance(found, dict):
        return found or {}
    raise Refused(f"{paths[0]} is not understood")


def _members(context: Context, folder: str, pubspec: dict[str, object]) -> Iterator[str]:
    listed = pubspec.get("workspace") or []
    if not isinstance(listed, list):
        raise Refused(f"the workspace of {join(folder, _NAME)} is not understood")
    for name in map(str, listed):
        inside = beside(folder, name)
        if inside is None:
            raise Refused(f"the package in {name} lies outside of the build context")
        if any(sign in name for sign in "*?[{"):
            pattern = folder_pattern(join(folder, name))
            files = (file for file in context.under(folder) if file.endswith(f"/{_NAME}"))
            yield from (dirname(file) for file in files if pattern.fullmatch(dirname(file)))
        else:
            yield inside


def _dependencies(pubspec: dict[str, object]) -> dict[str, object]:
    return {name: value for section in _SECTIONS for name, value in table(pubspec, section).items()}


def _paths(context: Context, folder: str, pubspec: dict[str, object]) -> Iterator[str]:
    """Go through the folders of the packages that are named by a path."""
    for name, value in _dependencies(pubspec).items():
        if not isinstance(value, dict):
            continue
        git = value.get("git")
        url = git.get("url") if isinstance(git, dict) else git
        if url is not None and "://" not in str(url) and "@" not in str(url):
            raise Refused(f"the package {name} comes from a repository in the folder {url}")
        if "path" not in value:
            continue
        inside = None if str(value["path"]).startswith("/") else beside(folder, str(value["path"]))
        if inside is None:
            raise Refused(f"the package {name} lies outside of the build context")
        need(context, join(inside, _NAME))
        yield inside


def _is_remote(value: object) -> bool:
    """Tell whether a package is to be downloaded: neither a folder nor a part of the SDK."""
    return not (isinstance(value, dict) and {"path", "sdk"} & value.keys())


def _check_flutter(path: str, settings: dict[str, object]) -> None:
    """Raise `Refused` where Flutter writes sources of its own when it gets packages."""
    if settings.get("generate"):
        raise Refused(f"{path} has sources generated from other files whenever packages are fetched")
    if "module" in settings:
        raise Refused(f"{path} is a module, of which Flutter makes whole projects")
