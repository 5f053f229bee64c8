"""Which COPYs go below the installs, and which manifests take their place."""

import posixpath
from collections.abc import Sequence

from optimizer.context import Context
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._copies import Copied, below
from optimizer.transforms._early_installs import Early

# Lock files, and what says of a repository which packages it has: few edits, and put in front of an install by design.
_LOCK_FILE = lazy_pattern(
    r".*[.-]lock(b|\.json|\.ya?ml)?|npm-shrinkwrap\.json|(?:lerna|nx|rush|turbo)\.json|pnpm-workspace\.yaml"
)
# What no program is made of: manifests, also those that another install reads, and files that choose a version.
_NO_SOURCE = lazy_pattern(
    r"\.(?:bun|go|java|node|php|python|ruby|swift)-version|\.nvmrc|\.tool-versions|\.?mise\.toml|\.sdkmanrc"
    r"|rust-toolchain(?:\.toml)?|global\.json|\.npmrc|\.yarnrc(?:\.yml)?|package\.json|pnpm-workspace\.yaml|Cargo\.toml"
    r"|go\.(?:mod|sum|work|work\.sum)|Gemfile|composer\.json|mix\.exs|pom\.xml|pyproject\.toml|Pipfile|pubspec\.yaml"
    r"|[\w.-]*requirements[\w.-]*\.txt|Package\.(?:swift|resolved)|.+\.(?:csproj|fsproj|vbproj|slnx?)"
    r"|Directory\.\w+\.(?:props|targets)|(?i:nuget\.config)"
)


def moving_copies(early: Early, context: Context) -> list[Copied]:
    """Return the COPYs that bring sources, and those that put something else in the place of what these bring.

    The manifests of all come where the first of these stood, so that a COPY stays from whose place the destination
    of a later one would mean something else.
    """
    moving: list[Copied] = []
    for copied in early.moved:
        if not _is_narrow(copied, early, context) or _replaces(copied, moving, context):
            moving.append(copied)
    while any(_means_another(copied, moving[0]) for copied in moving[1:]):
        del moving[0]
    return moving


def _means_another(copied: Copied, place: Copied) -> bool:
    """Tell whether a COPY would put its files elsewhere if it stood where another stands (a WORKDIR or ENV between)."""
    here, there = copied.step.state, place.step.state
    if "$" in copied.step.instruction.value.text and (here.env, here.args) != (there.env, there.args):
        return True
    return here.workdir != there.workdir and not copied.step.instruction.arguments[-1].startswith("/")


def manifests_of(
    copied: Copied, early: Early, moving: Sequence[Copied], earlier: Sequence[Copied], context: Context
) -> dict[str, str]:
    """Return image path -> context path of the manifests that this COPY brings last, and none that stays brings."""
    staying = (*earlier, *(c for c in early.moved if c not in moving))
    later = early.moved[early.moved.index(copied) + 1 :]
    found = {}
    for path in (path for one in early.installs for path in one.paths):
        source = _source(copied, path, context)
        if source is None or any(_source(c, path, context) for c in later):
            continue
        if any(c.source_of(path) == source for c in staying):
            continue
        found[path] = source
    return found


def _source(copied: Copied, path: str, context: Context) -> str | None:
    """Return the context path of what a COPY puts at an image path, None where the build sees nothing there."""
    source = copied.source_of(path)
    return source if source is not None and context.exists(source) else None


def _is_narrow(copied: Copied, early: Early, context: Context) -> bool:
    """Tell whether a COPY brings manifests and lock files only, or a folder of them (`requirements/`)."""
    files = [*copied.files(context)]
    if not any(one.folder for one in copied.placed) and all(map(_is_no_source, files)):
        return True
    wanted = {source for one in early.installs for path in one.paths if (source := copied.source_of(path)) is not None}
    folders = {posixpath.dirname(source) for source in wanted} - {""}
    endings = {posixpath.splitext(source)[1] for source in wanted}
    return all(
        _LOCK_FILE.fullmatch(posixpath.basename(file))
        or any(below(file, source) is not None for source in wanted)
        or (posixpath.dirname(file) in folders and posixpath.splitext(file)[1] in endings - {".json", ".toml", ".yaml"})
        for file in files
    )


def _is_no_source(file: str) -> bool:
    name = posixpath.basename(file)
    return bool(_NO_SOURCE.fullmatch(name) or _LOCK_FILE.fullmatch(name))


def are_worth_it(moving: Sequence[Copied], earlier: Sequence[Copied], early: Early, context: Context) -> bool:
    """Tell whether to move COPYs: single files are not, where folders of sources stay above the install anyway."""
    staying = (copied for copied in earlier if any(one.folder for one in copied.placed))
    return any(one.folder for copied in moving for one in copied.placed) or all(
        _is_narrow(copied, early, context) for copied in staying
    )


def _replaces(copied: Copied, above: Sequence[Copied], context: Context) -> bool:
    """Tell whether a COPY puts something else where one of those above it, which go further down, puts a file."""
    if not above:
        return False
    own = _flags(copied)
    return any(
        (source := _source(other, path, context)) is not None and (source, _flags(other)) != (file, own)
        for file, path in copied.pairs(context)
        for other in above
    )


def _flags(copied: Copied) -> set[tuple[str, str | None]]:
    return {(flag.name, flag.value) for flag in copied.step.instruction.flags}
