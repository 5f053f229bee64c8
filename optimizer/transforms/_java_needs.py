"""Why a stage on a JDK, and those that stand on it, cannot do with the JRE of the same distribution and version.

A JRE has the same virtual machine. It lacks the compiler and other tools, and the modules behind them: a program that
compiles, attaches to other virtual machines or debugs them while it runs needs the JDK. Whether it does is read from
its sources and from what they depend on, so one of the two must lie in the repository.

Sources: OpenJDK's make/conf/module-loader-map.conf and make/Images.gmk (which modules and tools a legacy JRE image is
made of), github.com/adoptium/containers, github.com/docker-library/openjdk.
"""

import posixpath
from collections.abc import Iterable, Iterator, Mapping

from optimizer.context import Context
from optimizer.images.packages import lost_commands
from optimizer.model import Dockerfile, Step
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._runtime_needs import Need, Unknown, installed, needs_of
from optimizer.transforms._slim_needs import Change

TOOLS = frozenset(
    "appletviewer extcheck idlj jaotc jar jarsigner java-rmi.cgi javac javadoc javah javap jcmd jconsole jdb jdeprscan "
    "jdeps jhat jhsdb jimage jinfo jlink jmap jmod jnativescan jpackage jps jsadebugd jshell jstack jstat jstatd "
    "jwebserver native2ascii rmic schemagen serialver wsgen wsimport xjc".split()
)
_BUILDERS = frozenset("ant bazel buck gradle gradlew kotlinc lein mill mvn mvnw sbt scala scalac".split())
_MANIFEST = lazy_pattern(
    r"pom\.xml|.*\.gradle(?:\.kts)?|libs\.versions\.toml|build\.sbt|project\.clj|deps\.edn|ivy\.xml"
)
_CODE = lazy_pattern(r".*\.(?:java|kt|kts|scala|groovy|clj)")
_BESIDE = lazy_pattern(
    r"(?:.*/)?src/(?:test|\w+Test|testFixtures|jmh)/.*|(?:.*/)?(?:node_modules|\.mvn|\.git|\.gradle)/.*"
    r"|(?:tests?|docs?|buildSrc)/.*"
)
# The interfaces of modules that only the JDK has.
_INTERFACES = lazy_pattern(
    r"\bjavax\.tools\b|\bcom\.sun\.(?:tools|source|jdi|javadoc)\b|\bjdk\.(?:jshell|jpackage|jlink|javadoc|jartool|attach"
    r"|compiler|jdi|incubator|jconsole|hotspot\.agent)\b|\bjava\.util\.spi\.ToolProvider\b|\bsun\.(?:jvm|tools|jvmstat)\."
    r"|\btools\.jar\b|\bjmods\b|\bByteBuddyAgent\.install\b|\bBlockHound\b|\bElasticApmAttacher\b"
)
# Libraries that compile Java, or attach to virtual machines, in the program that has them.
_LIBRARIES = lazy_pattern(
    r"\b(?:blockhound|apm-agent-attach|elastic-apm-agent-attach|commons-compiler-jdk|joor(?:-java-\d+)?|camel-j(?:oor|ava-"
    r"joor-dsl)|jte|jte-\w+|querydsl-collections|rewrite-(?:java|core)|google-java-format"
    r"|maven-(?:embedder|invoker)|gradle-tooling-api|InMemoryJavaCompiler|drools-\w+|kie-\w+|vm-attach|jmx-attach"
    r"|attach-api|spring-loaded|arthas-\w+|jshell|rife2)\b|\bnet\.openhft\b(?=[^\n]*\n?[^\n]*\bcompiler\b)"
)
# Places within JAVA_HOME that a JRE of version 9 and later has as well.
_INSIDE = lazy_pattern(
    r"(?:\$\{?JAVA_HOME\}?|/opt/java/openjdk|/usr/local/openjdk-\d+)/([\w./*-]+)|\b(jre/(?:lib|bin)\b[\w./-]*)"
)
_BOTH_HAVE = lazy_pattern(r"bin/?|bin/(?:java|keytool)|lib/security(?:/.*)?|conf(?:/.*)?|lib/?")
_SOURCE_LAUNCH = lazy_pattern(r"[\w./-]+\.java")
_STARTING = lazy_pattern(r"\.exec\(|ProcessBuilder|ProcessHandle|CommandLine\b|\.execute\(\)|scala\.sys\.process")
_QUOTED = lazy_pattern(r"[\"'](?:/usr)?(?:/s?bin/)?([\w.+-]+)(?=[\"'\s])")
# Names that are words of other use in sources: a protocol, a column, a method.
_WORDS = frozenset("ar as compare convert display host identify import jar ld nm size sq split strings strip".split())
_LARGE = 1_000_000


