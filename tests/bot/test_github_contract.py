"""What the bot says to GitHub, and what the fake answers, held against GitHub's own description."""

from collections.abc import Iterator

import pytest
import requests

from tests.bot.conftest import FILES, ONLY, Dfopt, Forge
from tests.bot.contract import NoContractError, checked, github_description
from tests.bot.github_dialect import GitHubDialect
from tests.bot.server import serving
from tests.bot.store import Store
from tests.bot.test_story import live
from tests.bot.test_suggest import NAME, reviewed, said


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    """The fake of GitHub behind Prism, which refuses what GitHub's description does not allow."""
    folder = tmp_path_factory.mktemp("contract")
    with serving(Store(folder / "forge")) as server:
        try:
            description = github_description()
            examples = {name: one["value"] for name, one in description["components"]["examples"].items()}
            with checked(description, server.url, folder) as url:
                server.api = url
                server.dialect = GitHubDialect(server, examples)
                yield Forge("github", server, {"GITHUB_SERVER_URL": server.url, "GITHUB_API_URL": url})
        except NoContractError as error:
            pytest.skip(f"GitHub's description or Prism is not to be had here: {error}")


def test_the_contract_is_enforced(github: Forge) -> None:
    github.store.add("team/strict", FILES)
    known = {"headers": {"Authorization": f"token {github.store.token}"}, "timeout": 30}
    pulls = f"{github.server.api}/repos/team/strict/pulls"

    assert requests.post(pulls, json={"title": 1}, **known).status_code == 422
    assert requests.get(f"{pulls}?state=any", **known).status_code == 422
    assert requests.get(f"{github.server.api}/repos/team/strict/nothing", **known).status_code == 404
    assert requests.get(pulls, **known).json() == []


def test_the_life_of_a_request(github: Forge, dfopt: Dfopt) -> None:
    live(github, dfopt)


def test_a_request_from_a_fork(github: Forge, dfopt: Dfopt) -> None:
    upstream = github.store.add("team/forked", FILES)
    upstream.can_push = False

    assert "opened" in dfopt(github, github.target("team/forked"), "--fork", *ONLY).out
    assert "unchanged" in dfopt(github, github.target("team/forked"), "--fork", *ONLY).out

    assert [request.source for request in upstream.requests] == ["robot/forked"]
    assert upstream.tip("dfopt/dockerfiles") is None


def test_suggestions(github: Forge, dfopt: Dfopt) -> None:
    reviewed(github)

    for word in ("1 suggestion", "nothing new to suggest"):
        assert word in dfopt(github, github.target(NAME), "--suggest", "1", *ONLY).out
    assert len(said(github)) == 1
