"""`.npmrc` of a project, which npm, yarn 1, pnpm and bun read (https://docs.npmjs.com/cli/v10/configuring-npm/npmrc)."""

import re
from posixpath import join

from optimizer.ecosystems._files import Refused, beside, need, upwards, visible
from optimizer.ecosystems._javascript import Packages
from optimizer.ecosystems.ecosystem import Install, Project
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern

LOCAL_SPECS = (".", "/", "~", "file:", "link:", "portal:")  # what is no name of a package

_PATHS = lazy_pattern(r"^\s*(cafile|certfile|keyfile)\s*=\s*(\S+)", re.MULTILINE)
_REFUSED = lazy_pattern(
    r"^\s*(prefix|cache|globalconfig|userconfig|node-options|onload-script|script-shell|modules-dir|"
    r"virtual-store-dir|store-dir|global)\s*=",
    re.MULTILINE,
)
_IGNORES_SCRIPTS = lazy_pattern(r"^\s*ignore-scripts\s*=\s*true\s*$", re.MULTILINE)


def rc_files(packages: Packages, folder: str | None = None) -> tuple[str, ...]:
    """Return the `.npmrc` of the root, or of another folder, with the files that it names.

    Raises `Refused` where it moves a folder that the install writes to or starts other code.
    """
    folder = packages.root if folder is None else folder
    path = join(folder, ".npmrc")
    text = packages.context.text(path)
    if text is None:
        return ()
    if refused := _REFUSED.search(text):
        raise Refused(f"{path} sets {refused[1]}")
    found = [path]
    for setting in _PATHS.finditer(text):
        place = None if setting[2].startswith(("/", "$", "~")) else beside(folder, setting[2].strip("\"'"))
        found += [need(packages.context, place)] if place else []
    return tuple(found)


def global_install(call: Call, project: Project) -> Install:
    """Answer for packages that yarn, pnpm or Bun install for the whole system: only settings are read.

    npm itself leaves the project's settings out in that case.
    """
    folder = project.locate(".", call.directory) if call.directory is not None else None
    if folder is None:
        return Install(())
    names = (".npmrc", ".yarnrc", "bunfig.toml")
    return Install(tuple(path for at in upwards(project, folder) for path in visible(project.context, at, *names)))


def rc_ignores_scripts(packages: Packages) -> bool:
    """Tell whether the `.npmrc` of the root switches lifecycle scripts off."""
    return _IGNORES_SCRIPTS.search(packages.context.text(join(packages.root, ".npmrc")) or "") is not None
