"""The text of the two stages, and what of the commands comes and goes with it."""

import json
import posixpath
from collections.abc import Container, Iterable, Iterator

from msgspec import Struct

from optimizer.images import Variant
from optimizer.model import Step, read
from optimizer.model.inventory import inventory
from optimizer.syntax import Document, Span, parse, variables_in
from optimizer.transforms._finding import Edit, Gain, Rewrite
from optimizer.transforms.stages.again import Repeated
from optimizer.transforms.stages.brought import Brought, instructions
from optimizer.transforms.stages.nodes import Build, Runtime
from optimizer.transforms.stages.packages import Sorted

_FILES = frozenset({"RUN", "COPY", "ADD"})
_MOVED = frozenset("CMD ENTRYPOINT EXPOSE HEALTHCHECK LABEL MAINTAINER STOPSIGNAL VOLUME".split())
_WIDTH = 100
_CLEANING = "rm -rf /var/lib/apt/lists/*"


class Plan(Struct, frozen=True):
    """All that the runtime stage is made of."""

    build: Build
    runtime: Runtime
    copies: Brought
    packages: Sorted
    again: Repeated
    leaves_out: tuple[str, ...]
    fixed: Variant | None = None  # what the build stage stands on, where its tag may move


def write(plan: Plan) -> Rewrite:
    """Return the rewrite: a name for the build stage, what moves taken out, and the runtime stage behind it."""
    build = plan.build
    document = build.subject.dockerfile.document
    origin = build.stage.steps[0]
    last = max(step.index for step in build.stage.body if step.name in _FILES)
    above = [step for step in build.stage.body if step.index < last]
    below = [step for step in build.stage.body if step.index > last]
    moved = [step for step in above if step.name in _MOVED]
    name = _free_name(document)
    text = _block(plan, name, above, below, moved)
    end = document.instructions[last]
    at = end.start + len(end.text)
    ended = end.text.endswith("\n")
    inserted = _lines(text if ended else f"\n{text.removesuffix(chr(10))}", document)
    edits = [
        *_exchanged(plan, origin),
        _named(origin, name),
        *(_taken(step) for step in moved),
        Edit(Span(at, at), inserted),
    ]
    saved = (build.full.size or 0) - (plan.runtime.base.size or 0)
    added = inventory(read(parse(_whole(inserted, document))))
    old, new = _from_texts(origin, name, _image(plan, origin))
    return Rewrite(
        origin.line,
        f"Build in a stage of its own, and run on {plan.runtime.base.name}",
        plan.runtime.why,
        tuple(edits),
        added=(new, *added),
        removed=(old, *(entry for step in moved for entry in _entries(step))),
        gain=Gain(bytes=max(saved, 0)),
        leaves_out=plan.leaves_out,
    )


def _free_name(document: Document) -> str:
    """Return a name for the build stage that nothing else in the file has."""
    origins = [i for i in document if i.name == "FROM"]
    words = {word.lower() for instruction in origins for word in instruction.arguments}
    words |= {flag.value.lower() for instruction in document for flag in instruction.flags if flag.value}
    return next(name for name in ("build", "build-stage", "multi-stage-build", "dfopt-build") if name not in words)


def _from_texts(origin: Step, name: str, image: str) -> tuple[str, str]:
    body = " ".join(origin.instruction.body.text.split())
    words = body.replace(origin.instruction.arguments[0], image, 1).split()
    named = len(words) > 2 and words[-2].upper() == "AS"  # noqa: PLR2004 - an image, AS and a name
    return f"FROM {body}", f"FROM {' '.join(words[:-1] if named else (*words, 'AS'))} {name}"


def _image(plan: Plan, origin: Step) -> str:
    """Return the image that the build stage stands on, as FROM names it."""
    word = origin.instruction.arguments[0]
    return f"{word[: len(word) - len(word.rpartition('/')[2])]}{plan.fixed.name}" if plan.fixed else word


def _exchanged(plan: Plan, origin: Step) -> Iterator[Edit]:
    """Have the build stage stand on the tag that names the release."""
    if plan.fixed is not None:
        body, word = origin.instruction.body, origin.instruction.arguments[0]
        at = body.text.index(word)
        yield Edit(body.span(at, at + len(word)), _image(plan, origin))


def _named(origin: Step, name: str) -> Edit:
    """Name the build stage; a name that it had goes to the stage that runs."""
    instruction = origin.instruction
    text = instruction.body.text.rstrip()
    if origin.instruction.arguments[1:]:
        at = len(text) - len(instruction.arguments[-1])
        return Edit(instruction.body.span(at, len(text)), name)
    end = instruction.body.end_at(len(text))
    return Edit(Span(end, end), f" AS {name}")


def _taken(step: Step) -> Edit:
    """Take an instruction out, with the comments above it."""
    start = step.instruction.start
    return Edit(Span(start - len(step.instruction.leading), start + len(step.instruction.text)), "")


def _entries(step: Step) -> Iterator[str]:
    yield f"{step.name} {' '.join(step.instruction.body.text.split())}"


def _whole(text: str, document: Document) -> str:
    """Return a text as a Dockerfile of its own, with the directives of the document."""
    directives = "".join(f"# {d.name}={d.value}\n" for d in document.directives if d.name == "escape")
    return directives + text.lstrip()


def _lines(text: str, document: Document) -> str:
    return text.replace("\n", document.newline) if document.newline != "\n" else text


