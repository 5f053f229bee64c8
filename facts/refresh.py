"""Write the tables of `optimizer/images/data` anew from their public sources.

    python facts/refresh.py [--clones DIR]

Takes some minutes. Sources: the history of github.com/docker-library/official-images (tags), the repositories that its
library files name (Dockerfiles), deb.debian.org (packages and commands), pypi.org (wheels) and
github.com/endoflife-date/endoflife.date (support). What has no source that can be asked again is kept from
`facts/kept/`: sizes that were once measured, releases that the archive dropped, successors of retired images, the
packages of distroless images (from their build files), and what the packages of languages need of Debian (from the
relations of Debian's own packages of them).
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import yaml
from apt_costs import costs
from debian import Release
from dockerfiles import facts
from dotnet import dotnet_tables
from download import CACHE
from gems import gems
from msgspec.json import encode
from official_images import Build, History, canonical, history, is_release, line_of, suffix_of, version_of
from wheels import wheels

from optimizer.images import Facts
from optimizer.images._tables import ImageTable

HERE = Path(__file__).parent
DATA = HERE.parent / "optimizer" / "images" / "data"
REPOSITORIES = (
    "docker-library/official-images docker-library/buildpack-deps docker-library/python docker-library/golang "
    "docker-library/ruby docker-library/php docker-library/openjdk nodejs/docker-node rust-lang/docker-rust "
    "adoptium/containers carlossg/docker-maven gradle/docker-gradle dotnet/dotnet-docker "
    "erlang/docker-erlang-otp erlef/docker-elixir endoflife-date/endoflife.date"
).split()
IMAGES = (
    "adoptopenjdk almalinux alpine amazoncorretto amazonlinux buildpack-deps caddy centos composer debian "
    "eclipse-temurin elixir erlang fedora gcc golang gradle haskell httpd java maven nginx node openjdk perl php pypy "
    "python rockylinux ruby rust swift tomcat ubuntu"
).split()
RELEASES = ("bullseye", "bookworm", "trixie")
TIERS = ("curl", "scm", "full")


def main() -> int:
    """Write every table; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clones", type=Path, help="bare clones named owner+name.git (default: made in a cache)")
    clones = parser.parse_args().clones or _cloned(CACHE / "clones")
    kept = {path.stem: json.loads(path.read_text()) for path in (HERE / "kept").glob("*.json")}
    releases = [Release(name) for name in RELEASES]
    sets = kept["packages"] | _packages(clones, releases)
    tables = {image: _image(clones, image, kept["sizes"].get(image, {})) for image in _shown(IMAGES)}
    tables |= dotnet_tables(clones / "dotnet+dotnet-docker.git", kept["dotnet"])
    named = {name for table in tables.values() for fact in table.facts for name in fact.packages}
    for release in releases:
        sets |= {f"{release.name}+{name}": release.closure([name], sets[f"{release.name}/base"]) for name in named}
    others = {
        "_names": sorted(tables),
        "_packages": {name: sorted(packages) for name, packages in sorted(sets.items()) if packages},
        "_commands": _commands(releases, named.union(*sets.values())),
        "_pypi": _pypi(kept["pypi"]),
        "_gems": gems(releases, kept["gem"]),
        "_npm": kept["npm"],
        "_disk": kept["disk"],
        "_distroless": kept["distroless"],
        "_installed": kept["installed"],
        "_lifecycle": {
            "as_of": _date(clones),
            "ends": dict(_ends(clones)),
            "retired": kept["retired"],
        },
    }
    own = named.union(*sets.values(), kept["apt"])
    others |= {f"_apt_{release.name}": costs(release, own) for release in releases}
    for name, content in (tables | others).items():
        (DATA / f"{name.replace('/', '+')}.json").write_bytes(encode(content, order="sorted") + b"\n")
    return 0


