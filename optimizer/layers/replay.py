"""A project's history replayed: what each commit would have made a build run again, before and after the rewrite.

Each commit is a build with all of the commit before it in the cache, as on a machine that builds every commit.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from optimizer.context.wildcards import has_wildcards
from optimizer.layers.nodes import Change, Fate, Origin, Recipe
from optimizer.layers.simulate import Built, flipped
from optimizer.layers.sources import sources
from optimizer.layers.times import seconds


class Plan(Struct, frozen=True):
    """A Dockerfile as it was at some commit, and as dfopt would have rewritten it there."""

    found: Recipe
    rewritten: Recipe


class Commit(Struct, frozen=True):
    """A commit: the paths of the context that it changed; `plan` where it changed how the image is built."""

    name: str
    files: frozenset[str]
    plan: Plan | None = None


class Work(Struct, frozen=True):
    """What one build ran again: steps, those in doubt among them, and seconds by the rule of `times`."""

    steps: int = 0
    doubted: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Work") -> "Work":
        """Add the work of two builds."""
        return Work(self.steps + other.steps, self.doubted + other.doubted, self.seconds + other.seconds)


class Replayed(Struct, frozen=True):
    """A replay: for each commit what ran again before and after the rewrite.

    `manifests` tells for each file that the rewritten Dockerfile copies by its name how many commits changed it.
    """

    commits: tuple[tuple[str, Work, Work], ...]
    manifests: Mapping[str, int]

    @property
    def before(self) -> Work:
        """All the work without the rewrite."""
        return sum((before for _, before, _ in self.commits), Work())

    @property
    def after(self) -> Work:
        """All the work with the rewrite."""
        return sum((after for _, _, after in self.commits), Work())

    @property
    def built(self) -> int:
        """How many commits made anything run again."""
        return sum(before.steps > 0 or after.steps > 0 for _, before, after in self.commits)

    @property
    def saving(self) -> float:
        """The part of the estimated seconds that the rewrite saves; below 0 where it costs."""
        return 1 - self.after.seconds / self.before.seconds if self.before.seconds else 0.0


def replay(start: Plan, commits: Iterable[Commit]) -> Replayed:
    """Return what the commits, oldest first, would have made run again; `start` is how it was before them."""
    changed = Counter[str]()
    plan, found, rewritten = start, Built(start.found), Built(start.rewritten)
    rows = []
    for commit in commits:
        plan = commit.plan or plan
        rows.append(
            (commit.name, _work(found, plan.found, commit.files), _work(rewritten, plan.rewritten, commit.files))
        )
        changed.update(commit.files)
        if commit.plan is not None:
            found, rewritten = Built(plan.found), Built(plan.rewritten)
    return Replayed(tuple(rows), {path: changed[path] for path in _manifests(plan.rewritten)})


def _work(built: Built, recipe: Recipe, files: frozenset[str]) -> Work:
    """Return what a commit's build runs again: a new ignore file takes away or brings what it names."""
    if built.recipe is recipe and not files:
        return Work()
    files |= flipped(built.recipe.context.ignore, recipe.context.ignore, recipe.context.files)
    again = built.again(recipe, Change(files)).again
    doubted = sum(outcome.fate is Fate.MAY_RUN for outcome in again)
    spent = seconds(recipe.dockerfile)
    return Work(len(again), doubted, sum(spent[outcome.step.index] for outcome in again))


def _manifests(recipe: Recipe) -> Iterator[str]:
    """Go through the files that are copied by their names in front of a RUN, each once."""
    steps = recipe.dockerfile.steps
    last = max((step.index for step in steps if step.name == "RUN"), default=0)
    named = (
        source.path
        for step in steps[:last]
        for source in sources(step, recipe.dockerfile)
        if source.origin is Origin.CONTEXT and source.path and not has_wildcards(source.path)
    )
    yield from dict.fromkeys(path for path in named if recipe.context.is_file(path))
