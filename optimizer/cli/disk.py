"""Read a build context from disk: names folder by folder as they are asked for, contents only when read."""

import os
import stat
from collections.abc import Callable, Mapping, MutableMapping
from functools import cache
from pathlib import Path

from optimizer.context import IGNORE_FILE, Context, IgnoreFile, Tree
from optimizer.context.nodes import decode
from optimizer.engine import InputError

Listings = MutableMapping[str, Mapping[str, bool]]

_MAX_READ = 32 * 1024 * 1024
_GIT_TIMEOUT = 5
# Of version control only what tells that it is there and about how large it is.
_GIT_FOLDERS = {".git": {"objects"}, ".git/objects": {"pack"}, ".git/objects/pack": set[str]()}


class ContextError(InputError):
    """The build context cannot be read; the text says what, where and what to do."""

    def __init__(self, what: str, where: str, advice: str) -> None:
        super().__init__(f"{where}: {what}; {advice}")


def read_context(folder: Path, dockerfile: Path, listings: Listings | None = None) -> Context:
    """Return the build context in `folder` for a Dockerfile, which may lie outside of it.

    Nothing is listed before it is asked for; contexts that are given the same `listings` list each folder once.
    Raises `ContextError` where `folder` is no folder or its ignore file cannot be read, and later, from the methods
    of the context, where a folder that the build would send cannot be listed.
    """
    if not folder.is_dir():
        raise ContextError("the build context is not a folder", str(folder), "name one with --context")
    root = os.path.abspath(folder)  # noqa: PTH100 - links stay links: the paths in messages are the user's
    name = os.path.relpath(os.path.abspath(dockerfile), root).replace(os.sep, "/")  # noqa: PTH100
    ignore_path, ignore = _ignore_file(root, name)
    tree = _DiskTree(root, ignore, {} if listings is None else listings)
    return Context(
        files=tree,
        ignore=ignore,
        read_bytes=_reader(root, tree, ignore_path),
        tracked=_version_control(root),
        executable=_modes(root),
        folder_link=_links(root),
        dockerfile=name,
        ignore_path=ignore_path,
    )


def _ignore_file(root: str, dockerfile: str) -> tuple[str, IgnoreFile]:
    for path in (dockerfile + IGNORE_FILE, IGNORE_FILE):
        try:
            data = Path(root, path).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            continue
        except OSError as error:
            advice = "make it readable, or name another context"
            raise ContextError(f"the ignore file cannot be read ({error.strerror})", path, advice) from error
        return path, IgnoreFile(decode(data))
    return IGNORE_FILE, IgnoreFile("")


class _DiskTree(Tree):
    """The files below a folder; symbolic links are entries of their own and never followed."""

    def __init__(self, root: str, ignore: IgnoreFile, listings: Listings) -> None:
        self._root = root
        self._ignore = ignore
        self._listings = listings
        self._prefix = os.path.join(root, "")  # noqa: PTH118 - a text, for speed

    def __getitem__(self, path: str) -> int:
        """Return the size of a file."""
        if path not in self:
            raise KeyError(path)
        try:
            return os.lstat(self._prefix + path).st_size
        except OSError:
            return 0

    def children(self, folder: str) -> Mapping[str, bool]:
        """Return the names in a folder and whether each is a folder; those of an unreadable ignored one are none."""
        found = self._listings.get(self._prefix + folder)
        if found is not None:
            return found
        at = ""
        for name in folder.split("/") if folder else ():
            if self._list(at).get(name) is not True:
                return {}
            at = f"{at}/{name}" if at else name
        return self._list(folder)

    def _list(self, folder: str) -> Mapping[str, bool]:
        place = self._prefix + folder
        found = self._listings.get(place)
        if found is None:
            found = self._listings[place] = self._scan(folder, place)
        return found

    def _scan(self, folder: str, place: str) -> Mapping[str, bool]:
        try:
            with os.scandir(place) as entries:
                found = {e.name: is_folder for e in entries if (is_folder := _is_folder(e)) is not None}
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            if self._ignore.ignores(folder):
                return {}
            advice = f"make it readable, or name it in {IGNORE_FILE}"
            raise ContextError(f"the folder cannot be listed ({error.strerror})", place, advice) from error
        kept = _GIT_FOLDERS.get(folder)
        return found if kept is None else {n: is_dir for n, is_dir in found.items() if not is_dir or n in kept}


