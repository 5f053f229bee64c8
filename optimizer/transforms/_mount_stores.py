"""Stores that builds read where they lie: every RUN that may need one has to have the mount, or none gets it.

A builder keeps or empties a cache mount as it likes, also while it still has the layer of the RUN that filled it. So
no later call may rely on what an earlier RUN fetched: each has to be able to fetch for itself.
"""

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from optimizer.ecosystems import ecosystems_for
from optimizer.ecosystems._mounting import STORE_OF, STORES, Store
from optimizer.model import Dockerfile, Step, mounts
from optimizer.shell import Call
from optimizer.syntax.expand import expand
from optimizer.transforms._mount_cleanup import cut_for, overlap, paths_of
from optimizer.transforms._mount_owner import Owner
from optimizer.transforms._mount_wants import Mount, Refused, Want, why_not_folder, why_not_mountable
from optimizer.transforms._mounts import mounted
from optimizer.transforms._programs import PROGRAMS

_OFF = {"GOPROXY": "off", "CARGO_NET_OFFLINE": "true"}  # variables that forbid the network
_MOVING = ("maven.repo.local", "--packages", "--artifacts-path")
_TOOLS = frozenset(
    {"tar", "unzip", "cp", "mv", "ls", "cat", "sed", "grep", "find", "chmod", "chown", "mkdir", "rm", "ln"}
)
_MAKERS = frozenset({"cmake", "make", "meson", "ninja", "pacman"})  # which may bring headers under any name
_HEADERS = ("-dev", "-devel")  # ends of the names of packages that hold them


class _Family(Struct, frozen=True):
    """The stages that one image's stages build on each other, and the RUNs in them that use a store."""

    dockerfile: Dockerfile
    store: Store
    stages: frozenset[int]
    users: tuple[tuple[Step, Call], ...]

    @property
    def steps(self) -> Iterator[Step]:
        """The steps from the first use on."""
        first = self.users[0][0].index
        return (step for step in self.dockerfile.steps[first:] if step.stage in self.stages)


def stores(dockerfile: Dockerfile, owner_of: Callable[[Step], Owner | str]) -> Iterator[Want | Refused]:
    """Go through the mounts for the stores of a file, or say at the first use why there are none."""
    for id_, store in STORES.items():
        uses = list(_uses(dockerfile, id_, store))
        roots = dict.fromkeys(min(dockerfile.lineage(step.stage)) for step, _ in uses)
        for root in roots:
            stages = frozenset(s.index for s in dockerfile.stages if min(dockerfile.lineage(s.index)) == root)
            family = _Family(dockerfile, store, stages, tuple(use for use in uses if use[0].stage in stages))
            yield from _wanted(family, owner_of)


def _uses(dockerfile: Dockerfile, id_: str, store: Store) -> Iterator[tuple[Step, Call]]:
    for step in dockerfile:
        for call in step.run.calls if step.run else ():
            if STORE_OF.get(call.program) == id_ and not _is_idle(call, store):
                yield step, call


def _is_idle(call: Call, store: Store) -> bool:
    words = [word.value or "" for word in call.arguments]
    verb = next((word for word in words if not word.startswith(("-", "+"))), "")
    return not words or verb in store.idle or any(word in store.idle for word in words if word.startswith("-"))


def _wanted(family: _Family, owner_of: Callable[[Step], Owner | str]) -> Iterator[Want | Refused]:
    found: list[Want] = []
    for step in {step.index: step for step, _ in family.users}.values():
        want = _mounts_of(family, step, owner_of(step))
        if want is None:
            return
        if isinstance(want, str):
            yield Refused(family.users[0][0], want)
            return
        found.append(want)
    folders = [mount.target for want in found for mount in want.mounts]
    if reason := _why_not(family, list(dict.fromkeys(folders))):
        yield Refused(family.users[0][0], reason)
        return
    yield from found


def _mounts_of(family: _Family, step: Step, owner: Owner | str) -> Want | str | None:
    """Return the mounts that a RUN gets, why it can have none, or None where some are there already."""
    store = family.store
    if (reason := why_not_mountable(step, owner)) or isinstance(owner, str):
        return reason or str(owner)
    if owner.number:
        return f"the builder would make the folders above {store.name} for root, where user {owner.number} has to write"
    calls = [call for other, call in family.users if other is step]
    env = {**owner.env, **{name: value for call in calls for name, value in call.variables.items() if value}}
    folders = list(store.folders(env))
    if any(mounted(step, folder) for folder in folders):
        return None
    if len(folders) != 1:
        return f"where {store.name} lie is not known"
    compiles = all(_verb(call) in store.compiled for call in calls)
    if store.build_cache and compiles and not _meets_libraries(family.dockerfile, step, calls):
        folders.append(store.build_cache(env))
    reason = next((why for folder in folders if (why := why_not_folder(step, folder))), None)
    ecosystems = {e.id: e for call in calls for e in ecosystems_for(call.program)}.values()
    cut = reason or cut_for(step, folders, lambda call: any(e.cleans(call) for e in ecosystems), env)
    if isinstance(cut, str):
        return cut
    return Want(step, store.name, tuple(Mount(folder, store.sharing) for folder in folders), cut)


