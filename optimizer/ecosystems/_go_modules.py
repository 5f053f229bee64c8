"""go.mod, go.work and go.sum as far as a download of modules reads them.

Sources: https://go.dev/ref/mod#go-mod-file, https://go.dev/ref/mod#workspaces, https://go.dev/ref/mod#go-sum-files,
and `cmd/go/internal/modcmd/download.go`.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from posixpath import join

from msgspec import Struct

from optimizer.ecosystems._files import Refused, beside, nearest, need, unique, visible
from optimizer.ecosystems.ecosystem import Project

_ASSUMED = (1, 16)  # the version of a go.mod that names none
_VENDORING = (1, 14)  # from here on a vendor folder is used unasked
_LOCAL = ("./", "../", "/")
_Module = tuple[str, str]


class GoFile(Struct, frozen=True):
    """The directives of a go.mod or go.work: each the words behind its keyword."""

    directives: Mapping[str, tuple[tuple[str, ...], ...]]

    @property
    def version(self) -> tuple[int, ...]:
        """The language version."""
        words = next(iter(self.directives.get("go", ())), ())
        numbers = words[0].split(".") if words else []
        return tuple(int(n) for n in numbers[:2]) if all(n.isdigit() for n in numbers[:2]) and numbers else _ASSUMED

    @property
    def requirements(self) -> tuple[_Module, ...]:
        """The modules that are asked for, with their versions."""
        return tuple((words[0], words[1]) for words in self.directives.get("require", ()) if words[1:])

    def replacements(self) -> Iterator[tuple[_Module, _Module]]:
        """Go through what is replaced ("" for every version), and by what ("" for a folder)."""
        for words in self.directives.get("replace", ()):
            if "=>" not in words:
                continue
            at = words.index("=>")
            old, new = (*words[:at], ""), (*words[at + 1 :], "")
            yield (old[0], old[1]), (new[0], new[1])


class Modules(Struct, frozen=True):
    """What the go command works on: a module or a workspace; `folder` is where its first file lies."""

    folder: str
    manifests: tuple[str, ...]
    needed: tuple[_Module, ...]  # what is to be downloaded
    sums: str | None  # go.work.sum of a workspace, which a download writes
    is_workspace: bool
    uses_vendor: bool
    has_tools: bool


def read_modules(project: Project, start: str, *, workspaces: bool = True) -> Modules | None:
    """Read the module that a context folder belongs to, None where there is none.

    Raises `Refused` where the download would read more than the build context shows.
    """
    root = nearest(project, start, "go.mod")
    work = nearest(project, start, "go.work") if workspaces else None
    if work is not None:
        return _workspace(project, work)
    if root is None:
        return None
    file = _read(project, root, "go.mod")
    local, needed = _resolved(project, root, (file,), file.replacements())
    _check_sums(project, (join(root, "go.sum"),), needed)
    first = (join(root, "go.mod"), *visible(project.context, root, "go.sum"))
    vendored = file.version >= _VENDORING and bool(visible(project.context, root, "vendor/modules.txt"))
    return Modules(
        root, unique([*first, *local]), needed, None, is_workspace=False, uses_vendor=vendored, has_tools=_tools(file)
    )


def _workspace(project: Project, root: str) -> Modules:
    context = project.context
    work = _read(project, root, "go.work")
    folders = [_inside(root, words[0]) for words in work.directives.get("use", ()) if words]
    files = [_read(project, folder, "go.mod") for folder in folders]
    own = {words[0] for file in files for words in file.directives.get("module", ()) if words}
    local, needed = _resolved(project, root, files, work.replacements())
    for folder, file in zip(folders, files, strict=True):
        more, _ = _resolved(project, folder, (file,), file.replacements())
        local += more
    replaced = {old[0] for file in files for old, new in file.replacements() if not new[1]}
    needed = tuple(module for module in needed if module[0] not in own | replaced)
    sums = visible(context, root, "go.work.sum")
    members = [path for folder in folders for path in visible(context, folder, "go.mod", "go.sum")]
    _check_sums(project, (*sums, *(join(folder, "go.sum") for folder in folders)), needed)
    return Modules(
        root,
        unique([join(root, "go.work"), *sums, *members, *local]),
        needed,
        next(iter(sums), None),
        is_workspace=True,
        uses_vendor=bool(visible(context, root, "vendor/modules.txt")),
        has_tools=any(map(_tools, files)),
    )


def _resolved(
    project: Project, root: str, files: Iterable[GoFile], replacements: Iterable[tuple[_Module, _Module]]
) -> tuple[tuple[str, ...], tuple[_Module, ...]]:
    """Return the go.mod files of replacing folders, and the modules to download."""
    replaced = dict(replacements)
    folders = [new[0] for new in replaced.values() if new[0].startswith(_LOCAL) or new[0] in {".", ".."}]
    local = tuple(need(project.context, join(_inside(root, folder), "go.mod")) for folder in folders)
    wanted = (
        replaced.get(module) or replaced.get((module[0], "")) or module
        for file in files
        for module in file.requirements
    )
    return local, tuple(dict.fromkeys(module for module in wanted if module[1]))


def _inside(root: str, folder: str) -> str:
    """Return the context folder that a file in `root` names."""
    path = None if folder.startswith("/") else beside(root, folder)
    if path is None:
        raise Refused(f"the module in {folder} lies outside of the build context")
    return path


def _check_sums(project: Project, paths: Iterable[str], needed: Iterable[_Module]) -> None:
    """Raise `Refused` where a checksum is missing: `go mod download` would write it, and a later COPY take it away."""
    known: set[_Module] = set()
    for path in paths:
        known |= _sums(project.context.text(path) or "")
    for path, version in needed:
        if (path, version) not in known or (path, f"{version}/go.mod") not in known:
            raise Refused(f"go.sum has no checksum of {path} {version}")


@lru_cache(maxsize=32)
def _sums(text: str) -> frozenset[_Module]:
    words = (line.split() for line in text.splitlines())
    return frozenset((w[0], w[1]) for w in words if len(w) == 3)  # noqa: PLR2004 - module, version, checksum


def _tools(file: GoFile) -> bool:
    return bool(file.directives.get("tool"))


def _read(project: Project, folder: str, name: str) -> GoFile:
    path = need(project.context, join(folder, name))
    text = project.context.text(path)
    if text is None:
        raise Refused(f"{path} is not text")
    return _parse(text)


@lru_cache(maxsize=64)
def _parse(text: str) -> GoFile:
    """Take a file apart, in which `keyword ( … )` stands for a line each."""
    directives: dict[str, list[tuple[str, ...]]] = {}
    block: str | None = None
    for line in text.splitlines():
        words = tuple(word.strip('"`') for word in line.partition("//")[0].split())
        if block is None and len(words) > 1 and words[1] == "(":
            block = words[0]
        elif words[:1] == (")",):
            block = None
        elif words and block is not None:
            directives.setdefault(block, []).append(words)
        elif words:
            directives.setdefault(words[0], []).append(words[1:])
    return GoFile({keyword: tuple(found) for keyword, found in directives.items()})
