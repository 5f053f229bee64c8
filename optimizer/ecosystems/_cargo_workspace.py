"""The packages that one cargo command loads, and a stand-in for each of their targets.

Sources: https://doc.rust-lang.org/cargo/reference/workspaces.html, …/cargo-targets.html#target-auto-discovery,
…/specifying-dependencies.html#specifying-path-dependencies, …/overriding-dependencies.html, …/build-scripts.html.
"""

from collections.abc import Iterator, Mapping
from posixpath import dirname, join

from msgspec import Struct

from optimizer.context import Context
from optimizer.context.manifests import table, toml_file
from optimizer.ecosystems._files import Refused, beside, folder_pattern, missing, nearest, need, upwards, visible
from optimizer.ecosystems.ecosystem import Project
from optimizer.syntax.lazy_pattern import lazy_pattern

_MANIFEST = "Cargo.toml"
_TABLES = ("dependencies", "dev-dependencies", "dev_dependencies", "build-dependencies", "build_dependencies")
_OTHERS = (("example", "examples"), ("test", "tests"), ("bench", "benches"))
# Lints that an empty program would not pass.
_STRICT = lazy_pattern(r"missing_|unused|warnings|dead_code")
_STEERING = lazy_pattern(r"-D|-T|deny|forbid")
_HARMLESS = frozenset("alias build cache cargo-new doc env future-incompat-report http net profile registries registry "
                      "target term".split())  # fmt: skip


class Workspace(Struct, frozen=True):
    """What has to be there for a build of the third-party crates: manifests, and stand-ins for the targets."""

    root: str
    manifests: tuple[str, ...]
    programs: tuple[str, ...]  # files that hold a `main`
    libraries: tuple[str, ...]
    names: tuple[str, ...]  # of the packages of the project, as Cargo.lock has them
    crates: bool  # whether anything of a registry or repository is needed


def read_workspace(project: Project, start: str, wanted: tuple[str, ...] = ()) -> Workspace:
    """Read the workspace of a context folder, `wanted` being the programs that are built by name.

    Raises `Refused` where more than the manifests is read, or something is not seen.
    """
    context = project.context
    package = nearest(project, start, _MANIFEST)
    if package is None:
        raise Refused("the project has no Cargo.toml")
    root = _root(project, package)
    packages = _packages(project, root, package)
    lock = need(context, join(root, "Cargo.lock"))
    names, crates = _locked(context, lock, packages)
    programs: list[str] = []
    libraries: list[str] = []
    for folder, manifest in packages.items():
        if manifest.get("package"):
            _add_targets(context, folder, manifest, wanted, programs, libraries)
    files = tuple(join(folder, _MANIFEST) for folder in packages)
    return Workspace(root, (files[0], lock, *files[1:]), _once(programs), _once(libraries), names, crates)


def settings_files(project: Project, start: str) -> tuple[str, ...]:
    """Return the files that choose the toolchain and set cargo up; raise `Refused` where they lead further."""
    found = []
    for folder in upwards(project, start):
        for path in visible(project.context, folder, ".cargo/config.toml", ".cargo/config"):
            _check_config(project.context, path)
            found.append(path)
    pinned = nearest(project, start, "rust-toolchain", "rust-toolchain.toml")
    if pinned is not None:
        found += visible(project.context, pinned, "rust-toolchain", "rust-toolchain.toml")
    return tuple(found)


def _check_config(context: Context, path: str) -> None:
    config = toml_file(context, path)
    if not isinstance(config, dict):
        raise Refused(f"{path} is not understood")
    if odd := next((key for key in config if key not in _HARMLESS), None):
        raise Refused(f"the setting {odd} of {path} may name files of the project")
    if {"target", "target-dir"} & table(config, "build").keys():
        raise Refused(f"{path} sets the target of the build")
    for value in _strings(config):
        if _STEERING.search(value) or any(map(_is_inside, value.partition("://")[0].split("="))):
            raise Refused(f"{path} may name files of the project, or refuse empty programs")


def _is_inside(text: str) -> bool:
    """Tell whether a piece of a setting may be a path of the project."""
    return "/" in text and not text.startswith(("/usr/", "/bin/", "/lib", "/opt/"))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _strings(inner)


def _root(project: Project, package: str) -> str:
    """Return the folder of the workspace, that of the package itself where there is none."""
    for folder in upwards(project, package):
        manifest = toml_file(project.context, join(folder, _MANIFEST))
        if "workspace" in table(manifest, "package"):
            raise Refused(f"{join(folder, _MANIFEST)} names its workspace")
        if isinstance(manifest, dict) and "workspace" in manifest:
            return folder
    return package


def _packages(project: Project, root: str, package: str) -> dict[str, Mapping[str, object]]:
    """Return the manifests of all packages of the project, by folder, the workspace's first."""
    context = project.context
    todo = [root, *_members(context, root), package]
    found: dict[str, Mapping[str, object]] = {}
    while todo:
        folder = todo.pop(0)
        if folder in found:
            continue
        manifest = toml_file(context, need(context, join(folder, _MANIFEST)))
        if not isinstance(manifest, dict):
            raise Refused(f"{join(folder, _MANIFEST)} is not understood")
        _check_lints(folder, manifest)
        found[folder] = manifest
        for path in _paths(manifest):
            inside = None if path.startswith("/") else beside(folder, path)
            if inside is None:
                raise Refused(f"the dependency in {path} lies outside of the build context")
            todo.append(inside)
    return found


