"""The project as the COPYs above a step bring it, and what is known of the tools that work on it."""

from collections.abc import Sequence

from optimizer.context import Context, IgnoreFile
from optimizer.ecosystems import Project
from optimizer.ecosystems._lock_rules import Tools
from optimizer.model import BASE_WORKDIR, Dockerfile, Step
from optimizer.model.base_images import repository
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._copies import Copied, below, brings_context, read_copy

_ASKED = lazy_pattern(r"\b(npm|pnpm|yarn)@([^\s\"';&|]+)|\b(poetry)==([\d.]+)")


def steps_above(dockerfile: Dockerfile, step: Step) -> list[Step]:
    """Return the steps that a step builds on, those of the stages below its own included."""
    lineage = dockerfile.lineage(step.stage)
    return [other for other in dockerfile.steps[: step.index] if other.stage in lineage]


def copied_project(above: Sequence[Step], step: Step, call: Call, context: Context) -> Project:
    """Return what the COPYs that can be read bring, as a project that begins at the root of the image."""
    top = BASE_WORKDIR if (call.directory or "").startswith(BASE_WORKDIR) else "/"
    copies = [read_copy(other, context) for other in above if brings_context(other)]
    pairs = (pair for copied in copies if isinstance(copied, Copied) for pair in copied.pairs(context))
    files = {inner: file for file, path in pairs if (inner := below(path, top))}
    sizes = {path: context.files.get(file, 0) for path, file in files.items()}
    seen = Context(sizes, IgnoreFile(""), lambda path: context.read_bytes(files[path]) if path in files else None)
    return Project(seen, "", top, step.state.sure)


def tools_of(dockerfile: Dockerfile, above: Sequence[Step], step: Step) -> Tools:
    """Return the releases that the base image and the RUNs up to a step speak of."""
    base = dockerfile.stages[min(dockerfile.lineage(step.stage))].base or ""
    texts = (other.run.text.text for other in (*above, step) if other.run)
    tag = base.rpartition("/")[2].partition("@")[0].partition(":")[2]
    asked = {(m[1] or m[3]): (m[2] or m[4]) for text in texts for m in _ASKED.finditer(text)}
    return Tools(repository(base), tag, asked)
