"""apt's archives and package lists in cache mounts: for all RUNs of an image's stages that install, or for none.

The images of Debian and Ubuntu have /etc/apt/apt.conf.d/docker-clean, which removes the archives behind each install,
also from a mount; it has to go, as Docker's documentation of cache mounts does it. From then on a RUN without the
mount would leave its archives in the layer. /var/lib/apt itself is not mounted, as it also holds what was installed
by hand and what for another package (extended_states), which later removals go by.
"""

from collections.abc import Callable, Iterator

from optimizer.context import Context
from optimizer.ecosystems import apt
from optimizer.ecosystems._system import invocation
from optimizer.model import Dockerfile, Step
from optimizer.shell import Call
from optimizer.syntax.expand import expand
from optimizer.transforms._mount_cleanup import cut_for, overlap
from optimizer.transforms._mount_owner import Owner, base_slug
from optimizer.transforms._mount_wants import Mount, Refused, Want, why_not_mountable, why_read
from optimizer.transforms._mounts import mounted
from optimizer.transforms._package_lists import READERS, known_installer, reader_of_lists, why_configured
from optimizer.transforms._scripts import script_path

_ARCHIVES, _LISTS = "/var/cache/apt", "/var/lib/apt/lists"
_HOOK = "/etc/apt/apt.conf.d/docker-clean"
_UNHOOK = f"rm -f {_HOOK}"
_CLEANING = frozenset({"clean", "autoclean", "auto-clean", "distclean"})


def apt_mounts(
    dockerfile: Dockerfile, context: Context, owner_of: Callable[[Step], Owner | str]
) -> Iterator[Want | Refused]:
    """Go through the mounts for apt, or say at the first use of an image's stages why there are none."""
    steps = [step for step in dockerfile if any(_uses(call) for call in _calls(step))]
    for root in dict.fromkeys(min(dockerfile.lineage(step.stage)) for step in steps):
        own = [step for step in steps if min(dockerfile.lineage(step.stage)) == root]
        if any(mounted(step, folder) for step in own for folder in (_ARCHIVES, _LISTS)):
            continue
        reasons = (_why_not(dockerfile, context, step, owner_of(step)) for step in own)
        reason = next(filter(None, reasons), None) or _why_stranger(dockerfile, own, root)
        if reason:
            yield Refused(own[0], reason)
        else:
            yield from _wants(dockerfile, own)


def _wants(dockerfile: Dockerfile, steps: list[Step]) -> Iterator[Want | Refused]:
    cuts = [cut_for(step, (_ARCHIVES, _LISTS), _cleans, step.state.sure) for step in steps]
    if reason := next((cut for cut in cuts if isinstance(cut, str)), None):
        yield Refused(steps[0], reason)
        return
    for at, (step, cut) in enumerate(zip(steps, cuts, strict=True)):
        if isinstance(cut, str):
            continue
        lineage = dockerfile.lineage(step.stage)
        is_done = any(other.stage in lineage for other in steps[:at]) or _is_unhooked(dockerfile, step)
        slug = base_slug(dockerfile, step)
        mounts = (Mount(_ARCHIVES, "locked", f"apt-{slug}"), Mount(_LISTS, "locked", f"apt-lists-{slug}"))
        yield Want(step, "apt's archives and lists", mounts, cut, None if is_done else _UNHOOK)


def _is_unhooked(dockerfile: Dockerfile, step: Step) -> bool:
    lineage = dockerfile.lineage(step.stage)
    above = (s for s in dockerfile.steps[: step.index + 1] if s.stage in lineage and s.run)
    return any("docker-clean" in other.instruction.value.text for other in above)


def _calls(step: Step) -> tuple[Call, ...]:
    return step.run.calls if step.run else ()


def _uses(call: Call) -> bool:
    return apt.ECOSYSTEM.cache(call, {}) is not None


def _cleans(call: Call) -> bool:
    return call.program in apt.ECOSYSTEM.programs and invocation(call, apt.GRAMMAR).action in _CLEANING


def _why_not(dockerfile: Dockerfile, context: Context, step: Step, owner: Owner | str) -> str | None:
    """Say why one RUN can have no mount."""
    if (reason := why_not_mountable(step, owner)) or isinstance(owner, str):
        return reason or str(owner)
    if owner.number:
        return f"the user is {step.state.user}"
    updated = False
    for call in _calls(step):
        if not _uses(call):
            continue
        if call.program != "apt-get":
            return f"{call.program} removes the archives that it downloads, unlike apt-get"
        if call.nested or not call.certain:
            return f"apt-get runs under a condition only, or in a script of its own, in line {step.line}"
        given = invocation(call, apt.GRAMMAR)
        if any("Dir" in option or option.startswith(("-c", "--config-file")) for option in given.options):
            return f"apt-get is told of other folders in line {step.line}"
        updated = updated or given.action == "update"
        if not updated:
            return f"line {step.line} installs from lists that another step fetched, which a mount may no longer hold"
    return (
        why_configured(dockerfile, step)
        or reader_of_lists(dockerfile, context, step, "apt")
        or why_read(dockerfile, step, (_ARCHIVES, _LISTS), owner)
    )


def _why_stranger(dockerfile: Dockerfile, steps: list[Step], root: int) -> str | None:
    """Say which other RUN may install with apt, whose archives nothing would remove from its layer."""
    known = {step.index for step in steps}
    for step in dockerfile.steps[min(known) :]:
        if reason := _why_passed_on(dockerfile, step, root):
            return reason
        if step.run is None or step.index in known or min(dockerfile.lineage(step.stage)) != root:
            continue
        if step.run.script.problem and READERS["apt"].mention.search(step.instruction.value.text):
            return f"line {step.line} may install packages without the mount"
        for call in _calls(step):
            named = {w.value for w in call.arguments} & apt.ECOSYSTEM.programs and call.program == "xargs"
            if script_path(call) is not None or call.program in READERS["apt"].fronts or named:
                if known_installer(call, step.run.calls) is False:
                    continue
                return f"{call.program} in line {step.line} may install packages without the mount"
    return None


def _why_passed_on(dockerfile: Dockerfile, step: Step, root: int) -> str | None:
    """Say that another image gets apt's files without docker-clean, and may install with them."""
    if step.name == "ONBUILD" and min(dockerfile.lineage(step.stage)) == root:
        installs = READERS["apt"].mention.search(step.instruction.value.text)
        return f"the ONBUILD in line {step.line} installs packages without the mount" if installs else None
    stages = [stage for stage in dockerfile.stages if min(dockerfile.lineage(stage.index)) == root]
    names = {name for stage in stages for name in (stage.name, str(stage.index)) if name}
    if step.name != "COPY" or (step.instruction.flag("from") or "").lower() not in names:
        return None
    sources = [expand(word, step.state.sure) or word for word in step.instruction.arguments[:-1]]
    taken = next((s for s in sources if "$" in s or any(overlap(s, f) for f in (_ARCHIVES, _LISTS, _HOOK))), None)
    return f"line {step.line} copies {taken}, which may hold apt's files" if taken else None
