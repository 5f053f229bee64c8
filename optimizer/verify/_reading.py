"""Read the files of an image or of a layer as they stream by: nothing is unpacked, and memory holds a line for each.

What has to be looked into (the headers of ELF files, the directory of an archive) lies in a buffer, which for larger
files is a temporary one on disk, for as long as it is that file's turn.
"""

import hashlib
import re
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from posixpath import normpath
from tempfile import SpooledTemporaryFile
from typing import IO, Literal

from msgspec import Struct, field

from optimizer.verify import _elf, _opened
from optimizer.verify._layers import Layer, flattened
from optimizer.verify.image import Entry, Image, Kind, Linkage

_BLOCK = 1 << 20
_IN_MEMORY = 16 << 20
_LARGEST_TEXT = 1 << 20
_MOST_TEXT = 64 << 20
_BITS = 0o7777  # some tools write the kind of the file beside them
_GZIP = b"\x1f\x8b"
_ARCHIVE = re.compile(r"\.(?:[jwe]ar|aar|zip|whl|nupkg|egg|pyz)$")
# Files that say where others are found, or to which package they belong.
_TELLING = re.compile(
    r"""/etc/(?:passwd|group) | /etc/ld(?:\.so\.conf(?:\.d/[^/]+)?|-musl-[^/]+\.path) | /etc/shadow-?
    | /var/lib/dpkg/info/[^/]+\.list | .*\.dist-info/RECORD | .*/(?:site|dist)-packages/[^/]+\.pth | .*/pyvenv\.cfg
    """,
    re.VERBOSE,
)
_NO_PROJECT = re.compile(
    r"^/(?:usr/(?:local/)?(?:lib|lib32|lib64|libexec|share|include|src)|lib|lib64|etc|boot|var/(?:lib|cache|log))/"
    r"|/(?:node_modules|site-packages|dist-packages|\.git|__pycache__)/"
)
_SOURCE = re.compile(r".*\.(?:py|js|cjs|mjs|ts|jsx|tsx)|.*/package\.json")
_SHEBANG = re.compile(rb"#![ \t]*([^\n\r]*)")
# How a layer says that something below it is gone (OCI image specification, layer.md, "Whiteouts").
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_OWN = ".wh..wh."  # of the file system that the mark comes from

Linkages = dict[str, Linkage | None]


def read_image(stream: IO[bytes], config: Mapping[str, object], linkages: Linkages | None = None) -> Image:
    """Return the image whose flattened file system is a tar stream.

    `linkages` holds what is known of ELF files by digest, and is added to: images share most of theirs.
    Raises tarfile.TarError where the stream is damaged or ends too early.
    """
    return flattened((read_layer(stream, {} if linkages is None else linkages, "r|"),), config)


def read_layer(stream: IO[bytes], linkages: Linkages, mode: Literal["r|", "r|*"] = "r|*") -> Layer:
    """Return what a layer's tar stream says, compressed or not.

    Raises tarfile.TarError where the stream is damaged, ends too early or is compressed in another way than Python's
    tarfile knows.
    """
    reading = _Reading(linkages)
    with tarfile.open(fileobj=stream, mode=mode, bufsize=_BLOCK) as archive:
        for member in members(archive):
            reading.take(archive, member)
    removed, emptied = frozenset(reading.removed), frozenset(reading.emptied)
    return Layer(reading.entries, reading.texts, reading.links, removed, emptied, reading.opened)