def _meets_libraries(dockerfile: Dockerfile, step: Step, calls: Sequence[Call]) -> bool:
    """Tell whether cgo may compile against libraries that the stage installs.

    Go's build cache "does not detect changes to C libraries imported with cgo" (`go help cache`), so that what was
    compiled against other headers, maybe of another project, would be taken for up to date.
    """
    if all({**step.state.sure, **call.variables}.get("CGO_ENABLED") == "0" for call in calls):
        return False
    lineage = dockerfile.lineage(step.stage)
    above = (s.run for s in dockerfile.steps[: step.index + 1] if s.run and s.stage in lineage)
    return any(
        call.program in _MAKERS or (word.value or "").endswith(_HEADERS)
        for run in above
        for call in run.calls
        for word in call.arguments
    )


def _verb(call: Call) -> str:
    return next((word.value or "" for word in call.arguments if not word.text.startswith(("-", "+"))), "")


def _why_not(family: _Family, folders: Sequence[str]) -> str | None:
    """Say what later step needs the store and cannot have it, or finds there what no other RUN can fetch."""
    return (
        next((why for step, call in family.users if (why := _why_use(family.store, step, call))), None)
        or next((why for step in family.steps if (why := _why_step(family, step, folders))), None)
        or next((why for step in family.dockerfile if (why := _why_taken(family, step, folders))), None)
    )


def _why_use(store: Store, step: Step, call: Call) -> str | None:
    words = {word.value for word in call.arguments} | {word.text.partition("=")[0] for word in call.arguments}
    if call.user not in {None, "root"}:
        return f"line {step.line} runs {call.program} as another user"
    if offline := words & store.offline:
        taken = f"relies on what an earlier step fetched ({min(map(str, offline))})"
        return f"line {step.line} {taken}, and a builder may empty the mount between"
    if own := words & store.own:
        return f"{call.program} {min(map(str, own))} in line {step.line} puts the project itself there"
    sure = {**step.state.sure, **call.variables}
    texts = (*(word.text for word in call.arguments), *(value or "" for value in sure.values()))
    if any(moving in text for text in texts for moving in _MOVING):
        return f"line {step.line} names another folder for {store.name}"
    if name := next((name for name, value in _OFF.items() if sure.get(name) == value), None):
        return f"{name} forbids the network"
    return None


def _why_step(family: _Family, step: Step, folders: Sequence[str]) -> str | None:
    store, dockerfile = family.store, family.dockerfile
    if step.stage in dockerfile.shipped:
        return f"the image itself may need {store.name}"
    run = step.run
    if run is None or any(other is step for other, _ in family.users):
        return None
    if run.script.problem:
        return f"line {step.line} may need {store.name}: {run.script.problem}"
    program = next((c.program for c in run.calls if c.program not in PROGRAMS and c.program not in _TOOLS), None)
    stranger = next((c.program for c in run.calls if c.program in store.programs), None)
    if program and not (stranger and program == stranger):
        return f"{program} in line {step.line} may need {store.name}"
    return next((why for call in run.calls if (why := _why_worked_on(family, step, call, folders))), None)


def _why_worked_on(family: _Family, step: Step, call: Call, folders: Sequence[str]) -> str | None:
    """Say that a call works on files of the store itself (`cp ~/.m2/repository/… /agent.jar`)."""
    words = [word for word in call.words if "/" in word.text or "$" in word.text]
    paths = ((word, path) for word in words for path in paths_of(call, word, step.state.sure))
    found = next((w for w, p in paths if p and any(overlap(p, folder) for folder in folders)), None)
    return f"{call.program} in line {step.line} works on {found}, which may hold {family.store.name}" if found else None


def _why_taken(family: _Family, step: Step, folders: Sequence[str]) -> str | None:
    """Say whether another stage takes files from where the store lies."""
    stages = family.dockerfile.stages
    names = {name for at in family.stages for name in (stages[at].name, str(at)) if name}
    if any((mount.origin or "").lower() in names for mount in mounts(step)):
        return f"line {step.line} mounts files of the stage"
    if step.name != "COPY" or (step.instruction.flag("from") or "").lower() not in names:
        return None
    sources = [expand(word, step.state.sure) or word for word in step.instruction.arguments[:-1]]
    for source in sources:
        if "$" in source or any(overlap(source, folder) for folder in folders):
            return f"line {step.line} copies {source}, which may hold {family.store.name}"
    return None
