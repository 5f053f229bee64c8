"""What to do about a branch and its requests: a pure function from what is there to one action."""

from collections.abc import Sequence

from msgspec import Struct

from optimizer.bot.forge import Phase, PullRequest
from optimizer.bot.state import Notes, digest, read


class Wanted(Struct, frozen=True):
    """The change that there should be a request for, and the commit that holds it."""

    change: str
    commit: str


class Open(Struct, frozen=True):
    """Open a request. `over` is the commit that the branch has and may lose; None where there is no branch."""

    over: str | None


class Update(Struct, frozen=True):
    """Renew the body, and the title unless a person gave it one; push where the branch is behind (`over`)."""

    request: PullRequest
    over: str | None
    retitle: bool


class LeaveAlone(Struct, frozen=True):
    """People work on the branch: touch nothing, and say so once (`notes` to write down, None where it was said)."""

    request: PullRequest
    why: str
    notes: Notes | None


class Close(Struct, frozen=True):
    """There is nothing left to do: close the request with a word, and delete the branch while it is at `over`."""

    request: PullRequest
    notes: Notes
    over: str | None


class Nothing(Struct, frozen=True):
    """All is as it should be."""

    why: str
    request: PullRequest | None = None


class Refuse(Struct, frozen=True):
    """Something is in the way that only a person can move."""

    why: str


Action = Open | Update | LeaveAlone | Close | Nothing | Refuse


def decide(wanted: Wanted | None, tip: str | None, requests: Sequence[PullRequest]) -> Action:
    """Return what to do.

    `wanted` is None when there is nothing to change; `tip` is the commit of the branch, None where there is none;
    `requests` are those from the branch, the newest first.
    """
    for request in requests:
        if request.phase is Phase.OPEN:
            return _renew(wanted, tip, request)
    if wanted is None:
        return Nothing("nothing to do")
    past = [(request, read(request.body)) for request in requests]
    for request, notes in past:
        if request.phase is Phase.CLOSED and notes and notes.change == wanted.change and not notes.done:
            return Nothing(f"request {request.number} for the same change was closed", request)
    if past and past[0][0].phase is Phase.CLOSED and past[0][1] is None:
        why = f"request {past[0][0].number} was closed, and its body no longer says for which change"
        return Nothing(why, past[0][0])
    known = {commit for _, notes in past if notes for commit in (notes.commit, notes.previous)}
    if tip not in {None, wanted.commit, *known}:
        why = "the branch is there already, with commits that are not dfopt's"
        return Refuse(f"{why}: delete it, or name another with --branch-prefix")
    return Open(tip)


def _renew(wanted: Wanted | None, tip: str | None, request: PullRequest) -> Action:
    """Decide about an open request."""
    notes = read(request.body)
    if notes is None:
        return LeaveAlone(request, "its body no longer holds dfopt's notes", None)
    if tip is None and wanted is not None:
        return LeaveAlone(request, "its branch was deleted", None)
    if tip not in {None, notes.commit, notes.previous, wanted.commit if wanted else None}:
        told = _with(notes, left=True)
        return LeaveAlone(request, "its branch has commits that are not dfopt's", None if notes.left else told)
    if wanted is None:
        return Close(request, _with(notes, done=True), tip)
    if tip == wanted.commit == notes.commit:
        return Nothing("up to date", request)
    retitle = notes.title == digest(request.title)
    return Update(request, None if tip == wanted.commit else tip, retitle)


def _with(notes: Notes, *, left: bool = False, done: bool = False) -> Notes:
    from msgspec.structs import replace

    return replace(notes, left=notes.left or left, done=notes.done or done)
