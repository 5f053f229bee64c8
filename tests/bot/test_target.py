"""Where targets lead."""

from collections.abc import Mapping

import pytest

from optimizer.bot.target import TargetError, target_of, target_of_clone


@pytest.mark.parametrize(
    ("text", "environment", "kind", "server", "name"),
    [
        ("github:owner/name", {}, "github", "https://github.com", "owner/name"),
        ("github:owner/name.git", {}, "github", "https://github.com", "owner/name"),
        ("github:ghe.example:8443/owner/name", {}, "github", "https://ghe.example:8443", "owner/name"),
        ("github:owner/na.me", {}, "github", "https://github.com", "owner/na.me"),
        ("github:o/n", {"GITHUB_SERVER_URL": "https://ghe.example"}, "github", "https://ghe.example", "o/n"),
        ("gitlab:group/sub/name", {}, "gitlab", "https://gitlab.com", "group/sub/name"),
        ("gitlab:git.example/group/sub/name", {}, "gitlab", "https://git.example", "group/sub/name"),
        ("gitea:codeberg.org/owner/name", {}, "gitea", "https://codeberg.org", "owner/name"),
        ("forgejo:codeberg.org/owner/name/", {}, "gitea", "https://codeberg.org", "owner/name"),
        ("gitea:http://127.0.0.1:3000/owner/name", {}, "gitea", "http://127.0.0.1:3000", "owner/name"),
        ("gitlab:https://git.example/group/name.git", {}, "gitlab", "https://git.example", "group/name"),
    ],
)
def test_a_name_on_a_forge(text: str, environment: Mapping[str, str], kind: str, server: str, name: str) -> None:
    target = target_of(text, environment)

    assert (target.kind, target.server, target.name) == (kind, server, name)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nowhere", "no folder"),
        ("svn:owner/name", "no folder"),
        ("github:name", "not github:owner/name"),
        ("github:", "not github:owner/name"),
        ("github:../name", "not github:owner/name"),
        ("github:owner/name?x", "not github:owner/name"),
        ("gitea:owner/name", "not github:owner/name"),
        ("gitea:http://git.example/owner/name", "unencrypted"),
        ("github:https://me:t0ken@github.com/owner/name", "a token does not belong on the command line"),
    ],
)
def test_what_leads_nowhere(text: str, why: str) -> None:
    with pytest.raises(TargetError, match=why):
        target_of(text, {})


@pytest.mark.parametrize(
    ("url", "kind", "server", "name"),
    [
        ("https://github.com/owner/name.git", "github", "https://github.com", "owner/name"),
        ("https://user:token@github.com/owner/name", "github", "https://github.com", "owner/name"),
        ("git@gitlab.com:group/sub/name.git", "gitlab", "https://gitlab.com", "group/sub/name"),
        ("ssh://git@codeberg.org:2222/owner/name.git", "gitea", "https://codeberg.org", "owner/name"),
        ("https://git.example/owner/name", None, "https://git.example", "owner/name"),
        ("file:///srv/name.git", None, "", "srv/name"),
        ("/srv/name.git", None, "", "srv/name"),
    ],
)
def test_the_remote_of_a_clone(url: str, kind: str | None, server: str, name: str) -> None:
    target = target_of_clone(".", "origin", url, None, {})

    assert (target.kind, target.server, target.name) == (kind, server, name)


def test_a_server_that_the_environment_knows() -> None:
    target = target_of_clone(".", "origin", "git@git.example:a/b.git", None, {"CI_SERVER_URL": "https://git.example"})

    assert target.kind == "gitlab"
