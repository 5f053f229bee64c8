"""Which tags of the official images exist, and how they are related.

Source: the library files of github.com/docker-library/official-images, over their whole history.
"""

from collections.abc import Iterator

from optimizer.images._tables import ImageTable, image_table
from optimizer.images.nodes import Facts, Variant

_LATEST = "latest"
_FULL = frozenset({_LATEST})  # words of a tag that say nothing of the variant


def variant(image: str, tag: str | None = None) -> Variant | None:
    """Return what is known of a tag; without one it is `latest`. None where the tag never was a release."""
    table = image_table(image)
    if table is None:
        return None
    tag = tag or _LATEST
    for version in _versions(tag, table):
        index, _, last = table.versions[version]
        suffix = tag[len(version) + 1 :]
        if suffix in table.sets[index]:
            canonical = table.sets[index][suffix]
            facts, size = _known(table, tag, version, canonical)
            return Variant(image, tag, version, suffix, canonical, last or None, facts, size)
    if tag not in table.words:
        return None
    line, canonical, last = table.words[tag]
    facts, size = _known(table, tag, line, canonical)
    return Variant(image, tag, "", tag, canonical, last or None, facts, size)


def sibling(of: Variant, *, add: str = "", remove: str = "") -> Variant | None:
    """Return the tag of the same version and distribution release whose variant has one word more, or one less.

    `sibling(python:3.11, add="slim")` is python:3.11-slim. None where there is none, and where the two tags do not
    lead to the same distribution release: floating tags of a full and a slim image may part.
    """
    table = image_table(of.image)
    if table is None:
        return None
    wanted = _changed(_words(of.suffix) - _FULL, add, remove)
    for suffix in sorted(_suffixes(table, of.version)):
        if _words(suffix) != wanted:
            continue
        found = variant(of.image, "-".join(filter(None, (of.version, suffix))))
        if found and _words(found.canonical) == _changed(_words(of.canonical), add, remove):
            return found
    return None


def _changed(words: frozenset[str], add: str, remove: str) -> frozenset[str]:
    return (words - {remove}) | ({add} if add else set())


def _suffixes(table: ImageTable, version: str) -> Iterator[str]:
    """Go through the suffixes that a version has, or the tags without one."""
    yield from table.sets[table.versions[version][0]] if version else table.words


def _versions(tag: str, table: ImageTable) -> Iterator[str]:
    """Go through the versions that a tag may begin with, the longest first: some have a `-` in them."""
    end = len(tag)
    while end > 0:
        if tag[:end] in table.versions:
            yield tag[:end]
        end = tag.rfind("-", 0, end)


def _known(table: ImageTable, tag: str, version: str, canonical: str) -> tuple[Facts | None, int | None]:
    """Return facts and size of a version's variant, which are kept by release line (`3.11` of 3.11.7)."""
    line = version
    while line:
        if line in table.variants or line in table.sizes:
            index = table.variants.get(line, {}).get(canonical)
            facts = None if index is None else table.facts[index]
            return facts, table.sizes.get(line, {}).get(canonical)
        line = line.rpartition(".")[0]
    return None, table.sizes.get("", {}).get(tag)


def _words(suffix: str | None) -> frozenset[str]:
    return frozenset(filter(None, (suffix or "").split("-")))
