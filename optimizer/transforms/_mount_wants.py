"""What a cache mount could hold for a RUN: the download caches, the stores and apt's files of its calls."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from posixpath import join

from msgspec import Struct
from msgspec.structs import replace

from optimizer.context import Context
from optimizer.ecosystems import Ecosystem, ecosystems_for
from optimizer.ecosystems._mounting import DOWNLOADS, REFUSED, Download
from optimizer.model import Dockerfile, Step
from optimizer.model import mounts as step_mounts
from optimizer.shell import Call
from optimizer.transforms._cache_uses import why_missed
from optimizer.transforms._caches_left import OFFLINE, Left
from optimizer.transforms._mount_cleanup import Cut, cut_for, flags_of, paths_of, together
from optimizer.transforms._mount_owner import Owner, base_slug
from optimizer.transforms._mounts import mounted

_STAYING = frozenset({"pnpm", "bun", "mix"})  # whose `off` speaks of the removal alone
_CONTENT = frozenset({"cd", "chmod", "chown", "cp", "echo", "export", "ln", "mkdir", "mv", "rm", "set", "true"})
_SETTING = frozenset({"config", "set"})
_PLAIN_PATH = re.compile(r"/[\w./@+-]+")


class Mount(Struct, frozen=True):
    """A `--mount=type=cache` to write."""

    target: str
    sharing: str = "shared"
    id: str = ""
    owner: str = ""

    def __str__(self) -> str:
        """Give the flag."""
        name = f",id={self.id}" if self.id else ""
        locked = f",sharing={self.sharing}" if self.sharing != "shared" else ""
        return f"--mount=type=cache{name},target={self.target}{locked}{self.owner}"


class Want(Struct, frozen=True):
    """Mounts for a RUN, and what has to leave it for them; `first` is a command to put in front."""

    step: Step
    name: str  # what is kept, for the title
    mounts: tuple[Mount, ...]
    cut: Cut = Cut()
    first: str | None = None


class Refused(Struct, frozen=True):
    """A place that gets no mount, and why."""

    step: Step
    reason: str


def downloads(
    dockerfile: Dockerfile, context: Context, step: Step, owner_of: Callable[[Step], Owner | str]
) -> Iterator[Want | Refused]:
    """Go through the download caches that the calls of a RUN fill, each once."""
    seen = set[str]()
    for call in step.run.calls if step.run else ():
        for ecosystem in ecosystems_for(call.program):
            if ecosystem.id in seen or not _fills(ecosystem, call, step):
                continue
            seen.add(ecosystem.id)
            owner = owner_of(step)
            reason = REFUSED.get(ecosystem.id) or why_not_mountable(step, owner)
            if reason or isinstance(owner, str):
                yield Refused(step, reason or str(owner))
            elif found := _download(_Place(dockerfile, context, step, ecosystem, owner)):
                yield found


def why_not_mountable(step: Step, owner: Owner | str) -> str | None:
    """Say why a RUN can get no mount at all."""
    if isinstance(owner, str):
        return owner
    run = step.run
    return None if run is None or run.editable else run.why_not_editable


def why_not_folder(step: Step, folder: str) -> str | None:
    """Say why a folder cannot be mounted."""
    if not _PLAIN_PATH.fullmatch(folder):
        return f"the folder {folder} is not known"
    workdir = step.state.workdir or ""
    inside = len(workdir) > 1 and f"{folder}/".startswith(f"{workdir}/")
    return f"the cache {folder} lies among the sources" if inside else None


def why_read(dockerfile: Dockerfile, step: Step, folders: Sequence[str], owner: Owner) -> str | None:
    """Say which later RUN of the stage and its children, start command or COPY speaks of a folder."""
    family = {step.stage, *dockerfile.children(step.stage)}
    names = {name for stage in family for name in (dockerfile.stages[stage].name, str(stage)) if name}
    for other in dockerfile.steps[step.index + 1 :]:
        if other.stage in family and other.name in {"CMD", "ENTRYPOINT"}:
            told = [other.instruction.value.text]
        elif other.stage in family and other.run is not None:
            words = ((c, w) for c in other.run.calls if c.program != "rm" for w in c.arguments if "/" in w.text)
            told = [p for call, word in words for p in paths_of(call, word, owner.env) if p]
        elif other.name == "COPY" and (other.instruction.flag("from") or "").lower() in names:
            told = list(other.instruction.arguments[:-1])
        else:
            continue
        if folder := next((f for f in folders for text in told if f in text), None):
            return f"line {other.line} works on {folder}, which would be in no layer"
    return None


def _fills(ecosystem: Ecosystem, call: Call, step: Step) -> bool:
    if ecosystem.id not in DOWNLOADS and ecosystem.id not in REFUSED:
        return False
    offline = OFFLINE & {word.value for word in call.arguments}
    return not offline and ecosystem.cache(call, {**step.state.sure, **call.variables}) is not None


class _Place(Struct, frozen=True):
    """One ecosystem's calls in a RUN."""

    dockerfile: Dockerfile
    context: Context
    step: Step
    ecosystem: Ecosystem
    owner: Owner

    @property
    def rule(self) -> Download:
        return DOWNLOADS[self.ecosystem.id]


