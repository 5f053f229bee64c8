"""Throw-away copies of a build context: one as it is, and one a rewrite, so that nothing of the user's is touched.

Copied is what the build may see, by the ignore file of now or by that of a rewrite; links stay links, modes stay, and
what no build can read (sockets, pipes) is left out. The second and later copies are hard links to the first.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from msgspec import Struct

from optimizer.context import IGNORE_FILE, Context, IgnoreFile
from optimizer.engine import Result
from optimizer.verify.process import undisturbed


class Copy(Struct, frozen=True):
    """A copy of the context, and the Dockerfile in it (or beside it, where it lies outside of the context)."""

    folder: Path
    dockerfile: Path

    @contextmanager
    def changed(self, path: str, change: Callable[[bytes], bytes]) -> Iterator[None]:
        """Change a file of this copy alone, and put it back."""
        file = self.folder / path
        data, state = file.read_bytes(), file.stat()
        file.unlink()  # the other copies are further names of the same file
        try:
            file.write_bytes(change(data))
            file.chmod(state.st_mode)
            yield
        finally:
            file.write_bytes(data)
            file.chmod(state.st_mode)


class Workspace:
    """The copies of one context."""

    def __init__(self, room: Path, folder: Path, context: Context) -> None:
        self.place = room
        self._source = folder
        self._context = context
        self._count = 0
        self._first: Copy | None = None

    def original(self, text: str) -> Copy:
        """Return the first copy, with the Dockerfile of this text."""
        if self._first is None:
            self._first = self._copy(self._source, (self._context.ignore,), shutil.copy2)
            self._write(self._first, self._context.dockerfile, text)
        return self._first

    def rewritten(self, result: Result) -> Copy:
        """Return a copy with the rewritten Dockerfile and the files that go with it."""
        first = self.original(result.before)
        ignores = (self._context.ignore, *_ignore_files(result, self._context))
        copy = self._copy(self._source, ignores, _linked(self._source, first.folder))
        self._write(copy, self._context.dockerfile, result.after)
        for artifact in result.artifacts:
            self._write(copy, artifact.path, artifact.content)
        return copy

    def _copy(self, source: Path, ignores: Sequence[IgnoreFile], take: Callable[[str, str], object]) -> Copy:
        self._count += 1
        folder = self.place / str(self._count) / _depth(self._context.dockerfile) / "context"
        folder.mkdir(parents=True)
        kept = {self._context.dockerfile, self._context.ignore_path, IGNORE_FILE}
        _fill(source, folder, _Sieve(ignores, kept, self.place.stat()), take)
        outside = self._context.dockerfile.startswith("../") or self._context.ignore_path.startswith("../")
        copy = Copy(folder, Path(os.path.normpath(folder / self._context.dockerfile)))
        if outside and (text := self._context.read_bytes(self._context.ignore_path)) is not None:
            self._write(copy, self._context.ignore_path, text)
        return copy

    def _write(self, copy: Copy, path: str, text: str | bytes) -> None:
        """Write a file into a copy; a link within the copy stays one, any other becomes the file itself."""
        place = Path(os.path.normpath(copy.folder / path))
        place.parent.mkdir(parents=True, exist_ok=True)
        real = Path(os.path.realpath(place))
        inside = real.is_relative_to(os.path.realpath(self.place / str(self._count))) and real.is_file()
        target = real if inside else place
        mode = target.stat().st_mode & 0o7777 if target.is_file() and not target.is_symlink() else None
        target.unlink(missing_ok=True)
        target.write_bytes(text.encode() if isinstance(text, str) else text)
        if mode is not None:
            target.chmod(mode)


@contextmanager
def workspace(folder: Path, context: Context, *, keep: bool = False) -> Iterator[Workspace]:
    """Open a workspace; it is removed at the end, whatever ends it, unless it is to be kept."""
    room = TemporaryDirectory(prefix="dfopt-verify-", ignore_cleanup_errors=True)
    try:
        yield Workspace(Path(room.name), folder, context)
    finally:
        if keep:
            room._finalizer.detach()  # type: ignore[attr-defined]  # noqa: SLF001 (`delete=False` comes with 3.12)
        else:
            with undisturbed():
                room.cleanup()


def _depth(dockerfile: str) -> str:
    """Return as many folders as a Dockerfile outside of the context goes up, so that it stays in the room."""
    return "/".join(["above"] * dockerfile.split("/").count(".."))


def _ignore_files(result: Result, context: Context) -> Iterator[IgnoreFile]:
    """Go through the ignore files that a rewrite writes."""
    names = {context.ignore_path, IGNORE_FILE, context.dockerfile + IGNORE_FILE}
    yield from (IgnoreFile(artifact.content) for artifact in result.artifacts if artifact.path in names)


def _linked(source: Path, first: Path) -> Callable[[str, str], object]:
    """Return how to take a file: as another name of that of the first copy, where that has it."""
    prefix = os.path.join(source, "")  # noqa: PTH118 (a text, as the names are)

    def take(file: str, target: str) -> None:
        try:
            os.link(first / file.removeprefix(prefix), target, follow_symlinks=False)
        except OSError:
            shutil.copy2(file, target)

    return take


class _Sieve(NamedTuple):
    """What is copied: what one of the ignore files lets through, and the files to keep; never the copies themselves."""

    ignores: Sequence[IgnoreFile]
    kept: set[str]
    place: os.stat_result

    def lets_in(self, path: str) -> bool:
        """Tell whether a file, or a folder as such, is copied."""
        return path in self.kept or not all(ignore.ignores(path) for ignore in self.ignores)

    def leads_on(self, path: str, entry: os.DirEntry[str]) -> bool:
        """Tell whether there may be something to copy in a folder."""
        if entry.inode() == self.place.st_ino and os.path.samestat(entry.stat(), self.place):
            return False  # the folder for temporary files may lie within the context
        return any(k.startswith(f"{path}/") for k in self.kept) or not all(i.hides(path) for i in self.ignores)


def _fill(source: Path, target: Path, sieve: _Sieve, take: Callable[[str, str], object]) -> None:
    """Copy a folder."""
    pending = [""]
    while pending:
        at = pending.pop()
        with os.scandir(source / at) as entries:
            for entry in entries:
                path = f"{at}/{entry.name}" if at else entry.name
                if not entry.is_dir(follow_symlinks=False):
                    if sieve.lets_in(path):
                        _take(entry, target / path, take)
                elif sieve.leads_on(path, entry):
                    pending.append(path)
                    if sieve.lets_in(path):
                        (target / path).mkdir(parents=True, exist_ok=True)
        if at and (target / at).is_dir():
            shutil.copystat(source / at, target / at)


def _take(entry: os.DirEntry[str], target: Path, take: Callable[[str, str], object]) -> None:
    if entry.is_symlink():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(os.readlink(entry.path))  # noqa: PTH115 (the target as it is written)
    elif entry.is_file(follow_symlinks=False):
        target.parent.mkdir(parents=True, exist_ok=True)
        take(entry.path, str(target))
