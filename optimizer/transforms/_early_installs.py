"""How far a stage gets without its sources: installs that need manifests only, and steps that do not care.

`follow` walks down from the COPY that brings the sources. It passes steps that neither read nor write them, gathers
the installs that it meets, and stops at the first step that needs more.
"""

import posixpath
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from optimizer.context import Context
from optimizer.ecosystems.ecosystem import Refusal
from optimizer.model import Dockerfile, Run, Step, mounts
from optimizer.shell import Call
from optimizer.transforms._absolute_copies import why_not_below
from optimizer.transforms._ahead import is_light, sets_modes, why_not_ahead
from optimizer.transforms._copies import Copied, below, brings_context, image_path, is_settings, overlap, read_copy
from optimizer.transforms._found_installs import Found, brought, install_of, is_made, wanted, why_copied
from optimizer.transforms._independence import why_call_dependent, why_redirected
from optimizer.transforms._pointing_variables import why_pointed

# Instructions that neither read nor write files of the image, and that no COPY depends on.
_FREE = frozenset("CMD ENTRYPOINT EXPOSE HEALTHCHECK LABEL MAINTAINER ONBUILD SHELL STOPSIGNAL USER".split())


class Early(Struct, frozen=True):
    """What can run before the sources are there.

    `moved` are the COPYs that can go below the last install; `cut` is the part of that install's RUN from which on
    it needs the sources (0: from its start, but something is fetched ahead of it); `stopped` says where the walk
    ended, and why; `passed` is a step that needs the sources, but that what is fetched ahead can go above, and why.
    """

    moved: tuple[Copied, ...]
    installs: tuple[Found, ...] = ()
    cut: int | None = None
    stopped: tuple[Step, str] | None = None
    passed: tuple[Step, str] | None = None


class _Verdict(Struct, frozen=True):
    """What a step between the COPY and the last install is."""

    reason: str | None = None  # why it needs the sources
    installs: tuple[Found, ...] = ()
    cut: int | None = None
    copied: Copied | None = None


class _Place(Struct, frozen=True):
    """What is known when a step is looked at."""

    context: Context
    dockerfile: Dockerfile
    copies: tuple[Copied, ...]  # all COPYs above the step
    moved: tuple[Copied, ...]  # those of them that are to go below it
    shipped: bool

    @property
    def folders(self) -> tuple[str, ...]:
        """The image paths that the moved COPYs bring."""
        return tuple(copied.destination for copied in self.moved)


def follow(dockerfile: Dockerfile, context: Context, first: Copied, earlier: Sequence[Copied]) -> Early:
    """Walk down from the COPY `first`; `earlier` are the COPYs above it in the stage."""
    place = _Place(context, dockerfile, (*earlier, first), (first,), first.step.stage in dockerfile.shipped)
    best = Early(place.moved)
    gathered: tuple[Found, ...] = ()
    passed: tuple[Step, str] | None = None
    for step in dockerfile.after(first.step):
        verdict = _look(step, place)
        if verdict.reason is not None and not gathered and sets_modes(step):
            passed = passed or (step, verdict.reason)
            continue
        if passed and not _goes_above(verdict):
            return replace(best, stopped=passed)
        gathered += verdict.installs
        if any(_reads(found) for found in verdict.installs):
            best = Early(place.moved, gathered, verdict.cut, passed=passed)
        if verdict.reason is not None:
            return replace(best, stopped=(step, verdict.reason))
        if verdict.copied is not None:
            moved = () if is_settings(verdict.copied, context) else (verdict.copied,)
            place = replace(place, copies=(*place.copies, verdict.copied), moved=(*place.moved, *moved))
        if any(found.install.then or found.install.ahead for found in verdict.installs):
            break
    return replace(best, stopped=passed) if passed and not best.installs else best


def _goes_above(verdict: _Verdict) -> bool:
    """Tell whether a step is a COPY more, or a build for which something is fetched in front of all of it."""
    is_fetched = len(verdict.installs) == 1 and verdict.installs[0].install.ahead is not None and verdict.cut == 0
    return verdict.reason is None and (verdict.copied is not None or is_fetched)


def _look(step: Step, place: _Place) -> _Verdict:
    if step.run is not None:
        return _look_at_run(step, step.run, place)
    if brings_context(step):
        copied = read_copy(step, place.context)
        if isinstance(copied, str):
            return _Verdict(copied)
        if is_settings(copied, place.context) and any(overlap(copied.destination, f) for f in place.folders):
            return _Verdict(f"{step.name} writes to the same folder")
        return _Verdict(copied=copied)
    if step.name in _FREE:
        return _Verdict()
    return _Verdict(_why_in_the_way(step, place))


