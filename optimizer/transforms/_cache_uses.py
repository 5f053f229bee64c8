"""Who would miss a cache that a RUN no longer leaves behind."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from posixpath import join, normpath

from optimizer.ecosystems import Ecosystem
from optimizer.ecosystems._system import SystemManager
from optimizer.model import Dockerfile, Step
from optimizer.shell import Call, Word, resolve
from optimizer.syntax.expand import expand
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._caches_left import OFFLINE, Left
from optimizer.transforms._mounts import below_home

_HOME = lazy_pattern(r"~(?=/|$)|\$HOME\b|\$\{HOME\}")
_FORCE = lazy_pattern(r"-[a-zA-Z]*f[a-zA-Z]*|--force")
_BRACES = lazy_pattern(r"([^{}]*)\{([^{}]*)\}([^{}]*)")
# Folders that are there whether or not a tool puts its cache below them.
_STANDING = lazy_pattern(
    r"/(?:(?:home|opt|opt/conda|root|tmp|usr(?:/local(?:/share)?)?|var(?:/cache|/lib(?:/apt)?)?)/?)?"
)


def why_missed(dockerfile: Dockerfile, step: Step, left: Left, *, here: bool = True) -> str | None:
    """Say what later command would fail or fetch in vain without a cache, None where nothing would.

    Without `here`, the RUN itself still has the cache.
    """
    number = step.run.calls.index(left.call) if step.run else 0
    for other in (*([step] if here else []), *_later(dockerfile, step)):
        calls = other.run.calls if other.run else ()
        first = number + 1 if other is step else 0
        for at in range(first, len(calls)):
            if reason := _why_call(left, other, calls[at], calls[first:at]):
                return reason
    heirs = {step.stage, *dockerfile.children(step.stage)}
    names = {name for heir in heirs for name in (dockerfile.stages[heir].name, str(heir)) if name}
    return next((why for other in dockerfile if (why := _why_copied(left, other, names))), None)


def _later(dockerfile: Dockerfile, step: Step) -> Iterator[Step]:
    yield from dockerfile.after(step)
    for stage in sorted(dockerfile.children(step.stage)):
        yield from dockerfile.stages[stage].body


def _why_call(left: Left, step: Step, call: Call, before: tuple[Call, ...]) -> str | None:
    if call.program == left.call.program and _is_offline(left.ecosystem, call):
        return f"line {step.line} works without the network, from the cache"
    if call.program != "rm" and not _purges_strictly(left, call):
        return None
    env = {**step.state.sure, **call.variables}
    if call.program == "rm" and not _removes_strictly(left, call, env):
        return None
    if any(_fills(left.ecosystem, one, env) for one in before):
        return None
    return f"the {call.program} of line {step.line} fails where there is nothing to remove"


def _is_offline(ecosystem: Ecosystem, call: Call) -> bool:
    """Tell whether a call makes do with what is cached; dnf and yum have a letter for it."""
    words = {word.value for word in call.arguments}
    return bool(OFFLINE & words) or (ecosystem.id == "dnf" and "-C" in words)


def _fills(ecosystem: Ecosystem, call: Call, env: Mapping[str, str | None]) -> bool:
    """Tell whether a call fills the cache in any case. Of apt, only `update` fetches lists."""
    if not call.certain or ecosystem.cache(call, env) is None:
        return False
    return ecosystem.id != "apt" or any(word.value == "update" for word in call.arguments)


def _purges_strictly(left: Left, call: Call) -> bool:
    """Tell whether a call is `pip cache purge`: with nothing to remove, pip 20.1 to 21.2 fails (its NEWS.rst, 21.3)."""
    return left.ecosystem.id == "pip" and call.program != "rm" and left.ecosystem.cleans(call)


def _removes_strictly(left: Left, call: Call, env: Mapping[str, str | None]) -> bool:
    """Tell whether a call of rm is one without -f of the cache, or of something in it."""
    if any(word.value and _FORCE.fullmatch(word.value) for word in call.arguments):
        return False
    paths = [path for word in call.arguments if not word.text.startswith("-") for path in _paths(word, call, env)]
    return any(_is_gone(path, left) for path in paths)


def _paths(word: Word, call: Call, env: Mapping[str, str | None]) -> Iterator[str]:
    text = resolve(word, env) or word.text.strip("\"'")
    text = _HOME.sub(env.get("HOME") or "/root", text)
    braces = _BRACES.fullmatch(text)
    for path in [braces[1] + part + braces[3] for part in braces[2].split(",")] if braces else [text]:
        yield normpath(join(call.directory or "", path))


def _is_gone(path: str, left: Left) -> bool:
    """Tell whether a path, maybe with wildcards, names something that is only there with the cache."""
    if _STANDING.fullmatch(path) or (path in left.folders and isinstance(left.ecosystem, SystemManager)):
        return False  # a system's folder is emptied and stays
    if not path.startswith("/"):
        return False
    return any(_meets(path, f) or _meets(below_home(path), below_home(f)) for f in left.folders)


def _meets(path: str, folder: str) -> bool:
    """Tell whether a path, maybe with wildcards, is a folder, above or below it."""
    names, wanted = path.strip("/").split("/"), folder.strip("/").split("/")
    return bool(path and folder) and all(fnmatchcase(one, name) for name, one in zip(names, wanted, strict=False))


def _why_copied(left: Left, step: Step, names: set[str]) -> str | None:
    """Say whether a step takes the cache itself from one of the stages of these names and numbers."""
    origin = step.instruction.flag("from") if step.name == "COPY" else None
    if origin is None or origin.lower() not in names:
        return None
    env = step.state.sure
    sources = [normpath(join("/", expand(word, env) or word)) for word in step.instruction.arguments[:-1]]
    if any(_is_gone(source, left) for source in sources):
        return f"line {step.line} copies the cache"
    return None
