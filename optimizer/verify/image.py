"""An image as two of them are compared: its configuration, its files, and what its programs need of them."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from posixpath import join

from msgspec import Struct, field

_MOST_LINKS = 40  # as the kernel follows them, path_resolution(7)
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # what runc puts where Env has none


class Kind(StrEnum):
    """What stands under a path."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    DEVICE = "device"
    PIPE = "pipe"


class Linkage(Struct, frozen=True, gc=False):
    """What an ELF file asks of the dynamic linker; `machine` tells 32 from 64 bits too.

    `versions` are the symbol versions that it needs by library, `defines` those that it has itself.
    """

    machine: str
    interpreter: str | None = None
    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    defines: tuple[str, ...] = ()


class Entry(Struct, frozen=True, gc=False):
    """What stands under a path; `content` is a digest, the target of a link, or the numbers of a device.

    `shebang` are the words behind a script's `#!`. Times are not part of it: every build writes them anew.
    """

    kind: Kind
    mode: int
    owner: tuple[int, int]
    size: int = 0
    content: str = ""
    attributes: tuple[tuple[str, str], ...] = ()  # extended ones, capabilities among them
    linkage: Linkage | None = None
    shebang: tuple[str, ...] = ()

    @property
    def is_program(self) -> bool:
        """Whether somebody may execute it."""
        return self.kind is Kind.FILE and bool(self.mode & 0o111)


class Image(Struct, frozen=True):
    """An image: the `config` object of its configuration, its files by absolute path, the texts that were kept.

    Texts are those of scripts, of the project's sources, and of the few files that say where other files are found.
    `opened` are by path the names of libraries, and of the bundle of certificates, that a program opens by itself.
    """

    config: Mapping[str, object]
    entries: Mapping[str, Entry]
    texts: Mapping[str, str] = field(default_factory=dict)
    opened: Mapping[str, frozenset[str]] = field(default_factory=dict)
    _real: dict[str, str | None] = field(default_factory=dict)
    _below: dict[str, list[str]] = field(default_factory=dict)

    @property
    def env(self) -> Mapping[str, str]:
        """The environment that a container starts with; of a name that is there twice, the last counts."""
        listed = self.config.get("Env")
        pairs = (str(pair).partition("=") for pair in listed) if isinstance(listed, list | tuple) else ()
        return {name: value for name, _, value in pairs}

    @property
    def workdir(self) -> str:
        """The directory that a container starts in."""
        return str(self.config.get("WorkingDir") or "/")

    def words(self, name: str) -> tuple[str, ...]:
        """Return Cmd, Entrypoint or another field that is a list of words."""
        value = self.config.get(name)
        return tuple(map(str, value)) if isinstance(value, list | tuple) else ()

    def real(self, path: str) -> str | None:
        """Return an absolute path behind all symbolic links, None where nothing is there."""
        if path not in self._real:
            self._real[path] = self._resolve(path)
        return self._real[path]

    def entry(self, path: str) -> Entry | None:
        """Return what stands under a path once links are followed."""
        real = self.real(path)
        return self.entries.get(real) if real is not None else None

    def text(self, path: str) -> str | None:
        """Return a text that was kept, links followed."""
        real = self.real(path)
        return self.texts.get(real) if real is not None else None

    def is_file(self, path: str) -> bool:
        """Tell whether a path leads to a file."""
        entry = self.entry(path)
        return entry is not None and entry.kind is Kind.FILE

    def is_folder(self, path: str) -> bool:
        """Tell whether a path leads to a folder."""
        entry = self.entry(path)
        return path == "/" or (entry is not None and entry.kind is Kind.FOLDER)

    def children(self, folder: str) -> list[str]:
        """Return the names in a folder, links to it followed."""
        if not self._below:
            for path in self.entries:
                parent, _, name = path.rpartition("/")
                self._below.setdefault(parent or "/", []).append(name)
        return self._below.get(self.real(folder) or folder, [])

    def program(self, name: str) -> str | None:
        """Return the path under which a container finds a program to start, None where there is none."""
        if "/" in name:
            paths = iter((join(self.workdir, name),))
        else:
            folders = self.env.get("PATH", _DEFAULT_PATH).split(":")
            paths = (join(self.workdir, folder, name) for folder in folders)
        return next((path for path in paths if self.is_program(path)), None)

    def is_program(self, path: str) -> bool:
        """Tell whether a path leads to a file that may be executed."""
        entry = self.entry(path)
        return entry is not None and entry.is_program

    def _resolve(self, path: str) -> str | None:
        left, at, links = path.split("/")[::-1], "", 0
        while left:
            name = left.pop()
            if name in {"", "."}:
                continue
            if name == "..":
                at = at.rpartition("/")[0]
                continue
            entry = self.entries.get(f"{at}/{name}")
            if entry is None:
                return None
            if entry.kind is not Kind.LINK:
                at = f"{at}/{name}"
                continue
            links += 1
            if links > _MOST_LINKS:
                return None
            left += entry.content.split("/")[::-1]
            at = "" if entry.content.startswith("/") else at
        return at or "/"


def ancestors(path: str) -> Iterator[str]:
    """Go through the folders that a path lies in, the innermost first, without the root."""
    while path := path.rpartition("/")[0]:
        yield path
