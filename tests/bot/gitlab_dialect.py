"""GitLab's API over the store."""

from typing import Any
from urllib.parse import unquote

from tests.bot.server import RefusedError, Server
from tests.bot.store import Repository, Request

STATES = {"open": "opened", "closed": "closed"}
EVENTS = {"close": "closed", "reopen": "open"}
REFS = {"base_sha": "1" * 40, "start_sha": "1" * 40, "head_sha": "2" * 40}


class GitLabDialect:
    """What the bot asks of GitLab."""

    prefix = "/api/v4"

    def __init__(self, server: Server) -> None:
        self._server = server

    def token_of(self, headers: Any) -> str:
        return str(headers.get("PRIVATE-TOKEN", ""))

    def answer(self, method: str, path: list[str], query: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
        if path[0] != "projects" or len(path) < 2:
            raise RefusedError(404, "404 Not Found")
        repository = self._found(unquote(path[1]))
        if path[2:3] == ["merge_requests"]:
            return self._requests(repository, method, path[3:], query, body)
        match (method, *path[2:]):
            case ("GET",):
                return 200, self._project(repository)
            case ("GET", "forks"):
                forks = [r for r in self._all() if r.forked_from == repository.name]
                return 200, [self._project(fork) for fork in forks]
            case ("POST", "fork"):
                return 201, self._project(self._server.store.fork(repository.name))
        raise RefusedError(404, "404 Not Found")

    def _requests(
        self, repository: Repository, method: str, path: list[str], query: dict[str, str], body: dict[str, Any]
    ) -> tuple[int, Any]:
        match (method, *path):
            case ("GET",):
                return 200, [self._request(repository, one) for one in _listed(repository, query)]
            case ("POST",):
                target = self._found(str(body.get("target_project_id", self._id(repository))))
                made = self._server.store.open(
                    target.name, repository.name, body["source_branch"], body["target_branch"], body["title"],
                    body["description"],
                )  # fmt: skip
                return 201, self._request(target, made)
            case ("GET", number):
                return 200, self._request(repository, _request(repository, number))
            case ("PUT", number):
                request = _request(repository, number)
                request.title = body.get("title", request.title)
                request.body = body.get("description", request.body)
                request.state = EVENTS.get(body.get("state_event", ""), request.state)
                return 200, self._request(repository, request)
            case ("POST", number, "notes"):
                _request(repository, number).comments.append(body["body"])
                return 201, {"id": 1, "body": body["body"]}
            case ("GET", number, "notes"):
                said = [review["body"] for review in _request(repository, number).reviews]
                return 200, [{"id": at, "body": text} for at, text in enumerate(said)]
            case ("GET", _, "versions"):
                return 200, [{"id": 7, **REFS}]
            case ("GET", number, "versions", "7"):
                patches = self._server.store.patches[repository.name, int(number)]
                return 200, {"id": 7, "diffs": [{"new_path": p, "diff": patch} for p, patch in patches.items()]}
            case ("POST", number, "discussions"):
                _request(repository, number).reviews.append(body)
                return 201, {"id": "1", "notes": [{"id": 1, "body": body["body"]}]}
        raise RefusedError(404, "404 Not Found")

    def _all(self) -> list[Repository]:
        return list(self._server.store.repositories.values())

    def _id(self, repository: Repository) -> int:
        return self._all().index(repository) + 1

    def _found(self, name: str) -> Repository:
        for repository in self._all():
            if name in {repository.name, str(self._id(repository))}:
                return repository
        raise RefusedError(404, "404 Project Not Found")

    def _project(self, repository: Repository) -> dict[str, Any]:
        web = f"{self._server.url}/{repository.name}"
        return {
            "id": self._id(repository),
            "path_with_namespace": repository.name,
            "web_url": web,
            "http_url_to_repo": f"{web}.git",
            "default_branch": "main",
            "archived": repository.archived,
            "permissions": {
                "project_access": None,
                "group_access": {"access_level": 30 if repository.can_push else 20, "notification_level": 3},
            },
        }

    def _request(self, repository: Repository, request: Request) -> dict[str, Any]:
        return {
            "id": request.number + 1000,
            "iid": request.number,
            "project_id": self._id(repository),
            "source_project_id": self._id(self._server.store.repositories[request.source]),
            "target_project_id": self._id(repository),
            "web_url": f"{self._server.url}/{repository.name}/-/merge_requests/{request.number}",
            "source_branch": request.branch,
            "target_branch": request.base,
            "title": request.title,
            "description": request.body,
            "state": "merged" if request.merged else STATES[request.state],
            "sha": self._server.store.head(request),
            "diff_refs": REFS,
        }


def _listed(repository: Repository, query: dict[str, str]) -> list[Request]:
    found = repository.requests[::-1] if query.get("page", "1") == "1" else []
    wanted = query.get("state", "all")
    found = [one for one in found if wanted == "all" or STATES[one.state] == wanted]
    return [one for one in found if query.get("source_branch", one.branch) == one.branch]


def _request(repository: Repository, number: str) -> Request:
    for request in repository.requests:
        if request.number == int(number):
            return request
    raise RefusedError(404, "404 Not Found")
