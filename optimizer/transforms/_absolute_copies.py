"""A COPY that goes below a WORKDIR, to which its destination would be relative: it is written out."""

from optimizer.context import Context
from optimizer.model import BASE_WORKDIR, Dockerfile, Step
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._copies import Copied, below, image_path

_EXECUTABLE = lazy_pattern(r"0?[1357]{3}|(?:a|ugo)?[=+]r?w?x")


def why_not_below(dockerfile: Dockerfile, copied: Copied) -> str | None:
    """Say why a COPY cannot stand below a WORKDIR, None where it can: with its destination as it is, or written out."""
    instruction, written = copied.step.instruction, copied.step.instruction.arguments[-1]
    if is_absolute(copied.step) and written[0] not in "\"'":
        return None
    plain = (
        instruction.text.rstrip().endswith((f" {written}", f'"{written}"]')) and "\n" not in instruction.text.strip()
    )
    lineage = dockerfile.lineage(copied.step.stage)
    above = (s for s in dockerfile.steps[: copied.step.index] if s.stage in lineage and s.name == "WORKDIR")
    # A variable in the path may have another value in another build, or is there so that it has one place.
    known = not copied.destination.startswith(BASE_WORKDIR) and not any("$" in s.instruction.value.text for s in above)
    plain = plain and written[0] not in "\"'$"
    return None if plain and known else "WORKDIR changes the folder that the COPY is relative to"


def is_absolute(step: Step) -> bool:
    """Tell whether a COPY names a destination that no WORKDIR changes, maybe by a variable."""
    return (step.state.word(step.instruction.arguments[-1]) or "").startswith("/")


def written_for(copied: Copied, block: str, place: Step) -> str:
    """Return the text of a COPY, of which `block` is the end, with its destination as it is right at another step."""
    if is_absolute(copied.step) or copied.step.state.workdir == place.state.workdir:
        return block
    written = copied.step.instruction.arguments[-1]
    text = block.rstrip()
    ending = '"]' if text.endswith(f'{written}"]') else ""
    start = text[: len(text) - len(written) - len(ending)]
    return f"{start}{_target(copied, written)}{ending}{block[len(text) :]}"


def why_modes_differ(copied: Copied, manifests: set[str], context: Context) -> str | None:
    """Say why a file that an install needs executable is not so any more behind a COPY with a mode of its own."""
    mode = copied.step.instruction.flag("chmod")
    if mode is None or _EXECUTABLE.fullmatch(mode):
        return None
    sources = (source for path in manifests if (source := copied.source_of(path)) is not None)
    found = next((source for source in sources if context.executable(source)), None)
    return (
        f"the {copied.step.name} takes away that {found} is executable, which the install gives back" if found else None
    )


def why_made_early(dockerfile: Dockerfile, copied: Copied, last: Step, manifests: set[str]) -> str | None:
    """Say which WORKDIR up to a step would make a folder of the sources in the place of the COPY that brings it."""
    for step in dockerfile.steps[copied.step.index : last.index]:
        if step.name != "WORKDIR" or step.stage != copied.step.stage:
            continue
        folder = dockerfile.steps[step.index + 1].state.workdir or image_path(".", None)
        inside = below(folder, copied.destination)
        if inside and not any(below(path, folder) for path in manifests):
            return f"WORKDIR makes {folder} where the COPY has not brought it"
    return None


def _target(copied: Copied, written: str) -> str:
    target = image_path(written, copied.step.state.workdir)
    into = written.endswith("/") or any(not one.folder for one in copied.placed) or len(copied.placed) > 1
    return f"{target.rstrip('/')}/" if into else target
