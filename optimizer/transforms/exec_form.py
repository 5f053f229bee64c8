"""Start the program itself, not a shell that starts it.

The shell form of CMD and ENTRYPOINT is handed to `/bin/sh -c`. Where the command holds nothing that a shell is needed
for, the exec form starts the same program with the same arguments: signals such as that of `docker stop` reach it,
and the image needs no shell. A program that is process 1 must handle these signals itself.
"""

import re
from collections.abc import Iterator, Sequence

from optimizer.model import Dockerfile, Step
from optimizer.model.base_images import passes_commands_on
from optimizer.shell import Command, Node, Word, parse_script
from optimizer.syntax import Span, pairs
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._finding import Decline, Edit, Finding, Level, Rewrite
from optimizer.transforms._layout import normal_form
from optimizer.transforms._scripts import program_text
from optimizer.transforms._transform import Example, Subject, Touches, transform

_STARTS = frozenset({"CMD", "ENTRYPOINT"})
_SH = ("/bin/sh", "-c")
# What a shell does itself under these names, or not as the program of that name does it (dash(1), bash(1)).
_BUILTINS = frozenset(
    ". : [ [[ alias bg bind break builtin caller case cd chdir command compgen complete continue coproc declare dirs "
    "disown do done echo elif else enable esac eval exec exit export false fc fg fi for function getopts hash help "
    "history if in jobs kill let local logout mapfile newgrp popd printf pushd pwd read readarray readonly return "
    "select set shift shopt source suspend test then time times trap true type typeset ulimit umask unalias unset "
    "until wait while { } !".split()
)
# A word in plain characters and whole quotes, which means the same to every reader.
_WORD = lazy_pattern(r"""(?:[\w./:=+,@%^-]+|'[^'\\\x00-\x1f]*'|"[^"\\$`\x00-\x1f]*")+""", re.ASCII)
_SCRIPT = lazy_pattern(r".*\.(?:sh|bash|ash|zsh|ksh|py|rb|pl|js|mjs|cjs|ts|php|lua|tcl|command|run)")
_SIGNALS = "The program does not rely on being started by a shell, and as process 1 it handles signals itself."
_ARGUMENTS = (
    "The program does not rely on being started by a shell, it handles signals itself as process 1, and nobody "
    "hands the container arguments that are to be ignored."
)


@transform(
    level=Level.ASSUMED,
    gain="signals reach the program",
    touches=frozenset({Touches.START}),
    aliases=("hadolint:DL3025",),
    examples=(
        Example(
            "a command with arguments",
            before="""
                FROM node:20
                CMD node server.js --port 80
                """,
            after="""
                FROM node:20
                CMD ["node", "server.js", "--port", "80"]
                """,
        ),
        Example(
            "the layout of the file is kept",
            before=r"""
                FROM python:3.12-slim
                CMD exec gunicorn \
                    --bind '0.0.0.0:80' \
                    app:app
                """,
            after=r"""
                FROM python:3.12-slim
                CMD ["gunicorn", \
                    "--bind", "0.0.0.0:80", \
                    "app:app"]
                """,
        ),
        Example(
            "a shell puts the variable in",
            before="""
                FROM node:20
                CMD node server.js --port $PORT
                """,
            because="only a shell can tell what $PORT stands for",
        ),
        Example(
            "two commands",
            before="""
                FROM node:20
                CMD npm run migrate && npm start
                """,
            because="more than one command",
        ),
        Example(
            "arguments that reach a program in exec form alone",
            before="""
                FROM python:3.12-slim
                ENTRYPOINT python app.py
                CMD ["--port", "80"]
                """,
            because="a CMD that the shell form ignores",
        ),
        Example(
            "the shell is an argument of the entrypoint",
            before="""
                FROM python:3.12-slim
                ENTRYPOINT ["/entrypoint.sh"]
                CMD python app.py
                """,
            because="the ENTRYPOINT of line 2 is handed the shell",
        ),
        Example(
            "a base image that may have an entrypoint",
            before="""
                FROM example.com/team/base:1
                CMD python app.py
                """,
            because="which ENTRYPOINT and SHELL example.com/team/base:1 sets is not known",
        ),
    ),
)
def exec_form(subject: Subject) -> Iterator[Finding]:
    """Write each CMD and ENTRYPOINT of a shipped stage as the list of its words."""
    for step in subject.dockerfile:
        trigger = step.instruction.trigger
        if trigger is not None and trigger.name in _STARTS and trigger.json is None:
            yield Decline(step.line, f"what ONBUILD {trigger.name} starts is up to the images built on this one")
        elif step.name in _STARTS and step.instruction.json is None and step.stage in subject.dockerfile.shipped:
            yield _judged(subject, step)


def _judged(subject: Subject, step: Step) -> Finding:
    words = _words(step)
    if isinstance(words, str):
        return Decline(step.line, words)
    reason = _why_not(subject, step, words)
    return Decline(step.line, reason) if reason else _rewrite(step, words)


def _words(step: Step) -> tuple[Word, ...] | str:
    """Return the words of the program and its arguments, or why they are not all there is."""
    instruction = step.instruction
    if instruction.problem or instruction.heredocs or not instruction.value.text.strip():
        return instruction.problem or "it holds no command"
    if step.state.shell != _SH:
        return f"the shell is {' '.join(step.state.shell) or 'not known'}"
    script = parse_script(instruction.value.text)
    if script.problem:
        return script.problem
    if script.comment:
        return "a comment stands behind the command"
    if len(script.root.parts) != 1:
        return "it holds more than one command"
    return _words_of(script.root.parts[0], script.root.operators, script.text)