def _members(context: Context, root: str) -> list[str]:
    workspace = table(toml_file(context, join(root, _MANIFEST)), "workspace")
    globs, excluded = workspace.get("members"), workspace.get("exclude")
    patterns = [folder_pattern(g) for g in globs if isinstance(g, str)] if isinstance(globs, list) else []
    unwanted = [join(root, e) for e in excluded if isinstance(e, str)] if isinstance(excluded, list) else []
    prefix = f"{root}/" if root else ""
    folders = (dirname(p) for p in context.under(root) if p.endswith(f"/{_MANIFEST}")) if patterns else ()
    return sorted(
        folder
        for folder in folders
        if any(p.fullmatch(folder[len(prefix) :]) for p in patterns)
        and not any(folder == e or folder.startswith(f"{e}/") for e in unwanted)
    )


def _paths(manifest: Mapping[str, object]) -> Iterator[str]:
    """Go through the folders that a manifest takes packages from."""
    tables = [table(manifest, name) for name in (*_TABLES, "replace")]
    tables += [table(target, name) for target in table(manifest, "target").values() for name in _TABLES]
    tables += [table(patches) for patches in table(manifest, "patch").values()]
    tables.append(table(manifest, "workspace", "dependencies"))
    for dependencies in tables:
        for wanted in dependencies.values():
            path = table(wanted).get("path")
            if isinstance(path, str):
                yield path


def _check_lints(folder: str, manifest: Mapping[str, object]) -> None:
    for lints in (table(manifest, "lints", "rust"), table(manifest, "workspace", "lints", "rust")):
        for name, level in lints.items():
            said = level if isinstance(level, str) else table(level).get("level")
            if _STRICT.match(name) and said in ("deny", "forbid"):
                raise Refused(f"{join(folder, _MANIFEST)} has the lint {name} refuse empty programs")


def _locked(context: Context, lock: str, packages: Mapping[str, Mapping[str, object]]) -> tuple[tuple[str, ...], bool]:
    """Return the names of the project's packages, and whether there are others."""
    content = toml_file(context, lock)
    entries = content.get("package") if isinstance(content, dict) else None
    entries = [table(entry) for entry in entries] if isinstance(entries, list) else []
    all_names = [_text(entry.get("name"), "") for entry in entries]
    named = (table(manifest, "package").get("name") for manifest in packages.values())
    own = {_text(name, "") for name in named} & {*all_names} - {""}
    names = sorted(own)
    if twice := next((name for name in names if all_names.count(name) > 1), None):
        raise Refused(f"{lock} has two packages of the name {twice}")
    if not names or any(
        "source" not in entry and name not in own for name, entry in zip(all_names, entries, strict=True)
    ):
        raise Refused(f"{lock} does not fit the manifests")
    return tuple(names), any("source" in entry for entry in entries)


def _add_targets(
    context: Context,
    folder: str,
    manifest: Mapping[str, object],
    wanted: tuple[str, ...],
    programs: list[str],
    libraries: list[str],
) -> None:
    package, library = table(manifest, "package"), table(manifest, "lib")
    if library or visible(context, folder, "src/lib.rs"):
        libraries.append(need(context, join(folder, _text(library.get("path"), "src/lib.rs"))))
    mains = list(visible(context, folder, "src/main.rs")) if package.get("autobins") is not False else []
    for entry in _entries(manifest, "bin"):
        mains.append(_found(context, folder, entry, ("src/bin",), _text(package.get("name"), "")))
    for kind, place in _OTHERS:
        mains += [_found(context, folder, entry, (place,), "") for entry in _entries(manifest, kind)]
    for name in wanted:
        mains += visible(context, folder, f"src/bin/{name}.rs", f"src/bin/{name}/main.rs")
    if not mains and not libraries:
        mains += [p for p in context.under(join(folder, "src/bin")) if p.endswith(".rs")][:1]
    script = package.get("build")
    if isinstance(script, str):
        mains.append(need(context, join(folder, script)))
    elif script is not False:
        mains += visible(context, folder, "build.rs")
    programs += mains


def _entries(manifest: Mapping[str, object], kind: str) -> list[dict[str, object]]:
    entries = manifest.get(kind)
    return [table(entry) for entry in entries] if isinstance(entries, list) else []


def _found(context: Context, folder: str, entry: Mapping[str, object], places: tuple[str, ...], package: str) -> str:
    """Return the file of a target that a manifest names."""
    path, name = entry.get("path"), _text(entry.get("name"), "")
    if isinstance(path, str):
        return need(context, join(folder, path))
    names = [f"{place}/{name}{end}" for place in places for end in (".rs", "/main.rs")]
    found = visible(context, folder, *names, *(["src/main.rs"] if name == package else []))
    if not found:
        raise Refused(missing(context, join(folder, names[0])).reason)
    return found[0]


def _text(value: object, otherwise: str) -> str:
    return value if isinstance(value, str) else otherwise


def _once(paths: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(paths))
