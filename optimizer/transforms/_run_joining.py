"""Whether RUNs that follow each other can be one, and how their texts are put together."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise

from msgspec import Struct
from msgspec.structs import replace

from optimizer.model import Run, State, Step
from optimizer.shell import Command, Compound, Kind, Node, parse_script, state_changes
from optimizer.syntax import Document, Span
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._behind import why_not_behind
from optimizer.transforms._finding import Edit
from optimizer.transforms._layout import Style, style_of
from optimizer.transforms._run_kinds import replaces

_LONGEST = 60_000  # characters: Linux takes arguments up to 128 KiB, and the shell gets the script as one
_LOGIN = lazy_pattern(r"-\w*[li]\w*|--login|--init-file|--rcfile")
_ERREXIT = lazy_pattern(r"-\w*e\w*|errexit")
_DIRECTIVE = lazy_pattern(r"#\s*(?:hadolint|dfopt|tally|checkov|trivy|nosemgrep|check|syntax|escape)\b.*[:=]")
_JOINT = lazy_pattern(r"(?:&&|\|\||;)[ \t]*[\\`]\r?\n|[\\`]\r?\n\s*(?:&&|\|\|)")
_HEADING = lazy_pattern(r"#.*([^\w\s])\1{3}")
_COMMENTED_OUT = lazy_pattern(r"#+\s*(?:RUN|COPY|ADD|ENV|ARG|FROM|WORKDIR|USER|CMD|ENTRYPOINT|EXPOSE|VOLUME|LABEL)\s")
# What the builder mounts anew for every RUN, so that the second does not see what the first wrote.
_FRESH = lazy_pattern(r"(?:/etc/(?:hosts|resolv\.conf|hostname)|/dev/(?:shm|mqueue))(?![\w.-])")
_USERS = frozenset({"usermod", "groupmod", "gpasswd", "adduser", "addgroup"})
_ROOT = frozenset({None, "root", "0", "root:root", "0:0"})
_CONTAINED = frozenset({"cd", "variables"})


class Joining(Struct, frozen=True):
    """The edits that make one RUN of several, and what the gate is told of them."""

    edits: tuple[Edit, ...]
    removed: tuple[str, ...]


def why_not_joined(one: Step, two: Step) -> str | None:
    """Say why two RUNs, the second directly below the first, cannot be one; None where they can."""
    run, after = one.run, two.run
    if run is None or after is None or not run.editable or not after.editable:
        unfit = next((s for s in (one, two) if s.run and not s.run.editable), one)
        return unfit.run.why_not_editable if unfit.run else f"line {unfit.line} is no RUN"
    return (
        _why_not_alike(one, two)
        or _why_shell_starts_matter(one.state)
        or _why_not_seen_afresh(one, two)
        or _why_not_followed(one, two)
        or _why_not_following(two)
    )


def joining(document: Document, steps: Sequence[Step]) -> Joining:
    """Return how RUNs for which `why_not_joined` is None from each to the next become one."""
    style = _style(document, steps)
    pieces = [_piece(step, first=step is steps[0], last=step is steps[-1]) for step in steps]
    edits: list[Edit] = []
    for piece, after in pairwise(pieces):
        comments = list(_comments(document, piece, after))
        joint = _joint(style, ";" if _head_operator(_run(piece.step)) == ";" else "&&", comments)
        text = (")" if piece.opening else "") + joint + after.opening
        edits.append(Edit(Span(piece.end, after.start), text))
    if pieces[0].opening:
        edits.insert(0, Edit(Span(pieces[0].start, pieces[0].start), pieces[0].opening))
    if pieces[-1].opening:
        edits.append(Edit(Span(pieces[-1].end, pieces[-1].end), ")"))
    dropped = [str(_run(p.step).script.root.parts[0]) for p in pieces[1:] if _head(_run(p.step))]
    ended = [";" for p in pieces[:-1] if len(_run(p.step).script.root.operators) == len(_run(p.step).script.root.parts)]
    return Joining(tuple(edits), (*dropped, *ended))


def _style(document: Document, steps: Sequence[Step]) -> Style:
    """Return how the first RUN joins its commands that does so over lines: one of these, else one of the file's."""
    own = style_of(document, steps[0].instruction)
    runs = chain((s.instruction for s in steps), (i for i in document.instructions if i.name == "RUN"))
    shown = next((run for run in runs if _JOINT.search(run.text)), None)
    style = style_of(document, shown) if shown else Style(escape=document.escape)
    return replace(style, newline=own.newline)


