"""What a build of Maven or Gradle puts where, and which of it a command starts."""

import posixpath
import re
import shlex
from collections.abc import Iterable, Iterator
from itertools import pairwise
from xml.etree.ElementTree import Element

from msgspec.structs import replace

from optimizer.ecosystems._files import Refused
from optimizer.ecosystems._maven_project import parse_xml, text_of
from optimizer.shell import SHELLS, Call
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._scripts import command_texts
from optimizer.transforms.stages.nodes import Build

MAVEN = frozenset({"mvn", "mvnw"})
GRADLE = frozenset({"gradle", "gradlew"})
_OUTPUT = lazy_pattern(r"(?:^|/)(target|build)(?=/|$)")
_SPLIT = lazy_pattern(r"[\s\"'=,;:()]+")
_SPACE = lazy_pattern(r"[\s\"']+")
_LOADS = frozenset({"-jar", "-cp", "-classpath", "--class-path", "--module-path"})
_WILD = lazy_pattern(r"[*?$\[{]")
_BESIDE = lazy_pattern(r"addClasspath|classpathPrefix|copy-dependencies|<Class-Path>|quarkus|nativelib|unpack")
_VARIABLE = lazy_pattern(r"\$\{?(\w+)\}?")
_PROPERTY = lazy_pattern(r"\$\{([\w.-]+)\}")
_TASKS = {
    "install": lazy_pattern(r"(?:.*:)?install(?:\w*Dist|\w*App)"),
    "libs": lazy_pattern(r"(?:.*:)?(?:build|assemble|(?:boot|shadow|fat|uber)?[jJ]ar|buildFatJar|bootWar|war)"),
}
_DEEPEST = 4


def unwrapped(call: Call) -> Call:
    """Return the call of a wrapper (`mvnw`, `gradlew`) that a shell is told to run, any other one as it is."""
    if call.program not in SHELLS:
        return call
    at = next((at for at, word in enumerate(call.words[1:], 1) if not word.text.startswith("-")), 0)
    name = posixpath.basename(call.words[at].text)
    return replace(call, program=name, words=call.words[at:]) if name in {"mvnw", "gradlew"} else call


def start_texts(build: Build) -> Iterator[str]:
    """Go through what CMD and ENTRYPOINT say, the scripts that they start, and what the variables hold."""
    subject = build.subject
    for step in build.stage.body:
        if step.name in {"CMD", "ENTRYPOINT"}:
            listed = step.instruction.json
            yield step.instruction.value.text if listed is None else shlex.join(listed)
            yield from (text for _, text in command_texts(subject.dockerfile, subject.context, step))
    yield from (step.instruction.value.text for step in build.stage.body if step.name == "ENV")


def outputs(build: Build, texts: Iterable[str]) -> tuple[str, ...] | str:
    """Return what of the folders of a build is started: a jar, or a folder; a clause where that is not known."""
    found: dict[str, None] = {}
    for text in texts:
        words = _SPLIT.split(_VARIABLE.sub(lambda match: build.env.get(match[1]) or match[0], text))
        if any(before == "-jar" and word.startswith("$") for before, word in pairwise(words)):
            return "which jar is started is a matter of a variable"
        for word in words:
            path = posixpath.normpath(posixpath.join(build.workdir, word)) if word else ""
            if _OUTPUT.search(word) and "://" not in word and _is_of_build(path, build):
                output = _output(path, build)
                if output is None:
                    return f"whether the build makes {word} is not known"
                found[output] = None
    return tuple(found)


def read_by_java(build: Build, texts: Iterable[str]) -> Iterator[str]:
    """Go through the jars and folders that the virtual machine is told to load; the working directory without any."""
    found = False
    for text in texts:
        words = _SPACE.split(_VARIABLE.sub(lambda match: build.env.get(match[1]) or match[0], text))
        for before, word in pairwise(words):
            found = found or before in _LOADS
            yield from (part for part in word.split(":") if part) if before in _LOADS else ()
    if not found:
        yield from (part for part in (build.env.get("CLASSPATH") or ".").split(":") if part)


def _is_of_build(path: str, build: Build) -> bool:
    """Tell whether a path lies below a folder that Maven or Gradle work in."""
    return any(path.startswith(f"{folder.rstrip('/')}/") for folder in _folders(build))


def _folders(build: Build) -> Iterator[str]:
    for call in _builds(build):
        if call.directory:
            yield call.directory


def _builds(build: Build) -> Iterator[Call]:
    calls = (unwrapped(call) for work in build.works for call, _ in work.effects if call is not None)
    return (call for call in calls if call.program in MAVEN | GRADLE)


def _output(path: str, build: Build) -> str | None:
    """Return a started file, or the folder that it needs to be whole, each certain to be there."""
    place = next(iter(_OUTPUT.finditer(path)))
    module, kind = path[: place.start()] or "/", place[1]
    folder = path[: place.end()]
    inner = path[place.end() + 1 :].split("/")
    if kind == "target":
        if len(inner) == 1 and path == _jar(module, build) and not _is_beside(build):
            return path
        wild = next((at for at, name in enumerate(inner) if _WILD.search(name)), len(inner) - 1)
        return posixpath.join(folder, *inner[:wild]).rstrip("/") + "/"
    tasks = {word.value or "" for call in _builds(build) if call.certain for word in call.arguments}
    if inner[0] not in _TASKS or not any(_TASKS[inner[0]].fullmatch(task) for task in tasks):
        return None
    if inner[0] == "install" and len(inner) > 1 and not _WILD.search(inner[1]):
        return f"{folder}/install/{inner[1]}/"
    return f"{folder}/{inner[0]}/"


def _is_beside(build: Build) -> bool:
    """Tell whether a jar of the project may need files that lie beside it."""
    poms = (source for path, source in build.copied.items() if path.endswith("pom.xml"))
    return any(_BESIDE.search(build.subject.context.text(source) or "") for source in poms)


def _jar(module: str, build: Build) -> str | None:
    """Return the path of the jar that Maven makes of a module, None where its name is not known."""
    root = _pom(posixpath.join(module, "pom.xml"), build)
    if root is None or text_of(root, "packaging") not in {"", "jar"}:
        return None
    name = text_of(root, "build/finalName") or "${project.artifactId}-${project.version}"
    filled = _filled(name, root)
    return None if filled is None else posixpath.join(module, "target", f"{filled}.jar")


def _pom(path: str, build: Build) -> Element | None:
    source = build.copied.get(path)
    try:
        return parse_xml(path, build.subject.context.text(source)) if source else None
    except Refused:
        return None


def _filled(text: str, root: Element) -> str | None:
    for _ in range(_DEEPEST):
        found = _PROPERTY.search(text)
        if found is None:
            return text
        name = found[1].removeprefix("project.").removeprefix("pom.")
        known = {
            "artifactId": text_of(root, "artifactId"),
            "version": text_of(root, "version") or text_of(root, "parent/version"),
            "name": text_of(root, "name"),
        }
        value = known.get(name) or text_of(root, f"properties/{found[1]}")
        if not value:
            return None
        text = re.sub(re.escape(found[0]), value.replace("\\", ""), text)
    return None
