"""What the JavaScript ecosystems share: package.json files, workspaces, local dependencies, the folders they fill.

Sources: https://docs.npmjs.com/cli/v10/configuring-npm/package-json, https://docs.npmjs.com/cli/v10/using-npm/workspaces,
https://yarnpkg.com/features/workspaces, https://pnpm.io/pnpm-workspace_yaml.
"""

from collections.abc import Iterable, Iterator, Mapping
from posixpath import dirname, join

from msgspec import Struct

from optimizer.context import Context
from optimizer.context.manifests import json_file, table
from optimizer.ecosystems._files import Refused, beside, folder_pattern, nearest, need, unique, upwards, visible
from optimizer.ecosystems.ecosystem import Project
from optimizer.syntax.lazy_pattern import lazy_pattern

Manifest = Mapping[str, object]

FIELDS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_INSTALLED = ("dependencies", "devDependencies", "optionalDependencies", "resolutions", "overrides")
_PATH = lazy_pattern(r"(?:file|link|portal|exec):|\.{1,2}/|/|~/")
_TARBALL = lazy_pattern(r"(?:file:)?(?!/)([^#]+\.(?:tgz|tar\.gz|tar))$")
_PATCH = lazy_pattern(r"patch:.*#(?P<paths>.+)$")


class Packages(Struct, frozen=True):
    """The package.json files that one install works on: the root's and those of its workspaces, by context folder."""

    context: Context
    root: str
    manifests: Mapping[str, Manifest]  # the root first

    @property
    def files(self) -> tuple[str, ...]:
        """The paths of the package.json files."""
        return tuple(join(folder, "package.json") for folder in self.manifests)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The `node_modules` that an install fills."""
        return tuple(join(folder, "node_modules") for folder in self.manifests)

    def names(self) -> frozenset[str]:
        """Return the names of the packages that are depended on."""
        return frozenset(name for manifest in self.manifests.values() for name, _, _ in _dependencies(manifest))


def read_packages(project: Project, root: str, patterns: Iterable[str] | None = None) -> Packages:
    """Read the package.json of a folder and those of its workspaces.

    `patterns` are the workspaces where another file than the root's package.json lists them.
    """
    context = project.context
    manifest = read_manifest(context, root)
    listed = workspace_patterns(manifest) if patterns is None else tuple(patterns)
    folders = (root, *(f for f in _members(context, root, listed) if f != root))
    return Packages(context, root, {folder: read_manifest(context, folder) for folder in folders})


def read_manifest(context: Context, folder: str) -> Manifest:
    """Return what a package.json holds; raise `Refused` where it cannot be had."""
    path = need(context, join(folder, "package.json"))
    found = json_file(context, path)
    if not isinstance(found, dict):
        raise Refused(f"{path} cannot be read")
    return found


def package_root(project: Project, folder: str) -> str:
    """Return the folder whose package.json and lock file an install takes.

    It is that of the nearest package.json, or the root of the workspaces that it is one of: npm, Yarn and Bun all go
    up to there. Raises `Refused` where there is none, and where the workspace has workspaces of its own.
    """
    context = project.context
    own = nearest_package(project, folder)
    for above in upwards(project, own):
        if above == own or not visible(context, above, "package.json"):
            continue
        if own in _members(context, above, workspace_patterns(read_manifest(context, above))):
            if workspace_patterns(read_manifest(context, own)):
                raise Refused(f"{join(own, 'package.json')} is a workspace and has workspaces of its own")
            return above
    return own


def nearest_package(project: Project, folder: str) -> str:
    """Return the nearest folder with a package.json, the given one first; raise `Refused` where there is none."""
    found = nearest(project, folder, "package.json")
    return dirname(need(project.context, join(folder, "package.json"))) if found is None else found


def files_of_programs(packages: Packages, *, of_root: bool) -> Iterator[str]:
    """Go through the programs (`bin`) of the workspaces, and perhaps of the root, that are there with the sources.

    Links to programs are made only where the program is there when the install runs, and it is made executable then:
    those that a build makes later have none either way, and those among the sources must come with the manifests.
    Raises `Refused` where the later COPY would take back what the install made of such a file.
    """
    context = packages.context
    for folder, manifest in packages.manifests.items():
        if folder == packages.root and not (of_root or string(manifest, "name") in packages.names()):
            continue
        programs = string(manifest, "directories", "bin")
        if programs and context.is_dir(beside(folder, programs) or ""):
            raise Refused(f"the install links the programs in {join(folder, programs)}")
        named = manifest.get("bin")
        for name in named.values() if isinstance(named, dict) else (named,):
            path = beside(folder, name) if isinstance(name, str) else None
            if path is not None and context.is_file(path):
                yield _program(context, path)


def _program(context: Context, path: str) -> str:
    if not context.executable(path):
        raise Refused(f"the install makes the program {path} executable")
    if (context.text(path) or "").partition("\n")[0].endswith("\r"):
        raise Refused(f"the install changes the line endings of the program {path}")
    return path


def workspace_patterns(manifest: Manifest) -> tuple[str, ...]:
    """Return the patterns of `workspaces`, a list or the `packages` of a mapping."""
    found = manifest.get("workspaces")
    if isinstance(found, dict):
        found = found.get("packages")
    return tuple(p for p in found if isinstance(p, str)) if isinstance(found, list) else ()


def local_files(packages: Packages, linked: tuple[str, ...] = (), *, of_root: bool = False) -> tuple[str, ...]:
    """Return the archives and patches that dependencies name, and the programs of the workspaces.

    `of_root` says that the install links those of the root to itself, too. Raises `Refused` for a dependency on a
    folder, but for one on a workspace that is written with a prefix which makes a link (`linked`).
    """
    found: list[str] = []
    for folder, manifest in packages.manifests.items():
        for name, version, field in _dependencies(manifest):
            if not (version.startswith(linked) and _is_member(packages, folder, version)):
                found += _local(packages, folder, name, version, field)
    return unique((*found, *files_of_programs(packages, of_root=of_root)))


def patched_dependencies(packages: Packages, patched: object) -> tuple[str, ...]:
    """Return the patch files of a `patchedDependencies` mapping, whose paths start at the root."""
    paths = patched.values() if isinstance(patched, dict) else ()
    return tuple(_inside(packages, packages.root, path) for path in paths if isinstance(path, str))


def string(manifest: Manifest, *keys: str) -> str:
    """Return a text found by going down `keys`, empty where there is none."""
    value = table(manifest, *keys[:-1]).get(keys[-1])
    return value if isinstance(value, str) else ""


def dependency_ranges(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Go through the names and ranges that an install resolves, without overrides."""
    for field in FIELDS[:3]:
        for name, version in table(manifest, field).items():
            if isinstance(version, str):
                yield name, version


