"""What the bot says to Gitea and Forgejo, held against Forgejo's own description."""

from collections.abc import Iterator

import pytest
import requests

from tests.bot.conftest import FILES, ONLY, Dfopt, Forge
from tests.bot.contract import NoContractError, checked, forgejo_description
from tests.bot.gitea_dialect import GiteaDialect
from tests.bot.server import serving
from tests.bot.store import Store
from tests.bot.test_story import live
from tests.bot.test_suggest import NAME, reviewed, said


@pytest.fixture(scope="module")
def gitea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    """The fake of Gitea behind Prism, which refuses what Forgejo's description does not allow."""
    folder = tmp_path_factory.mktemp("contract")
    with serving(Store(folder / "forge")) as server:
        server.dialect = GiteaDialect(server)
        try:
            with checked(forgejo_description(), server.url, folder) as url:
                yield Forge("gitea", server, {}, url)
        except NoContractError as error:
            pytest.skip(f"Prism is not to be had here: {error}")


def test_the_contract_is_enforced(gitea: Forge) -> None:
    gitea.store.add("team/strict", FILES)
    known = {"headers": {"Authorization": f"token {gitea.store.token}"}, "timeout": 30}
    pulls = f"{gitea.address}/api/v1/repos/team/strict/pulls"

    assert requests.post(pulls, json={"head_branch": "x"}, **known).status_code == 422
    assert requests.get(f"{pulls}?state=any", **known).status_code == 422
    assert requests.get(f"{gitea.address}/api/v1/repos/team/strict/nothing", **known).status_code == 404
    assert requests.get(pulls, **known).json() == []


def test_the_life_of_a_request(gitea: Forge, dfopt: Dfopt) -> None:
    live(gitea, dfopt)


def test_a_request_from_a_fork(gitea: Forge, dfopt: Dfopt) -> None:
    upstream = gitea.store.add("team/forked", FILES)

    for word in ("opened", "unchanged"):
        assert word in dfopt(gitea, gitea.target("team/forked"), "--fork", *ONLY).out

    assert [request.source for request in upstream.requests] == ["robot/forked"]


def test_suggestions(gitea: Forge, dfopt: Dfopt) -> None:
    reviewed(gitea)

    for word in ("1 suggestion", "nothing new to suggest"):
        assert word in dfopt(gitea, gitea.target(NAME), "--suggest", "1", *ONLY).out
    assert len(said(gitea)) == 1
