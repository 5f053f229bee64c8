"""Symbolic links in the context: what a link to a folder holds is not looked at, and no folder can give way to it."""

from collections.abc import Iterable, Iterator, Sequence

from optimizer.context import Context
from optimizer.model import Dockerfile, Step
from optimizer.transforms._copies import Copied, image_path


def why_linked(context: Context, moving: Sequence[Copied], paths: Iterable[str]) -> str | None:
    """Say which link stands beside or above one of the image paths that an install reads, and may lead to more."""
    found = (copied.source_of(path) for path in paths for copied in moving)
    folders = dict.fromkeys(folder for source in found if source is not None for folder in _above(source))
    beside = (name for folder in folders for name in context.match(f"{folder}/*" if folder else "*"))
    link = next((name for name in beside if context.folder_link(name)), None)
    return f"{link} is a link to a folder, where the install may read more" if link else None


def why_made_over(dockerfile: Dockerfile, context: Context, copied: Copied, last: Step) -> str | None:
    """Say which WORKDIR up to a step would make a folder where the COPY then brings a link, which it cannot replace."""
    for step in dockerfile.steps[copied.step.index : last.index]:
        if step.name != "WORKDIR" or step.stage != copied.step.stage:
            continue
        folder = dockerfile.steps[step.index + 1].state.workdir or image_path(".", None)
        source = copied.source_of(folder)
        if source is not None and any(context.is_file(path) for path in (source, *_above(source)) if path):
            return f"WORKDIR makes {folder} where the COPY brings a link"
    return None


def _above(path: str) -> Iterator[str]:
    """Go through the folders that a path lies in, up to the root."""
    while path:
        path = path.rpartition("/")[0]
        yield path
