"""Gitea and Forgejo, whose API is the same here: https://docs.gitea.com/api/.

No client library for Python is kept up to date, so that these few requests are made by hand.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from optimizer.bot.diff_lines import commentable
from optimizer.bot.forge import Draft, ForgeError, Phase, PullRequest, Repository, Review, Suggestion
from optimizer.bot.secret import Secret

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

_PAGE = 50  # the most that a server gives at once, as it comes
_TRIES = 4
_LONGEST_WAIT = 60.0
_PASSING = frozenset({429, 502, 503, 504})


class Gitea:
    """One repository of a Gitea or Forgejo server."""

    kind = "Gitea"
    user = "dfopt"  # any name does: with a token as password Gitea asks nobody's

    def __init__(self, server: str, name: str, token: Secret | None, *, wait: float = 1.0) -> None:
        from requests import Session

        self._name = name
        self._root = f"{server}/api/v1"
        self._wait = wait
        self._session = Session()
        self._session.headers.update({"Accept": "application/json", "User-Agent": "dfopt"})
        self._token = token
        self._session.auth = self._signed  # as a header alone a ~/.netrc would replace it

    def _signed(self, request: "PreparedRequest") -> "PreparedRequest":
        if self._token:
            request.headers["Authorization"] = f"token {self._token.reveal()}"
        return request

    def repository(self) -> Repository:
        """Return the repository itself."""
        return _repository(self._ask("GET", "", f"the repository {self._name}"))

    def fork(self) -> Repository:
        """Return the fork of whom the token belongs to; it is made where there is none."""
        own = self._json("GET", f"{self._root}/user", "the user of the token")["login"]
        for fork in self._pages("/forks", "the forks"):
            if fork["owner"]["login"] == own:
                return _repository(fork)
        return _repository(self._ask("POST", "/forks", "the fork", body={}))

    def requests(self, branch: str, source: Repository) -> Sequence[PullRequest]:
        """Return the requests that come from a branch, in any phase, the newest first."""
        found = self._pages("/pulls", "the pull requests", state="all")
        own = [p for p in found if _from(p, branch, source)]
        return [_pull(pull) for pull in sorted(own, key=lambda pull: -pull["number"])]

    def open_requests(self, source: Repository) -> Sequence[PullRequest]:
        """Return all open requests that come from a repository."""
        found = self._pages("/pulls", "the pull requests", state="open")
        return [_pull(pull) for pull in found if _from(pull, pull["head"]["ref"], source)]

    def open(self, draft: Draft) -> PullRequest:
        """Open a request."""
        head = draft.branch if draft.source.name == self._name else f"{draft.source.owner}:{draft.branch}"
        body = {"head": head, "base": draft.base, "title": draft.title, "body": draft.body}
        return _pull(self._ask("POST", "/pulls", "a new pull request", body=body))

    def edit(self, number: int, *, title: str | None = None, body: str | None = None) -> None:
        """Change the title or body of a request."""
        fields = {name: value for name, value in (("title", title), ("body", body)) if value is not None}
        self._ask("PATCH", f"/pulls/{number}", f"pull request {number}", body=fields)

    def comment(self, number: int, text: str) -> None:
        """Say something on a request."""
        self._ask("POST", f"/issues/{number}/comments", f"pull request {number}", body={"body": text})

    def close(self, number: int) -> None:
        """Close a request without merging it."""
        self._ask("PATCH", f"/pulls/{number}", f"pull request {number}", body={"state": "closed"})

    def review(self, number: int) -> Review:
        """Return what a request changes."""
        what = f"pull request {number}"
        pull = self._ask("GET", f"/pulls/{number}", what)
        diff = self._answer("GET", f"{self._root}/repos/{self._name}/pulls/{number}.diff", what).text
        said = [
            comment["body"]
            for review in self._pages(f"/pulls/{number}/reviews", what)
            for comment in self._ask("GET", f"/pulls/{number}/reviews/{review['id']}/comments", what) or ()
        ]
        return Review(pull["head"]["sha"], dict(_by_file(diff)), tuple(said))

    def suggest(self, number: int, review: Review, suggestions: Sequence[Suggestion], text: str) -> None:
        """Put suggestions on a request, with a text for the whole; Gitea shows each at its last line."""
        comments = [{"path": one.path, "body": one.body, "new_position": one.end_line} for one in suggestions]
        body = {"event": "COMMENT", "body": text, "commit_id": review.head, "comments": comments}
        self._ask("POST", f"/pulls/{number}/reviews", f"pull request {number}", body=body)

    def _pages(self, path: str, what: str, **filters: str) -> Iterator[Any]:
        page = 1
        while found := self._ask("GET", path, what, query={**filters, "page": str(page), "limit": str(_PAGE)}):
            yield from found
            page += 1

    def _ask(
        self, method: str, path: str, what: str, *, body: object = None, query: Mapping[str, str] | None = None
    ) -> Any:
        return self._json(method, f"{self._root}/repos/{self._name}{path}", what, body=body, query=query)

    def _json(
        self, method: str, url: str, what: str, *, body: object = None, query: Mapping[str, str] | None = None
    ) -> Any:
        answer = self._answer(method, url, what, body=body, query=query)
        return answer.json() if answer.content else None

    def _answer(
        self, method: str, url: str, what: str, *, body: object = None, query: Mapping[str, str] | None = None
    ) -> "Response":
        from requests import RequestException

        for again in reversed(range(_TRIES)):
            try:
                answer = self._session.request(method, url, json=body, params=query, timeout=30, allow_redirects=False)
            except RequestException as error:
                raise ForgeError(f"Gitea cannot be reached: {type(error).__name__}") from None
            if answer.status_code not in _PASSING or not again:
                break
            time.sleep(_pause(answer, self._wait * 2 ** (_TRIES - 1 - again)))
        if answer.status_code >= 300:  # noqa: PLR2004 (redirections too: the token goes nowhere else)
            raise ForgeError(_said(answer, what))
        return answer


def _pause(answer: "Response", otherwise: float) -> float:
    """Return how long to wait: what the server asks for, up to a minute."""
    asked = answer.headers.get("Retry-After", "")
    return min(float(asked) if asked.isdecimal() else otherwise, _LONGEST_WAIT)


def _said(answer: "Response", what: str) -> str:
    match answer.status_code:
        case 301 | 302 | 307 | 308:
            return f"{what} has moved: use the name that it has now"
        case 401:
            return "the server does not accept the token: it is wrong, or has ended"
        case 403:
            return f"the token may not reach {what}; it needs the scopes write:repository and write:issue"
        case 404:
            return f"{what} is not there, or the token may not see it"
        case 423:
            return "the repository is archived"
        case 429:
            return "the server's rate limit is used up; run it again later, what is done stays done"
        case code:
            return f"the server refused {what}: {_message(answer)} ({code})"


def _message(answer: "Response") -> str:
    try:
        return str(answer.json().get("message") or "no word why")
    except (ValueError, AttributeError):
        return "no word why"


def _repository(found: Any) -> Repository:
    return Repository(
        found["full_name"],
        found["html_url"],
        found["clone_url"],
        found["default_branch"],
        archived=bool(found.get("archived")),
        can_push=bool((found.get("permissions") or {}).get("push")),
    )


def _from(pull: Any, branch: str, source: Repository) -> bool:
    """Tell whether a request comes from a branch; of one whose fork is gone only the name is left."""
    head = pull["head"]
    name = (head.get("repo") or {}).get("full_name", source.name)
    return bool(head["ref"] == branch and name == source.name)


def _pull(pull: Any) -> PullRequest:
    phase = Phase.OPEN if pull["state"] == "open" else Phase.MERGED if pull.get("merged") else Phase.CLOSED
    return PullRequest(
        pull["number"], pull["html_url"], pull["head"]["ref"], pull["base"]["ref"], pull["title"], pull["body"] or "",
        phase,
    )  # fmt: skip


def _by_file(diff: str) -> Iterator[tuple[str, tuple[tuple[int, int], ...]]]:
    """Take a diff apart by file."""
    for part in diff.split("\ndiff --git "):
        name = next((line.removeprefix("+++ b/") for line in part.splitlines() if line.startswith("+++ b/")), None)
        if name:
            yield name.rstrip("\t"), commentable(part)
