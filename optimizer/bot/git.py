"""git through its own command line: no hooks, no prompts, the token in the environment of the one process."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from optimizer.bot.secret import Secret, redacted

_LIMIT = 600  # seconds; a large repository on a slow line
# A helper that takes the token from the environment: neither arguments nor files ever hold it.
_HELPER = '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$DFOPT_GIT_USER" "$DFOPT_GIT_TOKEN"; }; f'
_OPTIONS = (
    "-c", f"core.hooksPath={os.devnull}", "-c", "core.fsmonitor=false", "-c", "gc.auto=0",
)  # fmt: skip
# What makes git write down what it sends, or ask somebody.
_UNWANTED = (
    "GIT_TRACE",
    "GIT_CURL_VERBOSE",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_ASKPASS",
    "SSH_ASKPASS",
)
_IDENTITY = {"NAME": "dfopt", "EMAIL": "noreply@dfopt.invalid"}

_REFUSALS = (
    ("protected branch", "the branch is protected: allow dfopt to push to it, or name another with --branch-prefix"),
    ("GH006", "the branch is protected: allow dfopt to push to it, or name another with --branch-prefix"),
    ("GH013", "a rule of the repository forbids the push: allow dfopt's branches, or name others with --branch-prefix"),
    ("not allowed to push", "the token may not push here; --fork works from a fork"),
    ("without `workflow` scope", "the token lacks the scope `workflow`"),
    ("stale info", "somebody pushed to the branch in this moment; the next run looks again"),
    ("archived", "the repository is archived"),
    ("read-only", "the repository is read-only"),
    ("Permission to", "the token may not push here; --fork works from a fork"),
    ("403", "the token may not push here; --fork works from a fork"),
    ("Authentication failed", "the forge did not accept the token"),
    ("could not read Username", "there is no token for this host, and none is stored for git"),
    ("could not read Password", "there is no token for this host, and none is stored for git"),
    ("Repository not found", "there is no such repository, or the token may not see it"),
    ("Could not resolve host", "the host cannot be found"),
)


class GitError(Exception):
    """A git command that failed, in words for the user; no secret is in it."""


class Git:
    """git in one folder, with the token of one forge, which only the server of `url` is given."""

    def __init__(self, folder: Path, user: str = "", token: Secret | None = None, url: str = "") -> None:
        self.folder = folder
        self._user = user
        self._token = token
        self._url = url

    def at(self, folder: Path) -> "Git":
        """Return the same in another folder."""
        return Git(folder, self._user, self._token, self._url)

    def __call__(self, *arguments: str, text: str | None = None, more: Mapping[str, str] = MappingProxyType({})) -> str:
        """Run a command and return what it prints; `text` is its standard input. Raises GitError."""
        command = ["git", *self._options(), *arguments]
        try:
            done = subprocess.run(  # noqa: S603 (a list, no shell)
                command,
                cwd=self.folder,
                input=(text or "").encode("utf-8", "surrogateescape"),
                capture_output=True,
                timeout=_LIMIT,
                env=self._environment(more),
                check=False,
            )
        except FileNotFoundError:
            raise GitError("git is not installed") from None
        except subprocess.TimeoutExpired:
            raise GitError(f"git {arguments[0]} took longer than {_LIMIT} s") from None
        if done.returncode:
            raise GitError(self._told(arguments[0], done.stderr.decode("utf-8", "replace")))
        return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")

    def asked(
        self, *arguments: str, text: str | None = None, more: Mapping[str, str] = MappingProxyType({})
    ) -> str | None:
        """Run a command and return what it prints, None where it fails."""
        try:
            return self(*arguments, text=text, more=more)
        except GitError:
            return None

    def _options(self) -> Sequence[str]:
        if self._token is None:
            return _OPTIONS
        parts = urlsplit(self._url)
        own = f"credential.{parts.scheme}://{parts.netloc.rpartition('@')[2]}.helper={_HELPER}"
        return (*_OPTIONS, "-c", "credential.helper=", "-c", own)

    def _environment(self, more: Mapping[str, str]) -> Mapping[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_UNWANTED)}
        quiet = {
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_LITERAL_PATHSPECS": "1",
            "LC_ALL": "C",
            "GIT_SSH_COMMAND": _ssh(),
        }
        identity = {
            name: os.environ.get(name) or value
            for field, value in _IDENTITY.items()
            for name in (f"GIT_AUTHOR_{field}", f"GIT_COMMITTER_{field}")
        }
        token = {"DFOPT_GIT_USER": self._user, "DFOPT_GIT_TOKEN": self._token.reveal()} if self._token else {}
        return {**kept, **quiet, **identity, **token, **more}

    def _told(self, command: str, errors: str) -> str:
        for sign, words in _REFUSALS:
            if sign in errors:
                return words
        lines = [line for line in errors.splitlines() if line.startswith(("fatal:", "error:", "remote:"))]
        said = "; ".join(lines[:3] or errors.splitlines()[-1:]) or "failed without a word"
        return redacted(f"git {command}: {said}", [self._token] if self._token else [])


def _ssh() -> str:
    """Return how git reaches ssh: without asking for passwords or unknown hosts."""
    return os.environ.get("GIT_SSH_COMMAND") or "ssh -o BatchMode=yes"
