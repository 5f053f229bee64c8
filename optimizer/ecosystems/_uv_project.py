"""Projects and workspaces of uv: what `uv sync` reads besides the sources.

Sources: https://docs.astral.sh/uv/concepts/projects/sync/, https://docs.astral.sh/uv/concepts/projects/workspaces/,
https://docs.astral.sh/uv/concepts/projects/dependencies/, https://docs.astral.sh/uv/guides/integration/docker/.
"""

from collections.abc import Iterator, Mapping
from posixpath import dirname, join

from msgspec import Struct

from optimizer.context.manifests import table, toml_file
from optimizer.ecosystems._files import Refused, beside, folder_pattern, missing, nearest, need, upwards, visible
from optimizer.ecosystems._python import local_requirement, normal_name, pyproject, requirement_lists, texts
from optimizer.ecosystems._requirements import ARCHIVES
from optimizer.ecosystems.ecosystem import Project, Refusal
from optimizer.syntax.lazy_pattern import lazy_pattern

_LOCKED_PATH = lazy_pattern(r"source = \{ (directory|path) = \"([^\"]+)\"")
_WANTED = lazy_pattern(r"([\w.-]+)\s*(?:\[[^\]]*\])?\s*\(?([^;)@]*)")


class UvProject(Struct, frozen=True):
    """The pyproject.toml files of a project and of its workspace members, by context folder, the root first."""

    project: Project
    root: str
    contents: Mapping[str, dict[str, object]]

    @property
    def files(self) -> tuple[str, ...]:
        """The paths of the pyproject.toml files."""
        return tuple(join(folder, "pyproject.toml") for folder in self.contents)

    @property
    def is_package(self) -> bool:
        """Whether the root is installed itself: as `tool.uv.package` says, else where there is a build system."""
        content = self.contents[self.root]
        chosen = table(content, "tool", "uv").get("package")
        return bool(chosen) if chosen is not None else "build-system" in content

    @property
    def lock(self) -> str | None:
        """The path of the lock file that the build sees."""
        return next(iter(visible(self.project.context, self.root, "uv.lock")), None)


def read_project(project: Project, start: str) -> UvProject:
    """Read the project that holds a context folder; raise `Refused` where it cannot be told or read."""
    root = nearest(project, start, "pyproject.toml")
    if root is None:
        raise Refused(missing(project.context, join(start, "pyproject.toml")).reason)
    for above in upwards(project, dirname(root)) if root not in {project.source, ""} else ():
        if table(toml_file(project.context, join(above, "pyproject.toml")), "tool", "uv", "workspace"):
            raise Refused(f"the install works in a workspace of {join(above, 'pyproject.toml')}")
    content = _read(project, root)
    folders = (root, *_members(project, root, content))
    return UvProject(project, root, {folder: _read(project, folder) for folder in folders})


def check_static(found: UvProject) -> None:
    """Raise `Refused` where uv builds a package to learn its metadata, to see whether the lock file is up to date."""
    for folder, content in found.contents.items():
        dynamic = table(content, "project").get("dynamic")
        if "project" not in content and ("build-system" in content or "tool" not in content):
            raise Refused(f"{join(folder, 'pyproject.toml')} has no [project], so uv builds it for its metadata")
        if dynamic:
            raise Refused(f"uv builds {join(folder, 'pyproject.toml')} to learn its dynamic metadata")


def local_archives(found: UvProject) -> Iterator[str]:
    """Go through the archives that are installed; raise `Refused` for a folder of the project, which is built."""
    context = found.project.context
    for folder, content in found.contents.items():
        settings = table(content, "tool", "uv")
        lines = [
            *requirement_lists(content),
            *texts(settings, "dev-dependencies", "constraint-dependencies", "override-dependencies"),
        ]
        if refusal := local_requirement(lines):
            raise Refused(refusal.reason)
        for name, path in _sources(settings):
            yield _archive(found, folder, name, path)
    for settings in _all_settings(found):
        _check_indexes(settings)
    lock = context.text(found.lock) if found.lock else None
    for kind, path in _LOCKED_PATH.findall(lock or ""):
        yield _archive(found, found.root, f"{kind} in uv.lock", path)


