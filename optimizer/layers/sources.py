"""What files a step takes in, and whether a path is among them.

Source: BuildKit `frontend/dockerfile/dockerfile2llb/convert.go` (dispatchCopy, dispatchRunMounts) for what is asked
for, `cache/contenthash/checksum.go` for what of it is hashed, `solver/llbsolver/ops/exec.go` for mounts.
"""

import posixpath
from collections.abc import Callable, Iterator

from optimizer.context import IgnoreFile, go_match
from optimizer.context.nodes import normal
from optimizer.context.wildcards import has_wildcards
from optimizer.layers.nodes import Origin, Recipe, Source
from optimizer.model import BASE_WORKDIR, Dockerfile, Step

_REMOTE = ("http://", "https://", "git@", "git://", "ssh://")
_MOST_LINKS = 40  # as the kernel follows them, path_resolution(7)

Links = Callable[[str], str | None]


def sources(step: Step, dockerfile: Dockerfile) -> tuple[Source, ...]:
    """Return what a COPY, an ADD or the mounts of a RUN take in, in order."""
    if step.name in {"COPY", "ADD"}:
        return tuple(_copied(step, dockerfile))
    return tuple(_mounted(step, dockerfile)) if step.name == "RUN" else ()


def destination(step: Step) -> str:
    """Return where a COPY or ADD puts its files: absolute, or below BASE_WORKDIR; a `/` at the end stays."""
    words = _words(step)
    return image_path(words[-1], step.state.workdir) if words else ""


def image_path(path: str, workdir: str | None) -> str:
    """Return a path of the image as an absolute one; a `/` at the end stays, for it says "a folder"."""
    clean = posixpath.normpath(posixpath.join(workdir or BASE_WORKDIR, path)).replace("//", "/")
    return clean + "/" if path.endswith(("/", "/.")) and clean != "/" else clean


def reader(source: Source, link: Links) -> Callable[[str], bool]:
    """Return what tells whether a path is among the files that a source takes in, or decides which these are.

    A folder counts as what it is: its mode is copied with it. `link` gives the targets of symbolic links.
    """
    if source.parents:
        return lambda path: _matches_whole(source.path, path) and not _is_excluded(source, path, "")
    resolved, followed = _followed(source.path, link)

    def reads(path: str) -> bool:
        if path in followed:
            return True
        matched = _matched_part(resolved, path)
        return matched is not None and not _is_excluded(source, path, matched)

    return reads


def linked(source: Source, recipe: Recipe) -> frozenset[str]:
    """Return the files that links lead to which a pattern of the context matches: they are copied in their place."""
    if source.origin is not Origin.CONTEXT or source.parents or not has_wildcards(source.path):
        return frozenset()
    matches = recipe.context.match(source.path)
    targets = ((path, recipe.link(path)) for path in matches)
    return frozenset(normal(posixpath.join("/", posixpath.dirname(path), target)) for path, target in targets if target)


def brought_to(step: Step, source: Source, path: str) -> str | None:
    """Return where in the image a COPY or ADD puts a file that it reads, None where that cannot be told."""
    matched = None if source.parents else _matched_part(source.path, path)
    target = destination(step)
    if matched is None or step.name == "ADD":
        return None
    if inner := path[len(matched) :].lstrip("/"):
        return posixpath.join(target, inner)
    several = len(_words(step)) > 2 or has_wildcards(source.path)  # noqa: PLR2004 - one source, one destination
    if several or target.endswith("/") or target == step.state.workdir:
        return posixpath.join(target, posixpath.basename(path))
    return target


def _copied(step: Step, dockerfile: Dockerfile) -> Iterator[Source]:
    instruction = step.instruction
    origin, name, stage = _origin(step, instruction.flag("from"), dockerfile)
    names = {heredoc.name for heredoc in instruction.heredocs}
    exclude = tuple(flag.value or "" for flag in instruction.flags if flag.name == "exclude")
    parents = instruction.flag("parents") is not None
    for word in _words(step)[:-1]:
        if word.startswith("<<") and word.lstrip("<-").strip("'\"") in names:
            continue
        if step.name == "ADD" and word.startswith(_REMOTE):
            yield Source(Origin.ADDRESS, "", word)
        else:
            path = word.removeprefix("./").lstrip("/") if parents else normal(word)
            yield Source(origin, path, name, stage, exclude, parents)


def _mounted(step: Step, dockerfile: Dockerfile) -> Iterator[Source]:
    for flag in step.instruction.flags:
        if flag.name != "mount" or not flag.value:
            continue
        options = mount_options(step, flag.value)
        kind, from_ = options.get("type", "bind"), options.get("from")
        if kind == "bind" or (kind == "cache" and from_):
            origin, name, stage = _origin(step, from_, dockerfile)
            yield Source(origin, normal(options.get("source") or options.get("src") or ""), name, stage, mount=True)


def mount_options(step: Step, value: str) -> dict[str, str]:
    """Return the options of a `--mount`, with variables replaced where they are known."""
    pairs = (part.partition("=") for part in value.replace('"', "").split(","))
    return {name: step.state.word(text) or text for name, _, text in pairs}


def _origin(step: Step, name: str | None, dockerfile: Dockerfile) -> tuple[Origin, str, int | None]:
    if name is None:
        return Origin.CONTEXT, "", None
    name = step.state.word(name) or name
    above = dockerfile.stages[: step.stage]
    stage = next((s.index for s in reversed(above) if s.name == name.lower()), None)
    if stage is None and name.isdigit() and int(name) < len(above):
        stage = int(name)
    return (Origin.IMAGE if stage is None else Origin.STAGE), name, stage


def _words(step: Step) -> list[str]:
    """Return sources and destination, variables replaced; what is not known stays as written."""
    escape = step.instruction.escape
    return [found if (found := step.state.word(w, escape)) is not None else w for w in step.instruction.arguments]


def _followed(pattern: str, link: Links) -> tuple[str, list[str]]:
    """Follow the links in front of the first wildcard; return the pattern behind them, and the links."""
    followed: list[str] = []
    names, at = pattern.split("/"), 0
    while at < len(names) and not has_wildcards(names[at]) and len(followed) < _MOST_LINKS:
        path = "/".join(names[: at + 1])
        target = link(path) if path else None
        if target is None:
            at += 1
            continue
        followed.append(path)
        names = [*normal(posixpath.join("/", posixpath.dirname(path), target)).split("/"), *names[at + 1 :]]
        at = 0
    return "/".join(names).strip("/"), followed


def _matched_part(pattern: str, path: str) -> str | None:
    """Return the part of a path, a folder above it or all of it, that the pattern names; None where it names none."""
    if not pattern:
        return ""
    if not any(has_wildcards(name) for name in pattern.split("/")):
        return pattern if path == pattern or path.startswith(pattern + "/") else None
    regex, end = go_match(pattern), 0
    while end < len(path):
        end = path.find("/", end + 1)
        end = len(path) if end < 0 else end
        if regex.fullmatch(path[:end]):
            return path[:end]
    return None


def _matches_whole(pattern: str, path: str) -> bool:
    """Match as `--parents` does: with `**`, and what is below a folder that matches."""
    pivot, found, rest = pattern.partition("/./")
    pattern, path = (rest, path.removeprefix(pivot + "/")) if found else (pattern, path)
    return not pattern or IgnoreFile(pattern).ignores(path)


def _is_excluded(source: Source, path: str, matched: str) -> bool:
    if not source.exclude:
        return False
    inner = path[len(matched) :].lstrip("/") if matched != path else ""
    return bool(inner) and IgnoreFile("\n".join(source.exclude)).ignores(inner)
