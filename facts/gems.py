"""What gems load or start beside Ruby: gems that are compiled, and those that call libraries and programs.

Debian's own packages of gems (`ruby-pg`) say which libraries they are linked to; what it has no package of, or links
otherwise than rubygems.org does, is kept by hand.
"""

import re
from collections.abc import Iterable, Mapping

from debian import Release

_OF_RUBY = re.compile(r"ruby|ruby[\d.]*|libruby[\d.]*|ruby-.*|rubygems.*")


def gems(releases: Iterable[Release], kept: Mapping[str, Mapping[str, list[str]]]) -> dict[str, list[str]]:
    """Return by gem the packages that it needs, by their names in any release.

    Names are as Debian writes them, `-` for the `_` of gems. A gem that is not there needs none, or is not known.
    """
    own = {name.replace("_", "-"): set(needs["run"]) for name, needs in kept.items()}
    found = _of_debian(releases) | own
    return {name: sorted(needs) for name, needs in sorted(found.items()) if needs}


def _of_debian(releases: Iterable[Release]) -> dict[str, set[str]]:
    """Return what Debian's packages of compiled gems depend on, beside Ruby and what every image has."""
    found: dict[str, set[str]] = {}
    for release in releases:
        base = release.base()
        for name, package in release.packages.items():
            needs = {choice[0] for choice in package.depends}
            if name.startswith("ruby-") and "libc6" in needs:
                others = {need for need in needs - base if not _OF_RUBY.fullmatch(need)}
                found.setdefault(name.removeprefix("ruby-"), set()).update(others - {"libc6"})
    return found
