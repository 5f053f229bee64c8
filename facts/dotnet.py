"""The tags of .NET's images on Debian and Ubuntu, from the lists in the readmes of github.com/dotnet/dotnet-docker.

A release line that support has ended for is in the history of these files only. Sizes are kept: the bytes on the disk
that the repository measures, by the 2.6 that such images take on the disk for each byte of the registry.
"""

import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from optimizer.images import Facts
from optimizer.images._tables import ImageTable

# What the images have beyond the base.
_PACKAGES = {"aspnet": ("ca-certificates", "tzdata"), "sdk": ("ca-certificates", "curl", "git", "tzdata", "wget")}
_BASES = {
    "bookworm": "debian:bookworm-slim", "bullseye": "debian:bullseye-slim", "buster": "debian:buster-slim",
    "bionic": "ubuntu:18.04", "focal": "ubuntu:20.04", "jammy": "ubuntu:22.04", "noble": "ubuntu:24.04",
    "resolute": "ubuntu:26.04",
}  # fmt: skip
_TAG = re.compile(r"(\d+\.\d+(?:\.\d+)?)(?:-([a-z]+(?:-slim)?))?")
_PLACE = re.compile(r"/(?:amd64|\d+\.\d+)/([a-z]+)(?:-slim)?/")


def dotnet_tables(clone: Path, sizes: Mapping[str, Mapping[str, int]]) -> dict[str, ImageTable]:
    """Return the tables of the SDK and of ASP.NET by the names that FROM gives them; sizes are those of a release."""
    return {f"mcr.microsoft.com/dotnet/{kind}": _table(clone, kind, sizes.get(kind, {})) for kind in _PACKAGES}


def _table(clone: Path, kind: str, sizes: Mapping[str, int]) -> ImageTable:
    found: dict[str, dict[str, str]] = {}
    for text in _texts(clone, f"README.{kind}.md"):
        for names, suite in _rows(text):
            for name in names:
                match = _TAG.fullmatch(name)
                if match and (match[2] or "").removesuffix("-slim") in {"", suite}:
                    found.setdefault(match[1], {}).setdefault(match[2] or "", _canonical(suite))
    sets: list[dict[str, str]] = []
    for suffixes in found.values():
        if suffixes not in sets:
            sets.append(suffixes)
    suites = sorted({canonical for suffixes in found.values() for canonical in suffixes.values()})
    known = tuple(Facts(_BASES[suite.removesuffix("-slim")], _PACKAGES[kind]) for suite in suites)
    lines = {version: suffixes for version, suffixes in found.items() if version.count(".") == 1}
    return ImageTable(
        tuple(sets),
        {version: (sets.index(suffixes), "", "") for version, suffixes in sorted(found.items())},
        {},
        known,
        {line: {name: suites.index(name) for name in set(s.values())} for line, s in sorted(lines.items())},
        {line: dict.fromkeys(s.values(), sizes[line]) for line, s in lines.items() if line in sizes},
    )


def _canonical(suite: str) -> str:
    return f"{suite}-slim" if suite in {"bookworm", "bullseye", "buster"} else suite


def _rows(text: str) -> Iterator[tuple[list[str], str]]:
    """Go through the tags of each image of a list, with the code name of its release."""
    for line in text.splitlines():
        parts = [part.strip() for part in line.split("|")]
        place = _PLACE.search(parts[1]) if len(parts) >= 3 else None  # noqa: PLR2004 - tags, Dockerfile, system
        if place and place[1] in _BASES and "arm" not in parts[1]:
            yield [name.strip(" `") for name in parts[0].split(",")], place[1]


def _texts(clone: Path, path: str) -> Iterable[str]:
    """Go through the versions of a file, the newest first."""
    commits = _git(clone, "log", "--format=%h", "--", path).split()
    return (_git(clone, "show", f"{commit}:{path}") for commit in commits)


def _git(clone: Path, *words: str) -> str:
    done = subprocess.run(("git", "-C", clone, *words), check=False, capture_output=True, text=True)
    return done.stdout
