"""What the engine's own storage cannot show: linked copies, moved bases, what stays in doubt, and the words."""

import pytest

from optimizer.context import Context, IgnoreFile
from optimizer.layers.nodes import Change, Fate, Recipe, Simulation
from optimizer.layers.simulate import flipped, simulate
from optimizer.layers.words import chain
from optimizer.model import read
from optimizer.syntax import parse

FILES = {"a.txt": "a", "b.txt": "b", "src/app.js": "", "package.json": "{}"}


def after(text: str, *files: str, images: frozenset[str] = frozenset(), links: bool = True) -> Simulation:
    """Simulate an edit of some files."""
    recipe = Recipe(read(parse(text)), Context.of(FILES))
    return simulate(recipe, recipe, Change(frozenset(files), images), links=links)


def again(simulation: Simulation) -> list[int]:
    return [outcome.number for outcome in simulation.again]


LINKED = "FROM alpine\nCOPY a.txt /\nCOPY --link b.txt /\nRUN true\n"


@pytest.mark.parametrize(
    ("text", "changed", "expected"),
    [
        (LINKED, "a.txt", [2, 4]),
        (LINKED, "b.txt", [3, 4]),
        (LINKED.replace("--link", "--link --chmod=644"), "a.txt", [2, 3, 4]),
        (LINKED.replace("--link", "--link=false"), "a.txt", [2, 3, 4]),
    ],
)
def test_a_linked_copy_does_not_stand_on_what_is_above(text: str, changed: str, expected: list[int]) -> None:
    assert again(after(text, changed)) == expected
    assert again(after(LINKED, "a.txt", links=False)) == [2, 3, 4]


def test_another_base_runs_its_stages_again() -> None:
    text = "FROM alpine AS one\nRUN true\nFROM debian\nRUN true\nCOPY --link a.txt /\nCOPY --from=one /x /x\n"

    moved = after(text, images=frozenset({"debian"}))

    assert again(moved) == [4, 6]
    assert "step 4 RUN true stands on another image debian" in chain(moved)


def test_what_is_copied_from_an_image_is_in_doubt_when_that_moves() -> None:
    found = after("FROM scratch\nCOPY --from=nginx:1 /etc/nginx /etc/nginx\n", images=frozenset({"nginx:1"}))

    assert [outcome.fate for outcome in found.again] == [Fate.MAY_RUN]


def test_a_command_that_runs_again_leaves_open_what_is_copied_from_it() -> None:
    build = "FROM alpine AS build\nCOPY src /src\nRUN make\nCOPY a.txt /a.txt\n"
    text = build + "FROM alpine\nCOPY --from=build {} /x\nRUN true\n"

    assert [o.fate for o in after(text.format("/out"), "src/app.js").again][-2:] == [Fate.MAY_RUN, Fate.MAY_RUN]
    assert again(after(text.format("/a.txt"), "a.txt")) == [4, 6, 7]
    assert after(text.format("/a.txt"), "a.txt").outcomes[5].fate is Fate.RUNS
    assert again(after(text.format("/src"), "a.txt")) == [4]


def test_a_trigger_reads_in_the_stage_that_starts_from_it() -> None:
    text = "FROM alpine AS base\nONBUILD COPY src /src\nFROM base\nRUN make\n"

    assert again(after(text, "src/app.js"))[-1] == 4
    assert again(after(text, "a.txt")) == []


def test_the_chain_is_told_in_words() -> None:
    found = after("FROM node\nWORKDIR /app\nCOPY . .\nRUN npm ci\nRUN npm test\n", "src/app.js", "a.txt")

    assert chain(found) == (
        "step 3 COPY . . reads a.txt, src/app.js; step 4 RUN npm ci follows it; step 5 RUN npm test follows it"
    )


def test_an_ignore_file_takes_away_and_brings() -> None:
    assert flipped(IgnoreFile("*.txt\n"), IgnoreFile("a.txt\nsrc\n"), FILES) == {"b.txt", "src/app.js"}
    assert flipped(IgnoreFile("x\n"), IgnoreFile("x\n"), FILES) == frozenset()
