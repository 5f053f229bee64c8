"""`.npmrc` of a project, which npm, yarn 1, pnpm and bun read (https://docs.npmjs.com/cli/v10/configuring-npm/npmrc)."""

import re
from posixpath import join

from optimizer.ecosystems._files import Refused, beside, need
from optimizer.ecosystems._javascript import Packages

_PATHS = re.compile(r"^\s*(cafile|certfile|keyfile)\s*=\s*(\S+)", re.MULTILINE)
_REFUSED = re.compile(
    r"^\s*(prefix|cache|globalconfig|userconfig|node-options|onload-script|script-shell|modules-dir|"
    r"virtual-store-dir|store-dir|global)\s*=",
    re.MULTILINE,
)
_IGNORES_SCRIPTS = re.compile(r"^\s*ignore-scripts\s*=\s*true\s*$", re.MULTILINE)


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


def rc_ignores_scripts(packages: Packages) -> bool:
    """Tell whether the `.npmrc` of the root switches lifecycle scripts off."""
    return _IGNORES_SCRIPTS.search(packages.context.text(join(packages.root, ".npmrc")) or "") is not None
