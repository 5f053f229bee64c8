"""Give files their owner and mode as they are copied.

A chown or chmod in a step of its own puts every file that it touches into the image a second time. COPY can set
owner and mode itself. A folder that was there before the COPY keeps its owner, so its own chown stays, without -R.
"""

from collections.abc import Iterator, Sequence

from optimizer.model import Step
from optimizer.syntax import Document, Span
from optimizer.transforms._copies import Copied, read_copy
from optimizer.transforms._crossing import destinations
from optimizer.transforms._finding import Decline, Edit, Finding, Gain, Level, Rewrite
from optimizer.transforms._layout import instruction_with_comments, normal_form, remove_instruction, why_not_movable
from optimizer.transforms._owners import Change, Taken, read_change, taken_by, touches_any, why_not_separable
from optimizer.transforms._transform import Example, Subject, Touches, transform


@transform(
    level=Level.EXACT,
    touches=frozenset({Touches.OWNERSHIP}),
    gain="size",
    aliases=("tally:prefer-copy-chmod",),
    examples=(
        Example(
            "a folder that the COPY makes",
            context={"src/app.py": ""},
            before="""
                FROM python:3.12
                RUN useradd app
                COPY src /app
                RUN chown -R app:app /app
                USER app
                """,
            after="""
                FROM python:3.12
                RUN useradd app
                COPY --chown=app:app src /app
                USER app
                """,
        ),
        Example(
            "a folder that was there before",
            context={"server.js": ""},
            before="""
                FROM node:20
                WORKDIR /app
                COPY . .
                RUN chown -R node:node /app
                USER node
                """,
            after="""
                FROM node:20
                WORKDIR /app
                COPY --chown=node:node . .
                RUN chown node:node /app
                USER node
                """,
        ),
        Example(
            "a folder with more in it",
            context={"package.json": "{}"},
            before="""
                FROM node:20
                WORKDIR /app
                COPY . .
                RUN npm install
                RUN chown -R node:node /app
                """,
            because="RUN in line 4 may have put files into /app",
        ),
        Example(
            "a mode that depends on the file's own",
            context={"entrypoint.sh": ""},
            before="""
                FROM debian
                COPY entrypoint.sh /entrypoint.sh
                RUN chmod +x /entrypoint.sh
                """,
            because="the mode +x depends on",
        ),
        Example(
            "a file with a mode",
            context={"entrypoint.sh": ""},
            before="""
                # syntax=docker/dockerfile:1
                FROM debian
                # the start script
                COPY entrypoint.sh /entrypoint.sh
                RUN chmod 755 /entrypoint.sh && apt-get update
                """,
            after="""
                # syntax=docker/dockerfile:1
                FROM debian
                # the start script
                COPY --chmod=755 entrypoint.sh /entrypoint.sh
                RUN apt-get update
                """,
        ),
    ),
)
def copy_with_owner(subject: Subject) -> Iterator[Finding]:
    """Let each COPY set what a chown or chmod below it sets."""
    for stage in subject.dockerfile.stages:
        written: list[str] = []
        copies: list[Step] = []
        for step in stage.body:
            if step.name in {"COPY", "ADD"}:
                written += destinations(step, subject.context) or ()
                copies.append(step)
            for call in step.run.calls if step.run and written else ():
                change = read_change(step, call) if call.program in {"chown", "chmod"} else None
                if change is not None and touches_any(written, change.paths):
                    yield from _judge(subject, change, copies)


def _judge(subject: Subject, change: Change, copies: Sequence[Step]) -> Iterator[Finding]:
    step, taken = change.step, taken_by(subject.dockerfile, change, copies, subject.context)
    if not taken:
        return
    reason = change.problem or (taken if isinstance(taken, str) else None)
    reason = reason or why_not_separable(change) or why_not_movable(subject.dockerfile.document, step.instruction)
    if reason or isinstance(taken, str):
        yield Decline(step.line, reason or "")
    else:
        yield _rewrite(subject, change, taken)


def _rewrite(subject: Subject, change: Change, taken: Taken) -> Rewrite:
    document, command = subject.dockerfile.document, " ".join(map(str, change.call.command.words))
    flag = f"--{change.flag}={change.value}"
    edits = [_flagged(copy, flag) for copy in taken.copies]
    before = tuple(normal_form(copy.instruction) for copy in taken.copies)
    after = tuple(_with_flag(copy, flag) for copy in taken.copies)
    if taken.folder and change.recursive is not None:
        edits.append(_without_option(change))
        after = (*after, " ".join(str(w) for w in change.call.command.words if w is not change.recursive))
    else:
        edits += _without_command(document, change, taken.copies[0])
    return Rewrite(
        change.step.line,
        f"Set the {'owner' if change.flag == 'chown' else 'mode'} while copying",
        f"A {change.flag} in a step of its own puts the files into the image a second time.",
        tuple(edits),
        added=after,
        removed=(command, *before),
        gain=Gain(_size(subject, taken), 0 if taken.folder else 1),
    )


def _flagged(copy: Step, flag: str) -> Edit:
    instruction = copy.instruction
    keyword = instruction.start + instruction.text.index(instruction.keyword) + len(instruction.keyword)
    at = instruction.flags[-1].span.end if instruction.flags else keyword
    return Edit(Span(at, at), " " + flag)


def _with_flag(copy: Step, flag: str) -> str:
    words, at = normal_form(copy.instruction).split(" "), 1 + len(copy.instruction.flags)
    return " ".join([*words[:at], flag, *words[at:]])


def _without_option(change: Change) -> Edit:
    """Take `-R` out of the call, with the white space in front of it."""
    run, words = change.step.run, change.call.command.words
    assert run is not None  # noqa: S101 - it has the call
    at = next(i for i, word in enumerate(words) if word is change.recursive)
    return Edit(run.text.span(words[at - 1].span.end, words[at].span.end), "")


def _without_command(document: Document, change: Change, first: Step) -> list[Edit]:
    """Take the call out of its RUN, or the RUN out of the file; its comments go to the COPY."""
    run, instruction = change.step.run, change.step.instruction
    assert run is not None  # noqa: S101 - it has the call
    parts, at = run.script.root.parts, change.call.step
    if len(parts) > 1 and at == 0:
        return [Edit(Span(run.text.at(parts[0].span.start), run.text.at(parts[1].span.start)), "")]
    if len(parts) > 1:
        return [Edit(Span(run.text.end_at(parts[at - 1].span.end), run.text.end_at(parts[at].span.end)), "")]
    block = instruction_with_comments(document, instruction)
    comments = block[: block.index(instruction.text.rstrip("\r\n"))]
    start = first.instruction.start
    moved = [Edit(Span(start, start), comments)] if comments else []
    return [*moved, remove_instruction(document, instruction)]


def _size(subject: Subject, taken: Taken) -> int:
    """Return how many bytes are copied from the context, as far as that is known."""
    copied = (read_copy(copy, subject.context) for copy in taken.copies)
    return sum(subject.context.size(p.source) for c in copied if isinstance(c, Copied) for p in c.placed)
