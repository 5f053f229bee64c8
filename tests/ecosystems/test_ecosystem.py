import pytest

from optimizer.context import Context
from optimizer.ecosystems import Project, all_ecosystems, ecosystems_for
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


def test_an_ecosystem_keeps_silent_on_programs_that_it_does_not_name() -> None:
    programs = {program for ecosystem in all_ecosystems() for program in ecosystem.programs} | {"make", "rm", "curl"}
    words = (" install x", " add x", " sync", " -m pip install x", " build", " -r requirements.txt", "")
    project = Project(Context.of({"package.json": "{}", "requirements.txt": "", "go.mod": "module x\n"}), "", "/app")

    for program in programs:
        for text in words:
            (call,) = calls(parse_script(program + text), "/app", {})
            for ecosystem in (e for e in all_ecosystems() if e not in ecosystems_for(program)):
                assert (ecosystem.install(call, project), ecosystem.cache(call, {})) == (None, None), (ecosystem, text)


def test_a_version_behind_the_name_of_a_program_does_not_matter() -> None:
    assert ecosystems_for("python3.12") == ecosystems_for("python") != ()
    assert ecosystems_for("pip3") == ecosystems_for("pip")
