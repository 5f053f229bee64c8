"""What Gradle's scripts do before any task runs, as far as their text tells.

A script is a program. Read here is which plugins it applies and which scripts it takes in; one that looks at files,
starts programs or applies a plugin of which nothing is known may need the sources to be loaded at all.

Sources: https://docs.gradle.org/current/userguide/plugins.html, …/writing_build_scripts.html,
…/declaring_repositories.html and …/organizing_gradle_projects.html.
"""

import re
from collections.abc import Collection, Iterator
from functools import lru_cache

from optimizer.ecosystems._files import Refused
from optimizer.syntax.lazy_pattern import lazy_pattern

# Strings are matched so that what looks like a comment within one is none.
_PIECES = lazy_pattern(
    r'"""(?:[^\\]|\\.)*?"""|\'\'\'(?:[^\\]|\\.)*?\'\'\'|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|//[^\n]*|/\*.*?(?:\*/|\Z)',
    re.DOTALL,
)
_READS = lazy_pattern(
    r"\.(?:text|getText|getBytes|splitEachLine|singleFile|readText|readLines|readBytes|bytes|eachLine|eachFile\w*"
    r"|eachDir\w*|listFiles|list|walk\w*|exists|isFile"
    r"|isDirectory|lastModified|new(?:Reader|InputStream|DataInputStream)|with(?:Reader|InputStream)|reader|inputStream"
    r"|bufferedReader|forEachLine|useLines|load|loadProperties|parse(?!Int)\w*|asText|asBytes|execute)\b"
    r"|\b(?:FileInputStream|FileReader|\w*Slurper|Files\.|Paths\.|ProcessBuilder|Runtime\.|(?:java)?exec\b|fileContents"
    r"|zipTree|tarTree|ant\.|Grape|evaluate\s*+\(|buildFileName|includeFlat|flatDir|ValueSource|ratchetFrom"
    r"|Scanner|RandomAccessFile|BufferedReader|InputStreamReader|readValue|readTree|Yaml\s*+\(|Grgit|RepositoryBuilder)"
    r"|@Grab|[=!]~|=~|~/|fetchDependencies"
)
_PLUGIN_BLOCK = lazy_pattern(r"^plugins\s*+\{((?:[^{}]|\$\{[^{}]*\})*)\}", re.MULTILINE)
_APPLIED = (
    lazy_pattern(r"""\bid\s*+\(?\s*+["']([^"'\n]+)["']"""),
    lazy_pattern(r"""(?<![-.\w])plugin(?:\s*+[:=(]\s*+|\s+)["']([^"'\n]+)["']"""),
    lazy_pattern(r"""\b(?:plugins|pluginManager)\s*+\.\s*+apply\s*+\(?\s*+["']([^"'\n]+)["']"""),
)
_KOTLIN = lazy_pattern(r"""\bkotlin\s*+\(\s*+"([\w.-]+)"\s*+\)(?!\s*+:)""")
_ALIAS = lazy_pattern(r"\balias\s*+\(?\s*+(\w+)\.plugins\.([\w.]+)")
_BY_CLASS = lazy_pattern(
    r"""\bapply\s*+\(?\s*+plugin\s*+[:=]\s*+(?!["'\s])|\bapply\s*+<|\b(?:plugins|pluginManager)\s*+\.\s*+apply\s*+\(\s*+[^"'\s]"""
)
_FROM = lazy_pattern(r"""\bfrom\s*+[:=]\s*+""")
_FROM_NAMED = lazy_pattern(
    r"""(?:(?:rootProject|project)\s*+\.\s*+)?(?:(?P<call>file)\s*+\(\s*+)?
    (?P<quote>["'])(?:\$\{?(?P<root>rootDir|rootProject\.(?:rootDir|projectDir))\}?/)?(?P<name>[\w./-]+)(?P=quote)""",
    re.VERBOSE,
)
_URL = lazy_pattern(
    r"""\b(?:setU|u)rl\b(?![.\w])\s*+[=(]?\s*+(?:(?:java\.net\.)?(?:uri|URI\.create)\s*+\(?\s*+)?(\S[^\n]{0,40})"""
)
_MAVEN = lazy_pattern(r"""\bmaven\s*+\(\s*+"(?!https?://)""")
_OWN_JARS = lazy_pattern(r"\bclasspath\s*+\(?\s*+(?:files|fileTree)\b")
_CATALOG = lazy_pattern(r"""\bfiles\s*+\(\s*+["'](?![./]*gradle/[\w.-]+\.toml["'])[^"'\n]*\.toml["']""")
_WORDS = lazy_pattern(r"[^\W\d][\w.-]*|`[\w.-]+`")
_NEUTRAL = frozenset("id kotlin alias version apply false embeddedKotlinVersion".split())

