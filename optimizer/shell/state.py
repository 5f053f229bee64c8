"""What a part of a script changes for the parts behind it in the same shell."""

import re

from optimizer.shell._wrappers import WRAPPERS, unwrap
from optimizer.shell.nodes import Command, Compound, Kind, Node
from optimizer.syntax.lazy_pattern import lazy_pattern

NONE: frozenset[str] = frozenset()
_KINDS = {
    "cd": "cd", "pushd": "cd", "popd": "cd",
    "export": "variables", "unset": "variables", "readonly": "variables", "declare": "variables",
    "typeset": "variables", "local": "variables", "read": "variables", "mapfile": "variables",
    "readarray": "variables", "getopts": "variables", "let": "variables", "shift": "variables",
    "set": "options", "shopt": "options", "umask": "options", "ulimit": "options", "enable": "options",
    "alias": "functions", "unalias": "functions", "hash": "options",
    "trap": "traps",
    "coproc": "background", "disown": "background", "bg": "background", "fg": "background", "wait": "background",
    "source": "source", ".": "source", "eval": "source",
    "exit": "exit", "return": "exit", "break": "exit", "continue": "exit", "logout": "exit",
}  # fmt: skip
_ASSIGNING = lazy_pattern(r"\$\{\w+:?=|\$\(\(.*?(?:\+\+|--|[^=!<>]=(?!=))", re.DOTALL)


def state_changes(node: Node) -> frozenset[str]:
    """Return the kinds of shell state that a part leaks to what follows in the same shell.

    The kinds: "cd", "variables" (assignments, export, unset, read…), "options" (set, shopt, umask, ulimit, `exec`
    with redirections), "functions", "traps", "background", "source" (also eval, and a command whose name cannot
    be told), "exit" (also exec of a program).
    """
    if isinstance(node, Command):
        return _of_command(node)
    if node.kind is Kind.FUNCTION:
        return frozenset({"functions"})
    changes = NONE.union(*map(state_changes, node.parts))
    if "&" in node.operators:
        changes |= {"background"}
    if node.kind in {Kind.SUBSHELL, Kind.PIPELINE}:
        return changes & {"background"}
    return changes | {"variables"} if node.kind is Kind.LOOP and node.words else changes


def builtin_name(command: Command) -> str | None:
    """Return the name of a command behind `command` and `builtin`, None where it cannot be told."""
    words = command.words
    if words and words[0].value not in {"command", "builtin"}:
        return words[0].value
    while words and words[0].value in {"command", "builtin"}:
        inner = unwrap(WRAPPERS[words[0].value], words)
        if inner is None:
            break
        words = inner.words
    return words[0].value if words else None


def _of_command(command: Command) -> frozenset[str]:
    changes: set[str] = set()
    expanding = [word.text for word in command.words if word.variables]
    if any(map(_ASSIGNING.search, expanding)) or (command.assignments and not command.words):
        changes.add("variables")
    if command.redirects and any(r.operator.startswith("&>") for r in command.redirects):
        changes.add("background")  # in a shell that is not bash, `&>` puts the command in the background
    if not command.words:
        return frozenset(changes)
    name = builtin_name(command)
    if name is None:
        changes.add("source")
    elif name == "exec":
        changes.add("exit" if len(command.words) > 1 else "options")
    elif name == "printf" and any(w.value == "-v" for w in command.words):
        changes.add("variables")
    elif name in _KINDS:
        changes.add(_KINDS[name])
        if command.assignments:
            changes.add("variables")  # POSIX keeps what is assigned before a special built-in
    return frozenset(changes)


def assigned_names(command: Command) -> tuple[str, ...] | None:
    """Return the variables that a command may set in its shell; None where they cannot be told."""
    names = [name for name, _ in command.assignments]
    kind = _KINDS.get(builtin_name(command) or "")
    if kind == "source" or (command.words and builtin_name(command) is None):
        return None
    if kind == "variables":
        plain = [re.match(r"[A-Za-z_]\w*(?=\W?=|$)", w.text) for w in command.words[1:]]
        options = [w.value is not None and w.value.startswith("-") for w in command.words[1:]]
        if any(m is None and not o for m, o in zip(plain, options, strict=True)):
            return None
        names.extend(m[0] for m in plain if m)
    return tuple(names)


def parts_of(node: Compound) -> tuple[Command, ...]:
    """Return the commands of a compound, at every depth."""
    found: list[Command] = []
    stack: list[Node] = [node]
    while stack:
        at = stack.pop()
        if isinstance(at, Command):
            found.append(at)
        else:
            stack.extend(reversed(at.parts))
    return tuple(found)
