"""Start from the slim variant of the base image.

The full images of Python, Node.js and others hold compilers, headers, version control and more, so that anything can
be built on them; what runs needs little of it. The slim variant is the same software on the same release of the
distribution. The stage changes where every program that it starts is in the slim image or is installed, where no
package that it installs is compiled, and where all of this can be read. The sizes in the reasons are those of a
registry, compressed.
"""

from collections.abc import Iterator

from optimizer.images import Variant, sibling, suite
from optimizer.images.disk import on_disk
from optimizer.model import Dockerfile, Stage
from optimizer.model.base_images import repository
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._base_exchange import exchanged, named_variant
from optimizer.transforms._finding import Decline, Finding, Gain, Level, Rewrite
from optimizer.transforms._slim_argument import Argued, argued
from optimizer.transforms._transform import Example, Subject, Touches, transform

_IMAGES = frozenset({"debian", "node", "python", "ruby"})
_JAVA = frozenset({"adoptopenjdk", "eclipse-temurin", "openjdk"})
_OTHERS = frozenset({"perl"})
_TOOLS = "compilers, headers and tools, none of which this stage starts"
_WITHOUT = {
    "debian": "manuals and translations",
    "node": _TOOLS,
    "python": _TOOLS,
    "ruby": _TOOLS,
    **dict.fromkeys(_JAVA, "the compiler and the other tools of the JDK, none of which this stage starts"),
}
# Where the images keep it, and what the JDK alone brings of the distribution's packages.
_JDK_FILES = ("/opt/java/openjdk", "/usr/local/openjdk-*")
_SMALL = lazy_pattern(r"-(?:slim|alpine|windows|nanoserver|wheezy)")


@transform(
    level=Level.EQUIVALENT,
    gain="size",
    touches=frozenset({Touches.BASE}),
    examples=(
        Example(
            "a service of plain Python",
            before="""
                FROM python:3.12
                WORKDIR /app
                COPY requirements.txt .
                RUN pip install -r requirements.txt
                COPY . .
                CMD ["python", "app.py"]
                """,
            after="""
                FROM python:3.12-slim
                WORKDIR /app
                COPY requirements.txt .
                RUN pip install -r requirements.txt
                COPY . .
                CMD ["python", "app.py"]
                """,
            context={"requirements.txt": "flask==3.0.3\nnumpy==2.1.0\n", "app.py": "print(1)\n"},
        ),
        Example(
            "a server for Node.js",
            before="""
                FROM node:20-bookworm AS app
                WORKDIR /app
                COPY . .
                RUN npm ci
                CMD ["node", "server.js"]
                """,
            after="""
                FROM node:20-bookworm-slim AS app
                WORKDIR /app
                COPY . .
                RUN npm ci
                CMD ["node", "server.js"]
                """,
            context={
                "package.json": '{"dependencies": {"express": "4.19.2"}}',
                "package-lock.json": '{"packages": {"node_modules/express": {"version": "4.19.2"}}}',
                "server.js": "require('express')()\n",
            },
        ),
        Example(
            "a program on the JDK",
            before="""
                FROM eclipse-temurin:21-jdk
                COPY target/shop.jar /shop.jar
                CMD ["java", "-jar", "/shop.jar"]
                """,
            after="""
                FROM eclipse-temurin:21-jre
                COPY target/shop.jar /shop.jar
                CMD ["java", "-jar", "/shop.jar"]
                """,
            context={
                "pom.xml": "<project></project>",
                "target/shop.jar": "",
                "src/main/java/Shop.java": "class Shop {}",
            },
        ),
        Example(
            "a health check with curl",
            before="""
                FROM python:3.12
                HEALTHCHECK CMD curl -f http://localhost:8000/
                CMD ["python", "-m", "http.server"]
                """,
            after="""
                FROM python:3.12-slim
                RUN apt-get update \\
                    && apt-get install -y --no-install-recommends curl \\
                    && rm -rf /var/lib/apt/lists/*
                HEALTHCHECK CMD curl -f http://localhost:8000/
                CMD ["python", "-m", "http.server"]
                """,
        ),
        Example(
            "a project that is compiled",
            before="""
                FROM python:3.12
                RUN pip install psycopg2
                CMD ["python"]
                """,
            because="psycopg2 has no wheel for Python 3.12, so that it is compiled",
        ),
        Example(
            "a version that is an argument",
            before="""
                ARG VERSION=3.12
                FROM python:$VERSION
                CMD ["python"]
                """,
            after="""
                ARG VERSION=3.12
                FROM python:$VERSION-slim
                CMD ["python"]
                """,
        ),
        Example(
            "a tag that is an argument",
            before="""
                ARG TAG=3.12-bookworm
                FROM python:$TAG
                CMD ["python"]
                """,
            because="the tag of the base image is an argument",
        ),
    ),
)
def use_slim_base(subject: Subject) -> Iterator[Finding]:
    """Go through the stages on full images whose layers end in an image that someone may run."""
    dockerfile = subject.dockerfile
    for stage in dockerfile.stages:
        if stage.parent is None and stage.index in dockerfile.shipped and stage.steps:
            yield from _of_stage(subject, stage)


