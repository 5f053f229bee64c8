"""Put the COPYs of sources below the last install, with the manifests in their place."""

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from optimizer.context import Context
from optimizer.model import Dockerfile
from optimizer.syntax import Document, Instruction, Span
from optimizer.transforms._absolute_copies import is_absolute, why_made_early, why_modes_differ, written_for
from optimizer.transforms._ahead import Fetch, is_near
from optimizer.transforms._copies import Copied
from optimizer.transforms._early_installs import Early
from optimizer.transforms._finding import Decline, Edit, Finding, Level, Rewrite
from optimizer.transforms._found_installs import Found
from optimizer.transforms._layout import (
    insert_after,
    insert_word,
    instruction_with_comments,
    replace_words,
)
from optimizer.transforms._left_out import leave_out
from optimizer.transforms._links import why_linked, why_made_over
from optimizer.transforms._manifest_lines import copy_lines
from optimizer.transforms._moving_copies import are_worth_it, manifests_of, moving_copies
from optimizer.transforms._split_safety import carried, outputs, why_there, why_unsafe
from optimizer.transforms._taking_out import taken_out

_MOST_COPIES = 12  # more COPY lines than this would bury the file


def sources_last(dockerfile: Dockerfile, context: Context, early: Early, earlier: Sequence[Copied]) -> Finding | None:
    """Return the rewrite, a decline, or None where the COPYs bring the manifests alone already."""
    moving = moving_copies(early, context)
    if not moving or not are_worth_it(moving, earlier, early, context):
        return None
    reason = (
        why_unsafe(dockerfile, context, early, moving)
        or why_there(early, earlier)
        or _why_not_alike(dockerfile, context, early, moving)
        or _why_not_passed(dockerfile, early, moving)
    )
    if reason is not None:
        return Decline(early.installs[-1].step.line, reason)
    plan = [(copied, manifests_of(copied, early, moving, earlier, context)) for copied in moving]
    return _compose(dockerfile, context, early, plan)


def _why_not_alike(dockerfile: Dockerfile, context: Context, early: Early, moving: Sequence[Copied]) -> str | None:
    """Say why a COPY would not do the same below the WORKDIRs and installs that it goes below."""
    last = early.installs[-1]
    changed = [c for c in moving if not is_absolute(c.step) and c.step.state.workdir != last.step.state.workdir]
    if changed and last.install.ahead:
        return "WORKDIR changes the folder that the COPY is relative to"
    paths = {path for one in early.installs for path in one.paths}
    reasons = [
        *(why_made_early(dockerfile, c, last.step, paths) for c in changed),
        *(why_modes_differ(c, paths, context) for c in moving),
        *(why_made_over(dockerfile, context, c, last.step) for c in moving),
        why_linked(context, moving, paths),
    ]
    return next(filter(None, reasons), None)


def _why_not_passed(dockerfile: Dockerfile, early: Early, moving: Sequence[Copied]) -> str | None:
    """Say which step between the COPYs and the build would lose what it works on."""
    last = early.installs[-1]
    if early.passed is None or (last.install.ahead and is_near(dockerfile, moving, last.step, last.install.ahead)):
        return None
    step, reason = early.passed
    return f"line {step.line} stands between: {reason}"


def _compose(
    dockerfile: Dockerfile, context: Context, early: Early, moving: Sequence[tuple[Copied, dict[str, str]]]
) -> Finding:
    """Return the rewrite: manifests in the place of the sources, the sources below the last install."""
    document = dockerfile.document
    copies: list[str] = []
    for copied, manifests in moving:
        lines = copy_lines(document, copied, manifests, context)
        if lines is None:
            return Decline(copied.step.line, "a manifest has a name that COPY would take for a pattern")
        copies += lines
    sources = tuple(copied.step.instruction for copied, _ in moving)
    if len(copies) > _MOST_COPIES:
        return Decline(moving[0][0].step.line, f"the manifests lie in {len(copies)} folders")
    left_out = leave_out(dockerfile, context, outputs(early, [c for c, _ in moving]), early.installs[-1].step.stage)
    if isinstance(left_out, str):
        return Decline(moving[0][0].step.line, left_out)
    tail = _Tail(document, early, moving[-1][0].step.index, tuple(copied for copied, _ in moving))
    fetch = _fetch(dockerfile, early, [c for c, _ in moving], copies)
    names = _manifest_names(early)
    return Rewrite(
        line=moving[0][0].step.line,
        title=f"Copy {_listed(names, 'and')} before the sources"
        if copies or not fetch
        else "Do what needs no sources first",
        why=f"An edit of a source file no longer {_spared(early)} again: "
        f"only a change of {_causes(dockerfile, early)} does.",
        edits=(*fetch.edits(), *tail.shortened()) if fetch else (*taken_out(document, sources, copies), *tail.edits()),
        added=(*map(_claim, copies), *(fetch.added() if fetch else ()), *tail.added()),
        removed=tuple(tail.removed()),
        artifacts=left_out.artifacts,
        level=Level.EQUIVALENT if any(one.install.caches_sources for one in early.installs) else left_out.level,
    )


