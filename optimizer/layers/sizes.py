"""What an image will take on the disk, by step, as far as Dockerfile, build context and image facts tell.

    found = predicted(dockerfile, context)
    found.bytes, found.parts, found.unknown

Files of the build context have the size that they have; base images, packages of Debian and some hundred projects of
PyPI and npm have a known one; others are counted with what such a thing usually takes. What a step makes that cannot
even be guessed counts as nothing, and is named. The sizes are those of `docker image inspect`, uncompressed.
"""

from collections.abc import Iterator, Mapping
from posixpath import join

from msgspec import Struct, field

from optimizer.context import Context
from optimizer.ecosystems._system import invocation
from optimizer.ecosystems.apt import ECOSYSTEM as APT
from optimizer.images import distroless, packages, suite, variant
from optimizer.images.apt import cost
from optimizer.images.disk import on_disk
from optimizer.layers._contents import Content, Stored, below, image_path
from optimizer.layers._installs import installed, is_quiet
from optimizer.model import Dockerfile, Step, mounts
from optimizer.model.base_images import repository
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern

_LISTS = 20_000_000  # of /var/lib/apt/lists after an update
_PLACE = "/var/lib/apt/lists"
_TAGGED = lazy_pattern(r"(?:docker\.io/)?(?:library/)?([a-z-]+)(?::([\w.-]+))?")
_VERSION = lazy_pattern(r"[=/:].*")
_ARCHIVE = lazy_pattern(r".*\.(?:tar|tgz|tbz2?|txz|tar\.\w+)")
_UNPACKED = 3  # times the size of a compressed archive
_PROGRAM = 12_000_000  # a program of Go or Rust
_OWNERS = frozenset({"chown", "chmod", "chgrp"})


class Part(Struct, frozen=True):
    """What one instruction adds; `known` where it is no guess. The base image is what FROM adds."""

    line: int
    what: str
    bytes: int
    known: bool = True


class Prediction(Struct, frozen=True):
    """What an image will take, by part; `unknown` names what is counted as nothing, with its line."""

    parts: tuple[Part, ...]
    unknown: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """The whole image."""
        return sum(part.bytes for part in self.parts)


class _Stage(Struct):
    """What is known of a stage behind some step."""

    release: str | None = None
    there: frozenset[str] = frozenset()
    lists: bool = False
    contents: list[Content] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)  # image path -> path of the build context
    parts: list[Part] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    based: bool = True  # whether the size of the base image is known

    def copy(self) -> "_Stage":
        """Return a stage that starts from this one."""
        return _Stage(
            self.release, self.there, self.lists, [*self.contents], {**self.sources}, [*self.parts], [*self.unknown],
            self.based,
        )  # fmt: skip


def predicted(dockerfile: Dockerfile, context: Context, bases: Mapping[str, int] | None = None) -> Prediction | None:
    """Return what the target will take; None where the size of its base image is not known.

    `bases` holds the sizes of base images that were looked up, by the name that FROM gives them.
    """
    if dockerfile.target < 0:
        return None
    stages: list[_Stage] = []
    for stage in dockerfile.stages[: dockerfile.target + 1]:
        first = stage.steps[0]
        made = _based(first, stage.base, bases or {}) if stage.parent is None else stages[stage.parent].copy()
        for step in stage.body:
            _take(step, made, context, stages, dockerfile)
        stages.append(made)
    found = stages[dockerfile.target]
    return Prediction(tuple(found.parts), tuple(dict.fromkeys(found.unknown))) if found.based else None


def _based(step: Step, base: str | None, bases: Mapping[str, int]) -> _Stage:
    """Return a stage that holds a base image alone."""
    name = base or ""
    match = _TAGGED.fullmatch(name)
    found = variant(match[1], match[2]) if match else None
    bytes_ = bases.get(name)
    if bytes_ is None and repository(name) == "scratch":
        bytes_ = 0
    if bytes_ is None:
        bytes_ = on_disk(found) if found else distroless.on_disk(name.removesuffix(":nonroot"))
    made = _Stage(based=bytes_ is not None)
    made.parts.append(Part(step.line, f"the base image {name}", bytes_ or 0))
    if found:
        made.release = suite(found)
        made.there = packages(found) or frozenset()
    return made


