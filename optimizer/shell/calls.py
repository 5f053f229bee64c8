"""Which programs a script starts, where, and with which variables."""

import posixpath
import re
from collections.abc import Mapping
from functools import lru_cache

from msgspec.structs import replace

from optimizer.shell._scope import Scope, behind, forgetting, joined, merged
from optimizer.shell._wrappers import WRAPPERS, Unwrapped, has_option, is_cluster_with, option, unwrap
from optimizer.shell.nodes import Call, Command, Compound, Kind, Node, Script, Word
from optimizer.shell.parse import parse_script, substitutions
from optimizer.shell.state import parts_of, state_changes
from optimizer.shell.words import resolve
from optimizer.syntax import Span

SHELLS = frozenset({"sh", "bash", "ash", "dash", "ksh", "zsh"})
_SPECIAL = frozenset({
    ".", ":", "break", "continue", "eval", "exec", "exit", "export", "readonly", "return", "set", "shift", "times",
    "trap", "unset",
})  # fmt: skip
_TEXT_RUNNERS = frozenset({"eval", "trap"})
_MAX_DEPTH = 20


def calls(script: Script, directory: str | None, variables: Mapping[str, str | None]) -> tuple[Call, ...]:
    """Return the programs that a script starts, in source order; none where the script is not understood.

    `script` is what `parse_script` gave; `directory` and `variables` are what the shell starts with. Calls in
    `$(…)`, backticks and process substitutions come before the command that they are part of. `source` stands
    for `.` too; a function that the script defines is called by its name. `eval` and `trap` give way to what they run
    where that is known.
    """
    if script.problem:
        return ()
    return _calls(script.text, directory, tuple(variables.items()))


@lru_cache(maxsize=2048)
def _calls(text: str, directory: str | None, variables: tuple[tuple[str, str | None], ...]) -> tuple[Call, ...]:
    walk = _Walk(text)
    scope = Scope(directory, dict(variables), {}, {}, None, 0, runs=True, counts=True, depth=0)
    try:
        walk.root(parse_script(text).root, scope)
    except RecursionError:
        return ()
    return tuple(walk.found)


