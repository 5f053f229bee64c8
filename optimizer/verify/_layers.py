"""The layers of an image, and what they make together (OCI image specification, layer.md)."""

import tarfile
from collections.abc import Iterable, Mapping
from itertools import chain

from msgspec import Struct

from optimizer.verify.image import Entry, Image, Kind, ancestors

_IMPLIED = Entry(Kind.FOLDER, 0o755, (0, 0))  # as engines make the folders that a layer does not name


class Layer(Struct, frozen=True):
    """What one layer says: what it brings, and what of the layers below it is `removed`.

    Of folders that are `emptied`, nothing below shows through. `links` are further names of files of lower layers.
    """

    entries: Mapping[str, Entry]
    texts: Mapping[str, str]
    links: Mapping[str, str]
    removed: frozenset[str]
    emptied: frozenset[str]
    opened: Mapping[str, frozenset[str]] = {}


def flattened(layers: Iterable[Layer], config: Mapping[str, object]) -> Image:
    """Return the image that layers make, the lowest first.

    Raises tarfile.ReadError where a file is another name of one that no layer has.
    """
    entries: dict[str, Entry] = {}
    texts: dict[str, str] = {}
    opened: dict[str, frozenset[str]] = {}
    for layer in layers:
        linked = {path: entries.get(first) for path, first in layer.links.items()}
        named = {path: texts[first] for path, first in layer.links.items() if first in texts}
        for path in _hidden(entries, layer):
            del entries[path]
            texts.pop(path, None)
            opened.pop(path, None)
        for path in chain(layer.entries, linked) if texts or opened else ():
            texts.pop(path, None)
            opened.pop(path, None)
        for path, entry in linked.items():
            if entry is None:
                raise tarfile.ReadError(f"{path} is another name of {layer.links[path]}, which is not there")
            entries[path] = entry
        entries |= layer.entries
        entries |= dict.fromkeys(_implied(entries, layer), _IMPLIED)
        texts |= {**named, **layer.texts}
        opened |= layer.opened
    return Image(config, entries, texts, opened)


def _implied(entries: Mapping[str, Entry], layer: Layer) -> set[str]:
    """Return the folders that a layer does not name and has files in."""
    implied: set[str] = set()
    for folder in {path.rpartition("/")[0] for path in chain(layer.entries, layer.links)}:
        while folder and folder not in implied and not _is_folder(entries.get(folder)):
            implied.add(folder)
            folder = folder.rpartition("/")[0]  # noqa: PLW2901 (the way up)
    return implied


def _is_folder(entry: Entry | None) -> bool:
    return entry is not None and entry.kind is Kind.FOLDER


def _hidden(entries: Mapping[str, Entry], layer: Layer) -> list[str]:
    """Return the paths of lower layers that a layer takes away."""
    named = chain(layer.entries, layer.links)
    replaced = {path for path in named if _is_folder(entries.get(path)) and not _is_folder(layer.entries.get(path))}
    emptied = layer.emptied | layer.removed | replaced
    if not emptied:
        return []
    if "/" in emptied:
        return list(entries)
    return [path for path in entries if path in layer.removed or any(folder in emptied for folder in ancestors(path))]
