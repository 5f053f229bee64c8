"""The API of Gitea and Forgejo over the store."""

from typing import Any

from tests.bot.server import RefusedError, Server
from tests.bot.store import Repository, Request


class GiteaDialect:
    """What the bot asks of Gitea."""

    prefix = "/api/v1"

    def __init__(self, server: Server) -> None:
        self._server = server

    def token_of(self, headers: Any) -> str:
        return str(headers.get("Authorization", "")).removeprefix("token ")

    def answer(self, method: str, path: list[str], query: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
        store = self._server.store
        if path == ["user"]:
            return 200, {"login": store.user}
        repository = store.repositories.get("/".join(path[1:3]))
        if path[0] != "repos" or repository is None:
            raise RefusedError(404, "The target couldn't be found.")
        if path[3:4] in (["pulls"], ["issues"]):
            return self._pulls(repository, method, path[4:], query, body)
        match (method, *path[3:]):
            case ("GET",):
                return 200, self._repository(repository)
            case ("GET", "forks"):
                forks = [r for r in store.repositories.values() if r.forked_from == repository.name]
                return 200, [self._repository(fork) for fork in forks if query.get("page") == "1"]
            case ("POST", "forks"):
                return 202, self._repository(store.fork(repository.name))
        raise RefusedError(404, "Not Found")

    def _pulls(
        self, repository: Repository, method: str, path: list[str], query: dict[str, str], body: dict[str, Any]
    ) -> tuple[int, Any]:
        store, name = self._server.store, repository.name
        match (method, *path):
            case ("GET",):
                return 200, [self._pull(repository, one) for one in _listed(repository, query)]
            case ("POST",):
                owner, colon, branch = body["head"].rpartition(":")
                source = store.fork(name).name if colon and owner != name.partition("/")[0] else name
                made = store.open(name, source, branch, body["base"], body["title"], body["body"])
                return 201, self._pull(repository, made)
            case ("GET", number) if number.endswith(".diff"):
                patches = store.patches[name, int(number.removesuffix(".diff"))]
                return 200, "".join(f"diff --git a/{p} b/{p}\n--- a/{p}\n+++ b/{p}\n{d}" for p, d in patches.items())
            case ("GET", number):
                return 200, self._pull(repository, _request(repository, number))
            case ("PATCH", number):
                request = _request(repository, number)
                request.title = body.get("title", request.title)
                request.body = body.get("body", request.body)
                request.state = body.get("state", request.state)
                return 201, self._pull(repository, request)
            case ("POST", number, "comments"):
                _request(repository, number).comments.append(body["body"])
                return 201, {"id": 1, "body": body["body"]}
            case ("GET", number, "reviews"):
                reviews = _request(repository, number).reviews
                return 200, [{"id": at} for at in range(len(reviews)) if query.get("page") == "1"]
            case ("GET", number, "reviews", at, "comments"):
                return 200, [{"body": one["body"]} for one in _request(repository, number).reviews[int(at)]["comments"]]
            case ("POST", number, "reviews"):
                _request(repository, number).reviews.append(body)
                return 200, {"id": 1, "body": body["body"]}
        raise RefusedError(404, "Not Found")

    def _repository(self, repository: Repository) -> dict[str, Any]:
        web = f"{self._server.url}/{repository.name}"
        owner, _, name = repository.name.partition("/")
        return {
            "full_name": repository.name,
            "name": name,
            "owner": {"login": owner},
            "html_url": web,
            "clone_url": f"{web}.git",
            "default_branch": "main",
            "archived": repository.archived,
            "permissions": {"admin": False, "push": repository.can_push, "pull": True},
        }

    def _pull(self, repository: Repository, request: Request) -> dict[str, Any]:
        head = {
            "ref": request.branch,
            "label": request.branch,
            "sha": self._server.store.head(request),
            "repo": {"full_name": request.source},
        }
        return {
            "number": request.number,
            "html_url": f"{self._server.url}/{repository.name}/pulls/{request.number}",
            "title": request.title,
            "body": request.body,
            "state": request.state,
            "merged": request.merged,
            "head": head,
            "base": {"ref": request.base, "label": request.base, "sha": "1" * 40},
        }


def _listed(repository: Repository, query: dict[str, str]) -> list[Request]:
    found = repository.requests[::-1] if query.get("page", "1") == "1" else []
    wanted = query.get("state", "open")
    return [one for one in found if wanted in ("all", one.state)]


def _request(repository: Repository, number: str) -> Request:
    for request in repository.requests:
        if request.number == int(number):
            return request
    raise RefusedError(404, "Not Found")