class _Walk:
    """A walk through one text, which collects calls."""

    def __init__(self, text: str) -> None:
        self.found: list[Call] = []
        self.length = len(text)
        self.substitutions = list(substitutions(text))

    def root(self, root: Compound, scope: Scope) -> Scope:
        """Walk a whole script; a nested one keeps the step of the outer."""
        end = self.list(root, scope, numbered=scope.depth == 0)
        self.inside(Span(0, self.length), end.at(None).unknown(None).going(runs=False))
        return end

    def node(self, node: Node, scope: Scope) -> Scope:
        """Walk any node; return what holds behind it."""
        if isinstance(node, Command):
            return self.command(node, scope)
        if node.kind is Kind.LIST:
            return self.list(node, scope)
        if node.kind in {Kind.GROUP, Kind.REDIRECTED}:
            return self.node(node.parts[0], scope)
        if node.kind is Kind.NEGATED:
            return self.node(node.parts[0], scope.going(counts=False))
        if node.kind is Kind.SUBSHELL:
            self.node(node.parts[0], scope)
            return scope
        if node.kind is Kind.PIPELINE:
            for part in node.parts:
                self.node(part, scope.going(counts=part is node.parts[-1]))
            return scope
        return self.branching(node, scope)

    def branching(self, node: Compound, scope: Scope) -> Scope:
        """Walk what may run or not: `if`, `case`, loops, functions."""
        if node.kind is Kind.FUNCTION:
            self.node(node.parts[0], scope.at(None).unknown(None).going(runs=False))
            name = node.words[0].text if node.words else ""
            return replace(scope, functions={**scope.functions, name: node.parts[0]})
        start = scope
        if node.kind is Kind.LOOP:
            start = forgetting(scope, node).unknown(w.text for w in node.words[:1])
        at = start
        for index, part in enumerate(node.parts):
            condition = index == 0 and (node.kind is Kind.IF or (node.kind is Kind.LOOP and len(node.parts) > 1))
            inner = at if index < 2 else forgetting(at, node)  # noqa: PLR2004 - a condition and its body
            at = scope.after(self.node(part, inner.going(runs=condition, counts=False)))
            at = start if node.kind is Kind.CASE else at
        return scope.after(forgetting(start, node))

    def list(self, node: Compound, scope: Scope, *, numbered: bool = False) -> Scope:
        """Walk a list: and-or lists one behind the other."""
        at, first, left = scope, 0, False
        operators = (*node.operators, ";")[: len(node.parts)]
        for index, operator in enumerate(operators):
            if operator in {"&&", "||"}:
                continue
            last = index == len(node.parts) - 1 and operator == ";"
            inner = at.going(runs=not left and operator == ";", counts=last)
            after = self.and_or(node, first, index + 1, inner, numbered=numbered)
            at = at.after(after) if operator == ";" else at
            left = left or any(_may_leave(part) for part in node.parts[first : index + 1])
            first = index + 1
        return scope.after(at)

    def and_or(self, node: Compound, first: int, end: int, scope: Scope, *, numbered: bool) -> Scope:
        """Walk the parts `first` to `end`, which `&&` and `||` join."""
        parts, operators = node.parts[first:end], node.operators[first : end - 1]
        either = "||" in operators
        at, lost, ends = scope, scope, []
        for index, part in enumerate(parts):
            if index and operators[index - 1] == "||":
                at = lost
            inner = at.going(runs=index == 0 or (scope.counts and not either), counts=not either)
            inner = replace(inner, step=first + index) if numbered and inner.step != first + index else inner
            at = at.after(self.node(part, inner))
            ends.append(at)
            lost = forgetting(lost, part) if either else lost
        if operators[:-1] == ("&&",) * (len(parts) - 2) and either and _leaves(parts[-1]):
            return ends[-2]  # `a && b || exit`
        if either:
            return lost
        return at if scope.counts else merged(ends)

    def command(self, command: Command, scope: Scope) -> Scope:
        """Walk a simple command: what it expands, what it starts, what it changes."""
        if self.substitutions:
            self.inside(command.span, scope.going(counts=False))
        prefix = {name: resolve(word, scope.variables) for name, word in command.assignments}
        if not command.words:
            return scope.setting(prefix)
        program = self.started(command.words, command, scope.setting(prefix))
        after = behind(command, scope, prefix if program in _SPECIAL else {})
        body = scope.functions.get(program or "")
        return forgetting(after, body) if body else after

    def inside(self, span: Span, scope: Scope) -> None:
        """Walk the substitutions of a part of the text, each once."""
        within = [s for s in self.substitutions if span.start <= s[0].start and s[0].end <= span.end]
        for found in within:
            self.substitutions.remove(found)
            self.nested(found[1], scope)

    def nested(self, text: str, scope: Scope) -> bool:
        """Walk a script inside the script; False where it is not understood."""
        script = parse_script(text)
        if script.problem or scope.depth >= _MAX_DEPTH:
            return False
        walk = _Walk(text)
        walk.root(script.root, replace(scope, depth=scope.depth + 1))
        self.found.extend(walk.found)
        return True

    def started(self, words: tuple[Word, ...], command: Command, scope: Scope) -> str | None:
        """Add the call of a program, seen through wrappers; return its name."""
        name = _base(words[0])
        if name in WRAPPERS and (inner := unwrap(WRAPPERS[name], words)):
            return self.wrapped(name, inner, command, scope)
        if name in {"su", "runuser"} and self.as_user(words, scope):
            return name
        if name in SHELLS and self.shell(words, scope):
            return name
        if name in _TEXT_RUNNERS and self.spelled(name, words, scope):
            return name
        shown = {"": words[0].text, ".": "source"}.get(name, name)
        variables = dict(scope.inner)
        own, nested = shown in scope.functions and words[0].value == shown, scope.depth > 0
        self.found.append(
            Call(shown, words, command, scope.directory, variables, scope.user, scope.runs, scope.step, nested, own)
        )
        return name

    def wrapped(self, name: str, inner: Unwrapped, command: Command, scope: Scope) -> str | None:
        """Add the call of a program behind a wrapper."""
        words, assigned = inner.words, {}
        for word in inner.between if WRAPPERS[name].assigns else ():
            key, _, _ = word.text.partition("=")
            assigned[key] = word.value.partition("=")[2] if word.value is not None else None
        assigned.pop("-", None)
        scope = scope.setting(assigned)
        if chdir := option(inner.options, "-D", "--chdir", *(["-C"] if name == "env" else [])):
            scope = scope.at(joined(scope, resolve(chdir, scope.variables)))
        if name == "env" and (has_option(inner.options, "i", "--ignore-environment") or "-" in assigned):
            scope = scope.unknown(set(scope.variables) - set(assigned))
        if name == "env" and (removed := option(inner.options, "-u", "--unset")):
            scope = scope.unknown([removed.text])
        if name in {"sudo", "doas", "gosu", "su-exec", "setpriv"}:
            scope = replace(scope, user=_other_user(name, inner))
        if name == "sudo" and has_option(inner.options, "i", "--login"):
            scope = scope.at(None)
        if WRAPPERS[name].incomplete:
            end = words[-1].span.end
            words = (*words, Word("", Span(end, end), None))
            scope = scope.going(runs=False)
        return self.started(words, command, scope)

    def shell(self, words: tuple[Word, ...], scope: Scope) -> bool:
        """Walk the script of `sh -c '…'`; False where there is none or it is not understood."""
        at = 1
        while at < len(words) and (value := words[at].value) is not None and value[:1] in {"-", "+"}:
            if is_cluster_with("c")(words[at]):
                at += 1
                while at < len(words) and (words[at].value or "").startswith(("-", "+")):
                    at += 2 if (words[at].value or "")[1:] in {"o", "O"} else 1
                text = resolve(words[at], scope.variables) if at < len(words) else None
                return text is not None and self.nested(text, replace(scope, functions={}))
            at += 2 if value.endswith(("o", "O")) and not value.startswith("--") else 1
        return False

    def spelled(self, name: str, words: tuple[Word, ...], scope: Scope) -> bool:
        """Walk what `eval` and `trap` are given where all of it is known; False where it is not.

        What a trap runs finds the shell as it happens to be then.
        """
        given = words[1:2] if name == "trap" else words[1:]
        texts = [resolve(word, scope.variables) for word in given]
        if name == "trap" and texts in ([], [""], ["-"]):
            return bool(texts)
        if not texts or None in texts or (texts[0] or "").startswith("-"):
            return False
        inner = scope.at(None).unknown(None).going(runs=False) if name == "trap" else scope
        return self.nested(" ".join(filter(None, texts)), inner)

    def as_user(self, words: tuple[Word, ...], scope: Scope) -> bool:
        """Walk the script of `su user -c '…'`."""
        text, user, login, at = None, None, False, 1
        while at < len(words):
            value = words[at].value
            if value in {"-c", "--command", "-lc", "-s", "--shell", "-g", "--group", "-G", "-w", "-u", "--user"}:
                argument = words[at + 1] if at + 1 < len(words) else None
                if value in {"-c", "--command", "-lc"} and argument:
                    text = resolve(argument, scope.variables)
                user = argument.value if value in {"-u", "--user"} and argument else user
                login, at = login or value == "-lc", at + 2
                continue
            login = login or value in {"-", "-l", "--login"}
            user = words[at].text if user is None and not (value or "-").startswith("-") else user
            at += 1
        inner = replace(scope, user=user or "root", functions={})
        return text is not None and self.nested(text, inner.at(None) if login else inner)


