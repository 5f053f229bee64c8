"""Start from the image that takes the place of a retired one.

`openjdk`, `java` and `adoptopenjdk` get no more updates. Eclipse Temurin is the same OpenJDK, built by the project
that took over: the stage gets its tag of the same Java version, a JDK for a JDK and a JRE for a JRE. It stands on
Ubuntu, which has apt and the packages of Debian under the same names. Where anything is asked for that only the old
image has, and for images that have no such successor, the end of support is told.
"""

from collections.abc import Iterator

from optimizer.images import Variant
from optimizer.images.lifecycle import end_of_support, java_version, release_line, retired, successor
from optimizer.model import Stage
from optimizer.model.base_images import repository
from optimizer.transforms._base_exchange import exchanged, named_variant
from optimizer.transforms._finding import Decline, Finding, Gain, Level, Rewrite
from optimizer.transforms._transform import Example, Subject, Touches, transform

_SAME_SIZE = frozenset({"adoptopenjdk"})  # the same builds on the same distribution


@transform(
    level=Level.ASSUMED,
    gain="support",
    touches=frozenset({Touches.BASE}),
    examples=(
        Example(
            "a service on the retired image of OpenJDK",
            before="""
                FROM openjdk:17-jdk-slim
                WORKDIR /app
                COPY app.jar .
                CMD ["java", "-jar", "app.jar"]
                """,
            after="""
                FROM eclipse-temurin:17-jdk-jammy
                WORKDIR /app
                COPY app.jar .
                CMD ["java", "-jar", "app.jar"]
                """,
            context={"app.jar": "-"},
        ),
        Example(
            "a place that only the old image has",
            before="""
                FROM openjdk:11
                ENV PATH=/usr/local/openjdk-11/bin:$PATH
                CMD ["java", "-version"]
                """,
            because="line 2 names /usr/local/openjdk-11, where eclipse-temurin:11-jdk-jammy has nothing",
        ),
        Example(
            "a program of the full image",
            before="""
                FROM openjdk:11
                RUN git clone https://example.com/app.git /app
                CMD ["java", "-jar", "/app/app.jar"]
                """,
            because="the RUN of line 2 starts git, which eclipse-temurin:11-jdk-jammy may lack",
        ),
        Example(
            "a successor that is larger",
            before="""
                FROM openjdk:11-jre-slim
                CMD ["java", "-version"]
                """,
            because="its successor eclipse-temurin:11-jre-jammy is 31 MB larger, compressed",
        ),
        Example(
            "a version without support and without successor",
            before="""
                FROM python:2.7
                CMD ["python", "app.py"]
                """,
            because="support of python 2.7 ended on 2020-01-01; the step to another version is yours",
        ),
    ),
)
def replace_retired_base(subject: Subject) -> Iterator[Finding]:
    """Go through the stages that start from an image of its own right."""
    for stage in subject.dockerfile.stages:
        if stage.parent is None and stage.steps and not stage.steps[0].instruction.problem:
            finding = _of_stage(subject, stage)
            if finding is not None:
                yield finding


def _of_stage(subject: Subject, stage: Stage) -> Finding | None:
    origin = stage.steps[0]
    word = origin.instruction.arguments[0]
    name = repository(stage.base or word)
    known = retired(name)
    old = named_variant(word)
    if isinstance(old, str):
        return Decline(origin.line, old) if known else None
    if known is None:
        return _ended(origin.line, old) if old else None
    new = successor(old) if old else None
    if old is None or new is None:
        return Decline(origin.line, _told(name, old, known.use, known.last))
    reason = _why_not(subject, stage, old, new)
    return Decline(origin.line, reason) if reason else _rewrite(stage, old, new)


def _ended(line: int, old: Variant) -> Decline | None:
    day = end_of_support(old)
    if day is None:
        return None
    return Decline(line, f"support of {old.image} {release_line(old)} ended on {day}; the step to another "
                   "version is yours")  # fmt: skip


def _told(name: str, old: Variant | None, use: tuple[str, ...], last: str) -> str:
    """Say since when an image has been retired, and what could take its place."""
    since = f" since {last}" if last else ""
    ended = end_of_support(old) if old else None
    support = f", support of {release_line(old)} ended on {ended}" if old and ended else ""
    others = f"{' or '.join(use[:2])} may take its place, but no tag is known that is the same" if use else ""
    return f"{name} is retired{since}{support}; {others or 'nothing is known to take its place'}"


def _why_not(subject: Subject, stage: Stage, old: Variant, new: Variant) -> str | None:
    from optimizer.transforms._retired_needs import why_not

    java = java_version(new)
    if ended := end_of_support(new):
        return f"support of Java {java} ended on {ended}; the step to another version is yours"
    platform = stage.steps[0].instruction.flag("platform")
    if platform not in {None, "linux/amd64", "linux/arm64"}:
        return f"the base image is one for {platform}"
    if old.image not in _SAME_SIZE:
        if old.size is None or new.size is None:
            return f"whether its successor {new.name} is larger is not known"
        if new.size > old.size:
            return f"its successor {new.name} is {(new.size - old.size) // 1_000_000} MB larger, compressed"
    stages = frozenset({stage.index}) | subject.dockerfile.children(stage.index)
    return next(why_not(subject.dockerfile, subject.context, stages, old, new), None)


def _rewrite(stage: Stage, old: Variant, new: Variant) -> Rewrite:
    edit, added, removed = exchanged(stage.steps[0], f"{new.image}:{new.tag}")
    saved = max((old.size or 0) - (new.size or 0), 0)
    less = f"; it is {saved // 1_000_000} MB less, compressed" if saved and new.size else ""
    return Rewrite(
        stage.steps[0].line,
        f"Start from {new.name}",
        f"{old.image} gets no more updates (the last of this tag came in {old.last}); Eclipse Temurin is its "
        f"successor with the same Java {java_version(new)}{less}.",
        (edit,),
        added=(added,),
        removed=(removed,),
        assumption=f"The program runs with the OpenJDK of Eclipse Temurin on Ubuntu 22.04 as with that of {old.image}, "
        "in a UTF-8 locale, and starts no program that only the old image had.",
        gain=Gain(bytes=saved if new.size else 0),
    )
