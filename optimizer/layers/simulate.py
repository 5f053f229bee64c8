"""Which steps the next build runs again, and why.

Each step has a key: its own part, the key of the step that it stands on, and what it takes in by content. A step is
cached where the build before had its key. Source: BuildKit `solver/edge.go` and `solver/llbsolver/ops`.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping

from msgspec import Struct, field

from optimizer.context import IgnoreFile
from optimizer.layers.keys import Key, is_built, own_keys
from optimizer.layers.nodes import (
    NO_IMAGE,
    Builder,
    Cause,
    Change,
    Fate,
    Origin,
    Outcome,
    Reason,
    Recipe,
    Simulation,
    Source,
)
from optimizer.layers.sources import brought_to, destination, linked, reader, sources
from optimizer.model import Stage, Step

_MOST_SUBJECTS = 20


def simulate(
    before: Recipe, after: Recipe, change: Change, *, builder: Builder = Builder.BUILDKIT, links: bool = True
) -> Simulation:
    """Return what becomes of each step of `after` where the build before was of `before`, with a full cache.

    `links` tells whether the builder has `--link`, as BuildKit has where it keeps images in containerd or in a
    container of its own; with the storage drivers of the Docker engine the flag does nothing for the cache.
    """
    return Built(before, builder, links=links).again(after, change)


class Built:
    """A build that has been made, whose steps are all in the cache."""

    def __init__(self, recipe: Recipe, builder: Builder = Builder.BUILDKIT, *, links: bool = True) -> None:
        self.recipe = recipe
        self._options = (builder, links, recipe.context.ignore)
        self._chain = _Chain(recipe, Change(), *self._options)
        self._chain.walk(None)

    def again(self, recipe: Recipe, change: Change) -> Simulation:
        """Return what becomes of the steps of the next build."""
        own = self._chain.own if recipe is self.recipe else {}
        return Simulation(_Chain(recipe, change, *self._options, own=own).walk(self._chain))


def flipped(before: IgnoreFile, after: IgnoreFile, files: Iterable[str]) -> frozenset[str]:
    """Return the files that one ignore file leaves out and the other does not: to the builder they come or go."""
    if before.text == after.text:
        return frozenset()
    return frozenset(path for path in files if before.ignores(path) != after.ignores(path))


def needed_stages(recipe: Recipe) -> frozenset[int]:
    """Return the stages that the target is made from."""
    dockerfile = recipe.dockerfile
    needed: set[int] = set()
    pending = [dockerfile.target]
    while pending:
        stage = pending.pop()
        if stage >= 0 and stage not in needed:
            needed.add(stage)
            pending += [*dockerfile.lineage(stage), *dockerfile.copied_from.get(stage, ())]
    return frozenset(needed)


class _Place(Struct, frozen=True):
    """What a later step stands on: a key, whether it is in doubt, and the step that made it."""

    key: Hashable
    doubt: bool = False
    fate: Fate = Fate.FREE
    step: Step | None = None


class _Chain(Struct):
    """Goes through the steps of a recipe."""

    recipe: Recipe
    change: Change
    builder: Builder
    links: bool
    ignored_before: IgnoreFile
    keys: dict[Hashable, int] = field(default_factory=dict)  # key -> step index
    own: Mapping[int, Key] = field(default_factory=dict)
    ends: dict[int, _Place] = field(default_factory=dict)  # by stage
    outcomes: dict[int, Outcome] = field(default_factory=dict)  # by step index
    sent: list[str] | None = None  # the changed files that the builder sees, in order
    changed: dict[Source, list[str]] = field(default_factory=dict)  # those that a source takes in

    def walk(self, old: "_Chain | None") -> tuple[Outcome, ...]:
        """Return the outcomes; without an older build they count for nothing."""
        dockerfile = self.recipe.dockerfile
        self.own = self.own or own_keys(dockerfile, self.builder)
        needed = self._needed()
        for stage in dockerfile.stages:
            if stage.index in needed:
                self._stage(stage, old)
        for step in dockerfile.steps:
            unused = Fate.UNUSED if step.stage >= 0 and step.stage not in needed else Fate.FREE
            self.outcomes.setdefault(step.index, Outcome(step, unused))
        return tuple([self.outcomes[step.index] for step in dockerfile.steps])

    def _needed(self) -> frozenset[int]:
        """Return the stages that are built: the old builder builds all up to the target."""
        if self.builder is Builder.LEGACY:
            return frozenset(range(self.recipe.dockerfile.target + 1))
        return needed_stages(self.recipe)

    def _stage(self, stage: Stage, old: "_Chain | None") -> None:
        place = self._base(stage)
        for step in (*self._triggers(stage), *stage.body):
            if is_built(step, self.builder):
                place = self._step(step, place, old)
        self.ends[stage.index] = place

    def _base(self, stage: Stage) -> _Place:
        if stage.parent is not None:
            return self.ends[stage.parent]
        moved = stage.base in self.change.images and stage.base != NO_IMAGE
        return _Place(("FROM", stage.base, moved), fate=Fate.RUNS if moved else Fate.CACHED)

    def _triggers(self, stage: Stage) -> Iterator[Step]:
        """Go through what ONBUILD registered in the stage that this one starts from."""
        from msgspec.structs import replace

        if stage.parent is None:
            return
        for step in self.recipe.dockerfile.stages[stage.parent].body:
            trigger = step.instruction.trigger
            if trigger is not None:
                yield replace(step, instruction=trigger, name=trigger.name, stage=stage.index)

    def _step(self, step: Step, place: _Place, old: "_Chain | None") -> _Place:
        taken = sources(step, self.recipe.dockerfile)
        contents = [self._content(source) for source in taken]
        alone = self.links and self.builder is Builder.BUILDKIT and _stands_alone(step)
        below: Hashable = "link" if alone else place.key
        own = self.own[step.index]
        key = hash_of((own, below, tuple(content for content, _ in contents)))
        doubt = (place.doubt and not alone) or any(unsure for _, unsure in contents)
        fate = Fate.RUNS if old is not None and key not in old.keys else Fate.MAY_RUN if doubt else Fate.CACHED
        causes: tuple[Cause, ...] = ()
        if old is not None and fate is not Fate.CACHED:
            found = tuple(self._causes(step, taken, place, old, alone=alone))
            causes = found or (Cause(Reason.MOVED),)
        self.keys.setdefault(key, step.index)
        self.outcomes[step.index] = Outcome(step, fate, causes)
        # What follows a linked copy stands on both it and what was there.
        return _Place(hash_of((key, place.key)) if alone else key, doubt or place.doubt, fate, step)

    def _content(self, source: Source) -> tuple[Hashable, bool]:
        """Return what stands for the content of a source, and whether it may be another than at the build before."""
        if source.origin is Origin.CONTEXT:
            return (source, bool(self._changed(source))), False
        if source.origin is Origin.STAGE and source.stage is not None:
            return self._stage_content(source)
        return (source,), source.name in self.change.images

    def _changed(self, source: Source) -> list[str]:
        """Return the changed files that a source takes in, in order."""
        if source not in self.changed:
            if self.sent is None:
                self.sent = [path for path in sorted(self.change.files) if self._is_sent(path)]
            among = reader(source, self.recipe.link)
            behind = linked(source, self.recipe)
            self.changed[source] = [path for path in self.sent if among(path) or path in behind]
        return self.changed[source]

    def _is_sent(self, path: str) -> bool:
        """Tell whether the builder sees a path, now or at the build before."""
        return not (self.ignored_before.ignores(path) and self.recipe.context.ignore.ignores(path))

    def _stage_content(self, source: Source) -> tuple[Hashable, bool]:
        """Tell of files of a stage: as before, changed for sure, or known only once it is built."""
        assert source.stage is not None  # noqa: S101 (for the types)
        sure = self._is_changed(source)
        return (source.name, source.path, source.exclude, sure is True), sure is None

    def _is_changed(self, source: Source) -> bool | None:
        """Tell whether the files of a stage changed: False no, True yes, None where only the build will tell."""
        assert source.stage is not None  # noqa: S101
        dockerfile = self.recipe.dockerfile
        at: int | None = source.stage
        while at is not None:
            for step in reversed(dockerfile.stages[at].body):
                outcome = self.outcomes.get(step.index)
                if outcome is None or step.name == "WORKDIR":
                    continue
                if outcome.fate is Fate.CACHED:
                    return False
                found = self._writes(step, source)
                if found is not False:
                    return found
            base = dockerfile.stages[at]
            at = base.parent
        return None if base.base in self.change.images else False

    def _writes(self, step: Step, source: Source) -> bool | None:
        """Tell whether a step that runs again brings something else to the files of a source."""
        wanted = "/" + source.path
        if step.name not in {"COPY", "ADD"}:
            return None
        if not _overlap(destination(step).rstrip("/") or "/", wanted):
            return False
        taken = sources(step, self.recipe.dockerfile)
        if any(one.origin is not Origin.CONTEXT for one in taken) or source.exclude or "*" in wanted:
            return None
        places = [brought_to(step, one, path) for one in taken for path in self._changed(one)]
        if None in places or step.instruction.heredocs:
            return None
        return any(place is not None and _below(place, wanted) for place in places)

    def _causes(
        self, step: Step, taken: tuple[Source, ...], place: _Place, old: "_Chain", *, alone: bool
    ) -> Iterator[Cause]:
        """Go through the causes, those of the step itself first."""
        yield from self._own_causes(step, old)
        for source in taken:
            if source.origin is Origin.CONTEXT:
                if changed := self._changed(source):
                    yield Cause(Reason.READS, tuple(changed[:_MOST_SUBJECTS]))
            elif source.origin is Origin.STAGE and source.stage is not None:
                end = self.ends[source.stage]
                if end.fate in {Fate.RUNS, Fate.MAY_RUN} and self._is_changed(source) is not False:
                    yield Cause(Reason.COPIES, (source.name,), end.step.index + 1 if end.step else None)
            elif source.name in self.change.images:
                yield Cause(Reason.IMAGE, (source.name,))
        if not alone and place.fate in {Fate.RUNS, Fate.MAY_RUN}:
            if place.step is None:
                yield Cause(Reason.IMAGE, (self.recipe.dockerfile.stages[step.stage].base or "",))
            else:
                yield Cause(Reason.FOLLOWS, (), place.step.index + 1)

    def _own_causes(self, step: Step, old: "_Chain") -> Iterator[Cause]:
        own = self.own[step.index]
        if own in old.own.values():
            return
        alike = [key for key in old.own.values() if key.text == own.text]
        if alike:
            named = dict(alike[0].variables)
            now = dict(own.variables)
            differ = [n for n in {**named, **now} if named.get(n) != now.get(n)]
            yield Cause(Reason.VARIABLE, tuple(differ or now))
        elif same := self._same_text(step, old):
            yield Cause(Reason.TEXT, same)
        else:
            yield Cause(Reason.NEW)

    def _same_text(self, step: Step, old: "_Chain") -> tuple[str, ...]:
        """Return the words of a step whose text is unchanged, but not what its variables give."""
        text = step.instruction.text
        return (text,) if any(text == other.instruction.text for other in old.recipe.dockerfile.steps) else ()


def hash_of(parts: Hashable) -> Hashable:
    """Return something short and equal for equal parts."""
    from hashlib import blake2b

    return blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _stands_alone(step: Step) -> bool:
    """Tell whether a copy is made beside what is there: `--link`, which BuildKit takes back where modes are set."""
    return (
        step.name in {"COPY", "ADD"}
        and step.instruction.flag("link") is not None
        and not (step.instruction.flag("link") == "false" or step.instruction.flag("chmod"))
    )


def _overlap(one: str, other: str) -> bool:
    return _below(one, other) or _below(other, one)


def _below(path: str, folder: str) -> bool:
    return folder in (path, "/") or path.startswith(folder + "/")
