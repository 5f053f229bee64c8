"""Whether a command may be put behind all others of a RUN without changing what makes the RUN fail."""

from optimizer.model import Step
from optimizer.shell import Command, Compound, Kind, Node, state_changes
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._layout import chain_operator, why_not_appendable

_COMPOUND = "the RUN ends in a compound command"
_ERREXIT = lazy_pattern(r"-\w*e\w*|errexit")


def why_not_behind(step: Step) -> str | None:
    """Say why a RUN is not a plain row of commands each of which has to succeed, None where it is."""
    reason = why_not_appendable(step)
    if reason or step.run is None:
        return reason or "it is no RUN"
    script = step.run.script
    if any("traps" in state_changes(part) for part in script.root.parts):
        return "what the trap of the RUN does comes last"
    if script.chain is not None:
        simple = _fails_at_once(script.root.parts[-1]) and not any(call.own for call in step.run.calls)
        return None if simple or not _has_errexit(step) else _COMPOUND
    if chain_operator(step) != ";":
        return "the commands of the RUN are not joined by && alone"
    if any(_clears_errexit(part) for part in script.root.parts):
        return "the RUN switches set -e off"
    # Of an and-or list and of most compounds, set -e lets the failure pass, and only the exit status tells.
    return None if _fails_at_once(script.root.parts[-1]) else _COMPOUND


def why_not_last(step: Step, install: int | None = None) -> str | None:
    """Say why a command put with `&&` behind some part of a RUN changes what makes the RUN fail, None if it does not.

    Beside what `why_not_behind` lets through these are statements without `set -e`, of which only the last one's
    status counts. The command must not fail by itself, or only where the part `install` failed: that has to be one of
    the last statement then.
    """
    reason = why_not_behind(step)
    if reason is None or why_not_appendable(step) or step.run is None or chain_operator(step) == ";":
        return reason
    root = step.run.script.root
    changes = frozenset[str]().union(*map(state_changes, root.parts))
    if not {*root.operators} <= {"&&", ";"} or changes & {"traps", "source", "functions"}:
        return reason
    if install is not None and ";" in root.operators[install : len(root.parts) - 1]:
        return reason
    return reason if _has_errexit(step) else None


def _has_errexit(step: Step) -> bool:
    """Tell whether `set -e` may hold in a RUN, by its own words or those of the shell."""
    parts = step.run.script.root.parts if step.run else ()
    if any(map(_ERREXIT.fullmatch, step.state.shell[1:])) or "SHELLOPTS" in step.state.env:
        return True
    return any("source" in state_changes(part) or _sets_errexit(part) for part in parts)


def _sets_errexit(node: Node) -> bool:
    if isinstance(node, Compound):
        return any(map(_sets_errexit, node.parts))
    return node.name in {"set", "exec"} and any(w.value is None or _ERREXIT.fullmatch(w.value) for w in node.words[1:])


def _clears_errexit(node: Node) -> bool:
    if isinstance(node, Compound):
        return any(map(_clears_errexit, node.parts))
    options = [w.value or "" for w in node.words[1:]]
    return node.name == "set" and any(o.startswith("+") for o in options)


def _fails_at_once(node: Node) -> bool:
    return isinstance(node, Command) or (
        node.kind is Kind.PIPELINE and all(isinstance(part, Command) for part in node.parts)
    )
