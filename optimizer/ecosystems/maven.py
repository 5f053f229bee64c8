"""Maven: the plugins and dependencies of a build, fetched by the build itself with the poms alone.

With no sources the build resolves what it would with them, makes empty jars of the modules for one another, and is
thrown away. `mvn dependency:go-offline` would fetch plugins that no build needs, and fails where modules depend on each
other: they are in no repository. What a test needs to run is fetched by the later build, as no test is there yet.

Sources: https://maven.apache.org/guides/introduction/introduction-to-the-lifecycle.html, …/ref/current/maven-embedder/
cli.html, https://maven.apache.org/configure.html, https://maven.apache.org/wrapper/,
https://docs.spring.io/spring-boot/maven-plugin/packaging.html.
"""

import re
from collections.abc import Mapping
from posixpath import dirname, join, relpath

from msgspec import Struct

from optimizer.ecosystems._arguments import Arguments, Options, parse, removes, variables_of
from optimizer.ecosystems._files import Refused, nearest, need, unique, visible
from optimizer.ecosystems._maven_build import BOOT_PLUGIN, SHADE_PLUGIN, STEERING, check_build, weigh
from optimizer.ecosystems._maven_project import Pom, parse_xml, read_poms
from optimizer.ecosystems.ecosystem import Ahead, Cache, Install, Project, Refusal
from optimizer.shell import Call, Word, resolve
from optimizer.syntax.lazy_pattern import lazy_pattern

OPTIONS = Options.of(
    switches="""-B --batch-mode -C --strict-checksums -c --lax-checksums -e --errors -X --debug -q --quiet -U
        --update-snapshots -nsu --no-snapshot-updates -ntp --no-transfer-progress -o --offline -N --non-recursive -am
        --also-make -amd --also-make-dependents -fae --fail-at-end -ff --fail-fast -fn --fail-never -V --show-version
        -up -npu -npr""",
    values="-D --define -P --activate-profiles -T --threads -f --file -s --settings -pl --projects --color",
)
_EARLY = frozenset(
    """clean validate initialize generate-sources process-sources generate-resources process-resources compile
    process-classes generate-test-sources process-test-sources generate-test-resources process-test-resources
    test-compile process-test-classes test prepare-package package""".split()
)
_LATE = frozenset("pre-integration-test integration-test post-integration-test verify install".split())
_COMPILING = _EARLY - {"clean", "validate", "initialize"}
# Of `weigh`: to go through the build twice costs two to four seconds, which must be little beside what it downloads
# and compiles. The wrapper downloads Maven too.
_LEAST = 12
_MARKS = ("mvn ", "mvnw ", "./mvnw ", "sh mvnw ", "sh ./mvnw ")
_SKIP_BOOT = "-Dspring-boot.repackage.skip"
# What is compiled where it is there, besides all in `src`: some sources alone need not compile.
_SOURCES = (".java", ".kt", ".scala", ".groovy")
_PROPERTY = lazy_pattern(r"""["']?-D["']?([\w.-]+)=""")
_PLAIN = lazy_pattern(r"[\w./-]+", re.ASCII)
_SETTINGS = lazy_pattern(r"<url>\s*file:|basedir|\$\{user\.dir|<offline>\s*true", re.DOTALL)
_HARMLESS_CONFIG = lazy_pattern(
    r"-D\S+|-T\S*|\d+C?|-B|-ntp|--no-transfer-progress|--batch-mode|-e|-U|-q|--threads\S*|-V"
)


