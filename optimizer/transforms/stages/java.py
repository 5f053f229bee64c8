"""Java and Kotlin: Maven or Gradle build a jar with the JDK, and the JRE of the same release runs it.

Sources: https://maven.apache.org/guides/introduction/introduction-to-the-standard-directory-layout.html,
https://docs.gradle.org/current/userguide/java_plugin.html, …/application_plugin.html.
"""

import posixpath
import re

from optimizer.images import Variant
from optimizer.images.jres import jre_of
from optimizer.images.packages import lost_commands
from optimizer.model import Step
from optimizer.shell import Call, resolve
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._java_needs import TOOLS, why_named, why_program
from optimizer.transforms._slim_packages import ARCHIVED
from optimizer.transforms.stages import compiled
from optimizer.transforms.stages._built_sources import left_of_project
from optimizer.transforms.stages._java_outputs import GRADLE, MAVEN, outputs, read_by_java, start_texts, unwrapped
from optimizer.transforms.stages.interpreted import absolute, folder_of, home_of
from optimizer.transforms.stages.nodes import Build, Effect, Runtime
from optimizer.transforms.stages.paths import SYSTEM, is_covered

_MAVEN_GOALS = frozenset(
    """clean validate initialize generate-sources process-sources generate-resources process-resources compile
    process-classes generate-test-sources process-test-sources generate-test-resources process-test-resources
    test-compile process-test-classes test prepare-package package pre-integration-test integration-test
    post-integration-test verify install dependency:go-offline dependency:resolve dependency:resolve-plugins
    dependency:tree dependency:copy-dependencies de.qaware.maven:go-offline-maven-plugin:resolve-dependencies
    spring-boot:repackage assembly:single shade:shade jar:jar""".split()
)
_MAVEN_VALUED = frozenset(
    "-D --define -P --activate-profiles -T --threads -f --file -s --settings -pl --projects -gs".split()
)
_GRADLE_TASKS = lazy_pattern(
    r"(?:[\w.-]*:)*(?:clean|build|assemble|classes|\w+Classes|check|test|dependencies|resolveDependencies|downloadDependencies|compile\w+"
    r"|processResources|wrapper|tasks|help|(?:boot|shadow|fat|uber)?[jJ]ar|buildFatJar|install\w*Dist|installApp|bootWar|war"
    r"|stage|\w*DistZip|\w*DistTar|fetchDependencies)"
)
_GRADLE_VALUED = frozenset(
    "-x --exclude-task -P --project-prop -D --system-prop -p --project-dir -I --init-script -b --build-file -c "
    "--console --max-workers --settings-file -g --gradle-user-home".split()
)
_MOVES = lazy_pattern(r"-D(?:outputDirectory|buildDirectory|project\.build\.directory|maven\.repo\.local)\b.*")
_SOURCES = compiled.Sources(
    files=re.compile(
        r"(?:.*/)?src/.*|(?:.*/)?(?:\.mvn|gradle|\.gradle|buildSrc|build-logic|target|node_modules)/.*|(?:.*/)?build/libs/.*"
        r"|(?:.*/)?(?:[^/]+\.(?:java|kts?|scala|groovy|gradle|iml)|pom\.xml|mvnw(?:\.cmd)?|gradlew(?:\.bat)?"
        r"|gradle\.properties|lombok\.config|checkstyle[\w.-]*|HELP\.md|system\.properties|\.sdkmanrc|\.java-version)"
    ),
    looks_back=re.compile(r"\bsrc/(?:main|test)\b"),
    builders=MAVEN | GRADLE | {"ant", "bazel", "javac", "kotlinc", "lein", "mill", "sbt", "scala", "scalac"},
)
_OF_IMAGES = ("/usr/share/maven", "/opt/gradle", "/opt/java/openjdk", "/usr/local/openjdk-*", "/home/gradle/.gradle")
_TOOLS = frozenset({"ant", "gradle", "maven"})  # packages of Debian
_VARIABLES = frozenset(
    "GRADLE_HOME GRADLE_VERSION JAVA_VERSION MAVEN_CONFIG MAVEN_HOME MAVEN_VERSION USER_HOME_DIR".split()
)


def effect(call: Call, step: Step, build: Build) -> Effect | None:
    """Say where Maven, Gradle and the compiler put their files."""
    call = unwrapped(call)
    program = posixpath.basename(call.program)
    folder = folder_of(call)
    if program in MAVEN | GRADLE:
        return _built(call, step, build, folder, program)
    if program == "javac":
        return _compiled(call, step, folder)
    return None


