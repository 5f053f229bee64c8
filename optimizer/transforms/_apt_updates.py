"""RUNs that only fetch apt's package lists, and the RUNs that install from them."""

from msgspec import Struct

from optimizer.ecosystems import apt
from optimizer.ecosystems._system import invocation
from optimizer.model import Dockerfile, Run, Step
from optimizer.shell import Call, Node, state_changes
from optimizer.syntax import pairs
from optimizer.transforms._unread import SYSTEM_INSTALL, unread

INSTALLS = frozenset({
    "install", "build-dep", "upgrade", "dist-upgrade", "full-upgrade", "safe-upgrade", "reinstall", "satisfy",
})  # fmt: skip
# What says nothing to apt-get update, so that it may run in front of it or behind.
_SILENT = frozenset({"LABEL", "MAINTAINER", "EXPOSE", "STOPSIGNAL", "CMD", "ENTRYPOINT", "HEALTHCHECK"})
# What prepares an update: more than that in its RUN would run again with every change of the install.
_PREPARING = frozenset({
    "add-apt-repository", "apt", "apt-get", "apt-key", "apt-mark", "aptitude", "cat", "chmod", "cp", "curl", "dpkg",
    "debconf-set-selections", "echo", "gpg", "install", "ln", "mkdir", "mv", "printf", "rm", "sed", "tee", "true",
    "wget",
})  # fmt: skip
_SILENT_VARIABLES = frozenset({
    "DEBIAN_FRONTEND", "DEBIAN_PRIORITY", "DEBCONF_NONINTERACTIVE_SEEN", "LANG", "LANGUAGE", "LC_ALL", "TZ", "TERM",
})  # fmt: skip


class Pair(Struct, frozen=True):
    """An update in a RUN of its own, the RUN that installs from it, and what stands between."""

    update: Step
    install: Step
    between: tuple[Step, ...]


def pair_of(dockerfile: Dockerfile, step: Step) -> Pair | None:
    """Return the install that reads what a RUN fetches, None where nothing reads it, or the RUN itself does."""
    run, actions = step.run, _actions(step)
    if run is None or "update" not in actions or not INSTALLS.isdisjoint(actions):
        return None
    after = dockerfile.after(step)
    for at, later in enumerate(after):
        actions = _actions(later)
        if actions[:1] == ["update"] and not _ends_in_update(step):
            return None
        if actions[:1] == ["update"] or not INSTALLS.isdisjoint(actions) or unread(later, SYSTEM_INSTALL):
            return Pair(step, later, after[:at])
    return None


def why_not_joined(pair: Pair) -> str | None:
    """Say why an update has to stay where it is, None where it can go to its install."""
    one, two = pair.update, pair.install
    if _actions(two)[:1] == ["update"]:
        return f"line {two.line} fetches the lists again"
    if not _ends_in_update(one):
        return (one.run and _why_not_plain(one.run)) or f"line {one.line} does not end in the update"
    if reason := _why_not_chain(one) or _why_not_chain(two):
        return reason
    blocking = next((s for s in pair.between if not _is_silent(s)), None)
    if blocking is not None:
        return f"{blocking.name} in line {blocking.line} stands between the update and its install"
    if [(f.name, f.value) for f in one.instruction.flags] != [(f.name, f.value) for f in two.instruction.flags]:
        return "the RUNs of the update and of its install have different options"
    if (one.state.user, one.state.workdir, one.state.shell) != (two.state.user, two.state.workdir, two.state.shell):
        return "the RUNs of the update and of its install start differently"
    return _why_not_moved(pair)


def action(call: Call) -> str | None:
    """Return the verb of a call of apt-get, apt or aptitude, None for any other call."""
    return invocation(call, apt.GRAMMAR).action if call.program in apt.ECOSYSTEM.programs else None


def chain_of(step: Step) -> tuple[Node, ...]:
    """Return the commands of a RUN that `why_not_joined` has nothing against."""
    return (step.run.script.chain or ()) if step.run else ()


def _why_not_moved(pair: Pair) -> str | None:
    """Say why the commands of the update's RUN cannot stand in front of those of the install."""
    run, parts = pair.update.run, chain_of(pair.update)
    if run is None or any(map(state_changes, parts)):
        return "the RUN of the update changes the shell that the install would run in"
    if any(call.program not in _PREPARING for call in run.calls):
        return "the RUN of the update does other work as well"
    if pair.between and len(parts) > 1:
        return f"line {pair.between[0].line} stands between the RUN of the update and the install"
    if run.text.text[parts[-1].span.end :].strip() or run.text.text[: parts[0].span.start].strip():
        return "a comment stands beside the update"
    inside = run.text.span(parts[0].span.start, parts[-1].span.end)
    if not all(inside.start <= comment.start < inside.end for comment in pair.update.instruction.comments):
        return "a comment stands beside the update"
    return None


def _ends_in_update(step: Step) -> bool:
    run = step.run
    if run is None or not run.script.root.parts or not run.calls:
        return False
    return run.calls[-1].command == run.script.root.parts[-1] and action(run.calls[-1]) == "update"


def _why_not_plain(run: Run) -> str | None:
    """Say why the update of a RUN is no plain command of its script."""
    if not run.editable:
        return run.why_not_editable
    update = next(call for call in run.calls if action(call) == "update")
    if update.nested:
        return "the update stands in a script within the script"
    return None if update.command in run.script.root.parts else "the update is part of a compound command"


def _actions(step: Step) -> list[str]:
    """Return what a RUN has apt do, in order."""
    return [verb for call in (step.run.calls if step.run else ()) if (verb := action(call))]


def _why_not_chain(step: Step) -> str | None:
    run = step.run
    if run is None or not run.editable:
        return run.why_not_editable if run else None
    if run.script.chain is None:
        return f"the commands of line {step.line} are not joined by && alone"
    return None


def _is_silent(step: Step) -> bool:
    if step.name in {"ENV", "ARG"}:
        return all(name in _SILENT_VARIABLES for name, _ in pairs(step.instruction))
    return step.name in _SILENT
