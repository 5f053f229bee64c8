"""Which Python an official image holds."""

import re

from optimizer.images._tables import image_table
from optimizer.images.nodes import Variant

_MINOR = re.compile(r"3\.(\d+)")


def python_minor(of: Variant) -> int | None:
    """Return the minor version of Python 3 in a tag of `python`; None for Python 2 and where it is not known.

    Tags that float between minor versions (`3`, `latest`) lead to the newest that is built and no release candidate.
    """
    table = image_table(of.image)
    if of.image != "python" or table is None:
        return None
    if found := _MINOR.match(of.version):
        return int(found[1])
    if of.version not in {"", "3"}:
        return None
    versions = (match for v, (_, _, last) in table.versions.items() if not last and (match := _MINOR.fullmatch(v)))
    return max((int(match[1]) for match in versions), default=None)
