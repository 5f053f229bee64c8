import pytest

from optimizer.context import Context
from optimizer.ecosystems import Project, all_ecosystems
from optimizer.shell import parse_script
from optimizer.shell.calls import calls


@pytest.mark.parametrize(
    ("source", "destination", "path", "directory", "expected"),
    [
        ("", "/app", "package.json", "/app", "package.json"),
        ("", "/app", "a/../b", "/app/sub", "sub/b"),
        ("", "/app", ".", "/app", ""),
        ("web", "/app/", ".", "/app", "web"),
        ("web", "/app", "/app/x/y", "/", "web/x/y"),
        ("", "/", "x", "/srv", "srv/x"),
        ("", "/", ".", "/", ""),
        ("", "/app", "../app2/x", "/app", None),
        ("", "/app", "/application/x", "/", None),
        ("", "/app", "..", "/app", None),
        ("", "/app/./sub", "x", "/app/sub", "x"),
    ],
)
def test_locates_image_paths_in_the_context(
    source: str, destination: str, path: str, directory: str, expected: str | None
) -> None:
    assert Project(Context.of({}), source, destination).locate(path, directory) == expected


def test_each_module_is_an_ecosystem_of_its_own_name() -> None:
    ids = [e.id for e in all_ecosystems()]

    assert ids == sorted(set(ids))
    assert {"pip", "npm", "yarn", "pnpm", "bun", "poetry", "uv", "pdm", "pipenv", "conda", "setuptools"} <= set(ids)
    assert all(e.title for e in all_ecosystems())


@pytest.mark.parametrize(
    "text", ["make", "echo pip install x", "node npm", "python a.py", "npm run x", "yarn build", "uv tool run x"]
)
def test_other_calls_belong_to_nobody(text: str) -> None:
    project = Project(Context.of({"package.json": "{}", "requirements.txt": ""}), "", "/app")

    for call in calls(parse_script(text), "/app", {}):
        assert [e.id for e in all_ecosystems() if e.install(call, project) is not None] == []
        assert [e.id for e in all_ecosystems() if e.cache(call, {}) is not None] == []


def test_one_call_belongs_to_one_ecosystem() -> None:
    project = Project(Context.of({"package.json": "{}", "requirements.txt": "", "pyproject.toml": ""}), "", "/app")
    texts = ["pip install -r requirements.txt", "npm install", "yarn", "pnpm i", "bun i", "poetry install", "uv sync",
             "pdm install", "pipenv install", "conda install x", "python setup.py install",
             "python -m venv v"]  # fmt: skip

    for text in texts:
        call = calls(parse_script(text), "/app", {})[0]
        assert len([e for e in all_ecosystems() if e.install(call, project) is not None]) == 1, text
