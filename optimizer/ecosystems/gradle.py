"""Gradle: the plugins and dependencies of a build, resolved by its own configurations ahead of the sources.

`gradle dependencies` prints what it would take and downloads no jar; a build without sources compiles nothing and so
takes nothing for that either. A task of an init script asks each module for the classpaths that the build's own tasks
will ask for, which downloads them, and Gradle itself where the wrapper does, and compiles the scripts once. Where the
build names a module (`:web:installDist`), what another one takes for its own compilation alone is left to the build.

Sources: https://docs.gradle.org/current/userguide/command_line_interface.html, …/init_scripts.html,
…/dependency_caching.html, …/gradle_wrapper.html, …/java_plugin.html#sec:java_plugin_and_dependency_management,
https://docs.spring.io/spring-boot/gradle-plugin/packaging.html and https://gradleup.com/shadow/.
Tried with Gradle 4.4 and read for later releases, which no registry in reach has.
"""

import re
from collections.abc import Iterator, Mapping
from posixpath import join

from msgspec import Struct

from optimizer.ecosystems._arguments import Arguments, Options, folder_of, parse, removes, variables_of
from optimizer.ecosystems._files import Refused, need
from optimizer.ecosystems._gradle_project import Build, read_build
from optimizer.ecosystems.ecosystem import Ahead, Cache, Install, Project, Refusal
from optimizer.shell import Call, Word, resolve
from optimizer.syntax.lazy_pattern import lazy_pattern

OPTIONS = Options.of(
    switches="""--build-cache --no-build-cache --configuration-cache --no-configuration-cache --configure-on-demand
        --no-configure-on-demand --continue --no-continue --daemon --no-daemon --debug -d --full-stacktrace -S --info -i
        --no-watch-fs --watch-fs --offline --parallel --no-parallel --profile --quiet -q --refresh-dependencies
        --rerun-tasks --scan --no-scan --stacktrace -s --warn -w -m --dry-run --no-search-upward -u""",
    values="""-x --exclude-task -P --project-prop -D --system-prop -p --project-dir --console --max-workers
        --warning-mode --priority -g --gradle-user-home -b --build-file -c --settings-file -I --init-script""",
)
_COMPILING = frozenset("classes compileJava compileKotlin jar".split())
_PACKING = frozenset(
    """assemble assembleDist bootJar bootWar bootDistTar bootDistZip buildFatJar distTar distZip fatJar install
    installBootDist installDist installShadowDist shadowDistTar shadowDistZip shadowJar war""".split()
)
_TESTING = frozenset("build check test".split())
_BUILDING = _COMPILING | _PACKING | _TESTING
_MARKS = ("gradle ", "gradlew ", "./gradlew ", "sh gradlew ", "sh ./gradlew ", "bash ./gradlew ", "bash gradlew ")
_TASK = "fetchDependencies"
_SCRIPT = "/tmp/fetch.gradle"  # noqa: S108 - a path in the image, where nobody else is
_UNFIT = (
    "-I",
    "--init-script",
    "-b",
    "--build-file",
    "-c",
    "--settings-file",
    "-m",
    "--dry-run",
    "-u",
    "--no-search-upward",
)
_DROPPED = frozenset("--scan --no-scan --configuration-cache --no-configuration-cache --profile --rerun-tasks".split())
_PROPERTY = lazy_pattern(r"""["']?-[PD]["']?([\w.-]+)=""")
_STEERING = lazy_pattern(r"org\.gradle\.(?:unsafe|project)\S*|gradle\.user\.home|user\.dir|java\.io\.tmpdir")
_PLAIN = lazy_pattern(r"[\w:.-]+", re.ASCII)
_SHELL = lazy_pattern(r"#!\s*(?:/usr/bin/env\s+(ba)?sh|/bin/(ba)?sh)[ \t]*\n")
_LOCAL = lazy_pattern(r"distributionUrl\s*+=\s*+(?!https?\\?://)")
_COORDINATE = lazy_pattern(r"""["'][\w.-]+:[\w.-]+(?::[^"'\s]+)?["']|\blibs\.(?!plugins\b|versions\b)[\w.]+""")
_SOURCES = (".java", ".kt", ".groovy", ".scala")
# Of `_weigh`: to start Gradle once more takes four seconds and up, which must be little beside what it downloads and
# compiles. The wrapper downloads Gradle itself, which always pays.
_LEAST = 24


