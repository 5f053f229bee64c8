"""The files of a folder, listed folder by folder and only as far as someone asks."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping


class Tree(Mapping[str, int]):
    """Paths of files to their sizes, that can also tell what stands in a single folder."""

    @abstractmethod
    def children(self, folder: str) -> Mapping[str, bool]:
        """Return the names in a folder ("" is the root) and whether each is a folder; empty where there is none."""

    def walk(self, folder: str = "") -> Iterator[str]:
        """Go through the paths of all files below a folder."""
        pending = [folder]
        while pending:
            at = pending.pop()
            for name, is_folder in self.children(at).items():
                path = f"{at}/{name}" if at else name
                if is_folder:
                    pending.append(path)
                else:
                    yield path

    def __contains__(self, path: object) -> bool:
        """Tell whether the file is there, looking at its folder only."""
        if not isinstance(path, str):
            return False
        folder, _, name = path.rpartition("/")
        return self.children(folder).get(name) is False

    def __iter__(self) -> Iterator[str]:
        """Go through all paths."""
        return self.walk()

    def __len__(self) -> int:
        """Count the files."""
        return sum(1 for _ in self)


class ListedTree(Tree):
    """A tree of paths that are all known."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self._sizes = sizes
        self._children: dict[str, dict[str, bool]] | None = None

    def __getitem__(self, path: str) -> int:
        """Return the size of a file."""
        return self._sizes[path]

    def children(self, folder: str) -> Mapping[str, bool]:
        """Return the names in a folder and whether each is a folder."""
        if self._children is None:
            self._children = _by_folder(self._sizes)
        return self._children.get(folder, {})


class OverlaidTree(Tree):
    """A tree with one file more, or with one of another size."""

    def __init__(self, tree: Tree, path: str, size: int) -> None:
        self._tree = tree
        self._path = path
        self._size = size
        self._added = _by_folder([path])

    def __getitem__(self, path: str) -> int:
        """Return the size of a file."""
        return self._size if path == self._path else self._tree[path]

    def children(self, folder: str) -> Mapping[str, bool]:
        """Return the names in a folder and whether each is a folder."""
        below = self._tree.children(folder)
        added = self._added.get(folder)
        return {**below, **added} if added else below


def _by_folder(paths: Iterable[str]) -> dict[str, dict[str, bool]]:
    found: dict[str, dict[str, bool]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        known = folder in found
        found.setdefault(folder, {})[name] = False
        while folder and not known:
            folder, _, name = folder.rpartition("/")
            known = folder in found
            found.setdefault(folder, {})[name] = True
    return found
