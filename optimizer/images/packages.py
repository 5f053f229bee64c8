"""Which packages and commands the Debian-based official images hold.

Sources: the packages that their Dockerfiles name (github.com/docker-library), the package lists of the Debian base
and of the tiers of buildpack-deps, and Debian's Contents index for the commands.
"""

from functools import lru_cache

from optimizer.images._tables import package_sets, packages_of_commands
from optimizer.images.jres import packages_beyond_jre
from optimizer.images.nodes import Variant
from optimizer.images.tags import variant

# What each tier of buildpack-deps is made of, by the suffix of its tag.
_TIERS = {"": ("base", "curl", "scm", "full"), "scm": ("base", "curl", "scm"), "curl": ("base", "curl")}
_DEEPEST = 4  # images that stand on each other
# What update-alternatives makes when a package is set up, and so is in no list of files; and adduser, a late loss.
_ALTERNATIVES = {
    **dict.fromkeys(("cc", "c89", "c99"), frozenset({"gcc"})),
    "c++": frozenset({"g++"}),
    **dict.fromkeys(("addgroup", "adduser", "delgroup", "deluser"), frozenset({"adduser"})),
    **dict.fromkeys(("aclocal", "automake"), frozenset({"automake"})),
    **dict.fromkeys(("autoconf", "autoheader", "autoreconf"), frozenset({"autoconf"})),
    **dict.fromkeys(("libtool", "libtoolize"), frozenset({"libtool"})),
    **dict.fromkeys(("dpkg-architecture", "dpkg-buildpackage", "dpkg-source"), frozenset({"dpkg-dev"})),
    **dict.fromkeys(
        ("animate", "compare", "composite", "conjure", "convert", "display", "identify", "import", "magick", "mogrify",
         "montage", "stream"),
        frozenset({"imagemagick"}),
    ),
    **dict.fromkeys(("rcp", "rlogin", "rsh"), frozenset({"openssh-client"})),
    **dict.fromkeys(("lzma", "unlzma"), frozenset({"xz-utils"})),
    "gpg2": frozenset({"gpg", "gnupg2"}),
}  # fmt: skip
_BROUGHT = {
    "build-essential": ("gcc", "g++", "make", "libc6-dev", "dpkg-dev", "binutils", "patch", "xz-utils", "bzip2"),
    "git-core": ("git",),
    "gnupg2": ("gnupg", "gpg", "dirmngr"),
    "gnupg": ("gpg", "dirmngr"),
    "python3": ("python3-minimal",),
    "python3-pip": ("python3-minimal",),
    "python3-dev": ("python3-minimal",),
    "ssh": ("openssh-client",),
}


def packages(of: Variant) -> frozenset[str] | None:
    """Return the names of the packages in an image; None where its distribution release is not known."""
    own = set(of.facts.packages) if of.facts else set()
    at: Variant | None = of
    for _ in range(_DEEPEST):
        if at is None:
            return None
        tiers = _of_base(at)
        if tiers is not None:
            release = _release(at)
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
        if found := _release(at):
            return found
        at = _named(at.facts.parent if at.facts else None)
    return None


@lru_cache(maxsize=32)
def lost_commands(full: tuple[str, str], small: tuple[str, str]) -> dict[str, frozenset[str]] | None:
    """Return the commands that only the full image has, with the packages that bring each, by name and tag.

    None where the packages of one of the images are not known. Names that Debian's alternatives system makes are
    among them.
    """
    before, after = variant(*full), variant(*small)
    if before is None or after is None:
        return None
    held, kept = packages(before), packages(after)
    if held is None or kept is None:
        held, kept = packages_beyond_jre(before, after)
    if held is None and before.facts and after.facts and before.facts.parent == after.facts.parent:
        held, kept = frozenset(before.facts.packages), frozenset(after.facts.packages)
    if held is None or kept is None:
        return None
    owners = {c: frozenset(p) for c, p in packages_of_commands().items()} | _ALTERNATIVES
    return {c: brought for c, brought in owners.items() if brought & held and not brought & kept}


def brought_by(name: str, release: str) -> frozenset[str]:
    """Return a package and those that it brings along, as far as they are known."""
    return package_sets().get(f"{release}+{name}", frozenset()) | {name, *_BROUGHT.get(name, ())}


def _release(of: Variant) -> str | None:
    """Return the word of a tag that names a release of Debian, None where none does."""
    return next((word for word in of.words if f"{word}/base" in package_sets()), None)


def _of_base(at: Variant) -> frozenset[str] | None:
    """Return the packages of a base that stands on nothing else."""
    if at.image not in {"debian", "buildpack-deps"}:
        return None
    found = _release(at)
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
