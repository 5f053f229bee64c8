"""What a Maven build does where the poms are there and no source is.

The plugins below were found, or are documented, to do nothing then: they compile, test and pack what is there. Of any
other that has something to do in the build it is not known what it reads.
"""

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from optimizer.ecosystems._files import Refused
from optimizer.ecosystems._maven_project import Pom, external_parents, text_of
from optimizer.syntax.lazy_pattern import lazy_pattern

_OFFICIAL = "org.apache.maven.plugins"
_BOOT = "org.springframework.boot"
SHADE_PLUGIN = f"{_OFFICIAL}:maven-shade-plugin"
BOOT_PLUGIN = f"{_BOOT}:spring-boot-maven-plugin"
# Bound to every build of a jar, whether a pom names them or not.
_BOUND = frozenset(f"{_OFFICIAL}:maven-{name}-plugin" for name in "clean compiler deploy install jar resources site "
                   "surefire".split())  # fmt: skip
_KNOWN = _BOUND | {
    BOOT_PLUGIN,
    "org.jacoco:jacoco-maven-plugin",
    "org.jetbrains.kotlin:kotlin-maven-plugin",
    *(
        f"{_OFFICIAL}:maven-{name}-plugin"
        for name in ("assembly", "dependency", "enforcer", "failsafe", "release", "shade", "source")
    ),
}
# What Spring Boot's parent gives something to do as soon as a pom names it.
_MANAGED = lazy_pattern(
    r"kotlin-maven|git-commit-id|maven-shade|maven-war|native-maven|cyclonedx|jooq|flyway|xml-maven"
)
_HARMLESS_EXTENSIONS = ("kr.motd.maven", "org.apache.maven.wagon")
_FILES = {
    "maven-jar-plugin": re.compile("manifestFile"),
    "maven-assembly-plugin": re.compile("<descriptor>|manifestFile|descriptorSourceDirectory|<executable"),
    "maven-shade-plugin": re.compile("<file>|outputFile|educedPomLocation"),
    "maven-compiler-plugin": re.compile("compilerArg.*@|argfile"),
    "maven-surefire-plugin": re.compile("failIfNoTests|<test>"),
    "maven-enforcer-plugin": re.compile("File|eanshell|<.*implementation|external"),
    "maven-dependency-plugin": re.compile("analyze"),
    "kotlin-maven-plugin": re.compile("<goal>(?!compile|test-compile)|<arg>@"),
}
# Properties that lead to other files, or ask for tests or files that only the sources make.
STEERING = lazy_pattern(
    r"(?:it\.)?test|groups|failIfNo\w+|surefire\.\w*[fF]ail\w*|maven\.(?:ext\.class\.path|repo\.local|main\.\w+)"
    r"|\w*[bB]asedir|(?:project\.build\.|build)\w*[dD]irectory"
)
_INSIDE = lazy_pattern(r"\$\{project\.build\.(?:directory|outputDirectory)\}.*|(?:\./)?target(?:/.*)?", re.DOTALL)
_OF_THE_PROJECT = lazy_pattern(r"^file:|\$\{(?:project\.)?basedir|\$\{maven\.multiModule")


def check_build(poms: tuple[Pom, ...]) -> frozenset[str]:
    """Return the plugins that take part in the build; raise `Refused` where it may fail or go wrong without sources."""
    boot = _check_parents(poms)
    for pom in poms:
        _check(pom, {p.name for p in poms})
    named = {key for pom in poms for key in map(_key, pom.inner("build/plugins/plugin"))}
    used = named | _BOUND
    for plugin in (p for pom in poms for path in _PLACES for p in pom.inner(path)):
        key = _key(plugin)
        if key in used:
            _check_plugin(plugin, key)
    if boot and (odd := next((key for key in sorted(named - _KNOWN) if _MANAGED.search(key)), None)):
        raise Refused(_unknown(odd))
    if BOOT_PLUGIN in named:
        _check_boot(poms, boot)
    return frozenset(used)


def weigh(poms: tuple[Pom, ...]) -> int:
    """Return about how much a build downloads, in libraries: a starter brings several, Spring Boot's parent many."""
    groups = {text_of(d, "artifactId") for pom in poms for d in pom.inner("dependencies/dependency")}
    own = {pom.name for pom in poms}
    plugins = {key for pom in poms for key in map(_key, pom.inner("build/plugins/plugin"))}
    parents = sum(_OF_A_PARENT for _ in external_parents(poms[:1]))
    return parents + len(plugins) + sum(_OF_A_STARTER if "starter" in name else 1 for name in groups - own)


