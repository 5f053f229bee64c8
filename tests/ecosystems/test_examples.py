"""The rows of docs/reference/ecosystems.md, as they are asked for and as the code answers."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from optimizer.context import Context
from optimizer.ecosystems import Install, Project, Refusal, ecosystem_modules
from optimizer.shell import Call, parse_script
from optimizer.shell.calls import calls

EXAMPLES = Path(__file__).parents[2] / "fixtures" / "ecosystems"
PAGES = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted(EXAMPLES.glob("*.toml"))}


def rows(kind: str) -> Iterator[Any]:
    for name, page in PAGES.items():
        for number, row in enumerate(page.get(kind, ())):
            files = page["projects"][row["project"]] if "project" in row else {}
            yield pytest.param(name, row, files, id=f"{name}-{number}-{row['command']}")


def call(command: str) -> Call:
    return calls(parse_script(command), "/app", {})[-1]


@pytest.mark.parametrize(("name", "row", "files"), list(rows("installs")))
def test_an_install_is_done_as_the_page_says(name: str, row: Mapping[str, Any], files: Mapping[str, str]) -> None:
    answer = ecosystem_modules()[name].install(call(row["command"]), Project(Context.of(files), "", "/app"))

    if "because" in row:
        assert isinstance(answer, Refusal)
        assert row["because"] in answer.reason
    else:
        assert isinstance(answer, Install), answer
        assert list(answer.manifests) == row["copies"]
        assert (answer.command, answer.then) == (row.get("runs"), row.get("later"))
        assert list(answer.ahead.commands if answer.ahead else ()) == row.get("ahead", [])


@pytest.mark.parametrize(("name", "row", "files"), list(rows("caches")))
def test_a_cache_is_kept_out_as_the_page_says(name: str, row: Mapping[str, Any], files: Mapping[str, str]) -> None:
    cache = ecosystem_modules()[name].cache(call(row["command"]), {})
    assert cache
    if cache.decide:
        cache = cache.decide(Context.of(files))

    if "because" in row:
        assert row["because"] in (cache.off or "")
    else:
        assert (cache.flag or " && ".join(cache.cleanup), cache.off) == (row["does"], None)


def test_every_ecosystem_has_its_page() -> None:
    assert PAGES.keys() == ecosystem_modules().keys()


@pytest.mark.parametrize("name", PAGES)
def test_every_page_shows_something_that_is_left_alone(name: str) -> None:
    kinds = [row for kind in ("installs", "caches") for row in PAGES[name].get(kind, ())]

    assert any("because" in row for row in kinds)
