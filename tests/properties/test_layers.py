"""Whatever the file: nothing changed runs nothing again, more changes run no less, and the table has every step."""

from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.context import Context
from optimizer.layers.nodes import Builder, Change, Fate, Recipe
from optimizer.layers.simulate import simulate
from optimizer.layers.table import stack
from optimizer.model import read
from optimizer.syntax import parse
from tests.properties.test_engine import FILES, dockerfiles

PATHS = st.frozensets(st.sampled_from([*FILES, "src", "new.txt"]))


@given(dockerfiles(), PATHS, PATHS, st.sampled_from(Builder), st.booleans())
@settings(max_examples=200, deadline=None)
def test_what_runs_again(text: str, few: frozenset[str], more: frozenset[str], builder: Builder, links: bool) -> None:  # noqa: FBT001 - drawn
    recipe = Recipe(read(parse(text)), Context.of(FILES))

    def again(files: frozenset[str]) -> set[int]:
        found = simulate(recipe, recipe, Change(files), builder=builder, links=links)
        return {outcome.number for outcome in found.again}

    assert again(frozenset()) == set()
    assert again(few) <= again(few | more)


@given(dockerfiles(), dockerfiles(), PATHS)
@settings(max_examples=200, deadline=None)
def test_the_table_has_every_step_and_a_cause_for_what_runs(before: str, after: str, files: frozenset[str]) -> None:
    context = Context.of(FILES)
    old, new = (Recipe(read(parse(text)), context) for text in (before, after))

    simulation = simulate(old, new, Change(files))
    rows = stack(new, simulation).rows

    assert [row.number for row in rows] == list(range(1, len(new.dockerfile.steps) + 1))
    assert all(row.why for row in rows if row.fate in {Fate.RUNS, Fate.MAY_RUN})
    assert not any(row.why for row in rows if row.fate is Fate.CACHED)
