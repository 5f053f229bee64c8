"""Images made of literal files, by way of the tar archive that a builder would give."""

import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from optimizer.verify._reading import read_image
from optimizer.verify.image import Image, Linkage


@dataclass(frozen=True)
class File:
    """A file, or with `link`, `hard` or `folder` something else."""

    data: bytes | str = b""
    mode: int = 0o644
    owner: tuple[int, int] = (0, 0)
    link: str | None = None
    hard: str | None = None
    folder: bool = False
    pax: Mapping[str, str] = field(default_factory=dict)


def program(text: str = "") -> File:
    return File(text, mode=0o755)


def link(target: str) -> File:
    return File(link=target)


def image(files: Mapping[str, File | str | bytes] | None = None, **config: object) -> Image:
    return read_image(io.BytesIO(archive(files or {})), config)


def linked(
    files: Mapping[str, Linkage], others: Mapping[str, File | str | bytes] | None = None, **config: object
) -> Image:
    """Return an image with ELF files that ask for what is given."""
    texts = {path: b"\x7fELF" + path.encode() for path in files}
    made = image({**texts, **(others or {})}, **config)
    from msgspec.structs import replace

    entries = {path: replace(e, linkage=files[path]) if path in files else e for path, e in made.entries.items()}
    return Image(config, entries, made.texts)


def archive(files: Mapping[str, File | str | bytes]) -> bytes:
    """Return a tar archive of files by absolute path, with the folders that they lie in."""
    whole = {path: one if isinstance(one, File) else File(one) for path, one in files.items()}
    folders = {str(parent) for path in whole for parent in PurePosixPath(path).parents} - {"/"}
    everything = {**{path: File(mode=0o755, folder=True) for path in sorted(folders - whole.keys())}, **whole}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, file in everything.items():
            tar.addfile(*_member(path, file))
    return stream.getvalue()


def _member(path: str, file: File) -> tuple[tarfile.TarInfo, io.BytesIO]:
    data = file.data.encode() if isinstance(file.data, str) else file.data
    member = tarfile.TarInfo(path.lstrip("/"))
    member.mode, (member.uid, member.gid), member.size = file.mode, file.owner, len(data)
    member.pax_headers = dict(file.pax)
    if file.folder:
        member.type = tarfile.DIRTYPE
    elif file.link is not None:
        member.type, member.linkname = tarfile.SYMTYPE, file.link
    elif file.hard is not None:
        member.type, member.linkname = tarfile.LNKTYPE, file.hard.lstrip("/")
    return member, io.BytesIO(data)
