"""What is known of the shell at a place of a script: directory, variables, functions."""

import posixpath
from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from optimizer.shell.nodes import Command, Node, Word
from optimizer.shell.state import assigned_names, builtin_name, parts_of, state_changes
from optimizer.shell.words import resolve
from optimizer.syntax import Span
from optimizer.syntax.lazy_pattern import lazy_pattern

_KEEPS_DIRECTORY = lazy_pattern(
    r"(?:^|/)(?:activate|nvm\.sh|sdkman-init\.sh|conda\.sh|asdf\.sh|os-release|lsb-release|etc/profile|\.?cargo/env|envvars"
    r"|\.(?:bashrc|bash_profile|profile))\"?$"
)


class Scope(Struct, frozen=True):
    """What is known of the shell at a place."""

    directory: str | None
    outer: Mapping[str, str | None]  # variables that the shell was started with
    inner: Mapping[str, str | None]  # variables that the script has set since
    functions: Mapping[str, Node]
    user: str | None
    step: int
    runs: bool  # reached whenever the script succeeds
    counts: bool  # the script succeeds only if this does
    depth: int  # of nesting in `sh -c` and `$(…)`

    def variable(self, name: str) -> str | None:
        """Return the value of a variable where it is known."""
        return self.inner[name] if name in self.inner else self.outer.get(name)

    @property
    def variables(self) -> dict[str, str | None]:
        """All variables that are known of."""
        return {**self.outer, **self.inner}

    def setting(self, changes: Mapping[str, str | None]) -> "Scope":
        """Return the scope behind assignments."""
        return replace(self, inner={**self.inner, **changes}) if changes else self

    def unknown(self, names: Iterable[str] | None) -> "Scope":
        """Return the scope in which these variables (None: all of them) hold no one knows what."""
        return self.setting(dict.fromkeys(self.variables if names is None else names))

    def at(self, directory: str | None) -> "Scope":
        """Return the scope in another directory."""
        return replace(self, directory=directory)

    def going(self, *, runs: bool = True, counts: bool = True) -> "Scope":
        """Return the scope of a place inside that is less certain."""
        if (runs or not self.runs) and (counts or not self.counts):
            return self
        return replace(self, runs=self.runs and runs, counts=self.counts and counts)

    def after(self, then: "Scope") -> "Scope":
        """Return this scope with the shell state of a later one."""
        if then.directory == self.directory and then.inner is self.inner and then.functions is self.functions:
            return self
        return replace(self, directory=then.directory, inner=then.inner, functions=then.functions)


def behind(command: Command, scope: Scope, prefix: Mapping[str, str | None]) -> Scope:
    """Return what holds behind a command."""
    changes, name = state_changes(command), builtin_name(command)
    scope = scope.unknown(prefix)
    if name is None and "source" in changes:
        return scope.at(None).unknown(None)
    if name in {".", "source"}:
        known = len(command.words) > 1 and _KEEPS_DIRECTORY.search(command.words[1].text)
        return (scope if known else scope.at(None)).unknown(None)
    if name == "eval":
        return scope.at(None).unknown(None)
    if name == "cd":
        return scope.at(_changed(command, scope))
    if "cd" in changes:
        return scope.at(None)
    return _assigned(command, name, scope) if "variables" in changes else scope


def _assigned(command: Command, name: str | None, scope: Scope) -> Scope:
    """Return what holds behind export, read, unset and the like, and behind `${A:=b}`."""
    names = assigned_names(command)
    if names is None:
        return scope.unknown(None)
    expanded = [v for w in command.words for v in w.variables if "=" in w.text]
    if name not in {"export", "readonly", "declare", "typeset", "local"}:
        return scope.unknown([*names, *expanded])
    for word in command.words[1:]:
        key, equals, text = word.text.partition("=")
        if equals and key in names:
            start = word.span.start + len(key) + 1
            value = word.value.partition("=")[2] if word.value is not None else None
            part = Word(text, Span(start, word.span.end), value, word.variables)
            scope = scope.setting({key: resolve(part, scope.variables)})
    return scope.unknown(n for n in names if n.endswith("+"))


def _changed(command: Command, scope: Scope) -> str | None:
    """Return where a `cd` goes."""
    words = [w for w in command.words if w.value not in {"command", "builtin", "-L", "-e", "--"}][1:]
    if not words:
        return joined(scope, scope.variable("HOME"))
    path = resolve(words[0], scope.variables)
    if len(words) > 1 or not path or path.startswith("-"):
        return None
    if "CDPATH" in scope.variables and not path.startswith(("/", "./", "../")) and path not in {".", ".."}:
        return None
    return joined(scope, path)


def joined(scope: Scope, path: str | None) -> str | None:
    """Return a directory as seen from the scope's, None where it cannot be told.

    A scope may stand in a relative directory, whose own place is not known: then nothing above it is either.
    """
    if path is None or (scope.directory is None and not path.startswith("/")):
        return None
    found = posixpath.normpath(posixpath.join(scope.directory or "/", path))
    if found.startswith("/"):
        return "/" + found.lstrip("/")
    return found if found.split("/")[0] == (scope.directory or "").split("/")[0] else None


def forgetting(scope: Scope, node: Node) -> Scope:
    """Return the scope without what the commands of a node may change."""
    commands = (node,) if isinstance(node, Command) else parts_of(node)
    for command in commands:
        changes = state_changes(command)
        if changes & {"cd", "source"}:
            scope = scope.at(None)
        names = assigned_names(command)
        if names is None or names:
            scope = scope.unknown(names)
    return scope


def merged(scopes: "list[Scope]") -> Scope:
    """Return what all scopes agree on."""
    last = scopes[-1]
    if len(scopes) == 1:
        return last
    directory = last.directory if all(s.directory == last.directory for s in scopes) else None
    changed = any(s.inner is not last.inner for s in scopes)
    names = {n for s in scopes for n in s.inner} if changed else ()
    differing = [n for n in names if any(s.variable(n) != last.variable(n) for s in scopes)]
    return last.at(directory).unknown(differing) if differing else last.at(directory)
