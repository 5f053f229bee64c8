"""How a file is written, and edits in its own hand.

All offsets are those of `Document.source`. A caller asks `why_not_appendable` or `why_not_movable` before it edits.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from optimizer.model import Run, Step
from optimizer.shell import Command, Word
from optimizer.syntax import Document, Instruction, Span
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._finding import Edit

WIDTH = 100
_SAMPLE = 100  # RUNs that a file's style is read from: more would not change a majority
_OPERATORS = ("&&", "||", ";", "|")
_SWITCH = lazy_pattern(r"\s*#\s*dfopt:\s*(?:on|off)\b")
_Vote = TypeVar("_Vote")


class Style(Struct, frozen=True):
    r"""How continued commands are written: `\` and a line `&& b` (leading), or `a && \` and a line `b`."""

    indent: str = "    "
    leading: bool = True
    newline: str = "\n"
    escape: str = "\\"

    def joint(self, operator: str = "&&") -> str:
        """Return the text between two commands that stand on lines of their own."""
        if operator == ";":
            return f"; {self.escape}{self.newline}{self.indent}"
        if self.leading:
            return f" {self.escape}{self.newline}{self.indent}{operator} "
        return f" {operator} {self.escape}{self.newline}{self.indent}"


_DEFAULT = Style()


def style(document: Document) -> Style:
    """Return the style that most of the file's RUNs have; leading operators behind four blanks where none shows."""
    runs = (i for i in document.instructions if i.name == "RUN" and "\n" in i.text.rstrip())
    habits = [_habit(document, run) for run in islice(runs, _SAMPLE)]
    indent = _majority([h.indent for h in habits if h.indent is not None], _DEFAULT.indent)
    leading = _majority([h.leading for h in habits if h.leading is not None], _DEFAULT.leading)
    return Style(indent, leading, document.newline, document.escape)


def style_of(document: Document, instruction: Instruction) -> Style:
    """Return the style of one instruction, the file's where it does not show any."""
    habit = _habit(document, instruction)
    newline = "\r\n" if "\r\n" in instruction.text else "\n" if "\n" in instruction.text else document.newline
    if habit.indent is not None and habit.leading is not None:
        return Style(habit.indent, habit.leading, newline, document.escape)
    common = replace(style(document), newline=newline)
    return common if habit.indent is None else replace(common, indent=habit.indent)


def continuation(document: Document, instruction: Instruction, operator: str = "&&") -> str:
    """Return the text that joins a further command to those of a RUN on a line of its own."""
    return style_of(document, instruction).joint(operator)


def chain_operator(step: Step) -> str:
    """Return what a further command is joined with: `;` in a script of statements under `set -e`, else `&&`."""
    root = _run(step).script.root
    statements = len(root.parts) > 1 and all(op == ";" for op in root.operators)
    return ";" if statements and _sets_errexit(root.parts[0]) else "&&"


def why_not_appendable(step: Step) -> str | None:
    """Say why no command can be put behind the last one of a RUN, None where one can."""
    run = _run(step)
    if not run.editable:
        return run.why_not_editable
    parts, operators = run.script.root.parts, run.script.root.operators
    if not parts:
        return "the RUN has no command"
    if len(operators) == len(parts) and operators[-1] == "&":
        return "the RUN ends in a background job"
    last = parts[-1]
    if isinstance(last, Command) and last.name in {"exit", "exec"} and operators[len(parts) - 2 :][:1] != ("||",):
        return f"nothing runs behind the RUN's {last.name}"
    return None


def insert_word(step: Step, word: Word, text: str) -> Edit:
    """Put a blank and `text` directly behind a word of the RUN's own script (not one of a nested call)."""
    at = _run(step).text.end_at(word.span.end)
    return Edit(Span(at, at), " " + text)


def replace_words(step: Step, start: Word, end: Word, text: str) -> Edit:
    """Put `text` in the place of the words from `start` to `end`, both included, and of all between them."""
    return Edit(_run(step).text.span(start.span.start, end.span.end), text)


def normal_form(instruction: Instruction) -> str:
    """Return an instruction as a rewrite claims it: keyword in upper case, white space squeezed, heredocs behind."""
    bodies = (f"\n{heredoc.body}" for heredoc in instruction.heredocs)
    return " ".join((instruction.name, *instruction.body.text.split())) + "".join(bodies)


def why_not_movable(document: Document, instruction: Instruction) -> str | None:
    """Say why an instruction cannot be moved or followed by another, None where it can."""
    lines = [line for _, line in _code_lines(instruction)]
    if not instruction.heredocs and lines and lines[-1].rstrip().endswith(document.escape):
        return "the file ends in a continued line"
    return instruction.problem


def instruction_with_comments(document: Document, instruction: Instruction) -> str:
    """Return an instruction with the comment lines directly above it, which speak of it; ends in a newline."""
    text = document.source[_block_start(document, instruction) : instruction.span.end]
    return text if text.endswith("\n") else text + document.newline


def remove_instruction(document: Document, instruction: Instruction) -> Edit:
    """Take an instruction out with its comment block, and the blank lines above where some follow."""
    source, start, end = document.source, _block_start(document, instruction), instruction.span.end
    above = instruction.start - len(instruction.leading)
    if _blank_line_at(source, end):
        start = _skip_blank_lines_back(source, start, above)
    return Edit(Span(start, end), "")


def insert_before(document: Document, instruction: Instruction, text: str) -> Edit:
    """Put text above an instruction and its comment block, with the newline that it may lack."""
    at = _block_start(document, instruction)
    return Edit(Span(at, at), text if text.endswith("\n") else text + document.newline)


def insert_after(document: Document, instruction: Instruction, text: str) -> Edit:
    """Put text below an instruction; a missing final newline stays missing."""
    at, text = instruction.span.end, text.rstrip("\r\n")
    if instruction.text.endswith("\n"):
        return Edit(Span(at, at), text + document.newline)
    return Edit(Span(at, at), document.newline + text)


def move_before(document: Document, moved: Instruction, target: Instruction) -> tuple[Edit, Edit]:
    """Move an instruction with its comments above another; a paragraph of its own stays one."""
    text = instruction_with_comments(document, moved)
    start = _block_start(document, moved)
    if start > 0 and _blank_line_at(document.source, document.source.rfind("\n", 0, start - 1) + 1):
        text += document.newline
    return insert_before(document, target, text), remove_instruction(document, moved)


def begins_paragraph(document: Document, instruction: Instruction) -> bool:
    """Tell whether a blank line stands above an instruction and the comments directly above it."""
    return document.source[: _block_start(document, instruction)].endswith(("\n\n", "\n\r\n"))


class _Habit(Struct, frozen=True):
    """What one instruction shows; None where it shows nothing."""

    indent: str | None
    leading: bool | None


def _habit(document: Document, instruction: Instruction) -> _Habit:
    if instruction.heredocs:
        return _Habit(None, None)
    led: list[str] = []
    trailed: list[str] = []
    plain: list[str] = []
    for above, line in pairwise(_bare_lines(document, instruction)):
        body = line.lstrip()
        found = led if body.startswith(_OPERATORS) else trailed if above.endswith(_OPERATORS) else plain
        found.append(line[: len(line) - len(body)])
    leading = None if not (led or trailed) else len(led) >= len(trailed)
    shown = (led if leading else trailed) or plain
    # The commands of the chain itself are the least indented ones.
    return _Habit(min(shown, key=lambda i: len(i.expandtabs()), default=None), leading)


def _bare_lines(document: Document, instruction: Instruction) -> Iterator[str]:
    """Give the lines without comments, blank ones and those of an escape alone, and the escape at their ends."""
    for _, line in _code_lines(instruction):
        bare = line.rstrip().removesuffix(document.escape).rstrip()
        if bare:
            yield bare


def _code_lines(instruction: Instruction) -> Iterator[tuple[int, str]]:
    """Give offset and text of the lines that are neither blank nor comments."""
    comments = {span.start for span in instruction.comments}
    offset = instruction.start
    for line in instruction.text.split("\n"):
        body = line.lstrip()
        if body and not (comments and (offset in comments or offset + len(line) - len(body) in comments)):
            yield offset, line
        offset += len(line) + 1


def _block_start(document: Document, instruction: Instruction) -> int:
    """Return where the comment block directly above begins, or the instruction itself."""
    floor = max((d.span.end for d in document.directives), default=0)
    start = instruction.start
    for bare in reversed(instruction.leading.split("\n")[:-1]):
        line = bare + "\n"
        if not line.lstrip().startswith("#") or _SWITCH.match(line) or start - len(line) < floor:
            break
        start -= len(line)
    return start


def _blank_line_at(source: str, offset: int) -> bool:
    """Tell whether a blank line, or nothing more, stands at the start of a line."""
    end = source.find("\n", offset)
    return not source[offset : end if end >= 0 else len(source)].strip()


def _skip_blank_lines_back(source: str, start: int, floor: int) -> int:
    while start > floor:
        line = source.rfind("\n", floor, start - 1) + 1 or floor
        if source[line:start].strip():
            break
        start = line
    return start


def _sets_errexit(node: object) -> bool:
    if not isinstance(node, Command) or node.name != "set":
        return False
    options = [w.value or "" for w in node.words[1:]]
    return "errexit" in options or any(re.match(r"-[a-z]*e", o) for o in options)


def _majority(votes: Sequence[_Vote], default: _Vote) -> _Vote:
    return Counter(votes).most_common(1)[0][0] if votes else default


def _run(step: Step) -> Run:
    if step.run is None:
        raise ValueError(f"line {step.line} is no RUN")
    return step.run
