"""The forge of a target."""

import os

from optimizer.bot.forge import Forge, ForgeError
from optimizer.bot.secret import Secret
from optimizer.bot.target import Target


def connect(target: Target, token: Secret) -> Forge:
    """Return the repository of a target on its forge. Raises ForgeError where its library is not installed."""
    try:
        match target.kind:
            case "github":
                from optimizer.bot.github import GitHub

                return GitHub(
                    target.server, target.name, token, api=_api(target, "GITHUB_SERVER_URL", "GITHUB_API_URL")
                )
            case "gitlab":
                from optimizer.bot.gitlab import GitLab

                return GitLab(target.server, target.name, token)
            case _:
                from optimizer.bot.gitea import Gitea

                return Gitea(target.server, target.name, token)
    except ModuleNotFoundError as error:
        raise ForgeError(f"{error.name} is not installed; `pip install 'dfopt[bot]'` brings it") from None


def _api(target: Target, server: str, variable: str) -> str:
    """Return where the API of a target's server is, if the environment knows that server."""
    return os.environ.get(variable, "") if os.environ.get(server) == target.server else ""
