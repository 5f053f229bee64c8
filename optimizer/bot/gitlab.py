"""GitLab through python-gitlab: https://docs.gitlab.com/api/merge_requests/."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from optimizer.bot.diff_lines import commentable, unchanged
from optimizer.bot.forge import Draft, ForgeError, Phase, PullRequest, Repository, Review, Suggestion
from optimizer.bot.secret import Secret

if TYPE_CHECKING:
    from gitlab.v4.objects import Project

_DEVELOPER = 30  # the access level that may push branches
_PHASES = {"opened": Phase.OPEN, "locked": Phase.OPEN, "merged": Phase.MERGED, "closed": Phase.CLOSED}


class GitLab:
    """One project of GitLab, on gitlab.com or elsewhere."""

    kind = "GitLab"
    user = "oauth2"

    def __init__(self, server: str, name: str, token: Secret | None) -> None:
        from gitlab import Gitlab

        self._name = name
        self._found: Project | None = None
        self._client = Gitlab(
            server, private_token=token.reveal() if token else None, timeout=30, user_agent="dfopt",
            per_page=100, retry_transient_errors=True,
        )  # fmt: skip

    def repository(self) -> Repository:
        """Return the project."""
        with _words(f"the project {self._name}"):
            return _repository(self._project)

    def fork(self) -> Repository:
        """Return the fork of whom the token belongs to; it is made where there is none."""
        with _words("the fork"):
            for fork in self._project.forks.list(owned=True, iterator=True):
                return _repository(fork)
            return _repository(self._project.forks.create({}))

    def requests(self, branch: str, source: Repository) -> Sequence[PullRequest]:
        """Return the requests that come from a branch, in any phase, the newest first."""
        with _words("the merge requests"):
            listed = self._project.mergerequests.list(
                iterator=True, state="all", source_branch=branch, order_by="created_at", sort="desc"
            )
            return self._from(source, listed)

    def open_requests(self, source: Repository) -> Sequence[PullRequest]:
        """Return all open requests that come from a repository."""
        with _words("the merge requests"):
            return self._from(source, self._project.mergerequests.list(iterator=True, state="opened"))

    def open(self, draft: Draft) -> PullRequest:
        """Open a request."""
        with _words("a new merge request"):
            fields: dict[str, object] = {
                "source_branch": draft.branch, "target_branch": draft.base, "title": draft.title,
                "description": draft.body, "remove_source_branch": True,
            }  # fmt: skip
            if draft.source.name == self._name:
                return _request(self._project.mergerequests.create(fields))
            fork = self._client.projects.get(draft.source.name)
            return _request(fork.mergerequests.create({**fields, "target_project_id": self._project.id}))

    def edit(self, number: int, *, title: str | None = None, body: str | None = None) -> None:
        """Change the title or body of a request."""
        fields = {name: value for name, value in (("title", title), ("description", body)) if value is not None}
        with _words(f"merge request {number}"):
            self._project.mergerequests.update(number, fields)

    def comment(self, number: int, text: str) -> None:
        """Say something on a request."""
        with _words(f"merge request {number}"):
            self._project.mergerequests.get(number, lazy=True).notes.create({"body": text})

    def close(self, number: int) -> None:
        """Close a request without merging it."""
        with _words(f"merge request {number}"):
            self._project.mergerequests.update(number, {"state_event": "close"})

    def review(self, number: int) -> Review:
        """Return what a request changes."""
        with _words(f"merge request {number}"):
            request = self._project.mergerequests.get(number)
            versions = request.diffs.list(get_all=True)  # the newest first
            shown = request.diffs.get(versions[0].id).diffs if versions else []
            lines = {one["new_path"]: commentable(one["diff"]) for one in shown}
            said = tuple(note.body for note in request.notes.list(iterator=True))
            both = {one["new_path"]: unchanged(one["diff"]) for one in shown}
            return Review(request.sha, lines, said, both)

    def suggest(self, number: int, review: Review, suggestions: Sequence[Suggestion], text: str) -> None:
        """Put suggestions on a request, with a text for the whole."""
        with _words(f"merge request {number}"):
            request = self._project.mergerequests.get(number)
            for one in suggestions:
                position = {
                    **request.diff_refs, "head_sha": review.head,
                    "position_type": "text", "new_path": one.path, "old_path": one.path,
                    "new_line": one.end_line,
                }  # fmt: skip
                if (old := review.unchanged.get(one.path, {}).get(one.end_line)) is not None:
                    position["old_line"] = old  # GitLab takes a line that is not new by both its numbers only
                request.discussions.create({"body": _above(one), "position": position})
            request.notes.create({"body": text})

    def _from(self, source: Repository, listed: Iterable[Any]) -> list[PullRequest]:
        own = self._project.id if source.name == self._name else self._client.projects.get(source.name).id
        return [_request(request) for request in listed if request.source_project_id == own]

    @property
    def _project(self) -> "Project":
        if self._found is None:
            self._found = self._client.projects.get(self._name)
        return self._found


def _above(one: Suggestion) -> str:
    """Return a comment whose suggestion reaches up over the lines before the one that it stands at."""
    return one.body.replace("```suggestion\n", f"```suggestion:-{one.end_line - one.line}+0\n", 1)


def _repository(project: Any) -> Repository:
    permissions = project.attributes.get("permissions") or {}
    levels = [(permissions.get(name) or {}).get("access_level", 0) for name in ("project_access", "group_access")]
    return Repository(
        project.path_with_namespace,
        project.web_url,
        project.http_url_to_repo,
        project.default_branch or "",
        archived=bool(project.attributes.get("archived")),
        can_push=max(levels) >= _DEVELOPER,
    )


def _request(request: Any) -> PullRequest:
    return PullRequest(
        request.iid, request.web_url, request.source_branch, request.target_branch, request.title,
        request.description or "", _PHASES[request.state],
    )  # fmt: skip


@contextmanager
def _words(what: str) -> Iterator[None]:
    """Turn what the library raises into words for the user."""
    from gitlab.exceptions import GitlabError
    from requests import RequestException

    try:
        yield
    except GitlabError as error:
        raise ForgeError(_said(error, what)) from None
    except RequestException as error:
        raise ForgeError(f"GitLab cannot be reached: {type(error).__name__}") from None


def _said(error: Any, what: str) -> str:
    match error.response_code:
        case 401:
            return "GitLab does not accept the token: it is wrong, or has ended"
        case 403:
            return f"the token may not reach {what}; it needs the scope `api` and the role Developer"
        case 404:
            return f"{what} is not there, or the token may not see it"
        case 429:
            return "GitLab's rate limit is used up; run it again later, what is done stays done"
        case code:
            return f"GitLab refused {what}: {error.error_message} ({code})"
