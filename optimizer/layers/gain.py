"""What a rewrite gains for the builds that follow an edit."""

from optimizer.layers.nodes import Change, Recipe
from optimizer.layers.simulate import simulate

# The rewrites that are made for the builds after an edit.
FOR_LATER_BUILDS = frozenset({"hoist-independent-steps", "split-manifest-copy"})


def after_edit(before: Recipe, after: Recipe, file: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return how many steps an edit of a file makes run again, and of how many: before and after the rewrite.

    Steps in doubt count as run again.
    """
    change = Change(frozenset({file}))
    found = [simulate(recipe, recipe, change) for recipe in (before, after)]
    was, now = ((len(simulation.again), len(simulation.built)) for simulation in found)
    return was, now
