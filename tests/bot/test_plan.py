"""What is decided about a branch: each row a situation."""

import pytest

from optimizer.bot.forge import Phase, PullRequest
from optimizer.bot.plan import Action, Close, LeaveAlone, Nothing, Open, Refuse, Update, Wanted, decide
from optimizer.bot.state import Notes, digest, written

WANTED = Wanted("change", "new")
NOTES = Notes("change", "new", digest("Title"))
OLD = Notes("older", "old", digest("Title"))


def request(notes: Notes | None, phase: Phase = Phase.OPEN, title: str = "Title") -> PullRequest:
    body = f"Words.\n\n{written(notes)}\n" if notes else "Words."
    return PullRequest(7, "url", "dfopt/dockerfiles", "main", title, body, phase)


@pytest.mark.parametrize(
    ("wanted", "tip", "requests", "expected"),
    [
        pytest.param(None, None, [], Nothing("nothing to do"), id="nothing wanted, nothing there"),
        pytest.param(None, "x", [], Nothing("nothing to do"), id="nothing wanted, somebody's branch"),
        pytest.param(WANTED, None, [], Open(None), id="wanted, nothing there"),
        pytest.param(WANTED, "new", [], Open("new"), id="pushed before, but never opened"),
        pytest.param(WANTED, "new", [request(NOTES)], Nothing("up to date", request(NOTES)), id="as it should be"),
        pytest.param(WANTED, "old", [request(OLD)], Update(request(OLD), "old", retitle=True), id="another change"),
        pytest.param(
            WANTED, "old", [request(OLD, title="Mine")], Update(request(OLD, title="Mine"), "old", retitle=False),
            id="a title that a person gave",
        ),
        pytest.param(
            WANTED, "old", [request(Notes("change", "new", previous="old"))],
            Update(request(Notes("change", "new", previous="old")), "old", retitle=False),
            id="noted, but not pushed",
        ),
        pytest.param(
            WANTED, "new", [request(OLD)], Update(request(OLD), None, retitle=True), id="pushed, but not noted"
        ),
        pytest.param(
            None, "old", [request(OLD)], Close(request(OLD), Notes("older", "old", digest("Title"), done=True), "old"),
            id="nothing left to do",
        ),
        pytest.param(
            WANTED, None, [request(Notes("change", "new"), Phase.MERGED)], Open(None), id="merged, and wanted again"
        ),
        pytest.param(WANTED, "old", [request(OLD, Phase.MERGED)], Open("old"), id="merged, its branch is still there"),
        pytest.param(WANTED, "old", [request(OLD, Phase.CLOSED)], Open("old"), id="another change was closed"),
    ],
)  # fmt: skip
def test_what_is_done(wanted: Wanted | None, tip: str | None, requests: list[PullRequest], expected: Action) -> None:
    assert decide(wanted, tip, requests) == expected


@pytest.mark.parametrize(
    ("tip", "requests", "why"),
    [
        pytest.param("x", [request(OLD)], "commits that are not dfopt's", id="a person pushed"),
        pytest.param("new", [request(None)], "no longer holds dfopt's notes", id="a person rewrote the body"),
    ],
)
@pytest.mark.parametrize("wanted", [WANTED, None])
def test_what_is_left_alone(wanted: Wanted | None, tip: str | None, requests: list[PullRequest], why: str) -> None:
    action = decide(wanted, tip, requests)

    assert isinstance(action, LeaveAlone)
    assert why in action.why


def test_a_request_whose_branch_was_deleted_is_left_alone_until_nothing_is_to_do() -> None:
    assert decide(WANTED, None, [request(OLD)]) == LeaveAlone(request(OLD), "its branch was deleted", None)
    assert isinstance(decide(None, None, [request(OLD)]), Close)


def test_it_is_told_once() -> None:
    first = decide(WANTED, "x", [request(OLD)])
    assert isinstance(first, LeaveAlone)
    assert first.notes == Notes("older", "old", digest("Title"), left=True)

    second = decide(WANTED, "y", [request(first.notes)])

    assert isinstance(second, LeaveAlone)
    assert second.notes is None


@pytest.mark.parametrize(
    ("requests", "why"),
    [
        ([request(NOTES, Phase.CLOSED)], "for the same change was closed"),
        ([request(OLD, Phase.CLOSED), request(NOTES, Phase.CLOSED)], "for the same change was closed"),
        ([request(None, Phase.CLOSED)], "no longer says for which change"),
    ],
)
@pytest.mark.parametrize("tip", [None, "new", "x"])
def test_what_was_closed_stays_closed(requests: list[PullRequest], why: str, tip: str | None) -> None:
    action = decide(WANTED, tip, requests)

    assert isinstance(action, Nothing)
    assert why in action.why


def test_what_dfopt_closed_itself_may_come_back() -> None:
    done = Notes("change", "new", digest("Title"), done=True)

    assert decide(WANTED, None, [request(done, Phase.CLOSED)]) == Open(None)


@pytest.mark.parametrize("requests", [[], [request(OLD, Phase.CLOSED)], [request(OLD, Phase.MERGED)]])
def test_a_branch_with_commits_of_others_is_not_taken(requests: list[PullRequest]) -> None:
    action = decide(WANTED, "x", requests)

    assert isinstance(action, Refuse)
    assert "commits that are not dfopt's" in action.why
