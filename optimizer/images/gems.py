"""What gems need beside Ruby when they run.

Sources: the relations of Debian's own packages of gems, and the gems' installation notes.
"""

import re

from optimizer.images._tables import packages_of_gems

# The version of a library's interface, which each release of Debian has another one of: libicu72, libcurl4t64.
_VERSION = re.compile(r"-?\d[\d.-]*(?:t64)?$|\d[\d.q-]*\d(?:t64)?$")


def packages_to_run(gem: str, there: frozenset[str]) -> frozenset[str]:
    """Return which of the packages of an image a gem loads or starts; those of its own release, whatever its number.

    A gem that was installed in that image can be linked to no others.
    """
    wanted = packages_of_gems().get(gem.replace("_", "-"), ())
    stems = {_stem(name) for name in wanted}
    return frozenset(name for name in there if name in wanted or _stem(name) in stems) if wanted else frozenset()


def _stem(name: str) -> str:
    return _VERSION.sub("", name)
