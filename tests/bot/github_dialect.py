"""GitHub's API over the store: the examples of GitHub's own description with the store's values in them."""

from copy import deepcopy
from typing import Any

from tests.bot.server import RefusedError, Server
from tests.bot.store import Repository, Request

TIME = "2026-01-01T00:00:00Z"


class GitHubDialect:
    """What the bot asks of GitHub; `examples` are those of the description, empty where that is not at hand."""

    prefix = ""

    def __init__(self, server: Server, examples: dict[str, Any] | None = None) -> None:
        self._server = server
        self._examples = examples or {}

    def token_of(self, headers: Any) -> str:
        return str(headers.get("Authorization", "")).partition(" ")[2]

    def answer(  # noqa: C901 (a table of paths)
        self, method: str, path: list[str], query: dict[str, str], body: dict[str, Any]
    ) -> tuple[int, Any]:
        store = self._server.store
        name = "/".join(path[1:3])
        if path[0] != "repos" or name not in store.repositories:
            raise RefusedError(404, "Not Found")
        repository = store.repositories[name]
        match (method, *path[3:]):
            case ("GET",):
                return 200, self._repository(repository)
            case ("POST", "forks"):
                return 202, self._repository(store.fork(name))
            case ("GET", "pulls"):
                return 200, [self._pull(repository, r, "pull-request-simple-items") for r in _listed(repository, query)]
            case ("POST", "pulls"):
                owner, colon, branch = body["head"].rpartition(":")
                source = store.fork(name).name if colon and owner != name.partition("/")[0] else name
                made = store.open(name, source, branch, body["base"], body["title"], body["body"])
                return 201, self._pull(repository, made)
            case ("GET", "pulls", number):
                return 200, self._pull(repository, _request(repository, number))
            case ("PATCH", "pulls", number):
                request = _request(repository, number)
                request.title = body.get("title", request.title)
                request.body = body.get("body", request.body)
                request.state = body.get("state", request.state)
                return 200, self._pull(repository, request)
            case ("POST", "issues", number, "comments"):
                _request(repository, number).comments.append(body["body"])
                return 201, self._example("issue-comment", body=body["body"], id=1, html_url="https://example.org")
            case ("GET", "pulls", number, "files"):
                changed = store.patches[name, int(number)]
                return 200, [self._example("diff-entry-items", filename=p, patch=t) for p, t in changed.items()]
            case ("GET", "pulls", number, "comments"):
                said = [c for review in _request(repository, number).reviews for c in review["comments"]]
                return 200, [self._comment(one) for one in said]
            case ("GET", "commits", sha):
                return 200, self._example("commit", sha=sha)
            case ("POST", "pulls", number, "reviews"):
                _request(repository, number).reviews.append(body)
                return 200, self._example("pull-request-review", body=body["body"], commit_id=body["commit_id"])
        raise RefusedError(404, "Not Found")

    def _example(self, name: str, /, **values: Any) -> dict[str, Any]:
        found = deepcopy(self._examples.get(name, {}))
        one = found[0] if isinstance(found, list) else found
        return {**one, **values}

    def _repository(self, repository: Repository) -> dict[str, Any]:
        git, api = f"{self._server.url}/{repository.name}", f"{self._server.api}/repos/{repository.name}"
        push = repository.can_push
        permissions = {"admin": False, "push": push, "pull": True, "maintain": False, "triage": push}
        return self._example(
            "full-repository", full_name=repository.name, name=repository.name.partition("/")[2], url=api,
            html_url=git, clone_url=f"{git}.git", default_branch="main", archived=repository.archived,
            permissions=permissions, has_discussions=False,
        )  # fmt: skip

    def _pull(self, repository: Repository, request: Request, example: str = "pull-request") -> dict[str, Any]:
        api = f"{self._server.api}/repos/{repository.name}/pulls/{request.number}"
        web = f"{self._server.url}/{repository.name}/pull/{request.number}"
        found = self._example(
            example, number=request.number, url=api, html_url=web, title=request.title, body=request.body,
            state=request.state,
            issue_url=f"{self._server.api}/repos/{repository.name}/issues/{request.number}",
            merged_at=TIME if request.merged else None,
        )  # fmt: skip
        # GitHub's examples fall short of its schemas here.
        found["requested_teams"] = []
        if "merged" in found:
            found["merged"] = request.merged
        sides = (("head", request.branch, self._server.store.head(request)), ("base", request.base, "1" * 40))
        for side, branch, sha in sides:
            source = request.source if side == "head" else repository.name
            repo = {**found.get(side, {}).get("repo", {}), "full_name": source}
            found[side] = {**found.get(side, {}), "ref": branch, "sha": sha, "label": f"x:{branch}", "repo": repo}
        return found

    def _comment(self, one: dict[str, Any]) -> dict[str, Any]:
        return self._example("pull-request-review-comment-items", body=one["body"], path=one["path"])


def _listed(repository: Repository, query: dict[str, str]) -> list[Request]:
    """Return the requests that a query asks for, the newest first."""
    found = repository.requests[::-1] if query.get("page", "1") == "1" else []
    if query.get("state", "open") != "all":
        found = [request for request in found if request.state == query.get("state", "open")]
    if head := query.get("head"):
        owner, _, branch = head.partition(":")
        found = [r for r in found if r.branch == branch and r.source.partition("/")[0] == owner]
    return found


def _request(repository: Repository, number: str) -> Request:
    for request in repository.requests:
        if request.number == int(number):
            return request
    raise RefusedError(404, "Not Found")
