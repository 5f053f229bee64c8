"""GitHub through PyGithub: https://docs.github.com/en/rest."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from optimizer.bot.diff_lines import commentable
from optimizer.bot.forge import Draft, ForgeError, Phase, PullRequest, Repository, Review, Suggestion
from optimizer.bot.secret import Secret

if TYPE_CHECKING:
    from github.PullRequest import PullRequest as Pull
    from github.Repository import Repository as Repo

_PUBLIC = "https://github.com"
_RETRIES = 4
_PAUSE = 1.0  # seconds between two writes, as GitHub asks for
_SECONDARY = 60.0  # seconds to wait at a secondary limit that does not say how long
_LONGEST_WAIT = 300.0
_PASSING = [429, *range(500, 600)]


class GitHub:
    """One repository of GitHub or of a GitHub Enterprise server."""

    kind = "GitHub"
    user = "x-access-token"

    def __init__(self, server: str, name: str, token: Secret | None, *, api: str = "") -> None:
        from github import Auth, Github, GithubRetry

        self._name = name
        self._found: Repo | None = None
        # Retries wait as the answer asks them to, at primary and secondary limits.
        self._client = Github(
            auth=Auth.Token(token.reveal()) if token else None,
            base_url=api or ("https://api.github.com" if server == _PUBLIC else f"{server}/api/v3"),
            user_agent="dfopt",
            timeout=30,
            per_page=100,
            retry=GithubRetry(_SECONDARY, _LONGEST_WAIT, total=_RETRIES, status_forcelist=_PASSING),
            seconds_between_requests=0,
            seconds_between_writes=_PAUSE,
        )

    def repository(self) -> Repository:
        """Return the repository itself."""
        with _words(f"the repository {self._name}"):
            return _repository(self._repo)

    def fork(self) -> Repository:
        """Return the fork of whom the token belongs to; it is made where there is none."""
        with _words("the fork", needs="Administration: write"):
            return _repository(self._repo.create_fork(default_branch_only=True))

    def requests(self, branch: str, source: Repository) -> Sequence[PullRequest]:
        """Return the requests that come from a branch, in any phase, the newest first."""
        with _words("the pull requests", needs="Pull requests: read"):
            found = self._repo.get_pulls(state="all", head=f"{source.owner}:{branch}", sort="created", direction="desc")
            return [_pull(pull) for pull in found]

    def open_requests(self, source: Repository) -> Sequence[PullRequest]:
        """Return all open requests that come from a repository."""
        with _words("the pull requests", needs="Pull requests: read"):
            found = self._repo.get_pulls(state="open")
            return [_pull(pull) for pull in found if pull.head.repo and pull.head.repo.full_name == source.name]

    def open(self, draft: Draft) -> PullRequest:
        """Open a request."""
        with _words("a new pull request", needs="Pull requests: write"):
            head = draft.branch if draft.source.name == self._name else f"{draft.source.owner}:{draft.branch}"
            return _pull(self._repo.create_pull(base=draft.base, head=head, title=draft.title, body=draft.body))

    def edit(self, number: int, *, title: str | None = None, body: str | None = None) -> None:
        """Change the title or body of a request."""
        from github.GithubObject import NotSet

        with _words(f"pull request {number}", needs="Pull requests: write"):
            self._pull(number).edit(
                title=NotSet if title is None else title,
                body=NotSet if body is None else body,
            )

    def comment(self, number: int, text: str) -> None:
        """Say something on a request."""
        with _words(f"pull request {number}", needs="Pull requests: write"):
            self._pull(number).create_issue_comment(text)

    def close(self, number: int) -> None:
        """Close a request without merging it."""
        with _words(f"pull request {number}", needs="Pull requests: write"):
            self._pull(number).edit(state="closed")

    def review(self, number: int) -> Review:
        """Return what a request changes."""
        with _words(f"pull request {number}", needs="Pull requests: read"):
            pull = self._pull(number)
            lines = {file.filename: commentable(file.patch or "") for file in pull.get_files()}
            said = tuple(comment.body for comment in pull.get_review_comments())
            return Review(pull.head.sha, lines, said)

    def suggest(self, number: int, review: Review, suggestions: Sequence[Suggestion], text: str) -> None:
        """Put suggestions on a request, with a text for the whole."""
        with _words(f"a review of pull request {number}", needs="Pull requests: write"):
            pull = self._pull(number)
            commit = self._repo.get_commit(review.head)
            pull.create_review(commit=commit, body=text, event="COMMENT", comments=[_comment(s) for s in suggestions])

    @property
    def _repo(self) -> "Repo":
        if self._found is None:
            self._found = self._client.get_repo(self._name)
        return self._found

    def _pull(self, number: int) -> "Pull":
        return self._repo.get_pull(number)


def _repository(repo: "Repo") -> Repository:
    permissions = repo.permissions
    return Repository(
        repo.full_name,
        repo.html_url,
        repo.clone_url,
        repo.default_branch,
        archived=bool(repo.archived),
        can_push=bool(permissions and permissions.push),
    )


def _pull(pull: "Pull") -> PullRequest:
    phase = Phase.OPEN if pull.state == "open" else Phase.MERGED if pull.merged_at else Phase.CLOSED
    return PullRequest(pull.number, pull.html_url, pull.head.ref, pull.base.ref, pull.title, pull.body or "", phase)


def _comment(suggestion: Suggestion) -> Any:
    """Return a comment as GitHub takes it: a range only where there is more than one line."""
    one: dict[str, object] = {
        "path": suggestion.path, "body": suggestion.body, "line": suggestion.end_line, "side": "RIGHT",
    }  # fmt: skip
    if suggestion.line != suggestion.end_line:
        one |= {"start_line": suggestion.line, "start_side": "RIGHT"}
    return one


@contextmanager
def _words(what: str, *, needs: str = "Contents: read") -> Iterator[None]:
    """Turn what the library raises into words for the user."""
    from github import GithubException
    from requests import RequestException

    try:
        yield
    except GithubException as error:
        raise ForgeError(_said(error, what, needs)) from None
    except RequestException as error:
        raise ForgeError(f"GitHub cannot be reached: {type(error).__name__}") from None


def _said(error: Any, what: str, needs: str) -> str:
    data = error.data if isinstance(error.data, dict) else {}
    message = str(data.get("message") or "no word why")
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if error.status in {403, 429} and ("rate limit" in message.lower() or headers.get("x-ratelimit-remaining") == "0"):
        return "GitHub's rate limit is used up; run it again later, what is done stays done"
    if error.status == 401:  # noqa: PLR2004 (HTTP's number, as below)
        return "GitHub does not accept the token: it is wrong, or has ended"
    if error.status == 403:  # noqa: PLR2004
        return f"the token may not reach {what}; it needs the permission {needs}, or the scope `repo` ({message})"
    if error.status == 404:  # noqa: PLR2004
        return f"{what} is not there, or the token may not see it"
    details = "; ".join(
        str(e.get("message") or e.get("code") or e) for e in data.get("errors", ()) if isinstance(e, dict)
    )
    return f"GitHub refused {what}: {details or message} ({error.status})"