def _dependencies(manifest: Manifest) -> Iterator[tuple[str, str, str]]:
    for field in _INSTALLED:
        yield from ((name, version, field) for name, version in _texts(table(manifest, field)))
    yield from ((name, version, "overrides") for name, version in _texts(table(manifest, "pnpm", "overrides")))


def _texts(mapping: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in mapping.items():
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, dict):
            yield from _texts(value)


def _local(packages: Packages, folder: str, name: str, version: str, field: str) -> list[str]:
    """Return the files of the project that one dependency needs."""
    start = packages.root if field in {"resolutions", "overrides"} else folder
    if patch := _PATCH.match(version):
        names = (part.split("::")[0] for part in patch["paths"].split("&"))
        return [
            _inside(packages, packages.root if part.startswith("~/") else start, part.removeprefix("~/"))
            for part in (p.lstrip("!").removeprefix("optional!") for p in names)
            if not part.startswith(("builtin<", "~builtin<"))
        ]
    if not _PATH.match(version):
        return []
    if archive := _TARBALL.match(version):
        return [_inside(packages, start, archive[1])]
    raise Refused(f"the dependency {name} is a folder of the project ({version})")


def _is_member(packages: Packages, folder: str, version: str) -> bool:
    target = beside(folder, version.partition(":")[2])
    return target != packages.root and target in packages.manifests


def _inside(packages: Packages, folder: str, name: str) -> str:
    path = beside(folder, name)
    if path is None:
        raise Refused(f"{name} is outside of the build context")
    return need(packages.context, path)


def _members(context: Context, root: str, patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the folders of the workspaces that the patterns select, sorted."""
    if not patterns:
        return ()
    wanted = [folder_pattern(p) for p in patterns if not p.startswith("!")]
    unwanted = [folder_pattern(p[1:]) for p in patterns if p.startswith("!")]
    prefix = f"{root}/" if root else ""
    found = []
    for path in context.files:
        if not path.endswith("/package.json") or not path.startswith(prefix) or "node_modules/" in path:
            continue
        name = dirname(path)[len(prefix) :]
        if name and any(p.fullmatch(name) for p in wanted) and not any(p.fullmatch(name) for p in unwanted):
            found.append(dirname(path))
    return tuple(sorted(folder for folder in found if context.is_file(join(folder, "package.json"))))
