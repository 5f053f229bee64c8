"""Which packages and commands the Debian-based official images hold.

Sources: the packages that their Dockerfiles name (github.com/docker-library), the package lists of the Debian base
and of the tiers of buildpack-deps, and Debian's Contents index for the commands.
"""

from optimizer.images._tables import package_sets, packages_of_commands
from optimizer.images.nodes import Variant
from optimizer.images.tags import variant

# What each tier of buildpack-deps is made of, by the suffix of its tag.
_TIERS = {"": ("base", "curl", "scm", "full"), "scm": ("base", "curl", "scm"), "curl": ("base", "curl")}
_DEEPEST = 4  # images that stand on each other


def packages(of: Variant) -> frozenset[str] | None:
    """Return the names of the packages in an image; None where its distribution release is not known."""
    own = set(of.facts.packages) if of.facts else set()
    at: Variant | None = of
    for _ in range(_DEEPEST):
        if at is None:
            return None
        tiers = _of_base(at)
        if tiers is not None:
            release = next(word for word in at.words if f"{word}/base" in package_sets())
            return tiers.union(own, *(package_sets().get(f"{release}+{name}", ()) for name in own))
        parent = at.facts.parent if at.facts else None
        at = _named(parent)
        own |= set(at.facts.packages) if at and at.facts else set()
    return None


def suite(of: Variant) -> str | None:
    """Return the code name of the Debian release that an image stands on (`bookworm`), None for another one."""
    at: Variant | None = of
    for _ in range(_DEEPEST):
        if at is None:
            return None
        found = next((word for word in at.words if f"{word}/base" in package_sets()), None)
        if found:
            return found
        at = _named(at.facts.parent if at.facts else None)
    return None


def lacks(command: str, full: Variant, small: Variant) -> bool | None:
    """Tell whether a command of the full image is missing in the small one; None where it cannot be told.

    A command that no Debian package of the full image ships is the image's own, which its variants share.
    """
    owners = set(packages_of_commands().get(command, ()))
    if not owners:
        return False
    before, after = packages(full), packages(small)
    if before is None or after is None:
        return None
    return bool(owners & before) and not owners & after


def _of_base(at: Variant) -> frozenset[str] | None:
    """Return the packages of a base that stands on nothing else."""
    if at.image not in {"debian", "buildpack-deps"}:
        return None
    found = next((word for word in at.words if f"{word}/base" in package_sets()), None)
    if found is None:
        return None
    tiers: tuple[str, ...] = ("base",)
    if at.image == "buildpack-deps":
        tier = next((word for word in at.words if word in _TIERS), "")
        tiers = _TIERS[tier]
    elif "slim" not in at.words:
        tiers = ("base", "nonslim_extra")
    sets = package_sets()
    return frozenset().union(*(sets.get(f"{found}/{tier}", frozenset()) for tier in tiers))


def _named(name: str | None) -> Variant | None:
    image, _, tag = (name or "").partition(":")
    return variant(image, tag or None)
