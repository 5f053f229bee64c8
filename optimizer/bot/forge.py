"""What the bot asks of a forge: one small protocol, and the values that go through it."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from msgspec import Struct, field


class Phase(StrEnum):
    """Where a request is in its life."""

    OPEN = "open"
    CLOSED = "closed"  # without being merged
    MERGED = "merged"


class Repository(Struct, frozen=True):
    """A repository as its forge describes it; `name` is `owner/name`, `url` is for people, `clone_url` for git."""

    name: str
    url: str
    clone_url: str
    default_branch: str
    archived: bool = False
    can_push: bool = True

    @property
    def owner(self) -> str:
        """Whom it belongs to."""
        return self.name.rpartition("/")[0]


class PullRequest(Struct, frozen=True):
    """A request to merge `branch` into `base`, as it is on the forge."""

    number: int
    url: str
    branch: str
    base: str
    title: str
    body: str
    phase: Phase


class Draft(Struct, frozen=True):
    """A request to open; `source` is the repository that has the branch."""

    source: Repository
    branch: str
    base: str
    title: str
    body: str


class Suggestion(Struct, frozen=True):
    """A comment on lines of a file of a request, with the lines to have in their place."""

    path: str
    line: int
    end_line: int
    body: str


class Review(Struct, frozen=True):
    """What a request changes: its head, and the lines of each file that comments can stand at, as ranges.

    `comments` are those that are there already. `unchanged` are lines of each file that the request shows and does
    not change, new number to old, where the forge asks for both.
    """

    head: str
    lines: dict[str, tuple[tuple[int, int], ...]]
    comments: tuple[str, ...] = ()
    unchanged: dict[str, dict[int, int]] = field(default_factory=dict)


class ForgeError(Exception):
    """What went wrong on a forge, in words for the user: what, and what to do."""


class Forge(Protocol):
    """One repository of a forge. Every method raises ForgeError."""

    kind: str  # as people call it: GitHub, GitLab, Gitea
    user: str  # the name that git gives with the token

    def repository(self) -> Repository:
        """Return the repository itself."""

    def fork(self) -> Repository:
        """Return the fork of whom the token belongs to; it is made where there is none."""

    def requests(self, branch: str, source: Repository) -> Sequence[PullRequest]:
        """Return the requests that come from a branch, in any phase, the newest first."""

    def open_requests(self, source: Repository) -> Sequence[PullRequest]:
        """Return all open requests that come from a repository."""

    def open(self, draft: Draft) -> PullRequest:
        """Open a request."""

    def edit(self, number: int, *, title: str | None = None, body: str | None = None) -> None:
        """Change the title or body of a request."""

    def comment(self, number: int, text: str) -> None:
        """Say something on a request."""

    def close(self, number: int) -> None:
        """Close a request without merging it."""

    def review(self, number: int) -> Review:
        """Return what a request changes."""

    def suggest(self, number: int, review: Review, suggestions: Sequence[Suggestion], text: str) -> None:
        """Put suggestions on a request, with a text for the whole."""
