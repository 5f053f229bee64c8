"""Where tokens come from: the environment, or else what the user has stored for git. Nowhere else."""

import os
from collections.abc import MutableMapping
from pathlib import Path
from urllib.parse import urlsplit

from optimizer.bot.git import Git
from optimizer.bot.secret import Secret
from optimizer.bot.target import Target

VARIABLES = {
    "github": ("DFOPT_GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN"),
    "gitlab": ("DFOPT_GITLAB_TOKEN", "GITLAB_TOKEN"),
    "gitea": ("DFOPT_GITEA_TOKEN", "GITEA_TOKEN", "FORGEJO_TOKEN"),
}
_OWN_SERVERS = {"github": ("GITHUB_SERVER_URL", "GH_HOST"), "gitlab": ("CI_SERVER_URL", "GITLAB_HOST"), "gitea": ()}
_SHORTEST = 16  # a name that is longer may be a token
_PUBLIC = {"github": "github.com", "gitlab": "gitlab.com"}


class Tokens:
    """The tokens of a run. They are taken out of the environment, so that nothing that is started later has them."""

    def __init__(self, environment: MutableMapping[str, str] = os.environ) -> None:
        self._found = {
            kind: next((Secret(environment[name]) for name in names if environment.get(name)), None)
            for kind, names in VARIABLES.items()
        }
        self._servers = {
            kind: {_PUBLIC.get(kind, ""), *(_host(environment.get(name, "")) for name in names)} - {""}
            for kind, names in _OWN_SERVERS.items()
        }
        self.secrets = [
            Secret(value) for names in VARIABLES.values() for name in names if (value := environment.pop(name, ""))
        ]

    def of(self, target: Target) -> Secret | None:
        """Return the token for a target, None where there is none.

        A token of the environment goes only to the public server of its forge, or to the one that the environment
        names; to another only where the forge has no public one.
        """
        if target.kind is None:
            return None
        servers = self._servers[target.kind]
        own = self._found[target.kind]
        if own is not None and (not servers or target.host in servers):
            return own
        return self._stored(target.server)

    def learn(self, url: str) -> None:
        """Keep the password of a URL out of all texts, and a token in the place of the user's name."""
        scheme, _, rest = url.partition("://")
        user, colon, password = rest.rpartition("@")[0].partition(":")
        secret = password if colon else user if len(user) >= _SHORTEST else ""
        if scheme in {"http", "https"} and secret:
            self.secrets.append(Secret(secret))

    def _stored(self, server: str) -> Secret | None:
        """Ask git's credential helpers."""
        parts = urlsplit(server)
        asked = f"protocol={parts.scheme}\nhost={parts.netloc}\n\n"
        # An askpass program that says nothing: git would open a window, or wait for an answer.
        answer = Git(Path.cwd()).asked("credential", "fill", text=asked, more={"GIT_ASKPASS": "true"})
        fields = dict(line.split("=", 1) for line in (answer or "").splitlines() if "=" in line)
        if not (password := fields.get("password")):
            return None
        self.secrets.append(found := Secret(password))
        return found


def _host(server: str) -> str:
    return urlsplit(server).netloc or server
