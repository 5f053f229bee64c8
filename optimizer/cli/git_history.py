"""A repository's history through git's command line, and the build context as it was at a commit."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen, SubprocessError, run
from typing import IO, NamedTuple

from optimizer.context import IGNORE_FILE, Context, IgnoreFile
from optimizer.context.nodes import decode
from optimizer.engine import InputError

_LIMIT = 60.0  # seconds
_LINK = "120000"
_FILES = frozenset({"100644", "100755", "100664", _LINK})
_MOST = 32 * 1024 * 1024


class Changed(NamedTuple):
    """A commit and the paths that it changed, from the root of the repository; modes and links count as changes."""

    commit: str
    paths: tuple[str, ...]


def last_commits(root: Path, number: int) -> list[Changed]:
    """Return the last commits of what is checked out, oldest first, a merge as one: what a server builds in turn.

    Raises InputError where git cannot tell.
    """
    format_ = ("--format=%x01%H", "--raw", "--no-abbrev", "--no-renames", "-z")
    text = _git(root, "log", f"-n{number}", "--first-parent", "-m", *format_, "HEAD")
    return [_changed(part) for part in text.split("\x01")[1:]][::-1]


def parent(root: Path, commit: str) -> str | None:
    """Return the commit before one, None of the first."""
    try:
        return _git(root, "rev-parse", "--verify", "--quiet", f"{commit}^").strip()
    except InputError:
        return None


class Past:
    """The files of a repository at its commits."""

    def __init__(self, root: Path, objects: "Popen[bytes]") -> None:
        self._root = root
        self._objects = objects

    def text(self, commit: str, path: str) -> str | None:
        """Return a file at a commit, None where it is not there or no text."""
        data = self._object(f"{commit}:{path}")
        try:
            return None if data is None or b"\0" in data else data.decode()
        except UnicodeDecodeError:
            return None

    def context(self, commit: str, folder: str, dockerfile: str) -> Context:
        """Return the context in a folder ("" is the root) at a commit; `dockerfile` is relative to that folder."""
        names = self._listed(commit, folder)
        ignore_path = next((p for p in (dockerfile + IGNORE_FILE, IGNORE_FILE) if p in names), IGNORE_FILE)
        entry = names.get(ignore_path)
        ignore = (self._object(entry.object) if entry else None) or b""
        return Context(
            {path: one.size for path, one in names.items()},
            IgnoreFile(decode(ignore)),
            self._reader(names),
            tracked=lambda _: True,
            executable=lambda path: names[path].mode == "100755" if path in names else None,
            dockerfile=dockerfile,
            ignore_path=ignore_path,
        )

    def _reader(self, names: "dict[str, _Entry]") -> Callable[[str], bytes | None]:
        def read_bytes(path: str) -> bytes | None:
            entry = names.get(path)
            return None if entry is None or entry.mode == _LINK or entry.size > _MOST else self._object(entry.object)

        return read_bytes

    def _listed(self, commit: str, folder: str) -> "dict[str, _Entry]":
        place = ["--", f"{folder}/"] if folder else []
        found = {}
        for line in _git(self._root, "ls-tree", "-r", "-l", "-z", "--full-tree", commit, *place).split("\0"):
            head, _, path = line.partition("\t")
            words = head.split()
            if words and words[0] in _FILES:
                # In a clone without all objects, the size of some is not known.
                size = int(words[3]) if words[3].isdigit() else 0
                found[path.removeprefix(f"{folder}/") if folder else path] = _Entry(words[0], words[2], size)
        return found

    def _object(self, name: str) -> bytes | None:
        """Return what git holds under a name."""
        pipe_in, pipe_out = _pipes(self._objects)
        if "\n" in name:
            return None
        pipe_in.write(os.fsencode(name) + b"\n")
        pipe_in.flush()
        words = pipe_out.readline().split()
        if len(words) != 3 or not words[2].isdigit():  # noqa: PLR2004 (object, kind, size)
            return None
        data = pipe_out.read(int(words[2]))
        pipe_out.read(1)
        return data if words[1] == b"blob" else None


class _Entry(NamedTuple):
    mode: str
    object: str
    size: int


@contextmanager
def past(root: Path) -> Iterator[Past]:
    """Open the files of a repository's commits."""
    command = ["git", "-C", str(root), "cat-file", "--batch"]
    with Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL) as objects:  # noqa: S603 (a list of words, no shell)
        try:
            yield Past(root, objects)
        finally:
            objects.terminate()


def _pipes(objects: "Popen[bytes]") -> tuple[IO[bytes], IO[bytes]]:
    assert objects.stdin is not None  # noqa: S101 (for the types: it was asked for)
    assert objects.stdout is not None  # noqa: S101
    return objects.stdin, objects.stdout


def _changed(part: str) -> Changed:
    """Read a commit: its name, then `:mode mode object object letter` and a path for each file."""
    tokens = part.split("\0")
    return Changed(tokens[0].strip(), tuple(tokens[2::2]))


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.quotepath=false", "-C", str(root), *arguments]
    try:
        done = run(command, stdin=DEVNULL, capture_output=True, timeout=_LIMIT, check=False)  # noqa: S603 (as above)
    except (OSError, SubprocessError) as error:
        raise InputError(f"git cannot be asked for the history: {error}") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise InputError(f"git cannot tell the history: {said[-1] if said else f'exit status {done.returncode}'}")
    return done.stdout.decode("utf-8", "surrogateescape")
