"""Packages and commands of Debian releases, from the archive's own indices.

The tiers of buildpack-deps are what its Dockerfiles install, with all that this brings along (`--no-install-recommends`
is what they use), on top of what debootstrap's smallest variant holds. A release that the mirror no longer has keeps
what was known of it.
"""

import gzip
import lzma
import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from download import fetched

MIRROR = "https://deb.debian.org/debian/dists"
_ALTERNATIVE = re.compile(r"^\s*([a-z0-9][a-z0-9+.-]+)")
_MERGED = "usr-is-merged"  # what debootstrap takes for `usrmerge | usr-is-merged`
_BINARIES = re.compile(r"^(?:usr/)?(?:s?bin|games)/([^/\s]+)\s+(\S+)$")


class Package(NamedTuple):
    """A package as the index has it; each entry of `depends` is a choice, in the archive's order."""

    name: str
    depends: tuple[tuple[str, ...], ...]
    recommends: tuple[tuple[str, ...], ...]
    provides: tuple[str, ...]
    priority: str
    essential: bool
    installed: int  # KiB


class Release:
    """One release (`bookworm`), amd64."""

    def __init__(self, name: str) -> None:
        self.name = name
        text = lzma.decompress(fetched(f"{MIRROR}/{name}/main/binary-amd64/Packages.xz")).decode()
        self.packages = {package.name: package for package in _packages(text)}
        self.providers: dict[str, str] = {}
        for package in sorted(self.packages.values(), key=lambda p: p.priority != "required"):  # mawk before gawk
            for provided in package.provides:
                self.providers.setdefault(provided, package.name)

    def base(self) -> frozenset[str]:
        """Return what `debootstrap --variant=minbase` installs, which the official image is made of."""
        chosen = [p.name for p in self.packages.values() if p.essential or p.priority == "required" or p.name == "apt"]
        return self.closure(chosen, frozenset())

    def closure(self, names: Iterable[str], there: frozenset[str]) -> frozenset[str]:
        """Return packages with all that they depend on, less those that are there; names not known are left out."""
        found = set[str]()
        left = deque(names)
        asked = frozenset(left)
        while left:
            name = self.real(left.popleft())
            if name is None or name in found or name in there:
                continue
            found.add(name)
            for choice in self.packages[name].depends:
                real = [self.real(alternative) for alternative in choice]
                if not any(one in found or one in there or one in asked for one in real):
                    left.extend(sorted(filter(None, real), key=lambda one: one != _MERGED)[:1])
        return frozenset(found)

    def real(self, name: str) -> str | None:
        """Return the package of a name, or the one that provides it; None where there is none."""
        return name if name in self.packages else self.providers.get(name)

    def commands(self) -> Iterator[tuple[str, str]]:
        """Yield (command, package) for all that the release's packages put into folders of programs."""
        text = gzip.decompress(fetched(f"{MIRROR}/{self.name}/main/Contents-amd64.gz")).decode()
        for line in text.splitlines():
            if match := _BINARIES.match(line):
                yield from ((match[1], place.rpartition("/")[2]) for place in match[2].split(","))


def _packages(text: str) -> Iterator[Package]:
    for stanza in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in stanza.split("\n") if ": " in line and not line.startswith(" "))
        if "Package" in fields:
            yield Package(
                fields["Package"],
                (*_choices(fields.get("Pre-Depends", "")), *_choices(fields.get("Depends", ""))),
                tuple(_choices(fields.get("Recommends", ""))),
                tuple(_names(fields.get("Provides", "").split(","))),
                fields.get("Priority", ""),
                fields.get("Essential") == "yes",
                int(fields.get("Installed-Size", 0)),
            )


def _choices(field: str) -> Iterator[tuple[str, ...]]:
    return (tuple(_names(choice.split("|"))) for choice in field.split(",") if choice.strip())


def _names(parts: Iterable[str]) -> Iterator[str]:
    for part in parts:
        if match := _ALTERNATIVE.match(part):
            yield match[1]
