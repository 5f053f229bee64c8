"""One repository: what is known of its Dockerfiles decides what may be done."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from optimizer.bot.secret import Secret
from optimizer.bot.target import target_of
from optimizer.bot.visit import Visit, Wishes, visit
from optimizer.cli.texts import text_of
from optimizer.engine import Result
from optimizer.report import Entry, Evidence, Verdict
from optimizer.transforms import Level
from tests.bot.conftest import DOCKERFILE, DONE, FILES, Forge

Make = Callable[[str], Entry]


@pytest.fixture
def run(gitea: Forge) -> Callable[[Make], Visit]:
    """Visit a repository whose Dockerfile has a given result."""
    gitea.store.add("team/app", FILES)

    def visited(make: Make) -> Visit:
        def optimize(folder: Path) -> Sequence[Entry]:
            return [make(str(folder / "Dockerfile"))]

        target = target_of(gitea.target("team/app"), {})
        return visit(target, Secret(gitea.store.token), Wishes(), optimize, text_of)

    return visited


def entry(path: str, after: str, **more: object) -> Entry:
    result = Result(DOCKERFILE, after)
    return Entry(path, ".", Level.EXACT, result, (), "Dockerfile", **more)  # type: ignore[arg-type]


def changed(path: str) -> Entry:
    return entry(path, DONE)


def not_judged(path: str) -> Entry:
    problem = "the original does not build"
    return entry(path, DOCKERFILE, evidence=Evidence(path, Level.EXACT, Verdict.NOT_JUDGED, "docker", problem=problem))


def spoken_against(path: str) -> Entry:
    return entry(path, DOCKERFILE, evidence=Evidence(path, Level.EXACT, Verdict.FAILS, "docker"))


def broken(path: str) -> Entry:
    return Entry(path, ".", Level.EXACT, error="there is no FROM instruction")


def optimal(path: str) -> Entry:
    return entry(path, DOCKERFILE, evidence=Evidence(path, Level.EXACT, Verdict.HOLDS, ""))


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (not_judged, "Dockerfile: not proven: the original does not build"),
        (spoken_against, "Dockerfile: not proven: the builds speak against every rewrite"),
        (broken, "Dockerfile: there is no FROM instruction"),
    ],
)
def test_what_says_nothing_closes_nothing(run: Callable[[Make], Visit], gitea: Forge, make: Make, why: str) -> None:
    assert run(changed).steps[0].did == "opened"

    again = run(make)

    assert (again.steps[0].did, again.steps[0].why, again.failed) == ("refused", why, True)
    assert [request.state for request in gitea.store.repositories["team/app"].requests] == ["open"]


def test_what_is_proven_to_be_optimal_closes(run: Callable[[Make], Visit], gitea: Forge) -> None:
    run(changed)

    assert run(optimal).steps[0].did == "closed"
    assert [request.state for request in gitea.store.repositories["team/app"].requests] == ["closed"]


def test_a_push_in_the_same_moment_is_not_lost(
    run: Callable[[Make], Visit], gitea: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    from optimizer.bot.checkout import Checkout

    repository = gitea.store.repositories["team/app"]
    run(changed)
    repository.commit({"app.txt": "moved\n"})
    push = Checkout.push

    def after_a_person(self: Checkout, remote: str, branch: str, commit: str, over: str | None) -> None:
        repository.commit({"x": "y"}, branch, "In between")
        push(self, remote, branch, commit, over)

    monkeypatch.setattr(Checkout, "push", after_a_person)
    ran = run(changed)

    assert (ran.steps[0].did, ran.steps[0].why[:44]) == ("refused", "somebody pushed to the branch in this moment")
    assert repository.log("dfopt/dockerfiles")[0] == "In between"
    monkeypatch.undo()
    assert run(changed).steps[0].did == "left alone"