def settings_files(project: Project, start: str) -> tuple[str, ...]:
    """Return uv.toml and the pinned Python, from the nearest folder that has them."""
    found = []
    for name in ("uv.toml", ".python-version", ".python-versions"):
        folder = nearest(project, start, name)
        found += [join(folder, name)] if folder is not None else []
    return tuple(found)


def is_stale(found: UvProject) -> bool:
    """Tell whether uv may write the lock file anew, as far as the metadata in it differ from the manifests."""
    text = found.project.context.text(found.lock or "") or ""
    wanted = table(found.contents[found.root], "project").get("requires-python")
    if wanted and f'requires-python = "{str(wanted).replace(" ", "")}"' not in text.replace(", ", ","):
        return True
    prefix = f"{found.root}/" if found.root else ""
    return any(
        _differs(text, folder[len(prefix) :] or "." if folder != found.root else ".", content)
        for folder, content in found.contents.items()
    )


def _read(project: Project, folder: str) -> dict[str, object]:
    content = pyproject(project.context, folder)
    if isinstance(content, Refusal):
        raise Refused(content.reason)
    return content


def _members(project: Project, root: str, content: Mapping[str, object]) -> tuple[str, ...]:
    workspace = table(content, "tool", "uv", "workspace")
    wanted = [folder_pattern(p) for p in texts(workspace, "members")]
    unwanted = [folder_pattern(p) for p in texts(workspace, "exclude")]
    prefix = f"{root}/" if root else ""
    names = (
        dirname(p)[len(prefix) :]
        for p in project.context.files
        if p.startswith(prefix) and p.endswith("/pyproject.toml")
    )
    members = [n for n in names if any(p.fullmatch(n) for p in wanted) and not any(p.fullmatch(n) for p in unwanted)]
    return tuple(sorted(need(project.context, join(root, n, "pyproject.toml")).rpartition("/")[0] for n in members))


def _sources(settings: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, source in table(settings, "sources").items():
        for one in source if isinstance(source, list) else (source,):
            path = table(one).get("path")
            if isinstance(path, str):
                yield name, path


def _archive(found: UvProject, folder: str, name: str, path: str) -> str:
    if not path.lower().endswith(ARCHIVES):
        raise Refused(f"the dependency {name} is a folder of the project ({path})")
    return need(found.project.context, beside(folder, path) or path)


def _all_settings(found: UvProject) -> Iterator[dict[str, object]]:
    yield table(found.contents[found.root], "tool", "uv")
    yield table(toml_file(found.project.context, join(found.root, "uv.toml")))


def _check_indexes(settings: Mapping[str, object]) -> None:
    indexes = settings.get("index")
    places = [str(table(i).get("url")) for i in (indexes if isinstance(indexes, list) else ())]
    places += texts(settings, "find-links")
    if local := next((place for place in places if "://" not in place or place.startswith("file:")), None):
        raise Refused(f"the index {local} is a folder")


def _differs(lock: str, path: str, content: Mapping[str, object]) -> bool:
    """Compare a package of the workspace with its entry, the only part of a long file that is read as TOML."""
    import tomllib

    starts = [lock.find(f'source = {{ {kind} = "{path}" }}') for kind in ("editable", "virtual")]
    at = max(starts)
    if at < 0:
        return True
    begin, end = lock.rfind("[[package]]", 0, at), lock.find("\n[[package]]", at)
    try:
        entries = tomllib.loads(lock[begin : end if end > 0 else None])["package"]
    except (ValueError, KeyError):
        return True
    project, entry = table(content, "project"), entries[0]
    if "version" in project and project["version"] != entry.get("version"):
        return True
    extras = table(project, "optional-dependencies")
    wanted = [*texts(project, "dependencies"), *(line for extra in extras for line in texts(extras, extra))]
    return _locked_ranges(entry) != {(normal_name(m[1]), _parts(m[2])) for m in map(_WANTED.match, wanted) if m}


def _locked_ranges(entry: Mapping[str, object]) -> set[tuple[str, frozenset[str]]]:
    listed = table(entry, "metadata").get("requires-dist")
    tables = map(table, listed) if isinstance(listed, list) else ()
    return {(normal_name(str(t.get("name"))), _parts(str(t.get("specifier", "")))) for t in tables}


def _parts(specifier: str) -> frozenset[str]:
    return frozenset(part.strip().replace(" ", "") for part in specifier.split(",") if part.strip())
