"""The poms that one Maven build loads: those of the modules, and of the parents that the project holds.

Sources: https://maven.apache.org/ref/current/maven-model/maven.html, https://maven.apache.org/guides/mini/
guide-multiple-modules.html, …/introduction-to-profiles.html and https://maven.apache.org/configure.html.
"""

from collections.abc import Iterator
from functools import lru_cache
from posixpath import basename, dirname, join
from xml.etree.ElementTree import Element

from msgspec import Struct

from optimizer.ecosystems._files import Refused, beside, need
from optimizer.ecosystems.ecosystem import Project

_MOST_POMS = 200


class Pom(Struct, frozen=True):
    """A pom: its context path, its root element, and the parts of it that a build may take in."""

    path: str
    root: Element
    parts: tuple[Element, ...]  # the project itself and the profiles that may be active

    @property
    def folder(self) -> str:
        """The context folder of the module."""
        return dirname(self.path)

    @property
    def packaging(self) -> str:
        """What the module makes."""
        return text_of(self.root, "packaging") or "jar"

    @property
    def name(self) -> str:
        """The artifactId."""
        return text_of(self.root, "artifactId")

    def inner(self, path: str) -> Iterator[Element]:
        """Go through the elements at a path (`build/plugins/plugin`) of all parts."""
        for part in self.parts:
            yield from part.iterfind(path)


def read_poms(project: Project, start: str, profiles: frozenset[str] | None) -> tuple[Pom, ...]:
    """Return the poms that a build of the pom `start` loads, that one first.

    `profiles` are those that are asked for, None where any may be active. Raises `Refused` where a pom is not seen.
    """
    todo, found = [start], dict[str, Pom]()
    while todo:
        path = todo.pop(0)
        if path in found:
            continue
        if len(found) == _MOST_POMS:
            raise Refused(f"the project has more than {_MOST_POMS} modules")
        pom = _read(project, path, profiles)
        found[path] = pom
        todo += [*_modules(project, pom), *_parent(project, pom)]
    return tuple(found.values())


def text_of(element: Element, path: str) -> str:
    """Return the text at a path below an element, "" where there is none."""
    return (element.findtext(path) or "").strip()


def external_parents(poms: tuple[Pom, ...]) -> Iterator[tuple[str, str, str]]:
    """Go through the parents that come from a repository: group, name and version."""
    own = {pom.name for pom in poms}
    for pom in poms:
        parent = pom.root.find("parent")
        if parent is not None and text_of(parent, "artifactId") not in own:
            yield text_of(parent, "groupId"), text_of(parent, "artifactId"), text_of(parent, "version")


def parse_xml(path: str, text: str | None) -> Element:
    """Return the root of an XML file, its names without namespaces; raise `Refused` where it cannot be read."""
    root = _parse(text or "")
    if root is None:
        raise Refused(f"{path} is not understood")
    return root


@lru_cache(maxsize=64)
def _parse(text: str) -> Element | None:
    from xml.etree.ElementTree import ParseError, XMLParser

    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None
    parser = XMLParser()  # noqa: S314 - a text with entities is not read
    try:
        parser.feed(text.strip())
        root: Element = parser.close()
    except (ParseError, ValueError):
        return None
    for element in root.iter():
        if isinstance(element.tag, str):
            element.tag = element.tag.rpartition("}")[2]
    return root


def _read(project: Project, path: str, profiles: frozenset[str] | None) -> Pom:
    root = parse_xml(path, project.context.text(need(project.context, path)))
    if root.find("subprojects") is not None or root.tag != "project":
        raise Refused(f"{path} is not understood")
    active = [p for p in root.iterfind("profiles/profile") if _may_be_active(p, profiles)]
    if any(p.find("activation/file") is not None for p in active):
        raise Refused(f"a profile of {path} hangs on a file")
    return Pom(path, root, (root, *active))


def _may_be_active(profile: Element, profiles: frozenset[str] | None) -> bool:
    return profiles is None or profile.find("activation") is not None or text_of(profile, "id") in profiles


def _modules(project: Project, pom: Pom) -> Iterator[str]:
    for element in pom.inner("modules/module"):
        name = (element.text or "").strip()
        path = beside(pom.folder, name)
        if path is None or "$" in name or not _is_inside(project, path):
            raise Refused(f"the module {name} lies outside of the copied files")
        yield path if path.endswith(".xml") else join(path, "pom.xml")


def _parent(project: Project, pom: Pom) -> Iterator[str]:
    """Give the path of the parent's pom, if the project holds it."""
    parent = pom.root.find("parent")
    if parent is None:
        return
    relative = parent.find("relativePath")
    name = "../pom.xml" if relative is None else (relative.text or "").strip()
    path = beside(pom.folder, name) if name else None
    if path is None or not _is_inside(project, path):
        return
    if not basename(path).endswith(".xml"):
        path = join(path, "pom.xml")
    context = project.context
    if path in context.files and text_of(parse_xml(path, context.text(need(context, path))), "artifactId") == text_of(
        parent, "artifactId"
    ):
        yield path


def _is_inside(project: Project, path: str) -> bool:
    return not project.source or path == project.source or path.startswith(f"{project.source}/")
