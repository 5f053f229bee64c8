"""Where a run goes: a local clone, or `github:owner/name`, `gitlab:group/name`, `gitea:host/owner/name`."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

KINDS = ("github", "gitlab", "gitea")
_PUBLIC = {"github": "https://github.com", "gitlab": "https://gitlab.com"}
# The server that a CI of the forge says it belongs to.
_SERVER = {"github": "GITHUB_SERVER_URL", "gitlab": "CI_SERVER_URL", "gitea": "GITEA_SERVER_URL"}
_HOSTS = {"github.com": "github", "gitlab.com": "gitlab", "codeberg.org": "gitea", "gitea.com": "gitea"}
_NAME = re.compile(r"[\w.-]+(?:/[\w.-]+)+")
_SCP = re.compile(r"(?:[\w.-]+@)?([\w.-]+):(?!//)(.+)")
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class TargetError(Exception):
    """A target that leads nowhere, with what it should look like."""


class Target(Struct, frozen=True):
    """A repository: `kind` of forge (None: not known), the `server` as a URL, `name`; `clone` is a local folder."""

    text: str
    kind: str | None
    server: str
    name: str
    clone: Path | None = None
    remote: str = ""  # of the local clone

    @property
    def host(self) -> str:
        """The host and port of the server."""
        return urlsplit(self.server).netloc


def target_of(text: str, environment: Mapping[str, str]) -> Target:
    """Read a target that names a forge; raises TargetError."""
    kind, colon, rest = text.partition(":")
    kind = "gitea" if kind == "forgejo" else kind
    if not colon or kind not in KINDS:
        raise TargetError(f"{text}: no folder, and not {_forms()}")
    if "@" in rest:
        raise TargetError("a token does not belong on the command line: set it in the environment, or store it for git")
    server, name = _split(kind, rest, environment)
    if not server or not _NAME.fullmatch(name) or ".." in name.split("/"):
        raise TargetError(f"{text}: not {_forms()}")
    return Target(text, kind, _safe(server, text), name)


def target_of_clone(text: str, remote: str, url: str, kind: str | None, environment: Mapping[str, str]) -> Target:
    """Return the target of a local clone from the URL of its remote; `kind` where the user names the forge."""
    server, name = _of_url(url)
    if kind is None:
        known = {
            urlsplit(environment[variable]).netloc: kind
            for kind, variable in _SERVER.items()
            if environment.get(variable)
        }
        kind = {**_HOSTS, **known}.get(urlsplit(server).netloc)
    return Target(text, kind, _safe(server, text) if kind else server, name, Path(text), remote)


def _split(kind: str, rest: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """Take server and name apart; a first part with a dot or a port is a host."""
    rest = rest.removesuffix("/").removesuffix(".git")
    if "://" in rest:
        return _of_url(rest)
    first, _, name = rest.partition("/")
    if "/" in name and ("." in first or ":" in first):
        return f"https://{first}", name
    return environment.get(_SERVER[kind], "") or _PUBLIC.get(kind, ""), rest


def _of_url(url: str) -> tuple[str, str]:
    """Return server and name of a URL of git, in any of its forms."""
    if "://" not in url:
        found = _SCP.fullmatch(url)
        return (f"https://{found[1]}", _clean(found[2])) if found else ("", _clean(url))
    parts = urlsplit(url)
    if parts.scheme in {"http", "https"}:
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", _clean(parts.path)
    return (f"https://{parts.hostname}" if parts.hostname else ""), _clean(parts.path)


def _clean(path: str) -> str:
    return path.strip("/").removesuffix(".git")


def _safe(server: str, text: str) -> str:
    """Refuse to send a token unencrypted over a network."""
    parts = urlsplit(server)
    if parts.scheme != "https" and parts.hostname not in _LOCAL:
        raise TargetError(f"{text}: a token would go unencrypted to {parts.hostname}; use https")
    return server.rstrip("/")


def _forms() -> str:
    return "github:owner/name, gitlab:group/name or gitea:host/owner/name"
