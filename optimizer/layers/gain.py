"""What a rewrite gains for the builds that follow an edit."""

from collections.abc import Iterable

from optimizer.layers.nodes import Change, Outcome, Recipe
from optimizer.layers.simulate import simulate

# The rewrites that are made for the builds after an edit.
FOR_LATER_BUILDS = frozenset({"hoist-independent-steps", "split-manifest-copy"})


def after_edit(before: Recipe, after: Recipe, file: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return how many RUNs an edit of a file makes run again, and of how many: before and after the rewrite.

    Those in doubt count as run again. Copying costs next to nothing, and a rewrite may well copy more often.
    """
    change = Change(frozenset({file}))
    found = [simulate(recipe, recipe, change) for recipe in (before, after)]
    was, now = ((_runs(simulation.again), _runs(simulation.built)) for simulation in found)
    return was, now


def _runs(outcomes: Iterable[Outcome]) -> int:
    return sum(outcome.step.name == "RUN" for outcome in outcomes)
