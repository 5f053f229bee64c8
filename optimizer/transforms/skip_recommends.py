"""Install the packages that are asked for, and not those that they recommend.

apt installs what a package recommends (its manuals, a mail server for cron, fonts for a viewer) as if it were needed.
In an image this is often more than the package itself. What is really needed should be named.
"""

import re
from collections.abc import Iterator
from itertools import chain

from msgspec.structs import replace

from optimizer.ecosystems._system import Invocation, invocation
from optimizer.ecosystems.apt import ECOSYSTEM as APT
from optimizer.model import Dockerfile, Run, Step
from optimizer.shell import Call, Word
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._finding import Decline, Finding, Level, Rewrite
from optimizer.transforms._layout import insert_word
from optimizer.transforms._transform import Example, Subject, transform

_FLAG = "--no-install-recommends"
_SETTING = lazy_pattern(r"install-recommends", re.IGNORECASE)
_SWITCH = lazy_pattern(r"-[yqf]+|--(?:yes|assume-yes|quiet|fix-missing)")
_CONFIGURED = lazy_pattern(r"apt\.conf|install-recommends\W+(?:0|false|no)\b", re.IGNORECASE)


@transform(
    level=Level.ASSUMED,
    gain="size",
    aliases=("hadolint:DL3015",),
    examples=(
        Example(
            "a list of packages",
            before=r"""
                FROM debian:12-slim
                RUN apt-get update && apt-get install -y \
                      ca-certificates \
                      curl
                """,
            after=r"""
                FROM debian:12-slim
                RUN apt-get update && apt-get install -y --no-install-recommends \
                      ca-certificates \
                      curl
                """,
        ),
        Example(
            "the option -y in front",
            before="""
                FROM ubuntu:24.04
                RUN apt-get update && apt-get -y install tzdata
                """,
            after="""
                FROM ubuntu:24.04
                RUN apt-get update && apt-get -y install --no-install-recommends tzdata
                """,
        ),
        Example(
            "the certificates come by a recommendation",
            before="""
                FROM debian:12-slim
                RUN apt-get update && apt-get install -y curl
                """,
            because="curl needs ca-certificates, which it only recommends",
        ),
        Example(
            "a later step uses what nobody asked for",
            before="""
                FROM debian:12-slim
                RUN apt-get update && apt-get install -y zip
                RUN unzip /opt/data.zip
                """,
            because="the unzip of line 3 may need unzip, which no install names",
        ),
        Example(
            "packages that are made of others",
            before="""
                FROM debian:12-slim
                RUN apt-get update && apt-get install -y texlive-latex-base
                """,
            because="texlive-latex-base is made of what it recommends",
        ),
        Example(
            "packages that are not known before the build",
            before="""
                FROM debian:12-slim
                ARG PACKAGES
                RUN apt-get update && apt-get install -y $PACKAGES
                """,
            because="which packages it installs is not known",
        ),
    ),
)
def skip_recommends(subject: Subject) -> Iterator[Finding]:
    """Put the option behind each `apt-get install` of a shipped stage."""
    dockerfile = subject.dockerfile
    for step in dockerfile:
        if step.run is None or step.stage not in dockerfile.shipped:
            continue
        chosen = []
        for call in _installs(step.run):
            if reason := _why_not(dockerfile, step, step.run, call):
                yield Decline(step.line, reason)
            else:
                chosen.append(call)
        if chosen:
            yield _rewrite(step, step.run, chosen)


def _installs(run: Run) -> Iterator[Call]:
    """Go through the installs that take recommendations along."""
    for call in run.calls:
        given = invocation(call, APT.grammar) if call.program in APT.programs else None
        if given and given.action == "install" and given.operands and not _is_off(given):
            yield call


def _is_off(given: Invocation) -> bool:
    return (
        _FLAG in given.options or given.has("--without-recommends", "-R") or any(map(_CONFIGURED.search, given.options))
    )


def _why_not(dockerfile: Dockerfile, step: Step, run: Run, call: Call) -> str | None:
    if not run.editable:
        return run.why_not_editable
    if call.program == "aptitude":
        return "aptitude has rules of its own for what is recommended"
    if any(_SETTING.search(word.text) for word in call.arguments):
        return "the call says what to do with recommended packages"
    if call.nested:
        return "the install stands in a script within the script"
    if not call.certain:
        return "the install runs under a condition only"
    from optimizer.transforms._recommended import packages_of, why_needed

    packages = packages_of(call)
    if packages is None or "xargs" in {word.value for word in call.command.words}:
        return "which packages it installs is not known"
    return _why_configured(dockerfile, step) or why_needed(dockerfile, step, call, packages)


def _why_configured(dockerfile: Dockerfile, step: Step) -> str | None:
    """Say which step sets up apt, for that may hold the option already."""
    lineage = dockerfile.lineage(step.stage)
    above = (other for other in dockerfile.steps[: step.index + 1] if other.stage in lineage)
    found = next((other for other in above if _CONFIGURED.search(other.instruction.text)), None)
    return f"line {found.line} sets up apt" if found else None


def _rewrite(step: Step, run: Run, calls: list[Call]) -> Rewrite:
    places = [(call, _place(run, call)) for call in calls]
    return Rewrite(
        step.line,
        "Install no recommended packages",
        "apt takes along what the packages recommend, which makes the image larger and is seldom needed.",
        tuple(insert_word(step, word, _FLAG) for _, word in places),
        added=tuple(_with_flag(call, word) for call, word in places),
        removed=tuple(str(call.command) for call in calls),
        assumption="No code path needs a package that apt installs only because another one recommends it.",
    )


def _place(run: Run, call: Call) -> Word:
    """Return the word that the option goes behind: the verb, or the switches that follow it on its line."""
    words = iter(call.arguments)
    place = next(word for word in words if word.value == "install")
    for word in words:
        together = run.script.text[place.span.end : word.span.start] == " "
        if not (together and _SWITCH.fullmatch(word.text)):
            break
        place = word
    return place


def _with_flag(call: Call, behind: Word) -> str:
    words = ((w, replace(w, text=_FLAG)) if w == behind else (w,) for w in call.command.words)
    return str(replace(call.command, words=tuple(chain.from_iterable(words))))
