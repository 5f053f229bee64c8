"""Keep the request of one branch as it should be: look, decide, act."""

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from optimizer.bot import plan
from optimizer.bot.body import Render, body_of, message_of, title_of
from optimizer.bot.checkout import Checkout
from optimizer.bot.forge import Draft, Forge, Phase, PullRequest, Repository
from optimizer.bot.state import Notes, change_id, digest, noted, read
from optimizer.report import Entry


class Did(StrEnum):
    """What was done about a branch."""

    OPENED = "opened"
    UPDATED = "updated"
    CLOSED = "closed"
    LEFT = "left alone"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class Step(Struct, frozen=True):
    """What was done about a branch, or would be (`dry`), why, and where to look."""

    did: Did
    branch: str
    why: str = ""
    url: str = ""
    dry: bool = False
    commit: str = ""
    title: str = ""
    message: str = ""
    body: str = ""


class Unit(Struct, frozen=True):
    """The Dockerfiles that share a branch."""

    branch: str
    entries: tuple[Entry, ...]


class Site(Struct, frozen=True):
    """Where the work is done: `source` is the repository that gets the branch, reached by git as `remote`."""

    checkout: Checkout
    render: Render
    remote: str
    forge: Forge | None = None  # None: the state of the forge is not known
    source: Repository | None = None
    dry: bool = False


def maintain(site: Site, unit: Unit, tip: str | None) -> Step:
    """Bring the request of a branch, which is at `tip`, up to date. Raises ForgeError, GitError."""
    wanted, message = _wanted(site, unit)
    requests = site.forge.requests(unit.branch, site.source) if site.forge and site.source else ()
    for request in requests:
        if request.phase is Phase.OPEN and request.base != site.checkout.branch:
            why = f"request {request.number} from this branch goes to {request.base}: name others with --branch-prefix"
            return Step(Did.REFUSED, unit.branch, why, request.url)
    action = plan.decide(wanted, tip, requests)
    match action:
        case plan.Open():
            assert wanted is not None  # noqa: S101 (for the types: there is something to open)
            return _open(site, unit, wanted, message, action)
        case plan.Update():
            assert wanted is not None  # noqa: S101 (likewise)
            return _update(site, unit, wanted, message, action)
        case plan.LeaveAlone():
            return _leave(site, action)
        case plan.Close():
            return close(site, action, "There is nothing left to do.")
        case plan.Nothing():
            return Step(Did.UNCHANGED, unit.branch, action.why, action.request.url if action.request else "")
        case plan.Refuse():
            return Step(Did.REFUSED, unit.branch, action.why)


def close(site: Site, action: plan.Close, why: str) -> Step:
    """Close a request with a word and delete its branch."""
    request = action.request
    step = Step(Did.CLOSED, request.branch, why, request.url, dry=site.dry)
    if site.dry or site.forge is None:
        return step
    # The notes first: a request that is closed without them would look like a refusal.
    site.forge.edit(request.number, body=noted(request.body, action.notes))
    site.forge.comment(request.number, site.render("pr/closed.md.j2", why=why))
    site.forge.close(request.number)
    if action.over is not None:
        site.checkout.delete(site.remote, request.branch, action.over)
    return step


def left_over(
    site: Site, requests: Sequence[PullRequest], kept: set[str], prefix: str, tips: dict[str, str]
) -> list[Step]:
    """Close dfopt's requests from branches that no Dockerfile has any more (removed, or put together otherwise)."""
    steps = []
    for request in requests:
        notes = read(request.body)
        tip = tips.get(request.branch)
        if not request.branch.startswith(prefix) or request.branch in kept or notes is None:
            continue
        action = plan.decide(None, tip, [request])
        if isinstance(action, plan.Close):
            steps.append(close(site, action, "No Dockerfile needs this branch any more."))
        elif isinstance(action, plan.LeaveAlone):
            steps.append(_leave(site, action))
    return steps


def _wanted(site: Site, unit: Unit) -> tuple[plan.Wanted | None, str]:
    """Make the commit that the branch should have; it stays local until it is pushed."""
    changes = {change.patch_path: change for entry in unit.entries for change in entry.changes}
    if not changes:
        return None, ""
    message = message_of(unit.entries, site.render)
    # Of a file that two Dockerfiles change the last text holds both changes, the first the state before.
    commit = site.checkout.commit(tuple(changes.values()), message)
    if commit is None:
        return None, ""
    all_changes = [change for entry in unit.entries for change in entry.changes]
    return plan.Wanted(change_id(all_changes), commit), message


def _open(site: Site, unit: Unit, wanted: plan.Wanted, message: str, action: plan.Open) -> Step:
    title = title_of([entry.patch_path for entry in unit.entries if entry.changed])
    notes = Notes(wanted.change, wanted.commit, digest(title))
    body = body_of(unit.entries, notes, site.render)
    step = Step(Did.OPENED, unit.branch, "", "", site.dry, wanted.commit, title, message, body)
    if site.dry or site.forge is None or site.source is None:
        return step
    if action.over != wanted.commit:
        site.checkout.push(site.remote, unit.branch, wanted.commit, action.over)
    opened = site.forge.open(Draft(site.source, unit.branch, site.checkout.branch, title, body))
    return Step(Did.OPENED, unit.branch, "", opened.url, commit=wanted.commit, title=title)


def _update(site: Site, unit: Unit, wanted: plan.Wanted, message: str, action: plan.Update) -> Step:
    request = action.request
    title = title_of([entry.patch_path for entry in unit.entries if entry.changed])
    kept = read(request.body)
    named = digest(title) if action.retitle or kept is None else kept.title
    notes = Notes(wanted.change, wanted.commit, named, previous=action.over or "")
    body = body_of(unit.entries, notes, site.render, before=request.body)
    shown = title if action.retitle else request.title
    step = Step(Did.UPDATED, unit.branch, "", request.url, site.dry, wanted.commit, shown, message, body)
    if site.dry or site.forge is None:
        return step
    # The notes name the old and the new commit before the push: cut off in between, the next run knows both.
    site.forge.edit(request.number, title=title if action.retitle and title != request.title else None, body=body)
    if action.over is not None:
        site.checkout.push(site.remote, unit.branch, wanted.commit, action.over)
    return step


def _leave(site: Site, action: plan.LeaveAlone) -> Step:
    request = action.request
    step = Step(Did.LEFT, request.branch, action.why, request.url, dry=site.dry)
    if site.dry or site.forge is None or action.notes is None:
        return step
    # The notes first: cut off in between, the comment is missing rather than there twice.
    site.forge.edit(request.number, body=noted(request.body, action.notes))
    site.forge.comment(request.number, site.render("pr/left_alone.md.j2", commit=action.notes.commit))
    return step
