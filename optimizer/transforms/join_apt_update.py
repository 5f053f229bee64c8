"""Put `apt-get update` into the RUN that installs.

A RUN of its own is cached for as long as nothing above it changes. A package that is added to the install weeks
later is then looked up in lists that are weeks old, and the mirror no longer has what they name: the build fails.
An install without `-y` fails as well as soon as it needs one package more than it was given, for nobody is there to
say yes.
"""

import re
from collections.abc import Iterator

from msgspec.structs import replace

from optimizer.ecosystems import apt
from optimizer.ecosystems._system import invocation
from optimizer.model import Step
from optimizer.shell import Call, Compound, Kind
from optimizer.syntax import Document, Span
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._apt_updates import Pair, action, chain_of, pair_of, why_not_joined
from optimizer.transforms._finding import Decline, Edit, Finding, Gain, Level, Rewrite
from optimizer.transforms._layout import (
    WIDTH,
    continuation,
    insert_before,
    insert_word,
    instruction_with_comments,
    remove_instruction,
    why_not_movable,
)
from optimizer.transforms._transform import Example, Subject, transform
from optimizer.transforms._unread import UPDATE_ALONE, unread

_YES = ("-y", "--yes", "--assume-yes", "--force-yes", "-qq")
_TWICE_QUIET = lazy_pattern(r"-[a-zA-Z]*q[a-zA-Z]*q[a-zA-Z]*|-q=[2-9]")
_MAY_SAY_YES = lazy_pattern(r"assume-?yes|force-?yes", re.IGNORECASE)
_DOES_NOTHING = ("-s", "--simulate", "--just-print", "--dry-run", "--recon", "--no-act", "--print-uris", "--assume-no")
_OPTIONS = lazy_pattern(r"OPT|ARG|FLAG|YES", re.IGNORECASE)


@transform(
    level=Level.EXACT,
    gain="build time, fewer layers",
    aliases=("hadolint:DL3014",),
    examples=(
        Example(
            "an update in a RUN of its own",
            before="""
                FROM debian:12
                # What the scripts need.
                RUN apt-get update
                RUN apt-get install -y curl
                """,
            after="""
                FROM debian:12
                # What the scripts need.
                RUN apt-get update && apt-get install -y curl
                """,
        ),
        Example(
            "the layout of the install is kept",
            before=r"""
                FROM debian:12
                RUN apt-get update
                RUN apt-get install -y \
                      curl \
                      git \
                 && rm -rf /var/lib/apt/lists/*
                """,
            after=r"""
                FROM debian:12
                RUN apt-get update \
                 && apt-get install -y \
                      curl \
                      git \
                 && rm -rf /var/lib/apt/lists/*
                """,
        ),
        Example(
            "nobody can answer a question",
            before="""
                FROM debian:12
                RUN apt-get update && apt-get install curl
                """,
            after="""
                FROM debian:12
                RUN apt-get update && apt-get install -y curl
                """,
        ),
        Example(
            "what stands between might change what the update fetches",
            before="""
                FROM debian:12
                RUN apt-get update
                COPY sources.list /etc/apt/
                RUN apt-get install -y curl
                """,
            because="COPY in line 3 stands between the update and its install",
        ),
        Example(
            "the install fetches the lists again",
            before="""
                FROM debian:12
                RUN apt-get update
                RUN apt-get update && apt-get install -y curl
                """,
            because="line 3 fetches the lists again",
        ),
    ),
)
def join_apt_update(subject: Subject) -> Iterator[Finding]:
    """Join every update that has a RUN of its own with its install, and let installs say yes."""
    document = subject.dockerfile.document
    for step in subject.dockerfile:
        if step.run is None:
            continue
        if not_read := unread(step, UPDATE_ALONE):
            yield not_read
        if pair := pair_of(subject.dockerfile, step):
            yield _joined(document, pair)
        for call in step.run.calls:
            if call.program in {"apt-get", "apt"} and action(call) == "install" and _asks(document, step, call):
                yield _answered(step, call)


