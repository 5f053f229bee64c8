"""Meson: the subprojects that wrap files name, downloaded with meson.build and the wrap files alone.

`meson setup` itself downloads only those that the system does not have, which it finds out from the sources.

Sources: https://mesonbuild.com/Subprojects.html#download-subprojects,
https://mesonbuild.com/Wrap-dependency-system-manual.html and Meson's `mesonbuild/msubprojects.py`.
"""

import re
from collections.abc import Mapping
from posixpath import basename, dirname, join

from msgspec import Struct

from optimizer.context import Context
from optimizer.ecosystems._arguments import Options, folder_of, parse, variables_of
from optimizer.ecosystems._files import Refused, need, visible
from optimizer.ecosystems.ecosystem import Cache, Install, Project, Refusal
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern

OPTIONS = Options.of(switches="--allow-insecure", values="--sourcedir --types -j --num-processes")
_DIRECTORY = lazy_pattern(r"^\s*directory\s*=\s*(\S+)\s*$", re.MULTILINE)
_PATCHED = lazy_pattern(r"^\s*(?:patch_directory|diff_files)\s*=", re.MULTILINE)
_OTHER_FOLDER = lazy_pattern(r"\bsubproject_dir\s*:")
_MARKS = ("meson subprojects download",)


class Meson(Struct, frozen=True):
    """`meson subprojects download`, and `meson setup` where it may download."""

    id: str = "meson"
    title: str = "Meson"
    programs: frozenset[str] = frozenset({"meson"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say what the call reads."""
        words = [word.value or "" for word in call.arguments]
        if call.program != "meson" or not words or call.directory is None:
            return None
        start = project.locate(".", call.directory)
        if start is None:
            return None
        try:
            if words[:2] == ["subprojects", "download"]:
                return _download(call, project)
        except Refused as refused:
            return Refusal(str(refused))
        wraps = {} if words[0] in _OTHERS or words[0].startswith("-") else _wraps(project.context, start)
        if not wraps:
            return None
        name = basename(next(iter(wraps)))
        return Refusal(f"meson downloads what {name} names only where the sources need it", _MARKS)

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:  # noqa: ARG002 - nothing is cached
        """None: archives lie among the subprojects."""
        return None

    def cleans(self, call: Call) -> bool:  # noqa: ARG002
        """Never, as there is no cache."""
        return False


ECOSYSTEM = Meson()
_OTHERS = frozenset(
    "configure compile devenv dist env2mfile format init install introspect rewrite subprojects test wrap".split()
)


def _wraps(context: Context, folder: str) -> dict[str, str]:
    """Return the wrap files whose subprojects are to be downloaded, with the folders for these."""
    found = {}
    for path in context.match(join(folder, "subprojects", "*.wrap")):
        match = _DIRECTORY.search(context.text(path) or "")
        place = join(dirname(path), match[1] if match else basename(path).removesuffix(".wrap"))
        if not context.is_dir(place):
            found[path] = place
    return found


def _download(call: Call, project: Project) -> Install | None:
    context = project.context
    arguments = parse(call.arguments[2:], OPTIONS, variables_of(call, project.env))
    if isinstance(arguments, Refusal):
        raise Refused(arguments.reason)
    folder = folder_of(call, project, arguments, "--sourcedir")
    top = need(context, join(folder, "meson.build"))
    if _OTHER_FOLDER.search(context.text(top) or ""):
        raise Refused(f"{top} names another folder of subprojects")
    wraps = _wraps(context, folder)
    if not wraps:
        return None
    texts = [context.text(path) or "" for path in wraps]
    folders = visible(context, join(folder, "subprojects"), "packagefiles", "packagecache")
    if any("wrap-redirect" in text for text in texts):
        raise Refused("a wrap file stands for one of a subproject's")
    if any(map(_PATCHED.search, texts)) and not any(path.endswith("packagefiles") for path in folders):
        raise Refused("the patches of a subproject are not among the copied files")
    every = context.match(join(folder, "subprojects", "*.wrap"))
    return Install((top, *every, *folders), tuple(wraps.values()))