def _why_in_the_way(step: Step, place: _Place) -> str | None:
    """Say why the COPYs cannot go below a step that is neither a RUN nor brings context files."""
    arguments, moved = step.instruction.arguments, place.moved
    if step.name in {"COPY", "ADD"} and not step.instruction.heredocs and arguments:
        destination = image_path(arguments[-1], step.state.workdir)
        clash = "$" in destination or any(overlap(destination, c.destination) for c in moved)
        return f"{step.name} writes to the same folder" if clash else None
    if step.name == "WORKDIR":
        return next((reason for c in moved if (reason := why_not_below(place.dockerfile, c))), None)
    if step.name in {"ENV", "ARG"}:
        uses = any("$" in c.step.instruction.value.text for c in moved)
        return f"{step.name} may change a variable that the COPY uses" if uses else None
    return f"{step.name} stands between"


def _look_at_run(step: Step, run: Run, place: _Place) -> _Verdict:
    reason = (None if run.editable else run.why_not_editable) or _why_mounted(step, place.folders)
    if reason:
        return _Verdict(reason)
    found: list[Found] = []
    pending: tuple[int, str] | None = None  # the first part that needs the sources, and why
    for call in run.calls:
        answer = wanted(install_of(call, step, place.context, place.copies), step, call, place.dockerfile)
        known = answer.paths if isinstance(answer, Found) else ()
        reason = (
            why_pointed(call, step, place.context, place.moved, known)
            or _why_led(step, place, call.program)
            or (isinstance(answer, Found) and why_copied(answer, place.context, place.moved))
            or None
        )
        if reason is None and isinstance(answer, Found) and not is_made(answer, place.dockerfile):
            if answer.install.ahead is not None:
                first = [pending[0]] if pending else [c.step for c in run.calls if _makes(c, place)]
                return _fetch(run, min([call.step, *first]), found, answer, place)
            if pending is None:
                found.append(answer)
                continue
        reason = answer.reason if isinstance(answer, Refusal) else reason or _why_call(call, step, place)
        if reason is not None:
            pending = pending or (call.step, reason)
            if not is_light(call):
                break
    if pending:
        return _cut(run, pending[0], found, pending[1], place)
    reason = why_redirected(run.script, place.folders) or _why_not_there(run.calls, found, place.folders)
    return _Verdict(reason) if reason else _Verdict(None, tuple(found))


def _fetch(run: Run, at: int, found: Sequence[Found], one: Found, place: _Place) -> _Verdict:
    """Fetch what a call needs in front of the part `at`, or of the whole RUN where nothing in it matters to that."""
    if one.install.ahead is None:
        raise ValueError("nothing is to be fetched")
    at = 0 if all(is_light(call) for call in run.calls if call.step < at) else at
    before = tuple(other for other in found if other.call.step < at)
    reason = why_not_ahead(one.step, run, one.call, one.install.ahead, at) or _why_not_cut(run, at, before, place)
    return _Verdict(reason) if reason else _Verdict(None, (*before, one), at)


def _cut(run: Run, at: int, found: Sequence[Found], reason: str, place: _Place) -> _Verdict:
    """Keep the installs above the first part that needs the sources, where the RUN can be cut there."""
    before = tuple(one for one in found if one.call.step < at)
    if not any(_reads(one) for one in before) or run.script.chain is None:
        return _Verdict(reason)
    blocked = _why_not_cut(run, at, before, place)
    return _Verdict(blocked) if blocked else _Verdict(reason, before, at)


def _why_not_cut(run: Run, at: int, before: Sequence[Found], place: _Place) -> str | None:
    root = run.script.root
    early = replace(run.script, root=replace(root, parts=root.parts[:at], operators=root.operators[: max(at - 1, 0)]))
    return (
        why_redirected(early, place.folders)
        or _why_not_there([c for c in run.calls if c.step < at], before, place.folders)
        or (place.shipped and any(_removes(call) for call in run.calls if call.step >= at) and _CLEANS_UP)
        or None
    )