def _take(step: Step, made: _Stage, context: Context, stages: list[_Stage], dockerfile: Dockerfile) -> None:
    """Add to a stage what a step makes."""
    if step.instruction.problem:
        return
    if step.run is not None:
        _take_run(step, made, context)
    elif step.name in {"COPY", "ADD"} and step.instruction.heredocs:
        _add(made, step, "a file written here", len(step.instruction.text))
    elif step.name in {"COPY", "ADD"} and step.instruction.flag("from") is None:
        _take_files(step, made, context)
    elif step.name == "COPY":
        _take_artifacts(step, made, stages, dockerfile)


def _add(made: _Stage, step: Step, what: str, bytes_: int, *, known: bool = True) -> None:
    if bytes_:
        made.parts.append(Part(step.line, what, bytes_, known))


def _take_files(step: Step, made: _Stage, context: Context) -> None:
    words = [step.state.word(word) for word in step.instruction.arguments]
    if len(words) < 2 or None in words:  # noqa: PLR2004 - a source and a destination at the least
        made.unknown.append(f"line {step.line}: files named by variables")
        return
    *sources, target = (word for word in words if word is not None)
    destination = image_path(target, step.state.workdir)
    for source in sources:
        if "://" in source or source.startswith("git@"):
            made.unknown.append(f"line {step.line}: {source}")
            continue
        for match in context.match(source):
            unpacked = step.name == "ADD" and _ARCHIVE.fullmatch(match) is not None
            bytes_ = context.size(match) * (_UNPACKED if unpacked else 1)
            into = target.endswith(("/", ".")) or len(sources) > 1 or destination == (step.state.workdir or "/")
            place = destination if context.is_dir(match) or not into else join(destination, match.rpartition("/")[2])
            made.sources[place] = match
            made.contents.append(Content(place, bytes_))
            _add(made, step, "files of the build context", bytes_, known=not unpacked)


def _take_artifacts(step: Step, made: _Stage, stages: list[_Stage], dockerfile: Dockerfile) -> None:
    """Add what is copied from another stage: what is known to lie there."""
    name = str(step.instruction.flag("from")).lower()
    origin = next((s.index for s in dockerfile.stages[: step.stage] if name in {s.name, str(s.index)}), None)
    words = [step.state.word(word) for word in step.instruction.arguments]
    if origin is None or None in words or len(words) < 2:  # noqa: PLR2004
        made.unknown.append(f"line {step.line}: what comes from {name}")
        return
    *sources, target = (word for word in words if word is not None)
    destination = image_path(target, step.state.workdir)
    for source in sources:
        wanted = image_path(source, "/")
        inside = [content for content in stages[origin].contents if below(content.path, wanted)]
        around = [content for content in stages[origin].contents if below(wanted, content.path)]
        bytes_ = sum(content.bytes for content in inside)
        if not inside and around:
            bytes_ = min(_PROGRAM, *(content.bytes for content in around))
        if not inside and not around:
            made.unknown.append(f"line {step.line}: {source} of {name}")
        made.contents += [
            Content(join(destination, content.path[len(wanted) :].lstrip("/")), content.bytes) for content in inside
        ] or [Content(destination, bytes_)]
        _add(made, step, f"{source} of {name}", bytes_, known=bool(inside))


