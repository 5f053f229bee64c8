"""vcpkg.json and vcpkg-configuration.json: what they ask for, and the folders of the project that they name.

Sources: https://learn.microsoft.com/vcpkg/reference/vcpkg-json, …/vcpkg/reference/vcpkg-configuration-json and
https://learn.microsoft.com/vcpkg/concepts/overlay-ports.
"""

import re
from collections.abc import Iterator, Sequence
from posixpath import basename, join

from msgspec import Struct

from optimizer.context import Context
from optimizer.context.manifests import json_file, table
from optimizer.ecosystems._files import Refused, beside, nearest, unique, visible
from optimizer.ecosystems.ecosystem import Project

_NAME, _CONFIGURATION = "vcpkg.json", "vcpkg-configuration.json"


class Manifest(Struct, frozen=True):
    """The folder of vcpkg.json, the files that are read, and whether it asks for libraries."""

    folder: str
    manifests: tuple[str, ...]
    wanted: bool


def read_manifest(project: Project, start: str, overlays: Sequence[str]) -> Manifest:
    """Read the manifest that a context folder belongs to; raise `Refused` where more may be read.

    `overlays` are context folders that the command line names.
    """
    context = project.context
    folder = nearest(project, start, _NAME)
    if folder is None:
        raise Refused("the project has no vcpkg.json")
    manifest = json_file(context, join(folder, _NAME))
    if not isinstance(manifest, dict):
        raise Refused(f"{join(folder, _NAME)} is not understood")
    configuration = table(manifest, "vcpkg-configuration") or table(manifest, "configuration")
    beside_it = visible(context, folder, _CONFIGURATION)
    if beside_it:
        configuration = table(json_file(context, beside_it[0]))
    named = [check_folder(context, path) for path in _folders(folder, configuration)]
    wanted = bool(manifest.get("dependencies") or manifest.get("features"))
    return Manifest(folder, unique([join(folder, _NAME), *beside_it, *named, *overlays]), wanted)


def _folders(folder: str, configuration: dict[str, object]) -> Iterator[str]:
    """Go through the context folders that a configuration names."""
    for key in ("overlay-ports", "overlay-triplets"):
        listed = configuration.get(key)
        for name in listed if isinstance(listed, list) else ():
            yield _inside(folder, str(name))
    registries = configuration.get("registries")
    for registry in (configuration.get("default-registry"), *(registries if isinstance(registries, list) else ())):
        if table(registry).get("kind") == "filesystem":
            yield _inside(folder, str(table(registry).get("path")))


def _inside(folder: str, name: str) -> str:
    path = None if name.startswith("/") else beside(folder, name)
    if not path:
        raise Refused(f"vcpkg takes ports from {name}, outside of the project's folders")
    return path


def check_folder(context: Context, folder: str) -> str:
    """Return a context folder of ports or triplets; raise `Refused` where it leads to other files."""
    if not folder or not context.is_dir(folder):
        raise Refused(f"{folder or 'the project'} is no folder of ports that can be copied alone")
    for path in context.under(folder):
        if basename(path).endswith(".cmake") and re.search(r"\}/\.\.|CMAKE_SOURCE_DIR", context.text(path) or ""):
            raise Refused(f"{path} takes files of other folders")
    return folder