def _block(plan: Plan, name: str, above: list[Step], below: list[Step], moved: list[Step]) -> str:
    from optimizer.transforms.stages.texts import filled

    build, runtime = plan.build, plan.runtime
    origin = build.stage.steps[0].instruction
    platform = origin.flag("platform")
    settings = [*_variables(runtime), *(_plain(s) for s in _settings(plan, above, [*below, *moved]))]
    escape = build.subject.dockerfile.document.escape
    named = build.workdir != "/" or any(step.name == "WORKDIR" for step in above)
    workdir = _workdir(build) if named and not _sets_workdir(below) else None
    users = [step for step in above if step.name == "USER"]
    own = [step for step in below if step.name == "USER"]
    last = [_plain(users[-1])] if users and not own else []
    prepared = [*plan.again.before, *(f"rm -rf {folder.rstrip('/')}" for folder in runtime.clears)]
    behind = list(dict.fromkeys((*plan.again.behind, *runtime.behind)))
    return filled(
        "runtime.j2",
        base=(f"--platform={platform} " if platform else "") + _prefix(build) + runtime.base.name,
        name=origin.arguments[2] if origin.arguments[2:] else "",
        stage=name,
        settings=settings,
        before=[*([list(plan.again.sources)] if plan.again.sources else []), *_installing(plan, escape)],
        users=[prepared] if prepared else [],
        workdir=workdir,
        copies=list(_copies(plan.copies.copies, plan.build.copied.keys())),
        brought=list(instructions(plan.copies.again)),
        over=list(_copies(plan.copies.over, plan.build.copied.keys())),
        behind=[behind] if behind else [],
        escape=escape,
        last=[*last, *(f"{_leading(s)}{_plain(s)}" for s in moved)],
    )


def _leading(step: Step) -> str:
    """Return the comments above an instruction, which go with it."""
    return "".join(f"{line.strip()}\n" for line in step.instruction.leading.splitlines() if line.strip())


def _workdir(build: Build) -> str:
    """Return the working directory as it may be written: relative where it starts from that of the base image.

    One that a variable begins stays with it.
    """
    last = next((step for step in reversed(build.stage.body) if step.name == "WORKDIR"), None)
    if last and last.instruction.value.text.startswith("$"):
        return posixpath.normpath(last.instruction.value.text.strip())
    words = [
        step.state.word(step.instruction.value.text.strip()) for step in build.stage.body if step.name == "WORKDIR"
    ]
    joined = posixpath.normpath(posixpath.join("", *(word or "/" for word in words)))
    return build.workdir if joined.startswith(("/", ".")) else joined


def _sets_workdir(below: list[Step]) -> bool:
    """Tell whether the steps that stay behind give the whole of the working directory."""
    found = next((step for step in below if step.name == "WORKDIR"), None)
    return found is not None and found.instruction.value.text.startswith("/")


def _prefix(build: Build) -> str:
    word = build.stage.steps[0].instruction.arguments[0]
    return word[: len(word) - len(word.rpartition("/")[2])] if "/" not in build.full.image else ""


def _plain(step: Step) -> str:
    """Return an instruction as it is written, without the newline behind it."""
    return step.instruction.text.rstrip("\r\n").replace("\r\n", "\n")


def _variables(runtime: Runtime) -> Iterator[str]:
    return (f"ENV {name}={value}" for name, value in runtime.variables)


def _settings(plan: Plan, above: list[Step], later: list[Step]) -> Iterator[Step]:
    """Go through the ENV, SHELL and needed ARG that stand above, in order."""
    wanted = set(plan.again.variables) | {"DEBIAN_FRONTEND"}
    for step in reversed([*above, *later]):
        if step.name not in _FILES and step.name != "ARG":
            wanted |= variables_in(step.instruction.body.text, step.instruction.escape)
    for step in above:
        if step.name == "ARG":
            wanted |= (
                variables_in(step.instruction.body.text, step.instruction.escape) if _declares(step, wanted) else set()
            )
    return (step for step in above if step.name in {"ENV", "SHELL"} or (step.name == "ARG" and _declares(step, wanted)))


def _declares(step: Step, names: Iterable[str]) -> bool:
    declared = {word.partition("=")[0] for word in step.instruction.arguments}
    return not declared.isdisjoint(names)


def _installing(plan: Plan, escape: str) -> Iterator[list[str]]:
    if not (plan.packages.installs or plan.packages.upgrade):
        return
    commands = ["apt-get update", *([f"apt-get {plan.packages.upgrade} -y"] if plan.packages.upgrade else [])]
    for one in plan.packages.installs:
        options = "-y" if one.recommends else "-y --no-install-recommends"
        line = f"apt-get install {options} {' '.join(one.words)}"
        if len(line) > _WIDTH:
            separator = f" {escape}\n        "
            line = f"apt-get install {options}{separator}{separator.join(one.words)}"
        commands.append(line)
    yield [*commands, _CLEANING]


def _copies(paths: Iterable[str], files: Container[str]) -> Iterator[str]:
    """Go through the operands of the COPYs; what is certainly a file shares one with others of its folder.

    A path that may be a folder is copied to its own name, which does for both.
    """
    together: dict[str, list[str]] = {}
    for path in paths:
        key = f"{posixpath.dirname(path).rstrip('/')}/" if path in files else path
        together.setdefault(key, []).append(path.rstrip("/") or "/")
    for key, members in together.items():
        target = key if len(members) > 1 else members[0]
        words = (*members, target)
        yield json.dumps(words) if any(" " in word for word in words) else " ".join(words)