def _download(place: _Place) -> Want | Refused | None:
    """Return the mounts for all calls of one ecosystem in a RUN; nothing where they are there."""
    step, ecosystem = place.step, place.ecosystem
    name, folders, cuts = "", list[str](), list[Cut]()
    for call in [c for c in (step.run.calls if step.run else ()) if _fills(ecosystem, c, step)]:
        found = _of_call(place, call)
        if isinstance(found, str):
            return Refused(step, found)
        name, more, cut = found
        folders += [folder for folder in more if folder not in folders]
        cuts.append(cut)
    if not folders or any(mounted(step, folder) for folder in folders):
        return None
    own = next((m.target for m in step_mounts(step) if m.kind == "cache" and ecosystem.id in (m.target or "")), None)
    if own:
        return Refused(step, f"the step has a cache mount of its own, {own}")
    cleaned = cut_for(step, folders, ecosystem.cleans, place.owner.env)
    if isinstance(cleaned, str):
        return Refused(step, cleaned)
    mounts = tuple(Mount(f, place.rule.sharing, _id(place, f), place.owner.options) for f in folders)
    return Want(step, name, mounts, together([*cuts, cleaned]))


def _id(place: _Place, folder: str) -> str:
    """Return the id of a mount: one of its own for each base image where the cache holds what was compiled there."""
    if not place.rule.compiles:
        return ""
    named = [name for name in folder.split("/")[-2:] if name and not name.startswith(".")]
    return "-".join([*named, base_slug(place.dockerfile, place.step)])


def _of_call(place: _Place, call: Call) -> tuple[str, tuple[str, ...], Cut] | str:
    """Return name and folders of what a call caches and the flags that have to go, or why there is no mount."""
    step, ecosystem, rule, owner = place.step, place.ecosystem, place.rule, place.owner
    bare = replace(call, words=tuple(word for word in call.words if word.value not in rule.flags))
    cache = ecosystem.cache(bare, _seen(call, owner))
    if cache is None:
        return "", (), Cut()
    cache = cache.decide(place.context) if cache.decide else cache
    targets = (rule.folder(_seen(call, owner)),) if rule.folder else cache.targets
    folders = tuple(join(target, below).rstrip("/") for target in targets for below in rule.below)
    reason = (
        (cache.off if ecosystem.id not in _STAYING else None)
        or ("the install runs as another user than the rest of the RUN" if call.user not in {None, "root"} else None)
        or (None if len(targets) == 1 else f"which of {' and '.join(targets)} holds it is not known")
        or next((why for folder in folders if (why := why_not_folder(step, folder))), None)
        or next((why for folder in folders if (why := _why_not_owned(place, folder))), None)
        or _why_moved(place, call)
        or _why_linked(place, call, folders)
        or why_missed(place.dockerfile, step, Left(ecosystem, call, cache), here=False)
        or why_read(place.dockerfile, step, folders, owner)
    )
    cut = flags_of(step, call, rule.flags)
    return reason or (cut if isinstance(cut, str) else (cache.name, folders, cut))


def _seen(call: Call, owner: Owner) -> Mapping[str, str | None]:
    """Return the variables that a call sees; a script may have set some of them."""
    return {**owner.env, **{name: value for name, value in call.variables.items() if name not in owner.env or value}}


def _why_not_owned(place: _Place, folder: str) -> str | None:
    """Say that a folder above a mount would be made by the builder, for root, where its user may have to write."""
    parent, owner, run = folder.rpartition("/")[0], place.owner, place.step.run
    if not owner.number or parent == owner.home:
        return None
    others = (call for call in (run.calls if run else ()) if not _is_content(place, call))
    if parent == f"{owner.home}/.cache" and next(others, None) is None:
        return None
    return f"the builder would make {parent} for root, and user {owner.number} may have to write there"


def _is_content(place: _Place, call: Call) -> bool:
    """Tell whether a call writes to no cache but that of its ecosystem."""
    own = _fills(place.ecosystem, call, place.step) or place.ecosystem.cleans(call)
    return own or call.program in _CONTENT


def _why_moved(place: _Place, call: Call) -> str | None:
    """Say which settings file of the project moves the cache, or which command up to there writes such a setting."""
    rule, context = place.rule, place.context
    setting = re.compile(rf"^\s*[\"']?{rule.key}[\"']?\s*[=: ]", re.MULTILINE)
    for path in context.files if rule.key else ():
        name = path.rpartition("/")[2]
        if name in rule.settings and "node_modules/" not in path and setting.search(context.text(path) or ""):
            return f"{path} says where {call.program} keeps its cache"
    lineage = place.dockerfile.lineage(place.step.stage)
    above = (s.run for s in place.dockerfile.steps[: place.step.index + 1] if s.run and s.stage in lineage)
    calls = (c for run in above for c in run.calls if c.program in place.ecosystem.programs)
    told = next((c for c in calls if {w.value for w in c.arguments} >= _SETTING and "cache" in str(c.command)), None)
    return f"`{told.command}` says where {call.program} keeps its cache" if told else None


def _why_linked(place: _Place, call: Call, folders: Sequence[str]) -> str | None:
    """Say what makes the image need the cache itself: links into it, or a variable that puts something else there."""
    variables = {**place.step.state.sure, **call.variables}
    inside = (n for n, value in variables.items() if value and any(value.startswith(f"{f}/") for f in folders))
    if name := next(inside, None):
        return f"{name} leads into the cache"
    links = re.compile(place.rule.links, re.IGNORECASE)
    paths = (p for p in place.context.files if p.rpartition("/")[2] in place.rule.settings and "node_modules/" not in p)
    texts = (
        ("the call", str(call.command)),
        *((name, f"{name}={value}") for name, value in variables.items()),
        *((path, place.context.text(path) or "") for path in paths),
    )
    told = next((name for name, text in texts if links.search(text)), None) if place.rule.links else None
    return f"{told} has {call.program} make links into the cache" if told else None
