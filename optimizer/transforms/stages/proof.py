"""That a runtime stage has all that its container needs: every file that the build makes, and every program."""

import posixpath
from collections.abc import Iterable, Iterator

from optimizer.images import Variant, packages, variant
from optimizer.images.packages import lost_commands
from optimizer.transforms.stages.nodes import Build, Runtime
from optimizer.transforms.stages.paths import SYSTEM, is_covered, is_left

_MOST = 12  # paths that are copied one by one


def all_copies(build: Build, runtime: Runtime) -> tuple[str, ...] | str:
    """Return the copies of a runtime stage with those of all else that the build makes, or what cannot be copied."""
    leaves = (*runtime.leaves_out, *_leaves(build))
    perhaps = [p for p in build.perhaps if not (is_covered(p, runtime.copies) or is_left(p, leaves))]
    if perhaps:
        return f"whether the build leaves {perhaps[0]} is not known"
    made = [p for p in build.made if not (is_covered(p, runtime.copies) or is_left(p, leaves))]
    if shared := next((p for p in made if p.endswith("/") and p.rstrip("/") in SYSTEM - {"/tmp"}), None):  # noqa: S108
        return f"what the build puts into {shared} is not known"
    files = [p for p in build.copied if not (is_covered(p, runtime.copies) or is_left(p, leaves))]
    rest = [p for p in (*made, *files) if not p.startswith("/tmp/")]  # noqa: S108 - a path of the image
    if any(p.startswith("/tmp/") and any(p in need.program for need in build.needs) for p in (*made, *files)):  # noqa: S108
        return "a program is started from /tmp"
    found = (*runtime.copies, *_gathered(rest, build, leaves))
    if reason := next(_why_started(build, found), None):
        return reason
    return tuple(p for p in dict.fromkeys(found) if not is_covered(p, (other for other in found if other != p)))


def _why_started(build: Build, found: tuple[str, ...]) -> Iterator[str]:
    """Go through what starts and would not be there: files of the context, and what is of the project by its place."""
    tops = [top for top in (build.workdir, *build.folders) if top not in SYSTEM]
    for need in build.needs:
        path = posixpath.normpath(posixpath.join(build.workdir, need.program))
        if is_covered(path, found):
            continue
        if path in build.copied:
            yield f"{path} is started, and would stay in the stage that builds"
        elif "/" in need.program and any(path.startswith(f"{top}/") for top in tops):
            yield f"{need.place} starts {need.program}, and what makes it is not known"


def _leaves(build: Build) -> Iterator[str]:
    return (path for work in build.works for _, effect in work.effects for path in effect.leaves)


def left_by_build(build: Build, copies: Iterable[str]) -> tuple[str, ...]:
    """Return what the build leaves behind that is not copied, as in `Rewrite.leaves_out`."""
    copied = tuple(copies)
    temporary = [p.rstrip("/") for p in (*build.made, *build.copied) if p.startswith("/tmp/")]  # noqa: S108
    return tuple(dict.fromkeys(p for p in (*_leaves(build), *temporary) if not is_covered(p, copied)))


def _gathered(paths: list[str], build: Build, leaves: tuple[str, ...]) -> Iterator[str]:
    """Put files together that fill a folder which the build context brings whole, the outermost such folder first."""
    spoilt = {f for p in build.copied if is_left(p, leaves) for f in _folders(p)}
    spoilt |= {f for p in (*build.made, *build.perhaps) if is_left(p, leaves) for f in _folders(p)}
    tops = [folder for folder in build.folders if folder not in SYSTEM]
    for path in paths:
        above = [f for f in reversed(list(_folders(path))) if any(f == t or f.startswith(f"{t}/") for t in tops)]
        whole = next((f for f in above if f not in spoilt), None) if path in build.copied else None
        yield f"{whole}/" if whole else path


def _folders(path: str) -> Iterator[str]:
    folder = posixpath.dirname(path.rstrip("/"))
    while folder not in {"/", ""}:
        yield folder
        folder = posixpath.dirname(folder)


def lost_programs(build: Build, runtime: Runtime) -> dict[str, frozenset[str]] | str:
    """Return the commands that only the full image has, with the packages that bring each; a clause if not known."""
    full = of_known_packages(build)
    lost = lost_commands((full.image, full.tag), (runtime.base.image, runtime.base.tag))
    return f"which programs {runtime.base.name} has is not known" if lost is None else lost


def of_known_packages(build: Build) -> Variant:
    """Return the full image, or the one that it stands on and installs no packages of its own to."""
    below = variant("buildpack-deps", build.release) if build.full.image == "gcc" else None
    return below or build.full


def why_not_smaller(build: Build, runtime: Runtime, dropped: tuple[str, ...]) -> str | None:
    """Say why the image may not become smaller, None where it certainly does."""
    full, small = build.full, runtime.base
    if (full.image, full.tag) == (small.image, small.tag):
        return None if dropped else "the base image stays, and no package is for the build alone"
    if full.size is not None and small.size is not None:
        return None if small.size < full.size else f"{small.name} is not smaller than {full.name}"
    before, after = packages(of_known_packages(build)), packages(small)
    less = before is not None and after is not None and len(after) < len(before)
    return None if less else f"whether {small.name} is smaller than {full.name} is not known"
