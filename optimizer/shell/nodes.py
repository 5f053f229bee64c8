"""What a shell script is made of, as far as dfopt looks; all else is unknown, with a reason."""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

from optimizer.syntax import Span


class Word(Struct, frozen=True):
    """One word of a command as written.

    `value` is what the shell makes of it (quotes and escapes removed, known variables not replaced),
    None where that depends on running it: a variable, a command substitution, a glob, a brace or tilde.
    """

    text: str
    span: Span
    value: str | None
    variables: tuple[str, ...] = ()  # names that the word expands

    def __str__(self) -> str:
        """Give the word as written."""
        return self.text


class Redirect(Struct, frozen=True):
    """A redirection such as `> /dev/null` or `2>&1`; `target` is None for a here-document."""

    operator: str
    target: Word | None
    span: Span


class Command(Struct, frozen=True):
    """A simple command: assignments, words, redirections; `words` is empty for `A=b` alone."""

    assignments: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]
    span: Span

    def __str__(self) -> str:
        """Give assignments, words and redirections as written, joined by single blanks."""
        assignments = [f"{name}={word}" for name, word in self.assignments]
        redirects = [f"{r.operator}{r.target or ''}" for r in self.redirects]
        return " ".join([*assignments, *map(str, self.words), *redirects])

    @property
    def name(self) -> str | None:
        """The first word where it is certain."""
        return self.words[0].value if self.words else None


class Kind(StrEnum):
    """The kinds of compound command."""

    LIST = "list"  # parts joined by `operators`: && || ; & or newline (written as ";")
    PIPELINE = "pipeline"
    SUBSHELL = "subshell"
    GROUP = "group"
    NEGATED = "negated"
    IF = "if"
    LOOP = "loop"
    CASE = "case"
    FUNCTION = "function"
    REDIRECTED = "redirected"  # a compound with redirections
    UNKNOWN = "unknown"


class Compound(Struct, frozen=True):
    """A compound command; in a LIST `operators[i]` stands behind `parts[i]` (the last may have none).

    The parts of a SUBSHELL, GROUP, LOOP body, IF or CASE branch are LISTs (conditions included, in source order).
    `words` are the variable and values of a `for`, the subject of a `case`, the name of a function; `redirects`
    are those of a REDIRECTED.
    """

    kind: Kind
    parts: "tuple[Node, ...]"
    span: Span
    operators: tuple[str, ...] = ()
    words: tuple[Word, ...] = ()
    redirects: tuple[Redirect, ...] = ()


Node = Command | Compound


class Script(Struct, frozen=True):
    """A parsed script. `problem` says why it is not understood; then `root` must not be relied upon."""

    text: str
    root: Compound  # always a LIST
    problem: str | None = None
    comment: Span | None = None  # what ends a text of one line: nothing that is put behind it would be read

    @property
    def chain(self) -> tuple[Node, ...] | None:
        """The parts where they are joined by `&&` only (or there is one), None otherwise."""
        if self.problem or any(op != "&&" for op in self.root.operators):
            return None
        return self.root.parts

    def commands(self) -> Iterator[Command]:
        """Go through every simple command, in source order, substitutions not included."""
        yield from _commands(self.root)


class Call(Struct, frozen=True):
    """One program that a script starts, seen through `sudo`, `env`, `time`, `exec`, `sh -c` and the like."""

    program: str  # base name: "apt-get" for /usr/bin/apt-get
    words: tuple[Word, ...]  # the program word and its arguments, wrappers removed
    command: Command  # the command that it is part of
    directory: str | None  # working directory (absolute), None when it cannot be told
    variables: Mapping[str, str | None]  # what the script set or exported so far, and the command's own prefix
    user: str | None  # the other user of `sudo -u` or `su`, else None ("root" for plain sudo)
    certain: bool  # runs whenever the script succeeds: not behind ||, in if, a loop, a function or background
    step: int  # which part of `Script.root` it stands in
    nested: bool  # inside `sh -c '…'` or `$(…)`: its spans are not those of the script
    own: bool = False  # a function that the script defines; what that starts is listed where it is defined

    @property
    def arguments(self) -> tuple[Word, ...]:
        """The words behind the program."""
        return self.words[1:]


def _commands(node: Node) -> Iterator[Command]:
    if isinstance(node, Command):
        yield node
        return
    for part in node.parts:
        yield from _commands(part)