class Gradle(Struct, frozen=True):
    """`gradle build` and the like, also through the wrapper."""

    id: str = "gradle"
    title: str = "Gradle"
    programs: frozenset[str] = frozenset({"gradle", "gradlew"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say what the call reads; a build has what it needs fetched ahead."""
        if call.program not in self.programs or call.directory is None or not _builds(call):
            return None
        try:
            return _build(call, project)
        except Refused as refused:
            return Refusal(str(refused), _MARKS)

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:
        """Name Gradle's own folder, which stays: later builds, and programs started by Gradle, need it."""
        if call.program not in self.programs or not _builds(call):
            return None
        return Cache(
            "Gradle's own folder",
            targets=homes(variables_of(call, env)),
            off="the downloads of Gradle are kept, as later builds need them: leave them behind in a build stage",
        )

    def cleans(self, call: Call) -> bool:
        """`rm -r ~/.gradle`."""
        return removes(call, "/.gradle", "/.gradle/caches")


ECOSYSTEM = Gradle()


def homes(variables: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return the folder where Gradle keeps what it downloads, root's where no home is known."""
    return (variables.get("GRADLE_USER_HOME") or join(variables.get("HOME") or "/root", ".gradle"),)


def _builds(call: Call) -> bool:
    return any((word.value or "").rpartition(":")[2] in _BUILDING for word in call.arguments)


def _build(call: Call, project: Project) -> Install | None:
    variables = variables_of(call, project.env)
    arguments = parse(_known_words(call, variables), OPTIONS, variables)
    if isinstance(arguments, Refusal):
        raise Refused(arguments.reason)
    _check(call, arguments)
    start = project.locate(".", call.directory or "/")
    if start is None:
        return None
    wrapper, program = _wrapper(call, project)
    build = read_build(project, folder_of(call, project, arguments, "-p", "--project-dir"))
    files = (*wrapper, *(file for file in build.files if wrapper or not _is_wrapper_alone(project, file)))
    sources, others = _rest(project, files)
    if not sources:
        if others:
            raise Refused("where the sources lie is not known")
        return None  # a build that is to fetch what the next one needs
    if not wrapper and _weigh(build) < _LEAST:
        raise Refused("to fetch so few dependencies ahead takes longer than it saves")
    commands = (_init_script(arguments, build), _command(call, program, arguments, build), f"rm {_SCRIPT}")
    fills = _fills(arguments, variables, call)
    return Install(files, ahead=Ahead(commands, start, fills, _MARKS, "fetches the dependencies", sources))


def _rest(project: Project, files: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    """Return the sources of the program, and whether the project holds anything besides what a build is loaded from."""
    wholes = tuple(f"{file}/" for file in files)
    others = [path for path in project.context.under(project.source) if path not in files]
    others = [path for path in others if not path.startswith(wholes)]
    return tuple(path for path in others if "/src/" in f"/{path}" or path.endswith(_SOURCES)), bool(others)


def _known_words(call: Call, variables: Mapping[str, str | None]) -> list[Word]:
    """Return the arguments without the properties whose values only the build knows: they are given to both."""
    hidden = {w for w in call.arguments if resolve(w, variables) is None and "$(" not in w.text and "`" not in w.text}
    names = {word for word in hidden if (match := _PROPERTY.match(word.text)) and not _STEERING.fullmatch(match[1])}
    return [word for word in call.arguments if word not in names]


def _check(call: Call, arguments: Arguments) -> None:
    """Raise `Refused` where the build does not fetch what it needs, or not in a way that is known."""
    tasks = [task.value or task.text for task in arguments.plain]
    if odd := next((t for t in tasks if not _PLAIN.fullmatch(t) or not _is_known(t)), None):
        raise Refused(f"what the task {odd} needs is not known")
    if arguments.has("--offline"):
        raise Refused("gradle --offline downloads nothing")
    if arguments.has("--refresh-dependencies"):
        raise Refused("gradle --refresh-dependencies downloads again what is there")
    if odd := next((name for name in _UNFIT if arguments.has(name) or arguments.hidden(name)), None):
        raise Refused(f"what the option {odd} leads to is not known")
    for value in arguments.all("-D", "--system-prop", "-P", "--project-prop"):
        if value is None or _STEERING.fullmatch(value.partition("=")[0]):
            raise Refused(f"the property {(value or 'of a variable').partition('=')[0]} may lead to other files")
    own = {name for name, _ in call.command.assignments}
    if name := next((name for name in call.variables if name not in own and name != "GRADLE_USER_HOME"), None):
        raise Refused(f"{name} is set for gradle by another command")
    if call.user is not None or len(call.words) != len(call.command.words):
        raise Refused("gradle runs within another command")


def _is_known(task: str) -> bool:
    return task.rpartition(":")[2] in _BUILDING | {"clean"}


def _wrapper(call: Call, project: Project) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the files of the wrapper beside `gradle/`, and the words that start Gradle."""
    first = call.words[0]
    if call.program != "gradlew":
        return (), (first.text,)
    script = project.locate(first.value or "", call.directory or "/")
    if script is None or "/" not in first.text:
        raise Refused("where gradlew lies is not known")
    context = project.context
    shell = _SHELL.match(context.text(need(context, script)) or "")
    if shell is None:
        raise Refused(f"{script} is no script for sh or bash")
    folder = join(script.rpartition("/")[0], "gradle/wrapper")
    need(context, join(folder, "gradle-wrapper.jar"))
    properties = need(context, join(folder, "gradle-wrapper.properties"))
    if _LOCAL.search(context.text(properties) or ""):
        raise Refused(f"{properties} takes Gradle from a file")
    return (script,), ("bash" if shell[1] or shell[2] else "sh", first.text)


def _is_wrapper_alone(project: Project, path: str) -> bool:
    """Tell whether a folder holds a wrapper that the build does not use, and nothing else."""
    files = list(project.context.under(path))
    return bool(files) and all(file.startswith(f"{path}/wrapper/") for file in files)


def _weigh(build: Build) -> int:
    """Return about how much a build downloads, in libraries: a starter or one of the large plugins brings several."""
    names = {found for text in build.code.values() for found in _COORDINATE.findall(text)}
    plugins = sum(_OF_A_PLUGIN for plugin in build.plugins if plugin.startswith(_LARGE))
    return plugins + sum(_OF_A_STARTER if "starter" in name else 1 for name in names)


_LARGE = (
    "org.springframework.boot",
    "org.jetbrains.kotlin.jvm",
    "kotlin",
    "io.ktor",
)  # a Kotlin build has its compiler among its plugins
_OF_A_STARTER, _OF_A_PLUGIN = 5, 6


def _init_script(arguments: Arguments, build: Build) -> str:
    """Return the command that writes the task: it resolves what the tasks of the build resolve, where that exists."""
    paths = ", ".join(f'"{name}"' for name in _classpaths(arguments, build))
    inner = f"[{paths}].each {{ configurations.findByName(it)?.files }}"
    return f"""echo 'allprojects {{ task("{_TASK}") {{ doLast {{ {inner} }} }} }}' > {_SCRIPT}"""


def _classpaths(arguments: Arguments, build: Build) -> Iterator[str]:
    tasks = {(task.value or "").rpartition(":")[2] for task in arguments.plain}
    left_out = {(name or "").rpartition(":")[2] for name in arguments.all("-x", "--exclude-task")}
    tests = tasks & _TESTING - left_out and not {"test", "check"} & left_out
    kotlin = any(plugin.startswith(("org.jetbrains.kotlin", "kotlin")) for plugin in build.plugins - {"kotlin-dsl"})
    if any("annotationProcessor" in text or "lombok" in text for text in build.code.values()):
        yield "annotationProcessor"
    yield "compileClasspath"
    if kotlin:
        yield from ("kotlinCompilerClasspath", "kotlinCompilerPluginClasspathMain")
    if tasks - _COMPILING - {"clean"}:
        yield "runtimeClasspath"
    if tests:
        yield from ("testCompileClasspath", "testRuntimeClasspath")


def _command(call: Call, program: tuple[str, ...], arguments: Arguments, build: Build) -> str:
    """Return the call with the task in the place of its own, and without what is told of those."""
    tasks = {argument.word for argument in arguments.plain}
    words = [f"{name}={word.text}" for name, word in call.command.assignments]
    words += [*program, "-I", _SCRIPT, *(["--no-configuration-cache"] if _is_cached(arguments, build) else [])]
    rest = iter(call.arguments)
    for word in rest:
        if word.text in {"-x", "--exclude-task"}:
            next(rest, None)
        elif word not in tasks and word.text not in _DROPPED and not word.text.startswith(("-x", "--exclude-task=")):
            words.append(word.text)
    places = dict.fromkeys((task.value or "").rpartition(":")[0] for task in arguments.plain if task.value != "clean")
    return " ".join([*words, *(f"{place}:{_TASK}" if place else _TASK for place in places)])


def _is_cached(arguments: Arguments, build: Build) -> bool:
    return build.is_cached or arguments.has("--configuration-cache")


def _fills(arguments: Arguments, variables: Mapping[str, str | None], call: Call) -> tuple[str, ...]:
    """Return the folder that Gradle fills."""
    if arguments.hidden("-g", "--gradle-user-home"):
        raise Refused("where gradle keeps its downloads is not known")
    named = arguments.last("-g", "--gradle-user-home")
    return (join(call.directory or "/", named),) if named else homes(variables)