class _Piece(Struct, frozen=True):
    """A RUN's part in the merged one: source offsets, and the bracket before it where it goes into brackets."""

    step: Step
    start: int
    end: int
    opening: str


def _piece(step: Step, *, first: bool, last: bool) -> _Piece:
    run = _run(step)
    parts = run.script.root.parts
    kept = parts if first or not _head(run) else parts[1:]
    opening = "( " if run.script.text[kept[0].span.start] == "(" else "("  # `((` would be arithmetic
    start, end = run.text.at(kept[0].span.start), run.text.end_at(parts[-1].span.end)
    return _Piece(step, start, end, opening if _needs_brackets(run, last=last) else "")


def _why_not_alike(one: Step, two: Step) -> str | None:
    flags = [[(f.name, f.value) for f in s.instruction.flags] for s in (one, two)]
    if flags[0] != flags[1]:
        return f"lines {one.line} and {two.line} have different options"
    for _, value in flags[0]:
        if value and ("tmpfs" in value or ("bind" in value and re.search(r"\b(?:rw|readwrite)\b", value))):
            return f"what line {one.line} writes to its mount is not there in line {two.line}"
    if reason := _why_kept_apart(two):
        return reason
    heads = [(_head(_run(s)), _head_operator(_run(s))) for s in (one, two)]
    if heads[0] != heads[1]:
        return f"lines {one.line} and {two.line} set different shell options"
    if len(_run(one).script.text) + len(_run(two).script.text) > _LONGEST:
        return "the merged command would be too long"
    return None


def _why_kept_apart(two: Step) -> str | None:
    """Say which comment above a RUN would lose its meaning within another RUN."""
    comments = [line for line in map(str.strip, two.instruction.leading.splitlines()) if line]
    if any(map(_DIRECTIVE.match, comments)):
        return f"a directive for a tool stands above line {two.line}"
    if any(map(_COMMENTED_OUT.match, comments)):
        return f"an instruction that is commented out stands above line {two.line}"
    return f"line {two.line} begins a section of its own" if any(map(_HEADING.match, comments)) else None


def _why_shell_starts_matter(state: State) -> str | None:
    """Say what a shell reads each time that it starts."""
    if any(map(_LOGIN.fullmatch, state.shell[1:])):
        return "each RUN starts a login shell, which reads its profile anew"
    if "BASH_ENV" in state.env:
        return "each RUN starts a shell that reads a file which the steps may change"
    return None


def _why_not_seen_afresh(one: Step, two: Step) -> str | None:
    """Say what the second RUN sees only because a container and a shell of its own start for it."""
    run = _run(one)
    if fresh := _FRESH.search(run.script.text):
        return f"line {one.line} names {fresh[0]}, which is made anew for every RUN"
    if program := replaces(one, two):
        return f"line {one.line} may put another {program} in place, which only a new shell finds"
    if one.state.user not in _ROOT and any(c.program in _USERS for c in run.calls):
        return f"line {one.line} may change the groups of the user that line {two.line} runs as"
    return None


def _why_not_followed(one: Step, two: Step) -> str | None:
    """Say why nothing may follow a RUN in its shell."""
    run = _run(one)
    root, head, changes = run.script.root, _head(run), _changes(run)
    if run.script.comment:
        return f"the comment at the end of line {one.line} would swallow what follows"
    if "background" in changes or "traps" in changes:
        return f"line {one.line} leaves something behind in its shell"
    if _needs_brackets(run, last=False):
        return _why_not_bracketed(one)
    if changes:
        return f"the {_named(changes)} of line {one.line} would hold for line {two.line} too"
    if (head or _errexit(one.state)) and not all(map(_is_plain, root.parts)):
        return f"in line {one.line} a failure inside a compound command would pass"
    return None if _is_chain(root) else why_not_behind(one)


