"""Archives of images as `docker save` and `podman save` write them."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def saved(*images: Sequence[bytes], packed: bool = False) -> bytes:
    """Return an archive of images by their layers, which may be packed; what images share is in it once."""
    blobs: dict[str, bytes] = {}
    manifest = []
    for layers in images:
        config = json.dumps({"rootfs": {"diff_ids": [f"sha256:{digest(layer)}" for layer in layers]}}).encode()
        stored = [gzip.compress(layer, mtime=0) if packed else layer for layer in layers]
        names = [f"blobs/sha256/{digest(one)}" for one in (*stored, config)]
        blobs |= dict(zip(names, (*stored, config), strict=True))
        manifest.append({"Config": names[-1], "RepoTags": None, "Layers": names[:-1]})
    return plain({**blobs, "manifest.json": json.dumps(manifest).encode(), "VERSION": b"1.0"})


def plain(members: Mapping[str, bytes | tarfile.TarInfo]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name) if isinstance(data, bytes) else data
            member.name = name
            member.size = len(data) if isinstance(data, bytes) else 0
            tar.addfile(member, io.BytesIO(data) if isinstance(data, bytes) else None)
    return stream.getvalue()


def ids(layers: Sequence[bytes]) -> list[str]:
    return [f"sha256:{digest(layer)}" for layer in layers]