def _fetch(dockerfile: Dockerfile, early: Early, moving: Sequence[Copied], copies: Sequence[str]) -> Fetch | None:
    """Return what fetches ahead of the last of the installs, if that is what it wants."""
    last = early.installs[-1]
    if last.install.ahead is None:
        return None
    cut, state = early.cut or 0, carried(early) or ()
    return Fetch(dockerfile, last.step, last.install.ahead, last.folder, cut, state, moving, copies)


def _claim(line: str) -> str:
    keyword, _, rest = line.partition(" ")
    return f"{keyword.upper()} {' '.join(rest.split())}"


def _causes(dockerfile: Dockerfile, early: Early) -> str:
    """Return what still makes the installs run again: the manifests, and what is copied from other stages above."""
    last = early.installs[-1].step
    stages = {name for s in dockerfile.stages[: last.stage] for name in (s.name, str(s.index)) if name}
    foreign = [
        f"what is copied from {step.instruction.flag('from')}"
        for step in dockerfile.stages[last.stage].body
        if step.index < last.index and str(step.instruction.flag("from")).lower() in stages
    ]
    return _listed([*_manifest_names(early), *foreign], "or")


def _manifest_names(early: Early) -> list[str]:
    return [path.rsplit("/", 1)[-1] for one in early.installs for path in one.paths]


def _spared(early: Early) -> str:
    """Return what an edit of the sources no longer does; where the project is installed behind them, that runs on."""
    if any(one.install.then for one in early.installs):
        return "installs the dependencies"
    ahead = early.installs[-1].install.ahead
    if ahead is not None:
        return ahead.does
    return f"runs {_listed([_said(one) for one in early.installs if one.paths], 'and')}"


def _said(found: Found) -> str:
    """Return an install as people call it: `pip install` for `python3 -m pip install -r …`."""
    words = [found.call.program, *(word.text for word in found.call.arguments)]
    named = [word for word in (words[2:] if words[1:2] == ["-m"] else words) if not word.startswith("-")]
    verb = next((word for word in named[1:] if re.fullmatch("(?!pip$)[a-z]+", word)), "")
    return " ".join(filter(None, [*named[:1], *named[1:2] * (named[1:2] == ["pip"]), verb]))


def _listed(names: Sequence[str], joint: str) -> str:
    *head, last = dict.fromkeys(names)
    return f"{', '.join(head)} {joint} {last}" if head else last