_CLEANS_UP = "the RUN removes at its end what it made before: cut in two, that would stay in a layer"
_BUILDERS = frozenset({"gradle", "gradlew", "mvn", "mvnw"})  # their `clean` removes what a build of the project made
_REMOVALS = frozenset("autoclean autoremove cache clean del erase prune purge remove uninstall".split())


def _removes(call: Call) -> bool:
    """Tell whether a call takes out what an earlier one made (apt-get purge, npm prune, rm …)."""
    if call.program in _BUILDERS:
        return False
    return call.program in {"rm", "rmdir"} or not _REMOVALS.isdisjoint(w.value or "" for w in call.arguments[:2])


def _reads(found: Found) -> bool:
    """Tell whether an install reads the project; one that does not may still make folders in it."""
    return bool(found.paths or found.install.command)


def _why_call(call: Call, step: Step, place: _Place) -> str | None:
    if call.program == "cd":
        return None  # `_why_not_there` looks at these when all installs of the RUN are known
    if _makes(call, place):
        return _why_not_made(call, step, place)
    return why_call_dependent(call, place.folders) or _why_led(step, place)


def _why_not_there(calls: Sequence[Call], found: Sequence[Found], folders: Sequence[str]) -> str | None:
    """Say which folder a `cd` enters that only the sources would make."""
    for call in calls:
        if call.program != "cd":
            continue
        target = call.arguments[0].value if call.arguments else None
        if target is None or call.directory is None:
            return "where cd leads is not known"
        path = image_path(target, call.directory)
        made = any(below(manifest, path) for one in found for manifest in one.paths)
        made = made or any(path in _made_by(other) for other in calls if other.certain and other.step < call.step)
        if not made and any(below(path, folder) is not None for folder in folders):
            return f"{target} is there only when the sources are copied"
    return None


def _made_by(call: Call) -> tuple[str, ...]:
    """Return the image paths of the folders that a mkdir with nothing but their names makes."""
    words = [word.value for word in call.arguments if word.value not in _MKDIR_OPTIONS]
    if call.program != "mkdir" or call.command.redirects or None in words or call.directory is None:
        return ()
    return tuple(image_path(word, call.directory) for word in words if word and not word.startswith("-"))


def _makes(call: Call, place: _Place) -> bool:
    """Tell whether a call makes folders among the sources."""
    return any(below(path, folder) is not None for path in _made_by(call) for folder in place.folders)


def _why_not_made(call: Call, step: Step, place: _Place) -> str | None:
    """Say why a mkdir among the sources cannot run before they are there, None where it makes a folder of its own."""
    known = {posixpath.normpath(f) for f in (*place.folders, step.state.workdir or "/")}
    for path in _made_by(call):
        if any((source := c.source_of(path)) is not None and place.context.exists(source) for c in place.copies):
            return f"mkdir makes {path}, which the COPY brings"
        if posixpath.dirname(path) not in known:
            return f"mkdir makes {path}, in a folder that may be the COPY's"
    if len(_made_by(call)) != sum(word.value not in _MKDIR_OPTIONS for word in call.arguments):
        return "mkdir sets the mode of a folder among the sources"
    return None


_MKDIR_OPTIONS = frozenset({"-p", "-v", "-pv", "-vp", "--parents", "--verbose"})


def _why_led(step: Step, place: _Place, program: str = "") -> str | None:
    """Say whether PATH may find programs, or this one, among the copied files."""
    for piece in (step.state.value("PATH") or "").split(":"):
        source = brought(posixpath.join(piece, program), place.copies) if piece.startswith("/") else None
        if source is not None and (place.context.is_file(source) if program else place.context.is_dir(source)):
            return f"PATH leads to {piece}, which the COPY brings"
    return None


def _why_mounted(step: Step, folders: Sequence[str]) -> str | None:
    for mount in mounts(step):
        if mount.is_context:
            return "the RUN mounts files of the build context"
        if mount.target is None or any(below(mount.target, f) is not None for f in folders if f != "/"):
            return "a mount lies in the folder of the sources"
    return None


def installs_in(step: Step, dockerfile: Dockerfile, context: Context, copies: Sequence[Copied]) -> bool:
    """Tell whether a RUN installs dependencies of the project, separable or not, that no step before it did."""
    calls = step.run.calls if step.run else ()
    answers = (wanted(install_of(call, step, context, copies), step, call, dockerfile) for call in calls)
    return any(
        bool(answer.paths) and not is_made(answer, dockerfile) if isinstance(answer, Found) else answer is not None
        for answer in answers
    )
