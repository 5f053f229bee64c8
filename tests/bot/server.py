"""A small forge over HTTP: an API in one of three dialects, and git by `git http-backend`."""

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from tests.bot.store import Store

UNKNOWN = {"message": "Bad credentials", "documentation_url": "https://example.org"}


class RefusedError(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Dialect(Protocol):
    """An API over the store."""

    prefix: str

    def token_of(self, headers: Any) -> str: ...

    def answer(self, method: str, path: list[str], query: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]: ...


class Server:
    """The forge while it runs; `url` is where people and git find it, `api` where programs do."""

    def __init__(self, store: Store, port: int) -> None:
        self.store = store
        self.url = f"http://127.0.0.1:{port}"
        self.api = self.url
        self.dialect: Dialect | None = None


@contextmanager
def serving(store: Store) -> Iterator[Server]:
    """Serve a store on a free port."""

    class Handler(_Handler):
        forge: Server

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    Handler.forge = Server(store, http.server_port)
    thread = Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield Handler.forge
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    forge: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Be quiet."""

    def _any(self) -> None:
        if ".git/" in self.path:
            self._git()
        else:
            self._api()

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _any  # noqa: N815 (http.server's names)

    def _api(self) -> None:
        store, dialect = self.forge.store, self.forge.dialect
        assert dialect is not None
        parts = urlsplit(self.path)
        body = json.loads(self._body() or b"{}")
        store.asked.append(f"{self.command} {parts.path}")
        if store.answers:
            status, headers, answer = store.answers.pop(0)
            self._send(status, json.dumps(answer).encode(), {"Content-Type": "application/json", **headers})
            return
        try:
            known = dialect.token_of(self.headers) == store.token
            path = parts.path.removeprefix(dialect.prefix).strip("/").split("/")
            query = dict(parse_qsl(parts.query))
            status, answer = dialect.answer(self.command, path, query, body) if known else (401, UNKNOWN)
        except RefusedError as error:
            status, answer = error.status, {"message": str(error), "documentation_url": "https://example.org"}
        except AssertionError as error:
            status, answer = 422, {"message": str(error), "documentation_url": "https://example.org"}
        if isinstance(answer, str):
            self._send(status, answer.encode(), {"Content-Type": "text/plain"})
        else:
            self._send(status, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def _git(self) -> None:
        """Speak git's protocol with who knows the token."""
        store = self.forge.store
        given = self.headers.get("Authorization", "")
        known = given.startswith("Basic ") and base64.b64decode(given[6:]).decode().endswith(f":{store.token}")
        if not known:
            self._send(401, b"", {"WWW-Authenticate": 'Basic realm="forge"'})
            return
        body = self._body()
        parts = urlsplit(self.path)
        environment = {
            **os.environ, "GIT_PROJECT_ROOT": str(store.folder), "GIT_HTTP_EXPORT_ALL": "1", "REMOTE_USER": store.user,
            "PATH_INFO": parts.path, "QUERY_STRING": parts.query, "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }  # fmt: skip
        done = subprocess.run(["git", "http-backend"], env=environment, input=body, capture_output=True, check=True)
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = int(headers.pop("Status", "200").split()[0])
        self._send(status, rest, headers)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            data = b""
            while size := int(self.rfile.readline(), 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return data
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
