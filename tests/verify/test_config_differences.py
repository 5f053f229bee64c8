import pytest

from optimizer.report.evidence import Check, Difference
from optimizer.verify._config import config_differences
from tests.verify.images import image

SHELL = ["/bin/sh", "-c"]


def told(before: dict[str, object], after: dict[str, object], start: str | None = None) -> list[Difference]:
    return list(config_differences(image(**before), image(**after), start))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"Env": ["A=1", "B=2"]}, {"Env": ["B=2", "A=1"]}),
        ({"Env": ["A=1", "A=2"]}, {"Env": ["A=2"]}),
        ({"User": ""}, {"User": "0"}),
        ({"User": "root"}, {}),
        ({"WorkingDir": ""}, {"WorkingDir": "/"}),
        ({"Cmd": None}, {"Cmd": []}),
        ({"ExposedPorts": {"80": {}}}, {"ExposedPorts": {"80/tcp": {}}}),
        ({"Volumes": {"/data/": {}}}, {"Volumes": {"/data": {}}}),
        ({"Labels": None}, {"Labels": {}}),
        ({"StopSignal": "15"}, {}),
        ({"StopSignal": "QUIT"}, {"StopSignal": "SIGQUIT"}),
        ({"Hostname": "a", "Image": "sha256:1", "ArgsEscaped": True}, {}),
        ({"OnBuild": None}, {"OnBuild": []}),
    ],
)
def test_the_same_in_other_words(before: dict[str, object], after: dict[str, object]) -> None:
    assert told(before, after) == []
    assert told(after, before) == []


@pytest.mark.parametrize(
    ("before", "after", "subject", "was", "now"),
    [
        ({"Env": ["A=1"]}, {"Env": []}, "Env A", "1", None),
        ({"Env": ["PATH=/a:/b"]}, {"Env": ["PATH=/b:/a"]}, "Env PATH", "/a:/b", "/b:/a"),
        ({"Env": ["A=1", "A=2"]}, {"Env": ["A=2", "A=1"]}, "Env A", "2", "1"),
        ({"User": "app"}, {}, "User", "app", "root"),
        ({"User": "0:1000"}, {}, "User", "0:1000", "root"),
        ({"WorkingDir": "/app"}, {}, "WorkingDir", "/app", "/"),
        ({"Cmd": ["a", "b"]}, {"Cmd": ["a b"]}, "Cmd", '["a", "b"]', '["a b"]'),
        ({"Labels": {"a": "1"}}, {"Labels": {"a": "2"}}, "Labels a", "1", "2"),
        ({"ExposedPorts": {"53/udp": {}}}, {}, "ExposedPorts 53/udp", "exposed", None),
        ({"Volumes": {"/data": {}}}, {}, "Volumes /data", "declared", None),
        ({"StopSignal": "SIGQUIT"}, {}, "StopSignal", "SIGQUIT", "SIGTERM"),
        ({"Shell": ["/bin/bash", "-c"]}, {}, "Shell", '["/bin/bash", "-c"]', None),
        ({"OnBuild": ["RUN a"]}, {}, "OnBuild", '["RUN a"]', None),
        ({"Architecture": "amd64"}, {"Architecture": "arm64"}, "Architecture", "amd64", "arm64"),
        ({"ANewField": 1}, {}, "ANewField", "1", None),
    ],
)
def test_a_field_that_differs(
    before: dict[str, object], after: dict[str, object], subject: str, was: str | None, now: str | None
) -> None:
    assert told(before, after) == [Difference(Check.CONFIG, subject, was, now)]


@pytest.mark.parametrize(
    ("line", "words", "claimed"),
    [
        ("node server.js", ["node", "server.js"], "exec-form"),
        ("exec node 'a b'", ["node", "a b"], "exec-form"),
        ("node server.js", ["node", "other.js"], None),
        ("echo $HOME", ["echo", "/root"], None),
        ("echo $HOME", ["echo", "$HOME"], None),
        ("echo a*", ["echo", "a*"], None),
        ("a > b", ["a"], None),
        ("A=1 a", ["a"], None),
        ("a && b", ["a"], None),
        ("echo 'a", ["echo", "a"], None),
    ],
)
def test_the_exec_form_that_was_announced(line: str, words: list[str], claimed: str | None) -> None:
    (found,) = told({"Cmd": [*SHELL, line]}, {"Cmd": words}, "exec-form")

    assert found.claimed_by == claimed


def test_the_exec_form_that_nobody_announced() -> None:
    (found,) = told({"Cmd": [*SHELL, "node a.js"]}, {"Cmd": ["node", "a.js"]})

    assert found.claimed_by is None
