"""The build context as a value."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from posixpath import normpath
from typing import Any, TypeVar

from msgspec import Struct, field
from msgspec.structs import force_setattr, replace

from optimizer.context.ignore import IgnoreFile
from optimizer.context.tree import ListedTree, OverlaidTree, Tree
from optimizer.context.wildcards import go_match, has_wildcards

IGNORE_FILE = ".dockerignore"

Found = TypeVar("Found")


class _Memory(Struct):
    """What a context has found out so far."""

    tree: Tree | None = None
    under: dict[str, tuple[str, ...]] = field(default_factory=dict)
    texts: dict[str, str | None] = field(default_factory=dict)
    is_file: dict[str, bool] = field(default_factory=dict)
    is_dir: dict[str, bool] = field(default_factory=dict)
    matches: dict[str, tuple[str, ...]] = field(default_factory=dict)
    facts: dict[Hashable, Any] = field(default_factory=dict)


class Context(Struct, frozen=True):
    """The files that a build may read; paths are relative to its root, with `/`.

    `files` maps every regular file (and symlink) to its size in bytes, whether ignored or not; `ignore` is the
    ignore file in force; `read_bytes` gives the contents of a file, None where it is not there or cannot be read;
    `tracked` tells whether version control holds a path (a file, or anything below a folder), None if unknown;
    `executable` whether everyone may execute a file, None if unknown; `folder_link` whether a path is a symbolic link
    that leads to no file of the context (but to a folder, to nowhere, or out of it).
    Paths given to the methods may start with `/` or `./`, and `..` stops at the root, as in COPY.
    """

    files: Mapping[str, int]
    ignore: IgnoreFile
    read_bytes: Callable[[str], bytes | None]
    tracked: Callable[[str], bool | None] = field(default=lambda path: None)  # noqa: ARG005 - the type gives the name
    executable: Callable[[str], bool | None] = field(default=lambda path: None)  # noqa: ARG005 - as above
    folder_link: Callable[[str], bool] = field(default=lambda path: False)  # noqa: ARG005 - as above
    dockerfile: str = "Dockerfile"  # path of the Dockerfile within the context; starts with ../ where it is outside
    ignore_path: str = IGNORE_FILE  # where the ignore file in force is, or would be written
    _memory: _Memory = field(default_factory=_Memory)

    def __post_init__(self) -> None:
        """Begin with nothing found out, for a changed copy has other files."""
        force_setattr(self, "_memory", _Memory())

    @classmethod
    def of(cls, files: Mapping[str, str | bytes], **changes: Any) -> "Context":
        """Make a context of literal contents; the ignore file among them is put in force.

        `changes` are further fields, such as `dockerfile` or `tracked`.
        """
        contents = {p: text.encode() if isinstance(text, str) else text for p, text in files.items()}
        specific = changes.get("dockerfile", "Dockerfile") + IGNORE_FILE
        ignore_path = specific if specific in contents else IGNORE_FILE
        ignore = IgnoreFile(decode(contents.get(ignore_path, b"")))
        context = cls({p: len(data) for p, data in contents.items()}, ignore, contents.get, ignore_path=ignore_path)
        return replace(context, **changes) if changes else context

    def exists(self, path: str) -> bool:
        """Tell whether the build sees this file or folder: it is there and not ignored."""
        return self.is_file(path) or self.is_dir(path)

    def is_file(self, path: str) -> bool:
        """Tell whether it is a file that the build sees."""
        known = self._memory.is_file
        if path not in known:
            clean = normal(path)
            known[path] = clean in self._tree and not self.ignore.ignores(clean)
        return known[path]

    def is_dir(self, path: str) -> bool:
        """Tell whether it is a folder with at least one file that the build sees ("" is the root)."""
        known = self._memory.is_dir
        if path not in known:
            known[path] = next(self._below(normal(path)), None) is not None
        return known[path]

    def under(self, folder: str) -> Iterable[str]:
        """Return the files below a folder that the build sees, sorted."""
        folder = normal(folder)
        known = self._memory.under
        if folder not in known:
            known[folder] = tuple(sorted(self._below(folder)))
        return known[folder]

    def size(self, path: str) -> int:
        """Return the bytes of a file, or of all files below a folder, that the build sees."""
        path = normal(path)
        if self.is_file(path):
            return self._tree[path]
        return sum(self._tree[file] for file in self._below(path))

    def match(self, pattern: str) -> tuple[str, ...]:
        """Return what a COPY source pattern (Go's filepath.Match) matches, sorted: files and folders ("" is the root).

        Names in front of the first wildcard are taken as they are, escapes included, and nothing below a folder
        that matched is matched again (tonistiigi/fsutil: copy/copy.go, ResolveWildcards).
        """
        known = self._memory.matches
        if pattern not in known:
            known[pattern] = self._match(normal(pattern).split("/"))
        return known[pattern]

    def _match(self, names: Sequence[str]) -> tuple[str, ...]:
        wild = next((i for i, name in enumerate(names) if has_wildcards(name)), len(names))
        base = "/".join(names[:wild])
        if wild == len(names):
            return (base,) if self.exists(base) else ()
        return tuple(sorted(self._matching(base, "/".join(names[wild:]))))

    def text(self, path: str) -> str | None:
        """Return a visible file as text (UTF-8, lossy, without BOM), None where the build does not see it."""
        path = normal(path)
        if path not in self._memory.texts:
            data = self.read_bytes(path) if self.is_file(path) else None
            self._memory.texts[path] = None if data is None else decode(data)
        return self._memory.texts[path]

    def once(self, name: Hashable, find: Callable[["Context"], Found]) -> Found:
        """Return what `find` makes of this context, worked out at the first call for that name."""
        if name not in self._memory.facts:
            self._memory.facts[name] = find(self)
        found: Found = self._memory.facts[name]
        return found

    def overlay(self, path: str, content: str) -> "Context":
        """Return the context as it would be with this file written; a new ignore file takes force."""
        data = content.encode("utf-8", "surrogateescape")
        outside = path.startswith("../")
        changed = replace(
            self,
            files=self._tree if outside else OverlaidTree(self._tree, path, len(data)),
            read_bytes=_with(path, data, self.read_bytes),
        )
        if path not in {self.ignore_path, self.dockerfile + IGNORE_FILE}:
            return changed
        return replace(changed, ignore=IgnoreFile(decode(data)), ignore_path=path)

    @property
    def _tree(self) -> Tree:
        if self._memory.tree is None:
            self._memory.tree = self.files if isinstance(self.files, Tree) else ListedTree(self.files)
        return self._memory.tree

    def _below(self, folder: str) -> Iterator[str]:
        """Go through the visible files below a folder."""
        if self.ignore.hides(folder):
            return
        pending = [folder]
        while pending:
            at = pending.pop()
            for name, is_folder in self._tree.children(at).items():
                path = f"{at}/{name}" if at else name
                if not is_folder:
                    if not self.ignore.ignores(path):
                        yield path
                elif not self.ignore.hides(path):
                    pending.append(path)

    def _matching(self, base: str, pattern: str) -> Iterator[str]:
        regex = go_match(pattern)
        # Without a class, which may match `/`, each name of the pattern stands for one folder level.
        depth = None if "[" in pattern else pattern.count("/") + 1
        pending = [(base, "", 1)]
        while pending:
            folder, prefix, level = pending.pop()
            for name, is_folder in self._tree.children(folder).items():
                path = f"{folder}/{name}" if folder else name
                if regex.fullmatch(prefix + name):
                    if self.exists(path):
                        yield path
                elif is_folder and (depth is None or level < depth) and not self.ignore.hides(path):
                    pending.append((path, f"{prefix}{name}/", level + 1))


@lru_cache(maxsize=4096)
def normal(path: str) -> str:
    """Return a path as COPY takes it: relative to the root, clean, `..` stopped there; "" is the root."""
    return normpath("/" + path).lstrip("/")


def decode(data: bytes) -> str:
    """Return UTF-8 text without its byte order mark; what is not UTF-8 becomes U+FFFD."""
    return data.decode("utf-8-sig", "replace")


def _with(path: str, data: bytes, read: Callable[[str], bytes | None]) -> Callable[[str], bytes | None]:
    return lambda wanted: data if wanted == path else read(wanted)