class Maven(Struct, frozen=True):
    """`mvn package` and the like, also through the wrapper."""

    id: str = "maven"
    title: str = "Maven"
    programs: frozenset[str] = frozenset({"mvn", "mvnw"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say what the call reads; a build has what it needs fetched ahead."""
        if call.program not in self.programs or not call.arguments or call.directory is None:
            return None
        if not any(word.value in _COMPILING | _LATE for word in call.arguments):
            return None
        try:
            return _build(call, project)
        except Refused as refused:
            return Refusal(str(refused), _MARKS)

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:
        """Name the local repository, which stays: later builds, and programs started by Maven, need it."""
        if call.program not in self.programs or not any(w.value in _COMPILING | _LATE for w in call.arguments):
            return None
        return Cache(
            "Maven's local repository",
            targets=repositories(variables_of(call, env)),
            off="the local repository of Maven is kept, as later builds need it: leave it behind in a build stage",
        )

    def cleans(self, call: Call) -> bool:
        """`rm -r ~/.m2`."""
        return removes(call, "/.m2", "/.m2/repository")


ECOSYSTEM = Maven()


def repositories(variables: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return the folder of the local repository, root's where no home is known."""
    return (join(variables.get("HOME") or "/root", ".m2/repository"),)


def _build(call: Call, project: Project) -> Install | None:
    variables = variables_of(call, project.env)
    arguments = parse(_known_words(call, variables), OPTIONS, variables)
    if isinstance(arguments, Refusal):
        raise Refused(arguments.reason)
    _check(call, arguments, variables)
    pom, start = _places(call, project, arguments)
    if pom is None or start is None:
        return None
    settings, open_profiles = _settings(call, project, arguments)
    poms = read_poms(project, pom, None if open_profiles else _profiles(arguments))
    used = check_build(poms)
    files = unique([*(one.path for one in poms), *_wrapper(call, project), *settings, *_configuration(project, pom)])
    folders = tuple(join(one.folder, "src/") for one in poms)
    there = project.context.under(project.source)
    sources = tuple(path for path in there if path.startswith(folders) or path.endswith(_SOURCES))
    if not sources:
        return Install(files)
    if call.program == "mvn" and weigh(poms) < _LEAST:
        raise Refused("to fetch so few dependencies ahead takes longer than it saves")
    words = [*_prefix(call), *_words(call), *([_SKIP_BOOT] if BOOT_PLUGIN in used else [])]
    commands = (" ".join(words), f"rm -rf {' '.join(_made(poms, start, used))}")
    fills = repositories(variables)
    return Install(files, ahead=Ahead(commands, start, fills, _MARKS, "fetches the dependencies", sources))


def _known_words(call: Call, variables: Mapping[str, str | None]) -> list[Word]:
    """Return the arguments without the properties whose values only the build knows: they are given to both."""
    hidden = {w for w in call.arguments if resolve(w, variables) is None and "$(" not in w.text and "`" not in w.text}
    names = {word: match[1] for word in hidden if (match := _PROPERTY.match(word.text))}
    if odd := next((name for name in names.values() if _is_steering(name)), None):
        raise Refused(f"the property {odd} may ask for the sources")
    return [word for word in call.arguments if word not in names]


def _places(call: Call, project: Project, arguments: Arguments) -> tuple[str | None, str | None]:
    """Return the pom of a build and the folder to run it in: with an absolute path of its pom, any will do."""
    named = arguments.last("-f", "--file")
    pom, start = (project.locate(name, call.directory or "/") for name in (named or "pom.xml", "."))
    if pom is not None and not pom.endswith(".xml"):
        pom = join(pom, "pom.xml")
    is_free = pom is not None and (named or "").startswith("/") and call.program == "mvn"
    return pom, dirname(pom or "") if start is None and is_free and not arguments.has("-s", "--settings") else start


def _check(call: Call, arguments: Arguments, variables: Mapping[str, str | None]) -> None:
    """Raise `Refused` where the build does not fetch what it needs, or not in a way that is known."""
    goals = [goal.value or goal.text for goal in arguments.plain]
    if odd := next((goal for goal in goals if goal not in _EARLY | _LATE), None):
        raise Refused(f"what the goal {odd} reads is not known")
    if arguments.has("-o", "--offline"):
        raise Refused("mvn --offline downloads nothing")
    for value in arguments.all("-D", "--define"):
        if value is None or _is_steering(value):
            raise Refused(f"the property {(value or 'of a variable').partition('=')[0]} may ask for the sources")
    if any(arguments.hidden(name) for name in ("-f", "--file", "-s", "--settings", "-P", "--activate-profiles")):
        raise Refused("an option of mvn is not known before it runs")
    if any(name in variables for name in ("MAVEN_ARGS", "MAVEN_BASEDIR")):
        raise Refused("MAVEN_ARGS or MAVEN_BASEDIR changes what mvn does")
    own = {name for name, _ in call.command.assignments}
    if name := next((name for name in call.variables if name not in own), None):
        raise Refused(f"{name} is set for mvn by another command")
    if call.user is not None or len(call.words) != len(call.command.words):
        raise Refused("mvn runs within another command")


def _is_steering(setting: str) -> bool:
    return STEERING.fullmatch(setting.partition("=")[0]) is not None


def _profiles(arguments: Arguments) -> frozenset[str]:
    values = arguments.all("-P", "--activate-profiles")
    return frozenset(name.strip("+?! -") for value in values if value for name in value.split(","))


def _settings(call: Call, project: Project, arguments: Arguments) -> tuple[tuple[str, ...], bool]:
    """Return the settings file that the project holds, and whether profiles may be active that nobody named."""
    name = arguments.last("-s", "--settings")
    path = project.locate(name, call.directory or "/") if name else None
    if path is None:
        return (), name is not None
    text = project.context.text(need(project.context, path)) or ""
    parse_xml(path, text)
    if _SETTINGS.search(text):
        raise Refused(f"{path} may name files of the project")
    return (path,), True


def _configuration(project: Project, pom: str) -> tuple[str, ...]:
    """Return the files of `.mvn` that Maven reads at its start."""
    context = project.context
    top = nearest(project, pom.rpartition("/")[0], ".mvn")
    if top is None:
        return ()
    if found := visible(context, join(top, ".mvn"), "extensions.xml"):
        raise Refused(f"what the extensions in {found[0]} read is not known")
    config, jvm = (visible(context, join(top, ".mvn"), name) for name in ("maven.config", "jvm.config"))
    for word in (word for path in config for word in (context.text(path) or "").split()):
        if not _HARMLESS_CONFIG.fullmatch(word) or _is_steering(word.removeprefix("-D")):
            raise Refused(f"{config[0]} has the option {word}")
    if any(re.search(r"-javaagent|-agent|@|[cC]lasspath|-cp\b", context.text(path) or "") for path in jvm):
        raise Refused(f"{jvm[0]} may name files of the project")
    return (*config, *jvm)


def _wrapper(call: Call, project: Project) -> tuple[str, ...]:
    """Return the files of the wrapper, if the build is started through it."""
    if call.program != "mvnw":
        return ()
    script = project.locate(call.words[0].value or "", call.directory or "/")
    if script is None or "/" not in call.words[0].text:
        raise Refused("where mvnw lies is not known")
    context = project.context
    if not context.is_file(script):
        raise Refused("mvnw is not among the copied files")
    text = context.text(script) or ""
    if not re.match(r"#!\s*/bin/sh\s*\n", text):
        raise Refused(f"{script} is no script for /bin/sh")
    top = nearest(project, script.rpartition("/")[0], ".mvn/wrapper")
    folder = join(top or "", ".mvn/wrapper")
    properties = need(context, join(folder, "maven-wrapper.properties"))
    if re.search(r"distributionUrl\s*=\s*(?:file|\.|/)", context.text(properties) or ""):
        raise Refused(f"{properties} takes Maven from a file")
    return (script, properties, *visible(context, folder, "maven-wrapper.jar", "MavenWrapperDownloader.java"))


def _words(call: Call) -> list[str]:
    """Return the words of the early build: no phase behind `package`, the wrapper whether it is executable or not."""
    first, *others = call.words
    program = ["sh", first.text] if call.program == "mvnw" else [first.text]
    return [*program, *("package" if word.value in _LATE else word.text for word in others)]


def _made(poms: tuple[Pom, ...], start: str, used: frozenset[str]) -> list[str]:
    """Return what the early build makes: the folder of each module, and the poms that the shade plugin writes."""
    names = ("target", "dependency-reduced-pom.xml") if SHADE_PLUGIN in used else ("target",)
    paths = [relpath(join(pom.folder, name), start or ".") for pom in poms for name in names]
    if odd := next((path for path in paths if not _PLAIN.fullmatch(path)), None):
        raise Refused(f"the name {odd} would need quoting")
    return list(unique(paths))


def _prefix(call: Call) -> list[str]:
    return [f"{name}={word.text}" for name, word in call.command.assignments]