def _base(word: Word) -> str:
    return posixpath.basename(word.value) if word.value is not None else ""


def _other_user(name: str, inner: Unwrapped) -> str | None:
    """Return the user that sudo and its like change to."""
    if name in {"gosu", "su-exec"}:
        return inner.between[0].value
    if name == "setpriv":
        return None
    attached = next((w.text[2:] for w in inner.options if re.match(r"-u.", w.text)), None)
    long = next((w.text[7:] for w in inner.options if w.text.startswith("--user=")), None)
    given = option(inner.options, "-u", "--user", "-Eu", "-nu", "-Hu", "-EHu", "-HEu")
    return given.text if given else long or attached or "root"


def _leaves(node: Node) -> bool:
    """Tell whether a part always ends the script."""
    if isinstance(node, Command):
        return "exit" in state_changes(node)
    return node.kind in {Kind.GROUP, Kind.LIST} and bool(node.parts) and _leaves(node.parts[-1])


def _may_leave(node: Node) -> bool:
    """Tell whether a part may end the script with success."""
    if "exit" not in state_changes(node):
        return False
    commands = (node,) if isinstance(node, Command) else parts_of(node)
    leaving = [c for c in commands if "exit" in state_changes(c)]
    return not all(
        len(c.words) > 1 and c.words[0].value == "exit" and c.words[1].value not in {"0", None} for c in leaving
    )
