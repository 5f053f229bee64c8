"""Which image holds the Java runtime of a JDK, and of the images of Maven and Gradle that stand on one.

Sources: the tags of the official images, and the Dockerfiles of github.com/adoptium/containers,
github.com/carlossg/docker-maven and github.com/gradle/docker-gradle.
"""

import re
from collections.abc import Iterator

from msgspec.structs import replace

from optimizer.images._tables import image_table
from optimizer.images.nodes import Variant
from optimizer.images.tags import sibling, variant

# Distributions whose JDK and JRE lie in the same place in all releases that are told apart by tags.
_SAME_HOME = frozenset({"adoptopenjdk", "eclipse-temurin"})
_TEMURIN = "eclipse-temurin"
_UBUNTU = r"(?:-(focal|jammy|noble|resolute))?"
_MAVEN = re.compile(rf"eclipse-temurin-(\d+){_UBUNTU}")
_MAVEN_OPENJDK = re.compile(r"(?:open)?jdk-(\d+)(-slim)?")
_GRADLE = re.compile(rf"jdk(\d+){_UBUNTU}")
_OLDEST_OPENJDK = "2019-09"  # before, the JRE of openjdk lay within the JDK

# What the images have beyond those of the JRE, on whatever release of Ubuntu.
_BEYOND = {
    **dict.fromkeys(_SAME_HOME, frozenset({"binutils"})),
    "gradle": frozenset("binutils brz git git-lfs make mercurial openssh-client subversion unzip".split()),
    "maven": frozenset("binutils git openssh-client".split()),
}


def jdk_of(of: Variant) -> Variant | None:
    """Return the JDK that an image is, or that an image of Maven or Gradle stands on; None where it is another's."""
    canonical = of.canonical or ""
    if of.image in {"adoptopenjdk", "eclipse-temurin", "openjdk"}:
        return of if "jdk" in of.words else None
    if of.image == "maven" and (old := _MAVEN_OPENJDK.fullmatch(canonical)):
        return _at("openjdk", old[1], f"jdk{old[2] or ''}", of.last) if (of.last or "9") > _OLDEST_OPENJDK else None
    found = (_MAVEN if of.image == "maven" else _GRADLE).fullmatch(canonical)
    if found is None or of.image not in {"maven", "gradle"}:
        return None
    if found[2]:
        return variant(_TEMURIN, f"{found[1]}-jdk-{found[2]}")
    return _at(_TEMURIN, found[1], "jdk", of.last) if of.image == "maven" else None


def jre_of(full: Variant) -> Variant | None:
    """Return the JRE of the same version on the same release of the distribution; None where none is known.

    None as well where the JRE lies elsewhere than the JDK, for a program may ask for JAVA_HOME.
    """
    jdk = jdk_of(full)
    small = sibling(jdk, add="jre", remove="jdk") if jdk else None
    if small is None or jdk is None or jdk.image in _SAME_HOME:
        return small and with_size(small)
    homes = {of.facts.env.get("JAVA_HOME") for of in (jdk, small) if of.facts}
    return small if len(homes) == 1 and None not in homes else None


def with_size(of: Variant) -> Variant:
    """Return a variant with its size: where that is not known, of the JDK that it stands on or its like elsewhere."""
    jdk = jdk_of(of) or of
    if of.size is not None or jdk.image not in {*_SAME_HOME, "openjdk"}:
        return of
    kind = next((word for word in jdk.words if word in {"jdk", "jre"}), "jdk")
    major = re.split(r"\D", jdk.version, maxsplit=1)[0]
    others = (jdk, *(variant(image, f"{major}-{kind}") for image in (jdk.image, _TEMURIN)))
    return replace(of, size=next((other.size for other in others if other and other.size), None))


def packages_beyond_jre(full: Variant, small: Variant) -> tuple[frozenset[str] | None, frozenset[str] | None]:
    """Return what an image on a JDK of Ubuntu has and its JRE lacks, and that the JRE has nothing of it.

    Nothing is known (None) of others, nor of two images that do not belong together.
    """
    known = small.image in _SAME_HOME and "jre" in small.words and full.image in _BEYOND
    return (_BEYOND[full.image], frozenset()) if known else (None, None)


def _at(image: str, major: str, suffix: str, last: str | None) -> Variant | None:
    """Return the tag of the release to which the floating tag of a version led when it was last built."""
    if not last:
        return variant(image, f"{major}-{suffix}")
    found = max(_canonicals(image, major, suffix, last), default=None)
    return variant(image, f"{major}-{found[1]}") if found else None


def _canonicals(image: str, major: str, suffix: str, month: str) -> Iterator[tuple[str, str]]:
    """Go through the versions that were built in a month: since when, and the canonical suffix."""
    table = image_table(image)
    if table is None:
        return
    for version, (index, first, last) in table.versions.items():
        canonical = table.sets[index].get(suffix)
        if canonical and first <= month <= (last or month) and re.match(rf"{major}[.u+]", version):
            yield first, canonical