_OF_A_STARTER, _OF_A_PARENT = 3, 6


_PLACES = ("build/plugins/plugin", "build/pluginManagement/plugins/plugin")


def _check_parents(poms: tuple[Pom, ...]) -> str:
    """Return the version of Spring Boot's parent, "" without it; raise `Refused` for any other of a repository."""
    version = ""
    for group, name, at in external_parents(poms):
        if (group, name) != (_BOOT, "spring-boot-starter-parent"):
            raise Refused(f"what the parent {name} adds to the build is not known")
        version = at
    return version


def _check(pom: Pom, own: set[str]) -> None:
    if pom.packaging not in {"jar", "pom"}:
        raise Refused(f"{pom.path} packs a {pom.packaging}, which may not be possible without the sources")
    for path in ("build/directory", "build/outputDirectory", "build/filters/filter"):
        if next(pom.inner(path), None) is not None:
            raise Refused(f"{pom.path} sets {path}")
    if odd := next((p.tag for p in pom.inner("properties/*") if STEERING.fullmatch(str(p.tag))), None):
        raise Refused(f"the property {odd} may ask for the sources")
    _check_origins(pom)
    for dependency in (d for part in pom.parts for d in part.iter("dependency")):
        _check_dependency(dependency, own)


def _check_origins(pom: Pom) -> None:
    """Raise `Refused` where an extension, or a package of the project's own files, takes part."""
    for extension in pom.inner("build/extensions/extension"):
        if text_of(extension, "groupId") not in _HARMLESS_EXTENSIONS:
            raise Refused(f"what the extension {text_of(extension, 'artifactId')} reads is not known")
    for url in (text_of(one, "url") for path in _REPOSITORIES for one in pom.inner(path)):
        if _OF_THE_PROJECT.search(url):
            raise Refused(f"{pom.path} takes packages from {url}")


_REPOSITORIES = ("repositories/repository", "pluginRepositories/pluginRepository")


def _check_dependency(dependency: Element, own: set[str]) -> None:
    name = text_of(dependency, "artifactId")
    if text_of(dependency, "scope") == "system" or dependency.find("systemPath") is not None:
        raise Refused(f"the dependency {name} is a file")
    kind = text_of(dependency, "type")
    if name in own and (text_of(dependency, "classifier") or kind not in {"", "jar", "pom"}):
        raise Refused(f"the dependency {name} is more than the jar of a module")


def _check_plugin(plugin: Element, key: str) -> None:
    name = key.partition(":")[2]
    if key not in _KNOWN:
        if plugin.find("executions") is not None or text_of(plugin, "extensions") == "true":
            raise Refused(_unknown(key))
        return
    text = " ".join(_pieces(plugin))
    if name in _FILES and _FILES[name].search(text):
        raise Refused(f"the settings of {name} may ask for the sources")
    for element in plugin.iter("outputDirectory"):
        if not _INSIDE.fullmatch((element.text or "").strip()):
            raise Refused(f"{name} writes to {(element.text or '').strip()}")


def _check_boot(poms: tuple[Pom, ...], parent: str) -> None:
    """Raise `Refused` where Spring Boot's plugin might want the program's main class."""
    plugins = [p for pom in poms for path in _PLACES for p in pom.inner(path) if _key(p) == BOOT_PLUGIN]
    versions = [v for v in (text_of(p, "version") for p in plugins) if v] or [parent]
    if not all(re.match(r"[2-9]\.", version) for version in versions):
        raise Refused("the version of spring-boot-maven-plugin is not known to be 2 or later")
    goals = {(goal.text or "").strip() for p in plugins for goal in p.iter("goal")}
    if goals - {"repackage", "build-info"} or any(p.find(".//skip") is not None for p in plugins):
        raise Refused("spring-boot-maven-plugin does more than pack the program")


def _unknown(key: str) -> str:
    return f"what {key.partition(':')[2]} reads in the build is not known"


def _key(plugin: Element) -> str:
    return f"{text_of(plugin, 'groupId') or _OFFICIAL}:{text_of(plugin, 'artifactId')}"


def _pieces(element: Element) -> Iterator[str]:
    """Go through the names and texts below an element."""
    for inner in element.iter():
        yield f"<{inner.tag}>" + "".join(f" {k}" for k in inner.attrib) + (inner.text or "")