def _take_run(step: Step, made: _Stage, context: Context) -> None:
    run = step.run
    if run is None or run.script.problem:
        made.unknown.append(f"line {step.line}: a RUN that is not understood")
        return
    outside = [mount.target for mount in mounts(step) if mount.keeps_out and mount.target]
    earlier = [*made.contents]
    _take_packages(step, made, run.calls, outside)
    for call in run.calls:
        if call.program in _OWNERS:
            _take_again(step, made, call, earlier)
            continue
        found = installed(call, step, context, lambda path: _source(made.sources, path))
        if found is None:
            if not is_quiet(call) and call.program not in APT.programs:
                made.unknown.append(f"line {step.line}: {call.program}")
            continue
        for stored in _kept(found, run.calls, outside):
            made.contents.append(Content(stored.path, stored.bytes))
            _add(made, step, stored.what, stored.bytes, known=stored.known)


def _kept(found: tuple[Stored, ...], calls: tuple[Call, ...], outside: list[str]) -> Iterator[Stored]:
    """Go through what is neither in a mount nor removed by the same RUN."""
    removed = [
        image_path(word.value, call.directory).rstrip("*").rstrip("/")
        for call in calls
        if call.program == "rm"
        for word in call.arguments
        if word.value and not word.value.startswith("-")
    ]
    for stored in found:
        if not any(below(stored.path, place) for place in (*outside, *removed) if place):
            yield stored


def _take_packages(step: Step, made: _Stage, calls: tuple[Call, ...], outside: list[str]) -> None:
    """Add the packages of Debian that a RUN leaves installed, and apt's lists."""
    wanted: dict[bool, list[str]] = {False: [], True: []}  # with what they recommend, or without
    refreshed = False
    for call in calls:
        if call.program not in APT.programs:
            refreshed = refreshed and not _removes_lists(call)
            continue
        asked = invocation(call, APT.grammar)
        names = [_VERSION.sub("", word.value) for word in asked.operands if word.value]
        if asked.action == "install":
            wanted[not _lean(call)] += names
        elif asked.action in {"remove", "purge", "autoremove"}:
            wanted = {key: [name for name in known if name not in names] for key, known in wanted.items()}
        refreshed = refreshed or asked.action == "update"
    if refreshed and not made.lists and not any(below(_PLACE, place) for place in outside):
        made.lists = True
        _add(made, step, "apt's package lists", _LISTS)
    for recommended, names in wanted.items():
        if names:
            _take_named(step, made, names, recommended=recommended)


def _take_named(step: Step, made: _Stage, names: list[str], *, recommended: bool) -> None:
    found = cost(names, made.release, made.there, recommends=recommended) if made.release else None
    if found is None:
        made.unknown.append(f"line {step.line}: packages of the distribution")
        return
    made.there |= found.packages
    made.unknown += [f"line {step.line}: the package {name}" for name in found.unknown]
    _add(made, step, f"{len(found.packages)} packages of Debian", found.bytes)


def _lean(call: Call) -> bool:
    texts = {word.text for word in call.arguments}
    plain = {"--no-install-recommends", "--without-recommends", *(("-R",) if call.program == "aptitude" else ())}
    return not plain.isdisjoint(texts) or any("Install-Recommends=" in text for text in texts)


def _removes_lists(call: Call) -> bool:
    return call.program == "rm" and any(_PLACE in word.text for word in call.arguments)


def _take_again(step: Step, made: _Stage, call: Call, earlier: list[Content]) -> None:
    """Add the files of earlier steps that get another owner or mode, which puts a copy of them into this layer."""
    if not any(word.text.startswith("-") and "R" in word.text for word in call.arguments):
        return
    places = [image_path(word.value, call.directory) for word in call.arguments[1:] if word.value]
    touched = [content.bytes for content in earlier if any(below(content.path, place) for place in places)]
    _add(made, step, "files whose owner or mode changes", sum(touched))


def _source(sources: Mapping[str, str], path: str) -> str | None:
    """Return the path of the build context that lies at an image path."""
    place = next((one for one in sorted(sources, key=len, reverse=True) if below(path, one)), None)
    if place is None:
        return None
    return join(sources[place], path[len(place) :].lstrip("/")).rstrip("/")