class _Tail(Struct, frozen=True):
    """What follows the last install: the sources, what the install left for later, the rest of its RUN."""

    document: Document
    early: Early
    last_source: int  # the place of the last COPY of sources among the instructions
    sources: tuple[Copied, ...]

    def edits(self) -> Iterator[Edit]:
        """Go through the edits of the last install's RUN and behind it."""
        last = self.early.installs[-1]
        yield from self.shortened()
        if self.early.cut is None:
            yield insert_after(self.document, last.step.instruction, self._moved() + self._again())
            return
        gap = self._gap()
        comments = [
            self.document.source[c.start : c.end].strip() + self.document.newline
            for c in last.step.instruction.comments
            if gap.start <= c.start < gap.end
        ]
        rest = "".join(f"{command} && " for command in [*map(str, carried(self.early) or ()), *self._later()])
        newline, keyword = self.document.newline, last.step.instruction.keyword
        text = f"{newline}{self._moved()}{self._break()}{''.join(comments)}{keyword} {self._flags()}{rest}"
        yield Edit(gap, text)

    def added(self) -> Iterator[str]:
        """Go through the commands that the text gains."""
        for one in self.early.installs:
            if one.install.command is not None:
                yield _with_words(one, one.install.command)
        if self.early.cut is not None:
            yield from map(str, carried(self.early) or ())
        yield from (_claim(self._text(copied)) for copied in self.changed())

    def removed(self) -> Iterator[str]:
        """Go through the commands that the text loses: those that were replaced and do not come back."""
        yield from (str(o.call.command) for o in self.early.installs if o.install.command and not o.install.then)
        yield from (_claim(copied.step.instruction.text) for copied in self.changed())

    def changed(self) -> tuple[Copied, ...]:
        """Return the COPYs whose destination is written out."""
        return tuple(c for c in self.sources if self._text(c) != c.step.instruction.text)

    def _text(self, copied: Copied) -> str:
        return written_for(copied, copied.step.instruction.text, self.early.installs[-1].step)

    def shortened(self) -> Iterator[Edit]:
        """Go through the edits that replace the words of installs."""
        for one in self.early.installs:
            if one.install.command is not None:
                yield _shortened(one, one.install.command)

    def _later(self) -> list[str]:
        return [str(one.call.command) for one in self.early.installs if one.install.then]

    def _again(self) -> str:
        """Return the RUN that installs the project itself, as it is written."""
        later, step = self._later(), self.early.installs[-1].step
        if not later:
            return ""
        parts = step.run.script.root.parts if step.run else ()
        if [str(part) for part in parts] == later and not step.instruction.comments:
            return f"{self._break()}{step.instruction.text.rstrip()}{self.document.newline}"
        flags, newline = self._flags(), self.document.newline
        written = [self._as_written(one) for one in self.early.installs if one.install.then]
        return self._break() + "".join(f"{step.instruction.keyword} {flags}{command}{newline}" for command in written)

    def _as_written(self, one: Found) -> str:
        """Return the command of an install, with the line breaks that it has in the file."""
        run, command = one.step.run, str(one.call.command)
        part = run.script.root.parts[one.call.step] if run and not one.call.nested else None
        if run is None or str(part) != command or any(one.step.instruction.comments):
            return command
        return self.document.source[run.text.at(part.span.start) : run.text.end_at(part.span.end)] if part else command

    def _moved(self) -> str:
        """Return the COPYs of the sources, with their comments, and the blank line above their paragraph."""
        first, *others = self.sources
        return self._paragraph() + self._written(first) + "".join(map(self._with_blank_line, others))

    def _block(self, instruction: Instruction) -> str:
        return instruction_with_comments(self.document, instruction)

    def _written(self, copied: Copied) -> str:
        return written_for(copied, self._block(copied.step.instruction), self.early.installs[-1].step)

    def _with_blank_line(self, copied: Copied) -> str:
        """Return a further COPY, and the blank line that parts it from the one above it."""
        instruction = copied.step.instruction
        return self.document.newline * self._is_apart(instruction, self._block(instruction)) + self._written(copied)

    def _is_apart(self, instruction: Instruction, block: str) -> bool:
        return self.document.source[: instruction.span.end - len(block)].endswith(("\n\n", "\n\r\n"))

    def _break(self) -> str:
        """Return the blank line below the sources, where there was one."""
        below_it = self.document.instructions[self.last_source + 1].leading
        return self.document.newline if below_it.startswith(("\n", "\r\n")) else ""

    def _flags(self) -> str:
        flags = self.early.installs[-1].step.instruction.flags
        return "".join(self.document.source[f.span.start : f.span.end] + " " for f in flags)

    def _paragraph(self) -> str:
        """Return the blank line above the sources, where they stood in a paragraph of their own."""
        document, first = self.document, self.early.moved[0].step
        above = self._is_apart(first.instruction, self._block(first.instruction))
        below_it = document.instructions[first.index + 1].leading
        return document.newline if above or below_it.startswith(("\n", "\r\n")) else ""

    def _gap(self) -> Span:
        """Return the source between the last early command of a RUN and the first of the rest."""
        run, cut = self.early.installs[-1].step.run, self.early.cut
        if run is None or cut is None:
            raise ValueError("the RUN is not cut")
        parts = run.script.root.parts
        return Span(run.text.end_at(parts[cut - 1].span.end), run.text.at(parts[cut].span.start))


def _shortened(found: Found, command: str) -> Edit:
    """Put the words of an install that leaves the project out in the place of its own, whose layout stays."""
    words, new = found.call.words, command.split(" ")
    same = next((i for i, (word, other) in enumerate(zip(words, new, strict=False)) if str(word) != other), len(words))
    more = len(new) - len(words)
    if same and more > 0 and [*new[:same], *new[same + more :]] == [*map(str, words)]:
        return insert_word(found.step, words[same - 1], " ".join(new[same : same + more]))
    return replace_words(found.step, words[0], words[-1], command)


def _with_words(found: Found, words: str) -> str:
    return str(found.call.command).replace(" ".join(map(str, found.call.words)), words, 1)
