"""The configuration: the nearest counts, every mistake names the file and the key."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from optimizer.cli.arguments import LevelName
from optimizer.cli.configuration import (
    Configuration,
    ConfigurationError,
    named_configuration,
    nearest_configuration,
    read_configuration,
)
from optimizer.cli.request import Request
from optimizer.transforms import Level

ADDS = 'FROM alpine:3.20\nADD app.txt /app.txt\nCMD ["cat", "/app.txt"]\n'

WRONG = {
    "an unknown key": ('levle = "exact"', "levle: unknown key; there are level, select,"),
    "an unknown level": ('level = "safe"', "level: must be one of exact, equivalent, assumed"),
    "a level that is no string": ("level = 1", "level: must be one of"),
    "select as a string": ('select = "merge-run"', "select: must be a list of strings"),
    "an unknown transform": ('ignore = ["merge-runs"]', "ignore: no transform is called 'merge-runs'; did you"),
    "an unknown transform's table": ("[transforms.nonsense]", "transforms.nonsense: no transform is called"),
    "an unknown option": ("[transforms.merge-run]\nfast = true", "transforms.merge-run.fast: unknown key"),
    "a level of a transform": ('[transforms.merge-run]\nlevel = "x"', "transforms.merge-run.level: must be one of"),
    "enabled as a string": ('[transforms.merge-run]\nenabled = "no"', "transforms.merge-run.enabled: must be true"),
    "a transform that is no table": ("[transforms]\nmerge-run = false", "transforms.merge-run: must be a table"),
    "a build argument that is no string": ("[build-args]\nA = 1", "build-args.A: must be a string"),
    "no TOML": ("level = ", "Invalid value"),
    "a target that is no string": ("target = 1", "target: must be a string"),
    "exclude as a string": ('exclude = "a"', "exclude: must be a list of strings"),
}  # fmt: skip
WHOLE = """
level = "exact"
select = ["merge-run", "copy-over-add"]
ignore = ["remove-downloads"]
target = "production"
exclude = ["legacy/*"]
[build-args]
VERSION = "1"
[transforms.merge-run]
level = "assumed"
[transforms.copy-over-add]
enabled = false
"""


def test_a_whole_file(folder: Path) -> None:
    (folder / "dfopt.toml").write_text(WHOLE)

    assert nearest_configuration(folder) == Configuration(
        folder=folder,
        level=Level.EXACT,
        select=frozenset({"merge-run", "copy-over-add"}),
        ignore=frozenset({"remove-downloads", "copy-over-add"}),
        target="production",
        build_args={"VERSION": "1"},
        exclude=("legacy/*",),
        levels={"merge-run": Level.ASSUMED},
    )


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_mistakes_name_the_file_and_the_key(folder: Path, text: str, message: str) -> None:
    path = folder / "dfopt.toml"
    path.write_text(text)

    with pytest.raises(ConfigurationError) as raised:
        read_configuration(path)

    assert str(raised.value).startswith(f"{path}: ")
    assert message in str(raised.value)


def test_a_mistake_ends_the_command_with_2(project: Path, dfopt: Callable) -> None:
    (project / "dfopt.toml").write_text('levle = "exact"')

    ran = dfopt("rewrite")

    assert ran.code == 2
    assert f"dfopt: Dockerfile: {project}/dfopt.toml: levle: unknown key" in ran.err
    assert (project / "Dockerfile").read_text() == ADDS


def test_the_nearest_parent_wins(folder: Path) -> None:
    near = folder / "a" / "b"
    near.mkdir(parents=True)
    (folder / "dfopt.toml").write_text('target = "far"')
    assert nearest_configuration(near).target == "far"

    nearer = folder / "a" / "c"
    nearer.mkdir()
    (nearer / "pyproject.toml").write_text('[tool.dfopt]\ntarget = "near"')
    assert nearest_configuration(nearer).target == "near"


def test_a_pyproject_without_our_table_is_passed_over(folder: Path) -> None:
    below = folder / "a"
    below.mkdir()
    (folder / "dfopt.toml").write_text('target = "far"')
    (below / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["dfopt"]\n')

    assert nearest_configuration(below).target == "far"


@pytest.mark.parametrize(
    "text",
    [
        '[tool.dfopt]\ntarget = "x"',
        '[ tool . "dfopt" ]\ntarget = "x"',
        '[tool]\ndfopt = {target = "x"}',
        '[tool]\ndfopt.target = "x"',
        'tool.dfopt.target = "x"',
        'tool = {dfopt = {target = "x"}}',
        '[tool]\n"dfopt" = { target = "x" }',
        '[project.scripts]\ndfopt = "a:b"\n[tool.dfopt]\ntarget = "x"',
    ],
)
def test_a_table_may_be_written_in_many_ways(folder: Path, text: str) -> None:
    (folder / "pyproject.toml").write_text(text)

    assert nearest_configuration(folder).target == "x"


def test_a_pyproject_whose_table_is_none(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool]\ndfopt = 3\n")

    with pytest.raises(ConfigurationError, match=r"tool\.dfopt: must be a table"):
        read_configuration(folder / "pyproject.toml")


def test_a_named_file_that_is_wrong_is_told_once(project: Path, dfopt: Callable) -> None:
    (project / "Dockerfile.dev").write_text(ADDS)

    ran = dfopt("diff", "--config", "nowhere.toml")

    assert (ran.code, ran.err) == (2, "dfopt: nowhere.toml: no such file\n")


def test_the_search_ends_at_the_repository(folder: Path) -> None:
    inner = folder / "inner"
    (inner / ".git").mkdir(parents=True)
    (folder / "dfopt.toml").write_text('target = "far"')

    assert nearest_configuration(inner) == Configuration()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [("none.toml", None, "no such file"), ("pyproject.toml", "[project]", "no \\[tool.dfopt\\] in it")],
)
def test_a_named_file_must_say_something(folder: Path, name: str, content: str | None, message: str) -> None:
    if content is not None:
        (folder / name).write_text(content)

    with pytest.raises(ConfigurationError, match=message):
        named_configuration(folder / name)


def test_excluded_files_are_taken_only_when_named(project: Path, dfopt: Callable) -> None:
    (project / "dfopt.toml").write_text('exclude = ["legacy"]')
    (project / "legacy").mkdir()
    (project / "legacy" / "Dockerfile").write_text(ADDS)

    found = [file["path"] for file in json.loads(dfopt("diff", "--format", "json").out)["files"]]
    named = [file["path"] for file in json.loads(dfopt("diff", "--format", "json", "legacy/Dockerfile").out)["files"]]

    assert (found, named) == (["Dockerfile"], ["legacy/Dockerfile"])


def test_the_command_line_is_above_the_configuration(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "dfopt.toml").write_text(WHOLE)
    monkeypatch.setenv("FROM_OUTSIDE", "yes")
    request = Request(
        level=LevelName.EQUIVALENT,
        select=("remove-downloads",),
        ignore=("merge-run",),
        target="test",
        build_args=("A=b=c", "FROM_OUTSIDE", "NOT_SET"),
    )

    plan = request.plan(nearest_configuration(folder))

    assert plan.level is Level.EQUIVALENT
    assert plan.select == {"remove-downloads"}
    assert plan.ignore == {"merge-run", "remove-downloads", "copy-over-add"}
    assert plan.target == "test"
    assert plan.build_args == {"VERSION": "1", "A": "b=c", "FROM_OUTSIDE": "yes"}
    assert plan.levels == {"merge-run": Level.EQUIVALENT}


def test_the_configuration_is_above_the_defaults(folder: Path) -> None:
    (folder / "dfopt.toml").write_text(WHOLE)

    plan = Request().plan(nearest_configuration(folder))

    assert (plan.level, plan.target) == (Level.EXACT, "production")
    assert Request().plan(Configuration()).level is Level.EQUIVALENT