def _cloned(folder: Path) -> Path:
    """Clone what is not there, and bring up to date what is."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in REPOSITORIES:
        place = folder / (name.replace("/", "+") + ".git")
        words = ("fetch", "--all") if place.is_dir() else ("clone", "--bare", f"https://github.com/{name}.git", place)
        subprocess.run(("git", *(("-C", place) if place.is_dir() else ()), *words), check=True)
    return folder


def _shown(items: Iterable[str]) -> Iterator[str]:
    for item in items:
        print(item, file=sys.stderr, flush=True)
        yield item


def _date(clones: Path) -> str:
    words = ("git", "-C", clones / "docker-library+official-images.git", "log", "-1", "--format=%cs")
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def _image(clones: Path, image: str, sizes: Mapping[str, Mapping[str, int]]) -> ImageTable:
    """Return the table of an image."""
    found = history(clones / "docker-library+official-images.git", image)
    tags = {tag: seen for tag, seen in found.tags.items() if is_release(tag)}
    names = {tag: canonical(image, tag, seen.build) for tag, seen in tags.items()}
    sets: list[dict[str, str]] = []
    versions = {}
    for version, suffixes in _by_version(names).items():
        if suffixes not in sets:
            sets.append(suffixes)
        own = [tag for tag in tags if version_of(tag) == version]
        last = "" if found.now.intersection(own) else max(tags[tag].last for tag in own)
        versions[version] = (sets.index(suffixes), min(tags[tag].first for tag in own), last)
    words = {
        tag: (line_of(tag, seen.build), names[tag], "" if tag in found.now else seen.last)
        for tag, seen in tags.items()
        if not version_of(tag)
    }
    known: list[Facts] = []
    variants: dict[str, dict[str, int]] = {}
    for (line, suffix), build in _lines(image, found).items():
        fact = facts(clones, build.repository, build.commit, build.folder)
        if fact is not None:
            if fact not in known:
                known.append(fact)
            variants.setdefault(line, {})[suffix] = known.index(fact)
    return ImageTable(tuple(sets), versions, words, tuple(known), variants, sizes)


def _by_version(names: Mapping[str, str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for tag, name in names.items():
        if version := version_of(tag):
            found.setdefault(version, {})[suffix_of(tag)] = name
    return found


def _lines(image: str, found: History) -> dict[tuple[str, str], Build]:
    """Return the newest image of each release line (`3.11` of 3.11.7) and variant."""
    return {
        (version_of(tag), canonical(image, tag, seen.build)): seen.build
        for tag, seen in found.tags.items()
        if version_of(tag).count(".") < 2 and version_of(tag).replace(".", "").isdigit() and is_release(tag)  # noqa: PLR2004
    }


def _packages(clones: Path, releases: Iterable[Release]) -> dict[str, frozenset[str]]:
    """Return the packages that each tier of a release adds to the one below it."""
    sets = {}
    for release in releases:
        there = sets[f"{release.name}/base"] = release.base()
        for tier in TIERS:
            folder = f"debian/{release.name}/{tier}".removesuffix("/full")
            fact = facts(clones, "https://github.com/docker-library/buildpack-deps.git", "HEAD", folder) or Facts()
            sets[f"{release.name}/{tier}"] = release.closure(fact.packages, there)
            there |= sets[f"{release.name}/{tier}"]
    return sets


def _commands(releases: Iterable[Release], packages: frozenset[str] | set[str]) -> dict[str, list[str]]:
    """Return which of the packages ship each command, in any release."""
    found: dict[str, set[str]] = {}
    for release in releases:
        for command, package in release.commands():
            if package in packages:
                found.setdefault(command, set()).add(package)
    return {command: sorted(owners) for command, owners in sorted(found.items())}


def _pypi(projects: Mapping[str, Mapping[str, object]]) -> dict[str, dict[str, object]]:
    """Add to what a project of PyPI needs for which versions of Python it has wheels."""
    found = wheels(name for name, project in projects.items() if project.get("compiled"))
    return {name: {**project, "wheels": found.get(name, {})} for name, project in projects.items()}


def _ends(clones: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the end of support of each release cycle, "" where there is none yet."""
    clone = clones / "endoflife-date+endoflife.date.git"
    for product in sorted({*IMAGES, "nodejs", "go", "java"}):
        words = ("git", "-C", clone, "show", f"HEAD:products/{product}.md")
        done = subprocess.run(words, check=False, capture_output=True, text=True)
        if not done.returncode:
            releases = yaml.safe_load(done.stdout.split("---")[1])["releases"]
            last = "eoes" if product == "debian" else "eol"  # that of Debian's volunteers, which is for everybody
            yield product, {str(r["releaseCycle"]): _day(r.get(last) or r.get("eol")) for r in releases}


def _day(value: object) -> str:
    """Return a date as written; others say only whether support has ended."""
    return "" if value is None or isinstance(value, bool) else str(value)


if __name__ == "__main__":
    sys.exit(main())