def _is_folder(entry: os.DirEntry[str]) -> bool | None:
    """Tell folders (True) from files and links (False); None for what a build cannot read, such as a socket."""
    if entry.is_dir(follow_symlinks=False):
        return True
    return False if entry.is_file(follow_symlinks=False) or entry.is_symlink() else None


def _modes(root: str) -> Callable[[str], bool | None]:
    """Return what tells whether everyone may execute a file; None of what is no file."""

    def executable(path: str) -> bool | None:
        try:
            mode = os.lstat(os.path.join(root, path)).st_mode  # noqa: PTH118 - a text, as everywhere here
        except OSError:
            return None
        return mode & 0o111 == 0o111 if stat.S_ISREG(mode) else None  # noqa: PLR2004 - the x of user, group, others

    return executable


def _links(root: str) -> Callable[[str], bool]:
    """Return what tells whether a path is a link to anything but a file below the root."""

    def folder_link(path: str) -> bool:
        place = os.path.join(root, path)  # noqa: PTH118 - a text, as everywhere here
        if not os.path.islink(place):  # noqa: PTH114 - likewise
            return False
        return not os.path.isfile(place) or not Path(os.path.realpath(place)).is_relative_to(_resolved(root))  # noqa: PTH113

    return folder_link


def _reader(root: str, tree: "_DiskTree", ignore_path: str) -> Callable[[str], bytes | None]:
    prefix = os.path.join(root, "")  # noqa: PTH118 - a text, for speed

    def read(path: str) -> bytes | None:
        try:
            state = os.lstat(prefix + path)
            place = prefix + path
            if not stat.S_ISREG(state.st_mode) or path not in tree:
                place = os.path.realpath(place, strict=True)
                state = os.stat(place)  # noqa: PTH116 - likewise
                if path != ignore_path and not Path(place).is_relative_to(_resolved(root)):
                    return None
            if not stat.S_ISREG(state.st_mode) or state.st_size > _MAX_READ:
                return None
            with open(place, "rb") as file:  # noqa: PTH123 - likewise
                return file.read()
        except (OSError, ValueError):
            return None

    return read


@cache
def _resolved(root: str) -> Path:
    return Path(root).resolve()


def _version_control(root: str) -> Callable[[str], bool | None]:
    known: list[frozenset[str] | None] = []

    def tracked(path: str) -> bool | None:
        if not known:
            known.append(_tracked_files(root))
        files = known[0]
        if files is None:
            return None
        # A submodule is listed as one path, so what is below it is found by the folders above.
        return path in files or any(above in files for above in _above(path)) or f"{path}/" in files

    return tracked


def _above(path: str) -> list[str]:
    return [path[:at] for at, char in enumerate(path) if char == "/"]


def _tracked_files(root: str) -> frozenset[str] | None:
    """Return the paths that git holds, folders with a `/` behind; None without git or repository."""
    from subprocess import DEVNULL, SubprocessError, run

    command = ["git", "-c", "core.fsmonitor=false", "ls-files", "-z"]
    try:
        done = run(command, cwd=root, stdin=DEVNULL, capture_output=True, timeout=_GIT_TIMEOUT, check=True)  # noqa: S603
    except (OSError, SubprocessError):
        return None
    files = os.fsdecode(done.stdout).split("\0")[:-1]
    folders = {f"{above}/" for file in files for above in _above(file)}
    return frozenset(files) | folders