# Plugins that were found, or are documented, to read nothing of the sources before a task runs.
_CORE = frozenset(
    """antlr application base build-dashboard checkstyle codenarc distribution eclipse groovy groovy-gradle-plugin idea
    jacoco jacoco-report-aggregation java java-base java-gradle-plugin java-library java-library-distribution
    java-platform java-test-fixtures jvm-test-suite kotlin-dsl maven maven-publish pmd project-report scala signing
    test-report-aggregation version-catalog war""".split()
)
_KNOWN = frozenset(
    """org.springframework.boot io.spring.dependency-management org.jetbrains.kotlin.jvm org.jetbrains.kotlin.kapt
    org.jetbrains.kotlin.plugin.spring org.jetbrains.kotlin.plugin.jpa org.jetbrains.kotlin.plugin.allopen
    org.jetbrains.kotlin.plugin.noarg org.jetbrains.kotlin.plugin.serialization kotlin kotlin-kapt kotlin-spring
    kotlin-jpa kotlin-allopen kotlin-noarg kotlinx-serialization com.github.johnrengelman.shadow com.gradleup.shadow
    io.ktor.plugin com.github.ben-manes.versions se.patrikerdes.use-latest-versions org.sonarqube
    com.diffplug.spotless com.diffplug.gradle.spotless io.freefair.lombok net.ltgt.errorprone com.google.protobuf
    org.gradle.toolchains.foojay-resolver-convention com.gradle.enterprise com.gradle.develocity com.gradle.build-scan
    io.gitlab.arturbosch.detekt org.jlleitschuh.gradle.ktlint com.github.spotbugs com.google.devtools.ksp
    org.openapi.generator com.adarshr.test-logger""".split()
)


@lru_cache(maxsize=128)
def without_comments(text: str) -> str:
    """Return a script's text without its comments."""
    return _PIECES.sub(lambda piece: " " if piece[0].startswith(("//", "/*")) else piece[0], text)


def check_script(path: str, code: str) -> None:
    """Raise `Refused` where a script may look at more than it was found to, its comments taken out."""
    if found := _READS.search(code):
        raise Refused(f"{path} may read files or start programs by {found[0].strip('. (')}")
    for url in _URL.finditer(code):
        if not url[1].startswith(('"http', "'http", '"jdbc', "'jdbc")):
            raise Refused(f"{path} takes packages from {_short(url[1])}")
    if _MAVEN.search(code):
        raise Refused(f"{path} takes packages from a place that is not known")
    if _OWN_JARS.search(code):
        raise Refused(f"{path} takes a plugin from files of the project")
    if catalog := _CATALOG.search(code):
        raise Refused(f"{path} reads {_short(catalog[0])}")


def check_plugins(path: str, code: str, catalogs: dict[str, dict[str, str]], own: Collection[str]) -> frozenset[str]:
    """Return the ids of the plugins that a script applies; raise `Refused` for one of which nothing is known.

    `catalogs` are the plugins of each version catalog, by their names in scripts; `own` are those that the project
    makes itself, in scripts that are checked as well.
    """
    if _BY_CLASS.search(code):
        raise Refused(f"{path} applies a plugin in a way that is not understood")
    ids = {i for pattern in _APPLIED for i in pattern.findall(code)}
    ids |= {f"org.jetbrains.kotlin.{name}" for block in _PLUGIN_BLOCK.findall(code) for name in _KOTLIN.findall(block)}
    ids |= {word for block in _PLUGIN_BLOCK.findall(code) for word in _bare(block)}
    for catalog, name in _ALIAS.findall(code):
        if name not in catalogs.get(catalog, {}):
            raise Refused(f"{path} applies the plugin {name}, which no version catalog names")
        ids.add(catalogs[catalog][name])
    ids = {i.removeprefix("org.gradle.") if i.removeprefix("org.gradle.") in _CORE else i for i in ids}
    if odd := next((i for i in sorted(ids - _KNOWN - _CORE) if i not in own), None):
        raise Refused(f"what the plugin {odd} reads is not known")
    return frozenset(ids)


def scripts_taken_in(path: str, code: str) -> Iterator[tuple[str, bool]]:
    """Go through the scripts of `apply from:`, each with whether its name starts at the root of the project."""
    for found in _FROM.finditer(code):
        named = _FROM_NAMED.match(code, found.end())
        if named is None or named["name"].startswith("/"):
            raise Refused(f"{path} applies a script whose name is not known before it runs")
        yield named["name"], bool(named["root"]) or code.startswith("rootProject", found.end())


def _bare(block: str) -> Iterator[str]:
    """Go through the plugins that a block names without quotes (`java`, `` `java-library` ``)."""
    rest = _ALIAS.sub(" ", _KOTLIN.sub(" ", re.sub(r"\bversion\s*+\(?\s*+[\w.]+", " ", _PIECES.sub(" ", block))))
    return (word.strip("`") for word in _WORDS.findall(rest) if word not in _NEUTRAL)


def _short(text: str) -> str:
    return text.strip().strip("\"'").partition("\n")[0][:40]