def _why_not_following(two: Step) -> str | None:
    """Say why a RUN cannot stand behind another."""
    run = _run(two)
    root, head = run.script.root, _head(run)
    if not root.parts or (head and len(root.parts) == 1):
        return f"line {two.line} has no command"
    if "background" in _changes(run):
        return f"line {two.line} leaves something behind in its shell"
    if _needs_brackets(run, last=True):
        return _why_not_bracketed(two)
    if _is_chain(root) or (head and _head_operator(run) == ";"):
        return None
    return f"the commands of line {two.line} are not joined by && alone"


def _needs_brackets(run: Run, *, last: bool) -> bool:
    """Tell whether a RUN has to go into a subshell of its own beside others."""
    return not _head(run) and (not _is_chain(run.script.root) or (not last and bool(_changes(run))))


def _why_not_bracketed(step: Step) -> str | None:
    run = _run(step)
    changes = _changes(run)
    if not changes <= _CONTAINED:
        return f"line {step.line} changes its shell"
    if "\n" in step.instruction.text.rstrip():
        what = _named(changes) if changes else "commands"
        return f"the {what} of line {step.line} would need brackets over several lines"
    if _errexit(step.state):
        return f"in line {step.line} a failure inside brackets would pass"
    # tree-sitter does not know all in brackets that it knows without, and what is not understood passes no gate.
    return parse_script(f"( {run.script.text[: run.script.root.parts[-1].span.end]})").problem


def _changes(run: Run) -> frozenset[str]:
    """Return what a RUN leaks to what follows, besides the `set` at its head."""
    parts = run.script.root.parts[1:] if _head(run) else run.script.root.parts
    changes = frozenset[str]().union(*map(state_changes, parts))
    return changes | {"background"} if "&" in run.script.root.operators else changes


def _named(changes: frozenset[str]) -> str:
    return "cd" if "cd" in changes else "variables" if "variables" in changes else "shell settings"


def _head(run: Run) -> str | None:
    """Return the `set` that a script begins with, None where it does not."""
    first = run.script.root.parts[:1]
    return str(first[0]) if first and isinstance(first[0], Command) and first[0].name == "set" else None


def _head_operator(run: Run) -> str | None:
    return run.script.root.operators[0] if _head(run) and run.script.root.operators else None


def _is_chain(root: Compound) -> bool:
    """Tell whether the parts are joined by `&&` alone; a `;` behind the last is as good as none."""
    inner = root.operators[: max(0, len(root.parts) - 1)]
    return all(op == "&&" for op in inner) and "&" not in root.operators


def _is_plain(node: Node) -> bool:
    if isinstance(node, Command):
        return True
    return node.kind is Kind.PIPELINE and all(isinstance(part, Command) for part in node.parts)


def _errexit(state: State) -> bool:
    return any(map(_ERREXIT.fullmatch, state.shell[1:]))


def _comments(document: Document, one: _Piece, two: _Piece) -> Iterator[str]:
    """Give the comment lines between the commands of two RUNs, in order."""
    inner = [span for p in (one, two) for span in p.step.instruction.comments if one.end <= span.start < two.start]
    above = [line.strip() for line in two.step.instruction.leading.splitlines() if line.strip().startswith("#")]
    own = two.step.instruction.start
    yield from (document.source[s.start : s.end].strip() for s in inner if s.start < own)
    yield from above
    yield from (document.source[s.start : s.end].strip() for s in inner if s.start >= own)


def _joint(style: Style, operator: str, comments: Sequence[str]) -> str:
    """Return the text between two commands, with comment lines above the second."""
    head, newline, rest = style.joint(operator).partition(style.newline)
    return head + newline + "".join(f"{style.indent}{c}{style.newline}" for c in comments) + rest


def _run(step: Step) -> Run:
    if step.run is None:
        raise ValueError(f"line {step.line} is no RUN")
    return step.run
