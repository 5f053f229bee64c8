"""The settings of Yarn: which of its two lines runs, and which files `.yarnrc` and `.yarnrc.yml` lead to.

Sources: https://classic.yarnpkg.com/en/docs/yarnrc/, https://yarnpkg.com/configuration/yarnrc,
https://yarnpkg.com/configuration/manifest#packageManager.
"""

import re
from collections.abc import Iterator, Mapping
from posixpath import join

from optimizer.context import Context
from optimizer.context.manifests import table, yaml_file
from optimizer.ecosystems._files import Refused, beside, need, upwards, visible
from optimizer.ecosystems._javascript import Manifest, Packages, read_manifest, string
from optimizer.ecosystems.ecosystem import Project
from optimizer.syntax.lazy_pattern import lazy_pattern

_MANAGER = lazy_pattern(r"yarn@(\d+)")
_RELEASE_2 = lazy_pattern(r"yarn-(?:[2-9]|\d\d)|berry")
_LINE_OF_RC = lazy_pattern(r"^(\"[^\"]+\"|[^\s\"]+)\s+(?:\"([^\"]*)\"|(\S+))\s*$", re.MULTILINE)
_CLASSIC_FOLDERS = (
    "modules-folder",
    "cache-folder",
    "preferred-cache-folder",
    "global-folder",
    "link-folder",
    "prefix",
)
_MOVED = ("cacheFolder", "globalFolder", "pnpUnpluggedFolder", "virtualFolder", "pnpmStoreFolder", "lockfileFilename",
          "installStatePath", "injectEnvironmentFiles")  # fmt: skip
_CERTIFICATES = ("httpsCaFilePath", "caFilePath", "httpsCertFilePath", "httpsKeyFilePath")
_OFFICIAL_PLUGIN = lazy_pattern(r"(?:\./)?\.yarn/plugins/@yarnpkg/plugin-[\w-]+\.cjs")


def is_yarn_2(project: Project, root: str) -> bool:
    """Tell whether Yarn 2 or later works in a folder, by packageManager, the settings and the lock file."""
    context = project.context
    manager = _MANAGER.match(string(read_manifest(context, root), "packageManager"))
    if manager:
        return int(manager[1]) > 1
    lock = context.text(join(root, "yarn.lock")) or ""
    if "\n__metadata:" in f"\n{lock}":
        return True
    settings = settings_2(project, root)
    release = settings.get("yarnPath")
    if isinstance(release, str):
        return "yarn-1." not in release
    if settings and "yarn lockfile v1" not in lock:
        return True
    return any(key == "yarn-path" and _RELEASE_2.search(value) for _, key, value in _settings_1(project, root))


def why_not_yarn_1(context: Context) -> str | None:
    """Say why it is not certain that every Yarn of a project is Yarn 1, whose cache nothing needs at run time."""
    if found := why_yarn_2(context):
        return found
    return None if any(_is_lock(path) for path in context.files) else "no yarn.lock shows which Yarn runs"


def why_yarn_2(context: Context) -> str | None:
    """Say that a file of the project speaks of Yarn 2 or later; None where none does."""
    names = [path for path in context.files if path.rpartition("/")[2] in {".yarnrc.yml", ".pnp.cjs", "yarn.lock"}]
    names = [path for path in names if "node_modules/" not in path]
    if any(not path.endswith("yarn.lock") for path in names):
        return "Yarn 2 and later may run the project from the cache"
    for path in names:
        manifest = context.text(path.removesuffix("yarn.lock") + "package.json") or ""
        manager = _MANAGER.search(manifest)
        if "yarn lockfile v1" not in (context.text(path) or "") or (manager and int(manager[1]) > 1):
            return "Yarn 2 and later may run the project from the cache"
    return None


def _is_lock(path: str) -> bool:
    return path.rpartition("/")[2] == "yarn.lock" and "node_modules/" not in path


def major_of(packages: Packages, settings: Mapping[str, object]) -> int | None:
    """Return the major version that the project asks for, where it is written down."""
    manifest: Manifest = packages.manifests[packages.root]
    found = _MANAGER.match(string(manifest, "packageManager")) or re.search(
        r"yarn-(\d+)", str(settings.get("yarnPath"))
    )
    return int(found[1]) if found else None


def settings_2(project: Project, root: str) -> dict[str, object]:
    """Return the settings of the `.yarnrc.yml` files of a folder and those above it, the nearest first."""
    merged: dict[str, object] = {}
    for folder in upwards(project, root):
        merged = {**table(yaml_file(project.context, join(folder, ".yarnrc.yml"))), **merged}
    return merged


def files_of_settings_1(project: Project, root: str) -> Iterator[str]:
    """Go through the `.yarnrc` files and what they name; raise `Refused` where they move a folder."""
    for folder, key, value in _settings_1(project, root):
        name = key.rpartition(".")[2].removeprefix("--")
        if key == "yarn-path" or name in {"cafile", "yarn-offline-mirror"}:
            place = beside(folder, value) if not value.startswith("/") else None
            if place and name == "yarn-offline-mirror":
                yield from (place,) if project.context.is_dir(place) else ()
            elif place:
                yield need(project.context, place)
        elif name in _CLASSIC_FOLDERS and not value.startswith("/"):
            raise Refused(f"{join(folder, '.yarnrc')} sets {name}")
    for folder in upwards(project, root):
        yield from visible(project.context, folder, ".yarnrc", ".yarnclean")


def files_of_settings_2(project: Project, root: str) -> Iterator[str]:
    """Go through the `.yarnrc.yml` files and what they name; raise `Refused` for code that may read the sources."""
    for folder in upwards(project, root):
        for path in visible(project.context, folder, ".yarnrc.yml"):
            found = yaml_file(project.context, path)
            if not isinstance(found, dict | None) or (found is None and (project.context.text(path) or "").strip()):
                raise Refused(f"{path} cannot be read")
            yield path
            yield from _named(project.context, folder, path, table(found))
        yield from visible(project.context, folder, ".env.yarn")


def _named(context: Context, folder: str, path: str, settings: Mapping[str, object]) -> Iterator[str]:
    if moved := next((key for key in _MOVED if key in settings), None):
        raise Refused(f"{path} sets {moved}")
    if settings.get("enableConstraintsChecks"):
        raise Refused(f"{path} has the install check constraints, which are code of the project")
    release = settings.get("yarnPath")
    if isinstance(release, str):
        place = need(context, beside(folder, release) or release)
        releases = join(folder, ".yarn/releases")
        yield releases if place.startswith(f"{releases}/") else place
    for plugin in _plugins(settings):
        if not _OFFICIAL_PLUGIN.fullmatch(plugin):
            raise Refused(f"the Yarn plugin {plugin} may read the sources")
        need(context, beside(folder, plugin) or plugin)
        yield join(folder, ".yarn/plugins")
    for key in _CERTIFICATES:
        value = settings.get(key)
        if isinstance(value, str) and not value.startswith(("/", "$", "~")):
            yield need(context, beside(folder, value) or value)


def _plugins(settings: Mapping[str, object]) -> Iterator[str]:
    plugins = settings.get("plugins")
    for plugin in plugins if isinstance(plugins, list) else ():
        found = plugin.get("path") if isinstance(plugin, dict) else plugin
        if isinstance(found, str):
            yield found


def _settings_1(project: Project, root: str) -> Iterator[tuple[str, str, str]]:
    for folder in upwards(project, root):
        text = project.context.text(join(folder, ".yarnrc")) or ""
        for line in _LINE_OF_RC.finditer(text):
            yield folder, line[1].strip('"'), line[2] or line[3] or ""