def _joined(document: Document, pair: Pair) -> Finding:
    """Move the commands of the update in front of those of the install."""
    one, two = pair.update, pair.install
    reason = why_not_joined(pair) or why_not_movable(document, one.instruction)
    if reason or one.run is None or two.run is None:
        return Decline(one.line, reason or "there is no RUN to join")
    parts = chain_of(one)
    start, end = one.run.text.span(parts[0].span.start, parts[-1].span.end)
    text = document.source[start:end]
    target = two.run.text.at(chain_of(two)[0].span.start)
    edits = [Edit(Span(target, target), text + _joint(document, two, text))]
    block = instruction_with_comments(document, one.instruction)
    comments = block[: block.rindex(one.instruction.text.rstrip("\r\n"))]
    if comments.strip():
        edits.append(insert_before(document, two.instruction, comments.rstrip("\r\n")))
    moved = (str(one.run.calls[-1].command),) if pair.between else ()
    return Rewrite(
        line=one.line,
        title="Join apt-get update with the install that needs it",
        why="An update in a layer of its own goes stale: a later install asks for packages that the mirror dropped.",
        edits=(remove_instruction(document, one.instruction), *edits),
        added=moved,
        removed=moved,
        gain=Gain(layers=1),
    )


def _joint(document: Document, step: Step, text: str) -> str:
    """Return what stands between the update and the first command of the install."""
    instruction = step.instruction
    first_line = instruction.text.partition("\n")[0].rstrip("\r")
    is_row = "\n" in instruction.text.rstrip("\r\n") and len(chain_of(step)) > 1
    if is_row or "\n" in text or len(first_line) + len(text) + len(" && ") > WIDTH:
        return continuation(document, instruction)
    return " && "


def _asks(document: Document, step: Step, call: Call) -> bool:
    """Tell whether an install may ask before it goes on."""
    given = invocation(call, apt.GRAMMAR)
    if given.has(*_YES, *_DOES_NOTHING) or any(_TWICE_QUIET.fullmatch(option) for option in given.options):
        return False
    if _MAY_SAY_YES.search(document.source) or any(r.operator.startswith("<") for r in call.command.redirects):
        return False
    hidden = [name for word in call.arguments if word.value is None for name in word.variables]
    return not any(_says_yes(step, call, name) for name in hidden)


def _says_yes(step: Step, call: Call, name: str) -> bool:
    """Tell whether a variable may bring the option along."""
    value = call.variables[name] if name in call.variables else step.state.value(name)
    if value is None:
        return bool(_OPTIONS.search(name))
    return any(_TWICE_QUIET.fullmatch(v) or re.fullmatch(r"-[a-z]*y[a-z]*", v) for v in value.split())


def _answered(step: Step, call: Call) -> Finding:
    reason = _why_not_answered(step, call)
    verb = invocation(call, apt.GRAMMAR).verb
    if reason or verb is None:
        return Decline(step.line, reason or "the options of the install are not known")
    words = tuple(w for word in call.command.words for w in (word, replace(word, text="-y"))[: 1 + (word == verb)])
    return Rewrite(
        line=step.line,
        title=f"Let {call.program} install without asking",
        why="Nobody can answer in a build: with one package more to fetch than was named, the install stops.",
        edits=(insert_word(step, verb, "-y"),),
        added=(str(replace(call.command, words=words)),),
        removed=(str(call.command),),
    )


def _why_not_answered(step: Step, call: Call) -> str | None:
    run = step.run
    if run is None or not run.editable:
        return run.why_not_editable if run else None
    if call.nested:
        return "the install stands in a script within the script"
    if not call.certain:
        return "the install runs under a condition only"
    part = run.script.root.parts[call.step]
    if isinstance(part, Compound) and not (part.kind is Kind.PIPELINE and part.parts[0] == call.command):
        return "something may answer for the install"
    return None