def _built(call: Call, step: Step, build: Build, folder: str | None, program: str) -> Effect:
    words = [resolve(word, call.variables) or word.text for word in call.arguments]
    is_maven = program in MAVEN
    goals = _goals(words, _MAVEN_VALUED if is_maven else _GRADLE_VALUED)
    known = all(goal in _MAVEN_GOALS for goal in goals) if is_maven else all(map(_GRADLE_TASKS.fullmatch, goals))
    if not known or any(map(_MOVES.fullmatch, words)) or folder is None:
        return Effect(unknown=f"what {program} {' '.join(goals[:2])} of line {step.line} makes is not known")
    name = _value(words, ("-f", "--file") if is_maven else ("-p", "--project-dir"))
    top = absolute(name.removesuffix("pom.xml") or ".", folder) if name else folder
    home = home_of(call, step, build)
    kinds = ("target", ".flattened-pom.xml", "dependency-reduced-pom.xml") if is_maven else ("build", ".gradle")
    inside = ("",) if top in SYSTEM else ("", "**")
    below = tuple(posixpath.join(top, inner, kind) for kind in kinds for inner in inside)
    return Effect(leaves=(*below, *(posixpath.join(home, kept) for kept in (".m2", ".gradle", ".kotlin", ".cache"))))


def _goals(words: list[str], valued: frozenset[str]) -> list[str]:
    """Return the words that are neither options nor their values."""
    found: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in valued:
            next(rest, None)
        elif not word.startswith("-"):
            found.append(word)
    return found


def _value(words: list[str], names: tuple[str, ...]) -> str | None:
    for at, word in enumerate(words[:-1]):
        if word in names:
            return words[at + 1]
    return None


def _compiled(call: Call, step: Step, folder: str | None) -> Effect:
    """`javac` puts classes beside their sources, or below the folder that it is told."""
    words = [resolve(word, call.variables) or word.text for word in call.arguments]
    named = _value(words, ("-d",))
    into = absolute(named, folder) if named and folder else folder
    if into is None or into in SYSTEM:
        return Effect(unknown=f"where the javac of line {step.line} puts its classes is not known")
    return Effect((f"{into}/",))


def runtime(build: Build) -> Runtime | str | None:
    """Say which jar is started, and take it to the JRE with all that is no source."""
    if "jre" in build.full.words:
        return None
    if reason := compiled.why_builds(build, _SOURCES):
        return reason
    base = jre_of(build.full)
    if base is None:
        return f"no JRE is known on the release that {build.full.name} stands on"
    major = re.split(r"\D", base.version, maxsplit=1)[0]
    if build.full.last is None and major not in re.findall(r"\d+", build.full.tag):
        return f"{build.full.name} may move to another version of Java than that of {base.name}"
    if reason := _why_not(build, base):
        return reason
    texts = list(start_texts(build))
    started = outputs(build, texts)
    if isinstance(started, str):
        return started
    if missing := next((word for word in read_by_java(build, texts) if not _is_there(word, build, started)), None):
        return f"what makes {missing} is not known"
    why = "The JDK, the build tool and the sources stay in the build stage: the program needs the JRE alone."
    leaves = (*left_of_project(build, _SOURCES, started), *_OF_IMAGES)
    return Runtime(base, started, why, build_only=_TOOLS, leaves_out=leaves, left_variables=_VARIABLES)


def _is_there(word: str, build: Build, started: tuple[str, ...]) -> bool:
    """Tell whether a jar or a folder of classes is made, is among what is started, or comes from the context."""
    path = posixpath.normpath(posixpath.join(build.workdir, word))
    whole = path.partition("*")[0]
    if whole == path and is_covered(path, (*build.made, *started)):
        return True
    folder = whole if whole == path else posixpath.dirname(whole)
    there = (*build.copied, *build.made, *started)
    return path in build.copied or any(f"{one.rstrip('/')}/".startswith(f"{folder.rstrip('/')}/") for one in there)


def _why_not(build: Build, base: Variant) -> str | None:
    if tool := next((need for need in build.needs if need.name in TOOLS), None):
        return f"{tool.place} starts {tool.name}, which needs the JDK"
    if any(".m2" in text or ".gradle/" in text for text in start_texts(build)):
        return "the program starts from the cache of its build"
    for step in build.stage.body:
        if step.name == "USER" and step.instruction.value.text.startswith("gradle"):
            return f"the user of line {step.line} is one of the image"
    if base.words[-1] in ARCHIVED and build.packages:
        return f"packages can no longer be installed on {base.words[-1]}"
    own = (step for step in build.stage.body if step.run is None)
    if reason := next(why_named(own), None):
        return reason
    lost = lost_commands((build.full.image, build.full.tag), (base.image, base.tag))
    return next(why_program(build.subject.context, frozenset(lost or ())), None)
