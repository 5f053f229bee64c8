"""How far a stage gets without its sources: installs that need manifests only, and steps that do not care.

`follow` walks down from the COPY that brings the sources. It passes steps that neither read nor write them, gathers
the installs that it meets, and stops at the first step that needs more.
"""

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from optimizer.context import Context
from optimizer.ecosystems import all_ecosystems
from optimizer.ecosystems.ecosystem import Install, Project, Refusal
from optimizer.model import Dockerfile, Run, Step
from optimizer.shell import Call
from optimizer.transforms._copies import Copied, below, brings_context, image_path, overlap, read_copy
from optimizer.transforms._independence import why_call_dependent, why_redirected

# Instructions that neither read nor write files of the image, and that no COPY depends on.
_FREE = frozenset({"CMD", "ENTRYPOINT", "EXPOSE", "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD", "STOPSIGNAL", "USER", "SHELL"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """An install in a RUN, and the image paths of its manifests."""

    step: Step
    call: Call
    install: Install
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Early:
    """What can run before the sources are there.

    `moved` are the COPYs that can go below the last install; `cut` is the part of that install's RUN from which on
    it needs the sources; `stopped` says where the walk ended, and why.
    """

    moved: tuple[Copied, ...]
    installs: tuple[Found, ...] = ()
    cut: int | None = None
    stopped: tuple[Step, str] | None = None


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What a step between the COPY and the last install is."""

    reason: str | None = None  # why it needs the sources
    installs: tuple[Found, ...] = ()
    cut: int | None = None
    copied: Copied | None = None


def follow(dockerfile: Dockerfile, context: Context, first: Copied, earlier: Sequence[Copied]) -> Early:
    """Walk down from the COPY `first`; `earlier` are the COPYs above it in the stage."""
    moved, best = (first,), Early((first,))
    installs: tuple[Found, ...] = ()
    for step in dockerfile.after(first.step):
        verdict = _look(step, context, moved, [*earlier, *moved])
        if verdict.installs:
            installs += verdict.installs
            best = Early(moved, installs, verdict.cut)
        if verdict.reason is not None:
            return replace(best, stopped=(step, verdict.reason))
        if verdict.copied is not None:
            moved += (verdict.copied,)
        if any(found.install.then for found in verdict.installs):
            break
    return best


def _look(step: Step, context: Context, moved: Sequence[Copied], copies: Sequence[Copied]) -> _Verdict:
    if step.run is not None:
        return _look_at_run(step, step.run, context, moved, copies)
    if brings_context(step):
        copied = read_copy(step, context)
        return _Verdict(copied) if isinstance(copied, str) else _Verdict(copied=copied)
    if step.name in _FREE:
        return _Verdict()
    return _Verdict(_why_in_the_way(step, moved))


def _why_in_the_way(step: Step, moved: Sequence[Copied]) -> str | None:
    """Say why the COPYs cannot go below a step that is neither a RUN nor brings context files."""
    arguments = step.instruction.arguments
    if step.name in {"COPY", "ADD"} and not step.instruction.heredocs and arguments:
        destination = image_path(arguments[-1], step.state.workdir)
        clash = "$" in destination or any(overlap(destination, c.destination) for c in moved)
        return f"{step.name} writes to the same folder" if clash else None
    if step.name == "WORKDIR":
        relative = any(not c.step.instruction.arguments[-1].startswith("/") for c in moved)
        return "WORKDIR changes the folder that the COPY is relative to" if relative else None
    if step.name in {"ENV", "ARG"}:
        uses = any("$" in c.step.instruction.value.text for c in moved)
        return f"{step.name} may change a variable that the COPY uses" if uses else None
    return f"{step.name} stands between"


def _look_at_run(
    step: Step, run: Run, context: Context, moved: Sequence[Copied], copies: Sequence[Copied]
) -> _Verdict:
    folders = tuple(c.destination for c in moved)
    reason = (None if run.editable else run.why_not_editable) or _why_mounted(step, folders)
    if reason:
        return _Verdict(reason)
    found: list[Found] = []
    for call in run.calls:
        answer = _install_of(call, step, context, copies)
        if isinstance(answer, Found):
            found.append(answer)
            continue
        reason = answer or why_call_dependent(call, folders) or _why_led(step, context, copies)
        if reason is not None:
            before = tuple(one for one in found if one.call.step < call.step)
            if before and run.script.chain is not None:
                return _Verdict(reason, before, call.step)
            return _Verdict(reason)
    return _Verdict(why_redirected(run.script, folders), tuple(f for f in found if f.paths or f.install.command))


def _why_led(step: Step, context: Context, copies: Sequence[Copied]) -> str | None:
    """Say whether PATH may find programs among the copied files."""
    for piece in (step.state.value("PATH") or "").split(":"):
        source = _brought(piece, copies) if piece.startswith("/") else None
        if source is not None and context.is_dir(source):
            return f"PATH leads to {piece}, which the COPY brings"
    return None


def _why_mounted(step: Step, folders: Sequence[str]) -> str | None:
    for flag in step.instruction.flags:
        options = dict(part.partition("=")[::2] for part in (flag.value or "").split(","))
        if flag.name != "mount":
            continue
        if options.get("type", "bind") == "bind":
            return "the RUN mounts files of the build context"
        target = options.get("target") or options.get("dst") or options.get("destination") or ""
        if any(below(image_path(target, step.state.workdir), folder) is not None for folder in folders if folder != "/"):
            return "a mount lies in the folder of the sources"
    return None


def _install_of(call: Call, step: Step, context: Context, copies: Sequence[Copied]) -> Found | str | None:
    """Return the install that a call is, why it cannot be separated, or None for what is no install."""
    refusal: str | None = None
    for project in _projects(call, step, context, copies):
        for ecosystem in all_ecosystems():
            answer = ecosystem.install(call, project)
            if isinstance(answer, Refusal):
                refusal = refusal or answer.reason
            elif answer is not None:
                paths = tuple(_image_path_of(manifest, project) for manifest in answer.manifests)
                missing = next((p for p, m in zip(paths, answer.manifests, strict=True) if _brought(p, copies) != m), None)
                if missing is None:
                    return Found(step, call, answer, paths)
                refusal = refusal or f"{posixpath.basename(missing)} does not come from one COPY"
    return refusal


def _image_path_of(manifest: str, project: Project) -> str:
    inner = below(manifest, project.source) if project.source else manifest
    return posixpath.join(project.destination, inner or "")


def _brought(path: str, copies: Sequence[Copied]) -> str | None:
    """Return the context path of what stands at an image path after all COPYs."""
    return next((source for c in reversed(copies) if (source := c.source_of(path)) is not None), None)


def _projects(call: Call, step: Step, context: Context, copies: Sequence[Copied]) -> Iterator[Project]:
    """Give the project as each COPY shows it: the folder nearest to the working directory first."""
    env = {**step.state.args, **step.state.env}
    placed = [one for copied in reversed(copies) for one in copied.placed]
    folders = sorted((p for p in placed if p.folder), key=lambda p: -_nearness(call.directory, p.destination))
    for one in folders:
        yield Project(context, one.source, one.destination, env)
    files = [one for one in placed if not one.folder]
    for source, destination in dict.fromkeys((posixpath.dirname(p.source), posixpath.dirname(p.destination)) for p in files):
        inside = {
            p.source: context.files.get(p.source, 0)
            for p in files
            if posixpath.join(destination, below(p.source, source) or "" if source else p.source) == p.destination
        }
        yield Project(replace(context, files=inside), source, destination, env)


def _nearness(directory: str | None, folder: str) -> int:
    return len(folder) if directory is not None and below(directory, folder) is not None else -1


def installs_in(step: Step, context: Context, copies: Sequence[Copied]) -> bool:
    """Tell whether a RUN installs dependencies of the project, separable or not."""
    return step.run is not None and any(
        answer is not None and (isinstance(answer, str) or bool(answer.paths))
        for answer in (_install_of(call, step, context, copies) for call in step.run.calls)
    )
