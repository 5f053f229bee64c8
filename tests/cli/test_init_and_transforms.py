"""`dfopt init` and `dfopt transforms`."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from optimizer.cli import texts
from optimizer.cli.configuration import Configuration, read_configuration
from optimizer.transforms import all_transforms


def test_init_writes_a_configuration_that_changes_nothing(folder: Path, dfopt: Callable) -> None:
    ran = dfopt("init")

    assert (ran.code, ran.text) == (0, "dfopt.toml written\n")
    assert read_configuration(folder / "dfopt.toml") == Configuration(folder=folder)


def test_all_that_the_configuration_names_can_be_used(folder: Path, dfopt: Callable) -> None:
    dfopt("init")
    path = folder / "dfopt.toml"
    path.write_text(re.sub(r"^# (?=\[|[a-zA-Z-]+ = )", "", path.read_text(), flags=re.MULTILINE))

    assert set(tomllib.loads(path.read_text())["transforms"]) == {transform.id for transform in all_transforms()}
    assert read_configuration(path)


def test_init_replaces_nothing_unless_forced(folder: Path, dfopt: Callable) -> None:
    (folder / "dfopt.toml").write_text("mine")

    refused = dfopt("init")
    assert (refused.code, refused.err) == (2, "dfopt: dfopt.toml is there already; --force replaces it\n")
    assert (folder / "dfopt.toml").read_text() == "mine"

    assert dfopt("init", "--force").code == 0
    assert (folder / "dfopt.toml").read_text() != "mine"


def test_init_needs_a_folder(folder: Path, dfopt: Callable) -> None:
    ran = dfopt("init", folder / "nowhere")

    assert ran.code == 2
    assert "is no folder" in ran.err


def test_the_table_has_a_line_for_each(dfopt: Callable) -> None:
    lines = dfopt("transforms").text.splitlines()

    assert [line.split()[0] for line in lines] == ["id", *(transform.id for transform in all_transforms())]


@pytest.mark.parametrize("transform", all_transforms(), ids=lambda t: t.id)
def test_a_page_has_the_documentation_and_every_example(dfopt: Callable, transform: object) -> None:
    page = dfopt("transforms", transform.id).text

    assert transform.doc in page
    for example in transform.examples:
        before, after = (text.rstrip("\n") for text in example.texts())
        assert f"### {example.title}\n" in page
        assert f"```dockerfile\n{before}\n```\n" in page
        assert f"```dockerfile\n{after}\n```\n" in page
        assert example.because in page


def test_a_value_that_a_template_misses_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        texts.text_of("docs/transform.md.j2")


def test_the_templates_of_an_installed_package_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.resources.files", lambda _name: tmp_path / "optimizer")
    assert texts.templates_folder() == tmp_path / "templates"

    (tmp_path / "optimizer" / "templates").mkdir(parents=True)
    assert texts.templates_folder() == tmp_path / "optimizer" / "templates"
