"""Which differences the rewrites announce: what is expected is no evidence against them."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from posixpath import basename, join

from msgspec import Struct, field

from optimizer.context import Context
from optimizer.ecosystems import ecosystems_for
from optimizer.ecosystems._system import SystemManager
from optimizer.engine import Result
from optimizer.images import variant
from optimizer.model import BASE_WORKDIR, Dockerfile, Step, mounts, read
from optimizer.model.base_images import repository
from optimizer.syntax import parse
from optimizer.transforms._copies import below, brings_context, image_path, read_copy
from optimizer.verify._bases import Exchange, exchange_of

_START = "exec-form"
STAGES = "multi-stage"
_SLIMMER = (STAGES, "distroless-base", "use-slim-base", "replace-retired-base")
_PACKAGES = (*_SLIMMER, "skip-recommends")  # in the order in which they answer for a lost package
# What slim images leave out of packages that they have (Debian's `/etc/dpkg/dpkg.cfg.d/docker`).
_MANUALS = tuple(f"/usr/share/{name}" for name in ("doc", "groff", "info", "linda", "lintian", "locale", "man"))
# How it says so, and what scripts of packages that only full images have write into /etc.
_SETTINGS = ("/etc/dpkg/dpkg.cfg.d/docker", "/etc/inputrc", "/etc/networks")
_MOUNTS = "cache-mounts"
# Versions of what the image holds, which change with each of its releases.
_UNKNOWN_TO_FACTS = frozenset("GOLANG_VERSION RUST_VERSION JAVA_VERSION NODE_VERSION YARN_VERSION".split())
# Folders that anyone may write to in an image (github.com/docker-library/golang: `chmod -R 1777 "$GOPATH"`).
_OPEN_FOLDERS = {"golang": ("/go", "/go/bin", "/go/src")}
_SET = re.compile(r"(?:^|\s)([A-Za-z_]\w*)[= ]")
_VARIABLE = re.compile(r"\$\{\w+\}")


class Claims(Struct, frozen=True):
    """What the rewrites say in advance of the image.

    `paths` maps image paths that are left out to the transform that says so, `patterns` pairs transforms with patterns
    of such paths; `caches` are the folders in which package managers keep what they fetched; `written` maps the
    SHA-256 of the files that dfopt wrote to that of what was there before (None: nothing); `start` and `packages`
    are the transforms that may have changed the form of the start and the set of installed system packages, `slimmer`
    the one that took a slimmer base image. `variables` are names of those that the former base image set for its
    build tools, with the transform that left it.
    """

    paths: Mapping[str, str] = field(default_factory=dict)
    patterns: tuple[tuple[str, str], ...] = ()
    caches: tuple[str, ...] = ()
    written: Mapping[str, str | None] = field(default_factory=dict)
    start: str | None = None
    packages: str | None = None
    slimmer: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    exchange: Exchange | None = None  # of the base image by one of another family


def claims_of(
    result: Result, context: Context, *, target: str | None = None, build_args: Mapping[str, str] | None = None
) -> Claims:
    """Return what the rewrites of a result announce; `context` is the build context as it was found."""
    before, after = (
        read(parse(text), target=target, build_args=build_args or {}) for text in (result.before, result.after)
    )
    applied = {applied.transform for applied in result.applied}
    slimmer = next((name for name in _SLIMMER if name in applied), None)
    return Claims(
        paths=_ignored(result, before, context)
        | (dict.fromkeys(_SETTINGS, slimmer) if slimmer else {})
        | (dict.fromkeys(_folders(before), STAGES) if STAGES in applied else {}),
        patterns=tuple(
            dict.fromkeys((*_left_out_by(result), *(_mounted(after) if _MOUNTS in applied else ()), *_slim(slimmer)))
        ),
        caches=tuple(sorted({*_caches(before), *_caches(after)})),
        written=_written(result, context),
        start=_START if _START in applied else None,
        packages=next((name for name in _PACKAGES if name in applied), None),
        slimmer=slimmer,
        variables=dict.fromkeys(_of_base(before, after), STAGES) if STAGES in applied else {},
        exchange=exchange_of(result, after, context),
    )


def path_pattern(pattern: str) -> str:
    """Return the expression for a pattern of `Rewrite.leaves_out`, which covers all below what it names."""
    text = _VARIABLE.sub("*", pattern).rstrip("/")
    pieces = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}
    parts = re.split(r"(\*\*/|\*\*|\*)", text)
    return "".join(pieces.get(part, re.escape(part)) for part in parts) + "(?:/.*)?"


def _ignored(result: Result, dockerfile: Dockerfile, context: Context) -> dict[str, str]:
    """Return the image paths of the files that the new ignore file keeps out of the build."""
    author = {artifact.path: one.transform for one in result.applied for artifact in one.rewrite.artifacts}
    after = context
    for artifact in result.artifacts:
        after = after.overlay(artifact.path, artifact.content)
    if after.ignore == context.ignore:
        return {}
    transform = author[after.ignore_path]
    found: dict[int, dict[str, str]] = {}
    for step in dockerfile:
        if step.name == "FROM":
            parent = dockerfile.stages[step.stage].parent
            found[step.stage] = {} if parent is None else dict(found[parent])
        elif brings_context(step):
            found[step.stage].update(dict.fromkeys(_left_out(step, context, after), transform))
        elif step.name == "COPY" and step.instruction.flag("from") is not None:
            found[step.stage].update(dict.fromkeys(_carried(step, dockerfile, found), transform))
    return found.get(dockerfile.target, {})


def _left_out(step: Step, context: Context, after: Context) -> Iterator[str]:
    copied = read_copy(step, context)
    if not isinstance(copied, str):
        yield from (path for file, path in copied.pairs(context) if not after.is_file(file))


def _carried(step: Step, dockerfile: Dockerfile, found: Mapping[int, Mapping[str, str]]) -> Iterator[str]:
    """Go through the places where files of an earlier stage go that are left out there."""
    name = str(step.instruction.flag("from")).lower()
    stage = next((s.index for s in dockerfile.stages[: step.stage] if name in {s.name, str(s.index)}), None)
    words = [step.state.word(word) for word in step.instruction.arguments]
    if stage is None or None in words or not words:
        return
    *sources, target = (word for word in words if word is not None)
    for source in sources:
        for path in found[stage]:
            inner = below(path, image_path(source, "/"))
            if inner is not None:
                into = join(target, "" if inner or not target.endswith("/") else basename(path))
                yield image_path(join(into, inner) if inner else into, step.state.workdir)


def _left_out_by(result: Result) -> Iterator[tuple[str, str]]:
    return ((one.transform, pattern) for one in result.applied for pattern in one.rewrite.leaves_out)


def _slim(slimmer: str | None) -> Iterator[tuple[str, str]]:
    return ((slimmer, folder) for folder in _MANUALS if slimmer)


def _of_base(before: Dockerfile, after: Dockerfile) -> Iterator[str]:
    """Go through the variables of the former base image that the file itself speaks of nowhere."""
    bases = (stage.base for stage in before.stages if stage.parent is None and stage.base)
    names = {name for base in bases for name in _variables(base)} | _UNKNOWN_TO_FACTS
    set_there = {name for step in after if step.name == "ENV" for name in _SET.findall(step.instruction.body.text)}
    return (name for name in sorted(names) if name not in set_there)


def _folders(before: Dockerfile) -> Iterator[str]:
    """Go through the folders of the former base image that are made anew, with the usual mode, for what is in them."""
    for stage in before.stages:
        yield from _OPEN_FOLDERS.get(repository(stage.base or ""), ())


def _variables(base: str) -> frozenset[str]:
    image, _, tag = base.removeprefix("docker.io/").removeprefix("library/").partition(":")
    found = variant(image, tag or None)
    return frozenset(found.facts.env) if found and found.facts else frozenset()


def _mounted(dockerfile: Dockerfile) -> Iterator[tuple[str, str]]:
    """Go through what lies in cache mounts, and so in no layer."""
    targets = (mount.target for step in dockerfile for mount in mounts(step) if mount.kind == "cache")
    return ((_MOUNTS, target) for target in targets if target)


def _caches(dockerfile: Dockerfile) -> Iterator[str]:
    """Go through the folders in which the package managers that are called keep their downloads."""
    for step in dockerfile:
        for call in step.run.calls if step.run else ():
            for ecosystem in ecosystems_for(call.program):
                if cache := ecosystem.cache(call, {**step.state.sure, **call.variables}):
                    yield from ecosystem.folders if isinstance(ecosystem, SystemManager) else cache.targets


def _written(result: Result, context: Context) -> dict[str, str | None]:
    found: dict[str, str | None] = {_digest(_bytes(result.after)): _digest(_bytes(result.before))}
    for artifact in result.artifacts:
        was = context.read_bytes(artifact.path)
        found[_digest(_bytes(artifact.content))] = None if was is None else _digest(was)
    return found


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def in_image(path: str, workdir: str) -> str:
    """Return a path that may begin at the working directory of the base image as the absolute one that it is."""
    return image_path(path.removeprefix(BASE_WORKDIR).lstrip("/"), workdir) if path.startswith(BASE_WORKDIR) else path
