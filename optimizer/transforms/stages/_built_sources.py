"""What of a project only its build reads, for languages whose programs are put somewhere as a whole."""

import posixpath

from optimizer.transforms.stages import compiled
from optimizer.transforms.stages.nodes import Build
from optimizer.transforms.stages.packages import code
from optimizer.transforms.stages.paths import SYSTEM, is_covered, is_left


def left_of_project(build: Build, sources: compiled.Sources, started: tuple[str, ...]) -> tuple[str, ...]:
    """Return the image paths that stay behind: projects that a container does not work in, else their sources.

    Where more than sources lie in a folder, it is taken as it is: a file that comes tomorrow would be missing.
    """
    trees = tuple(top for top in compiled.tops(build) if _is_apart(top, build, started))
    leaves = (*trees, *compiled.left_sources(build, sources))
    beside = {posixpath.dirname(path) for path in leaves if path not in trees}
    kept = (path for path in build.copied if not is_left(path, leaves) and not is_covered(path, started))
    return trees if any(posixpath.dirname(path) in beside for path in kept) else leaves


def _is_apart(top: str, build: Build, started: tuple[str, ...]) -> bool:
    """Tell whether nothing that runs lies in a folder, or speaks of it."""
    inside = (build.workdir, *started, *(need.program for need in build.needs))
    if top in SYSTEM or any(f"{path}/".startswith(f"{top}/") for path in inside):
        return False
    later = [step.instruction.text for step in build.stage.body if step.name in {"CMD", "ENTRYPOINT", "ENV", "VOLUME"}]
    return not any(top in text for text in (*later, *code(build)))