def why_not(dockerfile: Dockerfile, context: Context, change: Change) -> Iterator[str]:
    """Go through the reasons, in the order in which they are best told."""
    full, small, stages = change.full, change.slim, change.stages
    lost = lost_commands((full.image, full.tag), (small.image, small.tag))
    if lost is None:
        yield f"the packages of {full.name} are not known"
        return
    yield from _why_started(dockerfile, context, lost, stages)
    yield from why_named(step for stage in sorted(stages) for step in dockerfile.stages[stage].body)
    yield from why_program(context, frozenset(lost))


def why_program(context: Context, lost: frozenset[str]) -> Iterator[str]:
    """Go through what a project takes from the JDK: its sources, whether the build sees them or not, and manifests.

    `lost` are the programs that the image of the JRE lacks besides the tools of the JDK.
    """
    names = TOOLS.union(lost) - _WORDS
    yield from context.once(("jdk in use", names), lambda context: tuple(_why_program(context, names)))


def _why_program(context: Context, names: frozenset[str]) -> Iterator[str]:
    seen = False
    for path in sorted(context.files):
        name = posixpath.basename(path)
        is_manifest = bool(_MANIFEST.fullmatch(name))
        if _BESIDE.fullmatch(path) or not (is_manifest or _CODE.fullmatch(name)) or context.files[path] > _LARGE:
            continue
        seen = True
        text = (context.read_bytes(path) or b"").decode("utf-8", "replace")
        if is_manifest and (library := _LIBRARIES.search(text)):
            yield f"{path} asks for {library[0]}, which may need the JDK"
        if interface := _INTERFACES.search(text):
            yield f"{path} speaks of {interface[0]}, which only the JDK has"
        if _STARTING.search(text) and (started := names & set(_QUOTED.findall(text))):
            yield f"{path} may start {min(started)}, which the image of the JRE lacks"
    if not seen:
        yield "no sources say what the program takes from the JDK"


def _why_started(
    dockerfile: Dockerfile, context: Context, lost: Mapping[str, frozenset[str]], stages: frozenset[int]
) -> Iterator[str]:
    for need in needs_of(dockerfile, context, stages):
        if isinstance(need, Unknown):
            yield need.reason
        elif need.name in TOOLS or need.name in _BUILDERS:
            yield f"{need.place} starts {need.name}, which needs the JDK"
        elif need.name in lost and not lost[need.name] & _has(dockerfile, need):
            yield f"{need.place} starts {need.name}, which the image of the JRE lacks"


def _has(dockerfile: Dockerfile, need: Need) -> frozenset[str]:
    return installed(dockerfile, need.stage, "", need.index)


def why_named(steps: Iterable[Step]) -> Iterator[str]:
    """Go through the instructions that start sources, or name what a JRE has elsewhere or not at all."""
    for step in steps:
        text = step.instruction.body.text
        if found := _INTERFACES.search(text):
            yield f"line {step.line} speaks of {found[0]}, which only the JDK has"
        for match in _INSIDE.finditer(text):
            place = match[1] or match[2]
            if match[2] or not _BOTH_HAVE.fullmatch(place):
                yield f"line {step.line} names {match[0]}, which the JRE may lack"
        if step.name in {"CMD", "ENTRYPOINT"} and any(map(_SOURCE_LAUNCH.fullmatch, step.instruction.arguments)):
            yield f"the {step.name} of line {step.line} starts a source file, for which the JRE has no compiler"