def _of_stage(subject: Subject, stage: Stage) -> Iterator[Finding]:
    origin = stage.steps[0]
    name = repository(stage.base or origin.instruction.arguments[0])
    if name not in _IMAGES | _JAVA | _OTHERS or origin.instruction.problem:
        return
    if name in _JAVA:
        yield from _of_jdk(subject, stage)
        return
    if _SMALL.search(f"-{origin.instruction.arguments[0].rpartition(':')[2]}"):
        return
    found = argued(subject.dockerfile, subject.context, origin, stage.base)
    full = found.full if isinstance(found, Argued) else found or named_variant(origin.instruction.arguments[0])
    if isinstance(full, str):
        yield Decline(origin.line, full)
        return
    if full is None or _SMALL.search(f"-{full.canonical}"):
        return
    slim = sibling(full, add="slim")
    reason = _why_no_change(stage, full, slim)
    if reason or slim is None:
        yield Decline(origin.line, reason or f"{full.name} has no slim variant on the same release")
        return
    yield _judged(subject, stage, full, slim, found.name if isinstance(found, Argued) else "")


def _of_jdk(subject: Subject, stage: Stage) -> Iterator[Finding]:
    """Go for the JRE of the same version, which has the same virtual machine."""
    from optimizer.images.jres import jre_of, with_size

    origin = stage.steps[0]
    full = named_variant(origin.instruction.arguments[0])
    if full is None or (isinstance(full, Variant) and "jre" in full.words):
        return
    if isinstance(full, str):
        yield Decline(origin.line, full)
        return
    full, jre = with_size(full), jre_of(full)
    if jre is None:
        yield Decline(origin.line, f"no JRE lies where the JDK of {full.name} does")
    elif reason := _why_other_platform(stage) or _why_no_gain(full, jre):
        yield Decline(origin.line, reason)
    else:
        yield _judged(subject, stage, full, jre)


def _why_no_change(stage: Stage, full: Variant, slim: Variant | None) -> str | None:
    if full.image in _OTHERS:
        return f"what a program takes from the libraries of {full.name} is not known"
    if "onbuild" in full.tag:
        return f"{full.name} runs steps of its own in this build"
    if reason := _why_other_platform(stage):
        return reason
    if slim is None:
        return f"{full.name} has no slim variant on the same release"
    if suite(full) is None or suite(full) != suite(slim):
        return f"whether {slim.name} stands on the same release as {full.name} is not known"
    return _why_no_gain(full, slim)


def _why_other_platform(stage: Stage) -> str | None:
    platform = stage.steps[0].instruction.flag("platform")
    return None if platform in {None, "linux/amd64"} else f"the base image is one for {platform}"


def _why_no_gain(full: Variant, slim: Variant) -> str | None:
    if full.size is None or slim.size is None or slim.size >= full.size:
        return f"whether {slim.name} is smaller than {full.name} is not known"
    return None


def _judged(subject: Subject, stage: Stage, full: Variant, slim: Variant, name: str = "") -> Finding:
    from optimizer.transforms import _java_needs, _slim_needs
    from optimizer.transforms._development_files import why_development
    from optimizer.transforms._slim_packages import fixed, moving, packages_to_add, with_packages
    from optimizer.transforms._slim_ruby import why_ruby

    dockerfile, origin = subject.dockerfile, stage.steps[0]
    stages = frozenset({stage.index}) | dockerfile.children(stage.index)
    for shipped in sorted(stages & dockerfile.shipped):
        if reason := why_development(dockerfile, subject.context, shipped):
            return Decline(origin.line, reason)
        if not _starts(dockerfile, shipped, stages):
            return Decline(origin.line, "no CMD or ENTRYPOINT says what a container of this image starts")
    if full.image == "ruby" and (reason := next(why_ruby(dockerfile, subject.context, stages), None)):
        return Decline(origin.line, reason)
    change = _slim_needs.Change(full, slim, stages)
    if full.image in _JAVA:
        reason = next(_java_needs.why_not(dockerfile, subject.context, change), None)
        return Decline(origin.line, reason) if reason else _rewrite(stage, full, slim, name or slim.name)
    packages = packages_to_add(_slim_needs.lacks(dockerfile, subject.context, change), full, slim)
    if isinstance(packages, str):
        return Decline(origin.line, packages)
    if package := moving(full, release := suite(full) or "", packages):
        named = fixed(slim, release)
        if name or named is None:
            return Decline(
                origin.line, f"{full.name} may move to another release of Debian, which need not have {package}"
            )
        name = named.name
    return with_packages(_rewrite(stage, full, slim, name or slim.name), dockerfile.document, origin, packages)


def _starts(dockerfile: Dockerfile, stage: int, stages: frozenset[int]) -> bool:
    """Tell whether a stage says what is started, or is not the one that is built for it."""
    if dockerfile.children(stage) or (dockerfile.target in stages and stage != dockerfile.target):
        return True
    lineage = dockerfile.lineage(stage)
    return any(step.stage in lineage and step.name in {"CMD", "ENTRYPOINT"} for step in dockerfile)


def _rewrite(stage: Stage, full: Variant, slim: Variant, name: str) -> Rewrite:
    edit, added, removed = exchanged(stage.steps[0], name)
    saved = (full.size or 0) - (slim.size or 0)
    return Rewrite(
        stage.steps[0].line,
        f"Start from {name}",
        f"It is {full.name} without {_WITHOUT[full.image]}: {saved // 1_000_000} MB less, compressed.",
        (edit,),
        added=(added,),
        removed=(removed,),
        gain=Gain(bytes=(on_disk(full) or 0) - (on_disk(slim) or 0)),
        leaves_out=_JDK_FILES if full.image in _JAVA else (),
    )
