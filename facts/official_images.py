"""The tags of the official images over time, from the history of github.com/docker-library/official-images."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# What comes before the first dash that does not belong to it: `3.11.7`, `17.0.9_9`, `8u392-b08`.
_VERSION = re.compile(r"\d+u\d+-b\d+|\d[^-]*")
_UNFINISHED = re.compile(
    r"(?:^|[-.\d])(?:rc|ea|tip|alpha|beta|dev|nightly|milestone|experimental)\d*(?:$|[-.])|\d[abM]\d", re.IGNORECASE
)
_DATED = re.compile(r"(?:^|-)(?:\d{8}|\d{4}-\d\d-\d\d)(?:\.\d+)?(?:-|$)")
_DISTRIBUTIONS = frozenset({"debian", "ubuntu", "buildpack-deps"})  # their words are names of releases
# Tags that move from release to release, and so say less than those beside them.
_ALIASES = frozenset(
    f"{word}{tail}"
    for word in ("latest", "stable", "oldstable", "oldoldstable", "testing", "unstable", "rolling", "devel")
    for tail in ("", "-slim", "-backports", "-curl", "-scm")
)
_WINDOWS = ("windowsservercore", "nanoserver")


class Build(NamedTuple):
    """One image of a library file: the tags that lead to it, and where its Dockerfile is."""

    tags: tuple[str, ...]
    shared: tuple[str, ...]
    repository: str
    commit: str
    folder: str


class Seen(NamedTuple):
    """A tag as it was when it was last pushed: the months (YYYY-MM) of the first and the last time, and its image."""

    first: str
    last: str
    build: Build


class History(NamedTuple):
    """All tags that an image ever had; `now` are those of the newest library file."""

    tags: dict[str, Seen]
    now: frozenset[str]


def history(clone: Path, image: str) -> History:
    """Read every revision of an image's library file, the oldest first."""
    log = _git(clone, "log", "--reverse", "--format=%H %cs", "--", f"library/{image}").split("\n")
    revisions = [line.split(" ") for line in log if line]
    tags: dict[str, Seen] = {}
    now = frozenset[str]()
    for commit, date in revisions:
        builds = list(read(_git(clone, "show", f"{commit}:library/{image}", missing="")))
        found = dict(_tags(builds))
        for tag, build in found.items():
            tags[tag] = Seen(tags[tag].first if tag in tags else date[:7], date[:7], build)
        now = frozenset(found)
    return History(tags, now if _git(clone, "ls-tree", "HEAD", f"library/{image}") else frozenset())


def read(text: str) -> Iterator[Build]:
    """Go through the Linux images of a library file, in the form of today or in that of before 2016."""
    heads: dict[str, str] = {}
    old: dict[tuple[str, str, str], list[str]] = {}
    for stanza in re.split(r"\n\s*\n", text):
        lines = [line for line in stanza.splitlines() if line and not line.startswith("#")]
        for line in lines:
            if match := re.match(r"([\w.-]+):\s+(git|https?)://(\S+?)@(\w+)\s*(\S*)$", line):
                old.setdefault((f"https://{match[3]}", match[4], match[5]), []).append(match[1])
        fields = dict(_fields(lines))
        if "Tags" not in fields:
            heads |= {} if old else fields
        elif not any(word in fields.get("Tags", "") for word in _WINDOWS):
            own = heads | fields
            commit, folder = (own.get(f"amd64-{name}") or own.get(name, "") for name in ("GitCommit", "Directory"))
            yield Build(_list(own["Tags"]), _list(own.get("SharedTags", "")), own.get("GitRepo", ""), commit, folder)
    for (repository, commit, folder), names in old.items():
        if not any(word in name for name in names for word in _WINDOWS):
            yield Build(tuple(names), (), repository, commit, folder)


def version_of(tag: str) -> str:
    """Return the version that a tag begins with, "" where it begins with a word."""
    match = _VERSION.match(tag)
    return match[0] if match else ""


def suffix_of(tag: str) -> str:
    """Return what follows the version."""
    return tag[len(version_of(tag)) :].removeprefix("-")


def is_release(tag: str) -> bool:
    """Tell whether a tag is one to build on: no pre-release, and none that names the day of its build."""
    return not _DATED.search(tag) and not _UNFINISHED.search(tag)


def line_of(tag: str, build: Build) -> str:
    """Return the release line (`3.11` of 3.11.7) that a tag leads to, "" where its image has no version."""
    versions = {version_of(name) for name in ((tag,) if version_of(tag) else build.tags)}
    parts = [".".join(version.split(".")[:2]) for version in versions if version.replace(".", "").isdigit()]
    return max(parts, key=len, default="")


def canonical(image: str, tag: str, build: Build) -> str:
    """Return the suffix among those of an image's tags that says most: the one that names the distribution release."""
    version = "" if image in _DISTRIBUTIONS else version_of(tag) or line_of(tag, build)
    names = [name for name in build.tags if name not in _ALIASES and not _DATED.search(name)]
    of_version = [suffix_of(name) for name in names if version_of(name) == version]
    return max(of_version, key=lambda suffix: (len(suffix.split("-")) if suffix else 0, len(suffix)), default="")


def _tags(builds: list[Build]) -> Iterator[tuple[str, Build]]:
    """Yield every tag with its image; a shared one belongs to the first image that has it."""
    for build in reversed(builds):
        yield from ((tag, build) for tag in build.shared)
    for build in builds:
        yield from ((tag, build) for tag in build.tags)


def _fields(lines: list[str]) -> Iterator[tuple[str, str]]:
    name = ""
    values: dict[str, str] = {}
    for line in lines:
        if line[:1].isspace() and name:
            values[name] += " " + line.strip()
        elif match := re.match(r"([\w-]+):\s*(.*)$", line):
            name = match[1]
            values[name] = match[2]
    yield from values.items()


def _list(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (word.strip() for word in text.split(","))))


def _git(clone: Path, *words: str, missing: str | None = None) -> str:
    done = subprocess.run(("git", "-C", clone, *words), check=missing is None, capture_output=True, text=True)
    return missing if done.returncode and missing is not None else done.stdout
