"""Start from the slim variant of the base image.

The full images of Python, Node.js and others hold compilers, headers, version control and more, so that anything can
be built on them; what runs needs little of it. The slim variant is the same software on the same release of the
distribution. The stage changes where every program that it starts is in the slim image or is installed, where no
package that it installs is compiled, and where all of this can be read. The sizes are those of a registry, compressed.
"""

from collections.abc import Iterator

from optimizer.images import Variant, sibling, suite, variant
from optimizer.model import Dockerfile, Stage
from optimizer.model.base_images import repository
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._finding import Decline, Edit, Finding, Gain, Level, Rewrite
from optimizer.transforms._transform import Example, Subject, Touches, transform

_IMAGES = frozenset({"debian", "node", "python"})
_JAVA = frozenset({"adoptopenjdk", "eclipse-temurin", "openjdk"})
_OTHERS = frozenset({"perl", "ruby"})
_TOOLS = "compilers, headers and tools, none of which this stage starts"
_WITHOUT = {
    "debian": "manuals and translations",
    "node": _TOOLS,
    "python": _TOOLS,
    **dict.fromkeys(_JAVA, "the compiler and the other tools of the JDK, none of which this stage starts"),
}
# Where the images keep it, and what the JDK alone brings of the distribution's packages.
_JDK_FILES = ("/opt/java/openjdk", "/usr/local/openjdk-*")
_TAGGED = lazy_pattern(r"(?:docker\.io/)?(?:library/)?([a-z-]+)(?::([\w.-]+))?")
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
            because="the HEALTHCHECK of line 2 starts curl, which the slim image lacks",
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
    full = _variant(origin.instruction.arguments[0])
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
    yield _judged(subject, stage, full, slim)


def _of_jdk(subject: Subject, stage: Stage) -> Iterator[Finding]:
    """Go for the JRE of the same version, which has the same virtual machine."""
    from optimizer.images.jres import jre_of, with_size

    origin = stage.steps[0]
    full = _variant(origin.instruction.arguments[0])
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


def _variant(word: str) -> Variant | str | None:
    """Return the official image that FROM names in so many words, or why it cannot change."""
    if "$" in word:
        return "the tag of the base image is an argument"
    if "@" in word:
        return "the base image is named by its digest"
    match = _TAGGED.fullmatch(word)
    return variant(match[1], match[2]) if match else None


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


def _judged(subject: Subject, stage: Stage, full: Variant, slim: Variant) -> Finding:
    from optimizer.transforms import _java_needs, _slim_needs
    from optimizer.transforms._development_files import why_development

    dockerfile, origin = subject.dockerfile, stage.steps[0]
    stages = frozenset({stage.index}) | dockerfile.children(stage.index)
    for shipped in sorted(stages & dockerfile.shipped):
        if reason := why_development(dockerfile, subject.context, shipped):
            return Decline(origin.line, reason)
        if not _starts(dockerfile, shipped, stages):
            return Decline(origin.line, "no CMD or ENTRYPOINT says what a container of this image starts")
    change = _slim_needs.Change(full, slim, stages)
    why_not = _java_needs.why_not if full.image in _JAVA else _slim_needs.why_not
    if reason := next(why_not(dockerfile, subject.context, change), None):
        return Decline(origin.line, reason)
    return _rewrite(stage, full, slim)


def _starts(dockerfile: Dockerfile, stage: int, stages: frozenset[int]) -> bool:
    """Tell whether a stage says what is started, or is not the one that is built for it."""
    if dockerfile.children(stage) or (dockerfile.target in stages and stage != dockerfile.target):
        return True
    lineage = dockerfile.lineage(stage)
    return any(step.stage in lineage and step.name in {"CMD", "ENTRYPOINT"} for step in dockerfile)


def _rewrite(stage: Stage, full: Variant, slim: Variant) -> Rewrite:
    instruction = stage.steps[0].instruction
    word = instruction.arguments[0]
    at = instruction.body.text.index(word)
    text = word[: len(word) - len(word.rpartition("/")[2])] + f"{slim.image}:{slim.tag}"
    saved = (full.size or 0) - (slim.size or 0)
    body = instruction.body.text
    return Rewrite(
        instruction.line,
        f"Start from {slim.name}",
        f"It is {full.name} without {_WITHOUT[full.image]}: {saved // 1_000_000} MB less, compressed.",
        (Edit(instruction.body.span(at, at + len(word)), text),),
        added=(_squeezed(f"FROM {body[:at]}{text}{body[at + len(word) :]}"),),
        removed=(_squeezed(f"FROM {body}"),),
        gain=Gain(bytes=saved),
        leaves_out=_JDK_FILES if full.image in _JAVA else (),
    )


def _squeezed(text: str) -> str:
    return " ".join(text.split())
