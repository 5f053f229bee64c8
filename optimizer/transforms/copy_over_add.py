"""Write COPY where ADD does no more than copy.

ADD fetches URLs and git repositories and unpacks archives. For a file or folder of the build context that is no
archive it does just what COPY does, and whoever reads it must look twice: is this meant to be unpacked? The day the
file becomes an archive, ADD changes what it does without a word.
"""

from collections.abc import Iterator

from optimizer.context import Context
from optimizer.model import Step
from optimizer.syntax import Span, expand, variables_in
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._archives import why_unpacked
from optimizer.transforms._finding import Decline, Edit, Finding, Level, Rewrite
from optimizer.transforms._layout import normal_form
from optimizer.transforms._transform import Example, Subject, transform

_COMMON_FLAGS = frozenset({"chown", "chmod", "link", "exclude"})
_REMOTE = lazy_pattern(r"[a-zA-Z0-9]+://|[^/@\s]+@[^/:\s]+:")  # as BuildKit's util/gitutil tells a URL from a path


@transform(
    level=Level.EXACT,
    gain="security",
    aliases=("hadolint:DL3020",),
    examples=(
        Example(
            "a folder and a file",
            context={"src/app.py": "", "run.sh": "#!/bin/sh\n"},
            before="""
                FROM alpine
                ADD src /app/src
                ADD --chown=1000 run.sh /
                """,
            after="""
                FROM alpine
                COPY src /app/src
                COPY --chown=1000 run.sh /
                """,
        ),
        Example(
            "a URL",
            before="""
                FROM alpine
                ADD https://example.com/tool /usr/bin/tool
                """,
            because="only ADD fetches",
        ),
        Example(
            "a compressed archive",
            context={"rootfs.tar.bz2": "BZh91AY"},
            before="""
                FROM scratch
                ADD rootfs.tar.bz2 /
                """,
            because="ADD unpacks",
        ),
        Example(
            "a file that is made just before the build",
            before="""
                FROM eclipse-temurin:21-jre
                ADD target/app.jar /app.jar
                """,
            because="target/app.jar is not in the build context",
        ),
    ),
)
def copy_over_add(subject: Subject) -> Iterator[Finding]:
    """Turn the keyword of each ADD of plain context files into COPY."""
    for step in subject.dockerfile:
        trigger = step.instruction.trigger
        if trigger is not None and trigger.name == "ADD":
            yield Decline(step.line, "what ONBUILD ADD will find in the build context of another image is not known")
        elif step.name == "ADD":
            reason = _why_not(step, subject.context)
            yield Decline(step.line, reason) if reason else _rewrite(step)


def _why_not(step: Step, context: Context) -> str | None:
    instruction = step.instruction
    if instruction.problem:
        return instruction.problem
    flag = next((f.name for f in instruction.flags if f.name not in _COMMON_FLAGS), None)
    if flag is not None:
        return f"only ADD has the flag --{flag}"
    sources = [word for word in instruction.arguments[:-1] if not (instruction.heredocs and word.startswith("<<"))]
    return next((reason for source in sources if (reason := _why_not_source(source, step, context))), None)


def _why_not_source(word: str, step: Step, context: Context) -> str | None:
    if variables_in(word) and step.state.args:
        return f"what {word} stands for may be changed by a build argument"
    source = expand(word, step.state.env)
    if source is None:
        return f"what {word} stands for is not known"
    if _REMOTE.match(source):
        return f"only ADD fetches {source}"
    matches = context.match(source)
    if not matches:
        return f"{source} is not in the build context"
    files = (path for path in matches if context.is_file(path))  # archives inside a folder stay as they are
    return next((reason for path in files if (reason := why_unpacked(path, context))), None)


def _rewrite(step: Step) -> Rewrite:
    instruction = step.instruction
    start = instruction.start + instruction.text.index(instruction.keyword)
    keyword = "copy" if instruction.keyword.islower() else "Copy" if instruction.keyword.istitle() else "COPY"
    before = normal_form(instruction)
    return Rewrite(
        step.line,
        "Copy with COPY",
        "ADD of files that are neither remote nor archives does what COPY says plainly.",
        (Edit(Span(start, start + len(instruction.keyword)), keyword),),
        added=("COPY" + before.removeprefix("ADD"),),
        removed=(before,),
    )
