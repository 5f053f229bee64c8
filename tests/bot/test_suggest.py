"""Suggestions on an existing request."""

import pytest

from optimizer.bot.diff_lines import commentable, unchanged
from optimizer.bot.suggestions import Block, replaced
from optimizer.report.diff import hunks
from tests.bot.conftest import DOCKERFILE, FILES, ONLY, Dfopt, Forge
from tests.bot.store import git

NAME = "team/suggest"
LONG = DOCKERFILE + "# a line\n" * 20 + "ADD README.md /\n"


def said(forge: Forge) -> list[dict]:
    (request,) = forge.store.repositories[NAME].requests
    if forge.kind == "gitlab":
        return request.reviews
    return [comment for review in request.reviews for comment in review["comments"]]


@pytest.fixture
def review(forge: Forge) -> Forge:
    return reviewed(forge)


def reviewed(forge: Forge) -> Forge:
    """Add a request of a person that shows the first lines of a Dockerfile."""
    repository = forge.store.add(NAME, {**FILES, "Dockerfile": "FROM alpine:3.20\n"})
    head = repository.commit({"Dockerfile": LONG}, "feature")
    forge.store.open(NAME, NAME, "feature", "main", "A feature", "By hand.")
    name = "refs/merge-requests/1/head" if forge.kind == "gitlab" else "refs/pull/1/head"
    git(repository.path, "update-ref", name, head)
    forge.store.patches[NAME, 1] = {
        "Dockerfile": "@@ -1 +1,3 @@\n FROM alpine:3.20\n+ADD app.txt /app.txt\n+CMD x\n",
        "README.md": "@@ -1 +1 @@\n-# app\n+# App\n",
    }
    return forge


def test_a_line_that_the_request_shows(review: Forge, dfopt: Dfopt) -> None:
    ran = dfopt(review, review.target(NAME), "--suggest", "1", *ONLY)

    assert ran.code == 0
    assert "opened: request 1 (1 suggestion)" in ran.out
    (comment,) = said(review)
    assert "COPY app.txt /app.txt\n```" in comment["body"]
    assert "(`copy-over-add`, exact)" in comment["body"]
    where = comment.get("position") or comment
    assert [where[name] for name in ("line", "new_line", "new_position") if name in where] == [2]
    (request,) = review.store.repositories[NAME].requests
    words = request.comments[0] if review.kind == "gitlab" else request.reviews[0]["body"]
    assert "More is possible at lines that this request does not touch, in `Dockerfile`" in words


def test_the_second_run_suggests_nothing_twice(review: Forge, dfopt: Dfopt) -> None:
    dfopt(review, review.target(NAME), "--suggest", "1", *ONLY)
    again = dfopt(review, review.target(NAME), "--suggest", "1", *ONLY)

    assert "unchanged: request 1 (nothing new to suggest)" in again.out
    assert len(said(review)) == 1


def test_a_dry_run_suggests_nothing(review: Forge, dfopt: Dfopt) -> None:
    ran = dfopt(review, review.target(NAME), "--suggest", "1", "--dry-run", *ONLY)

    assert "COPY app.txt /app.txt" in ran.out
    assert said(review) == []


def test_the_lines_of_a_patch() -> None:
    patch = "@@ -1,3 +1,4 @@\n a\n-b\n+B\n+new\n c\n@@ -9 +10,0 @@\n-z\n@@ -20,2 +20,2 @@ RUN x\n x\n y\n"

    assert commentable(patch) == ((1, 4), (20, 21))
    assert unchanged(patch) == {1: 1, 4: 3, 20: 20, 21: 21}


def test_gitlab_gets_both_numbers_of_a_line_that_is_not_new(gitlab: Forge, dfopt: Dfopt) -> None:
    reviewed(gitlab)
    gitlab.store.patches[NAME, 1] = {
        "Dockerfile": "@@ -1,2 +1,3 @@\n FROM alpine:3.20\n ADD app.txt /app.txt\n+CMD x\n"
    }

    dfopt(gitlab, gitlab.target(NAME), "--suggest", "1", *ONLY)

    (comment,) = said(gitlab)
    assert (comment["position"]["old_line"], comment["position"]["new_line"]) == (2, 2)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("a\nb\nc\n", "a\nB\nc\n", Block(2, 2, "B\n")),
        ("a\nb\nc\n", "a\nc\n", Block(2, 2, "")),
        ("a\nb\nc\n", "a\nx\nb\nc\n", Block(1, 1, "a\nx\n")),
        ("a\nb\n", "x\na\nb\n", Block(1, 1, "x\na\n")),
        ("a\nb\nc\nd\n", "A\nb\nc\nD\n", Block(1, 4, "A\nb\nc\nD\n")),
        ("a\nb", "a\nB", Block(2, 2, "B\n")),
    ],
)
def test_the_lines_that_a_suggestion_replaces(before: str, after: str, expected: Block) -> None:
    (hunk,) = hunks(before, after)

    assert replaced(hunk) == expected
