"""What was read of images so far: most of what an image holds lies in layers that others have too."""

import re
import tarfile
from collections.abc import Mapping, Sequence
from posixpath import dirname, join, normpath
from typing import IO, TypeVar

from msgspec import DecodeError, Struct, json

from optimizer.verify._layers import Layer, flattened
from optimizer.verify._reading import Linkages, members, read_layer
from optimizer.verify.image import Image

_BLOCK = 1 << 20
_MOST_ENTRIES = 300_000  # about 150 MB
_LARGEST_JSON = 16 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}")


_Decoded = TypeVar("_Decoded")


class _Manifest(Struct, frozen=True, rename="pascal"):
    config: str
    layers: list[str] | None = None


class _Rootfs(Struct, frozen=True):
    diff_ids: list[str] = []


class _Config(Struct, frozen=True):
    rootfs: _Rootfs


class Store:
    """Layers by the digest of what they hold uncompressed, and what is known of ELF files by their content."""

    def __init__(self) -> None:
        self.linkages: Linkages = {}
        self._layers: dict[str, Layer] = {}
        self._blobs: dict[str, str] = {}  # names in archives are digests too, of what is compressed maybe

    def has(self, layers: Sequence[str]) -> bool:
        """Tell whether all these layers were read."""
        return bool(layers) and all(layer in self._layers for layer in layers)

    def image(self, layers: Sequence[str], config: Mapping[str, object]) -> Image:
        """Return the image that these layers make. Raises tarfile.ReadError where they do not fit together."""
        for layer in layers:
            self._layers[layer] = self._layers.pop(layer)  # the last to be forgotten
        return flattened((self._layers[layer] for layer in layers), config)

    def forget(self) -> None:
        """Forget the layers that were not asked for the longest, where there are many."""
        left = sum(len(layer.entries) for layer in self._layers.values())
        while left > _MOST_ENTRIES:
            left -= len(self._layers.pop(next(iter(self._layers))).entries)

    def read(self, stream: IO[bytes]) -> None:
        """Read the new layers of an archive of images, as `docker save` writes it.

        A layer that cannot be read (of another compression than Python knows) is left out. Raises tarfile.TarError
        where the archive is damaged.
        """
        texts: dict[str, bytes] = {}
        found: dict[str, Layer] = {}
        links: dict[str, str] = {}
        with tarfile.open(fileobj=stream, mode="r|", bufsize=_BLOCK) as archive:
            for member in members(archive):
                if member.issym():
                    links[member.name] = normpath(join(dirname(member.name), member.linkname))
                elif member.isreg() and not self._knows(member.name):
                    self._take(archive, member, texts, found)
        for image in _decoded(texts, "manifest.json", list[_Manifest]):
            digests = _decoded(texts, image.config, _Config).rootfs.diff_ids
            for name, digest in zip(image.layers or (), digests, strict=False):
                self._note(links.get(name, name), digest, found)

    def _knows(self, name: str) -> bool:
        digest = _DIGEST.search(name)
        return digest is not None and self._blobs.get(digest[0]) in self._layers

    def _take(
        self, archive: tarfile.TarFile, member: tarfile.TarInfo, texts: dict[str, bytes], found: dict[str, Layer]
    ) -> None:
        file = archive.extractfile(member)
        assert file is not None  # noqa: S101 - of a regular file there is one
        if file.peek(1)[:1] in {b"{", b"["}:  # type: ignore[attr-defined] # it is buffered
            texts[member.name] = file.read(_LARGEST_JSON)
            return
        try:
            found[member.name] = read_layer(file, self.linkages)
        except tarfile.TarError:
            return

    def _note(self, name: str, digest: str, found: Mapping[str, Layer]) -> None:
        if name in found:
            self._layers[digest] = found[name]
            if known := _DIGEST.search(name):
                self._blobs[known[0]] = digest


def _decoded(texts: Mapping[str, bytes], name: str, kind: type[_Decoded]) -> _Decoded:
    try:
        return json.decode(texts[name], type=kind)
    except (KeyError, DecodeError):
        raise tarfile.ReadError(f"the archive of images has no {name} that can be read") from None
