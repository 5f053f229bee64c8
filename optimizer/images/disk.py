"""What an image takes on the disk, as `docker image inspect` tells it.

The compressed size of a tag is known (see `tags`); the ratio of the two, by image and kind, was measured on some
thousand tags of 2018 to 2020 (github.com/docker-library/repo-info), and hardly depends on the version.
"""

from optimizer.images._tables import times_on_disk
from optimizer.images.nodes import Variant

_USUAL = 2.6


def on_disk(of: Variant) -> int | None:
    """Return the bytes of an image's files; None where not even its compressed size is known."""
    if of.size is None:
        return None
    ratios = times_on_disk().get(of.image, {})
    words = {word.partition("alpine")[1] or word for word in of.words}
    ratio = next((ratios[word] for word in sorted(words) if word in ratios), ratios.get("", _USUAL))
    return round(of.size * ratio)
