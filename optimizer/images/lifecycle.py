"""Until when images are kept up, and what takes the place of those that are not.

Sources: github.com/endoflife-date/endoflife.date (dates), the history of github.com/docker-library/official-images
and the notes of github.com/docker-library/docs (images that left, with their successors).
"""

from optimizer.images._tables import Retired, image_table, lifecycle
from optimizer.images.nodes import Variant
from optimizer.images.tags import variant
from optimizer.syntax.lazy_pattern import lazy_pattern

_PRODUCTS = {"golang": "go", "node": "nodejs"}
_JAVA = lazy_pattern(r"(?:openjdk-)?(\d+)(?:u\d+)?(?:\..*)?")
_TEMURIN = "eclipse-temurin"
_OF_JAVA = frozenset({"adoptopenjdk", "eclipse-temurin", "java", "openjdk"})
_RELEASE = "jammy"  # the oldest Ubuntu that is kept up: the nearest to the Debian that the retired images stand on
_OTHER_MACHINES = frozenset({"openj9", "nanoserver", "windowsservercore"})


def as_of() -> str:
    """Return the day (YYYY-MM-DD) up to which the facts of images go."""
    return lifecycle().as_of


def retired(image: str) -> Retired | None:
    """Return since when an image has been retired, and by what it is replaced; None where it is kept."""
    return lifecycle().retired.get(image)


def release_line(of: Variant) -> str:
    """Return the version that a tag leads to, also where the tag is a word (`8` of node:carbon), "" if unknown."""
    table = image_table(of.image)
    if of.version or table is None:
        return of.version
    return table.words.get(of.tag, ("", "", ""))[0]


def end_of_support(of: Variant) -> str | None:
    """Return the day on which support of an image's version ended; None where it goes on or none is known."""
    cycles = lifecycle().ends.get(_PRODUCTS.get(of.image, of.image), {})
    line = release_line(of)
    while line:
        day = cycles.get(line)
        if isinstance(day, str):
            return day if day and day < as_of() else None
        line = line.rpartition(".")[0]
    return None


def java_version(of: Variant) -> str | None:
    """Return the version of Java (`17`) in an image of one, None where its tag does not name it."""
    if of.image not in _OF_JAVA:
        return None
    match = _JAVA.match(of.version or of.tag) or _JAVA.match(release_line(of) if of.image == "java" else "")
    return match[1] if match else None


def successor(of: Variant) -> Variant | None:
    """Return the tag of Eclipse Temurin with the same version of Java, and the JRE for a JRE; None where there is none.

    A tag that names a patch release leads to the same one.
    """
    use = retired(of.image)
    java = java_version(of)
    if use is None or _TEMURIN not in use.use or java is None or not _OTHER_MACHINES.isdisjoint(of.words):
        return None
    kind = "jre" if "jre" in of.words else "jdk"
    system = "alpine" if any(word.startswith("alpine") for word in of.words) else _RELEASE
    version = _same(of, java)
    return variant(_TEMURIN, f"{version}-{kind}-{system}") if version else None


def _same(of: Variant, java: str) -> str | None:
    """Return the version of Temurin that is the same: that of a patch release where the tag names one."""
    named = of.version if of.version and of.version not in {java, f"{java}.0"} else ""
    if not named:
        exact = not of.version and of.tag.removeprefix(f"openjdk-{java}")[:1] not in {"", "-"}
        return None if exact and of.tag != "latest" and of.tag.startswith("openjdk-") else java
    table = image_table(_TEMURIN)
    builds = [v for v in table.versions if v.startswith((f"{named}_", f"{named}-b"))] if table else []
    return max(builds, key=lambda v: (len(v), v), default=None)
