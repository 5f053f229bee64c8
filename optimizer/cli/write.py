"""Put texts into files so that an interruption leaves the old or the new ones, never a half."""

import os
import signal
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from optimizer.report import Change


class WriteError(Exception):
    """A file that could not be written; the text names it and says why. Nothing was changed."""


class _Staged(Struct, frozen=True):
    """A new text beside the file that it is to replace."""

    change: Change
    target: Path
    temporary: Path


def write_together(changes: Iterable[Change]) -> None:
    """Write the files as a unit as well as a file system allows: all temporary files first, then the renames.

    The Dockerfile (the first) is replaced last: an ignore file alone does no harm, a Dockerfile that counts on it may.
    Raises WriteError.
    """
    with _staged(tuple(changes)[::-1]) as staged:
        done: list[_Staged] = []
        try:
            for item in staged:
                item.temporary.replace(item.target)
                done.append(item)
        except OSError as error:
            _undo(done)
            raise WriteError(f"{staged[len(done)].change.path}: cannot be written: {error.strerror}") from error


@contextmanager
def _staged(changes: tuple[Change, ...]) -> Iterator[list[_Staged]]:
    """Write the temporary files, and take away what is left of them, whatever happens."""
    staged: list[_Staged] = []
    try:
        for change in changes:
            _stage(change, staged)
        yield staged
    finally:
        for item in staged:
            item.temporary.unlink(missing_ok=True)


def _stage(change: Change, staged: list[_Staged]) -> None:
    target = Path(os.path.realpath(change.path))  # a link stays, what it points to is replaced
    try:
        found = _unchanged(change, target)
        temporary = _beside(target)
        staged.append(_Staged(change, target, temporary))  # known before it exists: an interruption cannot leave it
        _fill(temporary, change.after.encode(), found)
    except OSError as error:
        raise WriteError(f"{change.path}: cannot be written: {error.strerror}") from error


def _beside(target: Path) -> Path:
    """Return a new name in the folder of a file; it is short, for the file's own may be as long as names can be."""
    return target.with_name(f".dfopt-{os.urandom(6).hex()}.tmp")


def _fill(temporary: Path, data: bytes, like: os.stat_result | None) -> None:
    """Write a new file down to the disk."""
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        _like(like, temporary)
        file.flush()
        os.fsync(file.fileno())


def write_whole(path: Path, data: bytes) -> None:
    """Write a report: a file that is there is replaced whole, a pipe or device is written to. Raises WriteError."""
    try:
        found = path.stat() if path.exists() else None
        if found is not None and (not stat.S_ISREG(found.st_mode) or path.is_relative_to("/dev")):
            path.write_bytes(data)
            return
        target = Path(os.path.realpath(path))
        temporary = _beside(target)
        try:
            _fill(temporary, data, found)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(f"{path}: cannot be written: {error.strerror}") from error


def ended_in_order() -> None:
    """Let a request to end (SIGTERM, a closed terminal) take away temporary files, as an interruption does."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)


def _end(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def _unchanged(change: Change, target: Path) -> os.stat_result | None:
    """Return the state of the file to replace; refuse one that is read-only or not the one that was read."""
    try:
        found = target.stat()
    except FileNotFoundError:
        if change.before is None:
            return None
        raise WriteError(f"{change.path}: gone since it was read") from None
    if not stat.S_ISREG(found.st_mode):
        raise WriteError(f"{change.path}: not a regular file, left as it is; --stdout prints the result")
    if not found.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) or not os.access(target, os.W_OK):
        raise WriteError(f"{change.path}: read-only, left as it is")
    if change.before is None or target.read_bytes() != change.before.encode():
        raise WriteError(f"{change.path}: changed since it was read, left as it is; run dfopt again")
    return found


def _like(found: os.stat_result | None, temporary: Path) -> None:
    """Give a new file the mode and, where possible, the owner of the one that it replaces."""
    if found is None:
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        return
    if sys.platform != "win32" and (found.st_uid, found.st_gid) != (os.geteuid(), os.getegid()):
        with suppress(PermissionError):
            os.chown(temporary, found.st_uid, found.st_gid)
    temporary.chmod(stat.S_IMODE(found.st_mode))


def _undo(done: Iterable[_Staged]) -> None:
    """Bring back the files that were replaced already."""
    for item in done:
        with suppress(OSError):
            if item.change.before is None:
                item.target.unlink()
            else:
                item.target.write_bytes(item.change.before.encode())
