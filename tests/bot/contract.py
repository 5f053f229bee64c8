"""The forges' published descriptions, served by Prism as strict servers between the bot and the fake forge.

GitHub's comes from npm. Forgejo's is a fixture: the part that the bot uses of the file that Forgejo publishes under the
MIT license "for the purpose of interoperability", as the crate forgejo-api 0.12 carries it. GitLab publishes its
description only inside its repository, and not under a license that would let it stand here.
"""

import json
import os
import socket
import subprocess
import tarfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

PRISM = "@stoplight/prism-cli@5.16.0"
OPENAPI = "@octokit/openapi@23.0.2"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dfopt-tests"
FORGEJO = Path(__file__).parents[2] / "fixtures" / "contracts" / "forgejo.json"
REPO = "/repos/{owner}/{repo}"
PULL = f"{REPO}/pulls/{{pull_number}}"
# What the bot may ask for; all else Prism refuses. The whole description takes half a minute to load.
PATHS = (
    REPO, f"{REPO}/forks", f"{REPO}/pulls", PULL, f"{PULL}/files", f"{PULL}/comments", f"{PULL}/reviews",
    f"{REPO}/issues/{{issue_number}}/comments", f"{REPO}/commits/{{ref}}",
)  # fmt: skip


class NoContractError(Exception):
    """npm is not here, or reaches no registry."""


@cache
def github_description() -> dict[str, Any]:
    """Return GitHub's description, cut down to the paths that the bot uses."""
    place = CACHE / f"{OPENAPI.replace('/', '-')}.json"
    if not place.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        packed = _npm("pack", OPENAPI, "--pack-destination", str(CACHE), "--silent").split()[-1]
        with tarfile.open(CACHE / packed) as archive:
            found = archive.extractfile("package/generated/api.github.com.json")
            assert found is not None
            whole = json.load(found)
        (CACHE / packed).unlink()
        place.write_text(json.dumps(_cut(whole, PATHS)))
    return json.loads(place.read_text())  # type: ignore[no-any-return]


def forgejo_description() -> dict[str, Any]:
    """Return Forgejo's description, with requests that hold what it does not name refused too."""
    # Addresses of this machine are no URLs for the check of that format.
    found: dict[str, Any] = json.loads(FORGEJO.read_text().replace('"format": "url"', '"format": "uri"'))
    base = found.pop("basePath")
    found["paths"] = {f"{base}{path}": one for path, one in found["paths"].items()}
    for name, definition in found["definitions"].items():
        if name.endswith("Option"):
            definition["additionalProperties"] = False
    return found


@contextmanager
def checked(description: dict[str, Any], upstream: str, folder: Path) -> Iterator[str]:
    """Serve a description in front of a server: requests and answers that it does not allow become errors."""
    prism = CACHE / "prism" / "node_modules" / ".bin" / "prism"
    if not prism.exists():
        _npm("install", "--prefix", str(CACHE / "prism"), "--no-audit", "--no-fund", "--silent", PRISM)
    file = folder / "description.json"
    file.write_text(json.dumps(description))
    port = _free_port()
    command = [str(prism), "proxy", str(file), upstream, "--errors", "--port", str(port)]
    with (
        (folder / "prism.log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT) as process,
    ):
        try:
            _wait(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _npm(*arguments: str) -> str:
    try:
        done = subprocess.run(["npm", *arguments], capture_output=True, text=True, timeout=300, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise NoContractError(f"npm: {error}") from None
    if done.returncode:
        raise NoContractError(f"npm {arguments[0]}: {done.stderr.strip()[-300:]}")
    return done.stdout


def _cut(whole: dict[str, Any], paths: tuple[str, ...]) -> dict[str, Any]:
    """Keep some paths, and the components that they lead to."""
    kept: dict[str, Any] = {**whole, "paths": {path: whole["paths"][path] for path in paths}, "components": {}}
    kept.pop("webhooks", None)
    kept.pop("x-webhooks", None)
    todo = [kept["paths"]]
    while todo:
        for reference in _references(todo.pop()):
            _, _, section, name = reference.split("/", 3)
            group = kept["components"].setdefault(section, {})
            if name not in group:
                group[name] = whole["components"][section][name]
                todo.append(group[name])
    return kept


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(found := value.get("$ref"), str):
            yield found
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _references(item)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        assert process.poll() is None, "Prism ended"
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)
        except HTTPError:
            return
        except URLError:
            time.sleep(0.2)
    raise AssertionError("Prism does not answer")
