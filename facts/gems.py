"""What gems with compiled parts, and gems that start programs or load libraries, need of a Debian release.

Debian's own packages of gems (`ruby-pg`) say which libraries they are linked to; what it has no package of, or links
differently than rubygems.org does, is kept by hand.
"""

import re
from collections.abc import Iterable, Mapping

from debian import Release

_OF_RUBY = re.compile(r"ruby|ruby[\d.]*|libruby[\d.]*|ruby-.*|rubygems.*")


def gems(releases: Iterable[Release], kept: Mapping[str, Mapping[str, list[str]]]) -> dict[str, dict[str, list[str]]]:
    """Return by gem and release the packages that it loads or starts; a release that lacks one of them is left out."""
    found: dict[str, dict[str, list[str]]] = {}
    for release in releases:
        base = release.base()
        for name, package in release.packages.items():
            choices = package.depends
            if name.startswith("ruby-") and any("libc6" in choice for choice in choices):
                wanted = {choice[0] for choice in choices if choice[0] not in base and not _OF_RUBY.fullmatch(choice[0])}
                found.setdefault(name.removeprefix("ruby-"), {})[release.name] = sorted(wanted - {"libc6"})
    for name, needs in kept.items():
        found[name.replace("_", "-")] = {
            release.name: [one for one in names if one]
            for release in releases
            if None not in (names := [_real(release, wanted) for wanted in needs["run"]])
        }
    return dict(sorted(found.items()))


def _real(release: Release, name: str) -> str | None:
    """Return the package of a name in a release, whose suffix tells of an interface that changed (`t64`)."""
    choices = (name, f"{name}t64", *(re.sub(r"[\d.]+$", "", name) and _others(release, name)))
    return next((one for one in choices if one in release.packages), None)


def _others(release: Release, name: str) -> list[str]:
    """Return the packages of other versions of a library (`libffi7` for libffi8), the newest first."""
    stem = re.sub(r"-?\d[\d.]*(?:-\d+)?(?:t64)?$", "", name)
    pattern = re.compile(re.escape(stem) + r"-?\d[\d.]*(?:-\d+)?(?:t64)?")
    return sorted((one for one in release.packages if pattern.fullmatch(one)), reverse=True) if stem != name else []