def members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Go through the members of a stream without keeping them."""
    while (member := archive.next()) is not None:
        archive.members = []  # type: ignore[attr-defined] # it remembers all that it has seen
        yield member


class _Reading(Struct):
    linkages: Linkages
    entries: dict[str, Entry] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    emptied: set[str] = field(default_factory=set)
    opened: dict[str, frozenset[str]] = field(default_factory=dict)
    kept: int = 0

    def take(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """Note what a member says."""
        path = _absolute(member.name)
        name = path.rpartition("/")[2]
        if name.startswith(_WHITEOUT):
            self._mark(path.removesuffix(name).rstrip("/"), name)
        elif member.islnk():  # another name of a file that came before; which of them is first means nothing
            self._link(path, _absolute(member.linkname))
        elif member.isreg():
            file = archive.extractfile(member)
            assert file is not None  # noqa: S101 - of a regular file there is one
            self.entries[path] = self._file(path, member, file)
        elif path != "/":
            self.entries[path] = _other(member)

    def _mark(self, folder: str, name: str) -> None:
        if name == _OPAQUE:
            self.emptied.add(folder or "/")
        elif not name.startswith(_OWN):
            self.removed.add(f"{folder}/{name.removeprefix(_WHITEOUT)}")

    def _link(self, path: str, first: str) -> None:
        if first in self.entries:
            self.entries[path] = self.entries[first]
            if first in self.texts:
                self.texts[path] = self.texts[first]
        else:
            self.links[path] = self.links.get(first, first)

    def _file(self, path: str, member: tarfile.TarInfo, file: IO[bytes]) -> Entry:
        head = file.read(_BLOCK)
        looked_into = head.startswith(_elf.MAGIC) or _ARCHIVE.search(path)
        content = self._looked_into(path, head, file) if looked_into else (_digest(head, file), None)
        if path.endswith(_opened.SOURCES) and (names := _opened.by_source(head)):
            self.opened[path] = names
        shebang = _SHEBANG.match(head[:1024])
        if member.size <= _LARGEST_TEXT and (_is_kept(path) or (shebang and not _NO_PROJECT.search(path))):
            self._keep(path, head)
        return Entry(
            Kind.FILE,
            member.mode & _BITS,
            (member.uid, member.gid),
            member.size,
            content[0],
            _attributes(member),
            content[1],
            tuple(shebang[1].decode("utf-8", "replace").split()) if shebang else (),
        )

    def _looked_into(self, path: str, head: bytes, file: IO[bytes]) -> tuple[str, Linkage | None]:
        """Return digest and linkage of a file that must be there as a whole to be understood."""
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as whole:
            digest, block, is_elf = hashlib.sha256(), head, head.startswith(_elf.MAGIC)
            names: set[str] = set()
            while block:
                digest.update(block)
                whole.write(block)
                names |= _opened.by_program(block) if is_elf else set()
                block = file.read(_BLOCK)
            content = digest.hexdigest()
            whole.seek(0)
            if not is_elf:
                return _listing(whole) or content, None
            if content not in self.linkages:
                self.linkages[content] = _elf.linkage(whole)
            linkage = self.linkages[content]
            if linkage and (opened := names.difference(linkage.needed)):
                self.opened[path] = frozenset(opened)
            return content, linkage

    def _keep(self, path: str, data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        if path.endswith(".dist-info/RECORD"):  # of what lies beside the packages only
            text = "\n".join(line for line in text.splitlines() if line.startswith("../"))
        if self.kept + len(text) <= _MOST_TEXT:
            self.kept += len(text)
            self.texts[path] = text


def _absolute(name: str) -> str:
    return normpath("/" + _text(name).lstrip("/"))


def _text(name: str) -> str:
    r"""Return a name that every report can show: control characters and what is no UTF-8 stand as `\xff`."""
    if name.isprintable():
        return name
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _is_kept(path: str) -> bool:
    if _TELLING.fullmatch(path):
        return True
    return bool(_SOURCE.fullmatch(path)) and not _NO_PROJECT.search(path)


def _digest(head: bytes, file: IO[bytes]) -> str:
    """Return the SHA-256 of a file; the time in the header of gzip (RFC 1952) does not count."""
    digest = hashlib.sha256(head[:4] + bytes(4) + head[8:] if head.startswith(_GZIP) else head)
    while len(head) >= _BLOCK and (block := file.read(_BLOCK)):
        digest.update(block)
    return digest.hexdigest()


def _listing(file: IO[bytes]) -> str | None:
    """Return a digest of what a zip archive holds, without the times; None where it is none."""
    try:
        with zipfile.ZipFile(file) as archive:
            held = sorted((one.filename, one.CRC, one.file_size) for one in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return None
    return hashlib.sha256(repr(held).encode()).hexdigest()


def _other(member: tarfile.TarInfo) -> Entry:
    owner = (member.uid, member.gid)
    if member.issym():
        return Entry(Kind.LINK, 0o777, owner, content=_text(member.linkname))
    if member.isdir():
        return Entry(Kind.FOLDER, member.mode & _BITS, owner, attributes=_attributes(member))
    if member.isfifo():
        return Entry(Kind.PIPE, member.mode & _BITS, owner)
    kind = "character" if member.ischr() else "block"
    return Entry(Kind.DEVICE, member.mode & _BITS, owner, content=f"{kind} {member.devmajor}:{member.devminor}")


def _attributes(member: tarfile.TarInfo) -> tuple[tuple[str, str], ...]:
    prefix = "SCHILY.xattr."
    found = {name.removeprefix(prefix): value for name, value in member.pax_headers.items() if name.startswith(prefix)}
    return tuple(sorted(found.items()))