def _words_of(node: Node, operators: Sequence[str], text: str) -> tuple[Word, ...] | str:
    if not isinstance(node, Command) or operators:
        return "only a shell can run it"
    if node.assignments:
        return f"it sets the variable {node.assignments[0][0]}"
    if node.redirects or not node.words:
        return "it redirects input or output"
    words = node.words[1:] if node.name == "exec" and len(node.words) > 1 else node.words
    odd = next((word for word in node.words if word.value is None or not _WORD.fullmatch(word.text)), None)
    if odd is not None:
        return f"only a shell can tell what {odd.text} stands for"
    if text[: node.words[0].span.start].strip() or text[words[-1].span.end :].strip():
        return "it holds more than its words"
    return words


def _why_not(subject: Subject, step: Step, words: tuple[Word, ...]) -> str | None:
    program = words[0].value or ""
    if program in _BUILTINS or program.startswith("-") or not program:
        return f"{program or 'an empty word'} is no program but a matter of the shell"
    source = subject.dockerfile.document.source
    if any("\n" in source[span.start : span.end] for span in _spans(step, words)):
        return "a word goes on in the next line"
    return (
        _why_replaced(subject.dockerfile, step)
        or _why_combined(subject.dockerfile, step)
        or _why_base(subject.dockerfile, step)
        or _why_program(subject, step, program)
    )


def _spans(step: Step, words: tuple[Word, ...]) -> list[Span]:
    """Return what stands for each word in the source, the first with an `exec` in front of it."""
    value = step.instruction.value
    start = len(value.text) - len(value.text.lstrip())
    return [value.span(start, words[0].span.end), *(value.span(*word.span) for word in words[1:])]


def _why_replaced(dockerfile: Dockerfile, step: Step) -> str | None:
    later = next((other for other in dockerfile.after(step) if other.name == step.name), None)
    return f"the {step.name} of line {later.line} replaces it" if later else None


def _why_combined(dockerfile: Dockerfile, step: Step) -> str | None:
    """Say what the other of CMD and ENTRYPOINT makes of it (BuildKit `dockerfile2llb/convert.go`)."""
    if step.name == "ENTRYPOINT":
        heirs = {step.stage, *dockerfile.children(step.stage)}
        other = next((s for s in dockerfile if s.stage in heirs and s.name == "CMD"), None)
        return f"line {other.line} has a CMD that the shell form ignores" if other else None
    entry = _entrypoint(dockerfile, step)
    if entry is None or entry.instruction.json == ():
        return None
    form = "ignores it" if entry.instruction.json is None else "is handed the shell with the command"
    return f"the ENTRYPOINT of line {entry.line} {form}"


def _why_base(dockerfile: Dockerfile, step: Step) -> str | None:
    base = dockerfile.stages[min(dockerfile.lineage(step.stage))].base
    if passes_commands_on(base):
        return None
    return f"which ENTRYPOINT and SHELL {base or 'the base image'} sets is not known"


def _entrypoint(dockerfile: Dockerfile, step: Step) -> Step | None:
    """Return the last ENTRYPOINT of the stage, or of those that it starts from."""
    lineage = dockerfile.lineage(step.stage)
    return next((s for s in reversed(dockerfile.steps) if s.stage in lineage and s.name == "ENTRYPOINT"), None)


def _why_program(subject: Subject, step: Step, program: str) -> str | None:
    """Say why a program may be one that only a shell can find or start: the kernel starts no script without #!."""
    lineage = subject.dockerfile.lineage(step.stage)
    if "/" not in program and any(s.stage in lineage and _has_relative_path(s) for s in subject.dockerfile):
        return "PATH holds a relative folder, in which only a shell looks for programs"
    text = program_text(subject.dockerfile, subject.context, step, program)
    if text is None:
        return f"whether {program} begins with #! is not known" if _SCRIPT.fullmatch(program) else None
    if text.startswith(("#!", "\x7fELF")):
        return None
    return f"{program} does not begin with #!, so that only a shell can start it"


def _has_relative_path(step: Step) -> bool:
    values = [value or "" for name, value in pairs(step.instruction) if name == "PATH"] if step.name == "ENV" else []
    return any(not piece.strip("\"'").startswith(("/", "$")) for value in values for piece in value.split(":"))


def _rewrite(step: Step, words: tuple[Word, ...]) -> Rewrite:
    quoted = [_quoted(word.value or "") for word in words]
    texts = [f"{text}," for text in quoted[:-1]] + [f"{quoted[-1]}]"]
    spans = _spans(step, words)
    edits = [Edit(span, text) for span, text in zip(spans, [f"[{texts[0]}", *texts[1:]], strict=True)]
    return Rewrite(
        step.line,
        f"Start {words[0].value} without a shell",
        "A shell in between may keep the signal to stop from the program, which is then killed after a wait.",
        tuple(edits),
        added=(f"{step.name} " + " ".join(f"[{', '.join(quoted)}]".split()),),
        removed=(normal_form(step.instruction),),
        assumption=_ARGUMENTS if step.name == "ENTRYPOINT" else _SIGNALS,
    )


def _quoted(value: str) -> str:
    """Write a word, which holds neither backslashes nor control characters, as JSON."""
    return '"' + value.replace('"', '\\"') + '"'
