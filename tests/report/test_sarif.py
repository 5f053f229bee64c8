"""SARIF: valid, and its fixes make of the old text the new one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from optimizer.engine import Result
from optimizer.report import Change, Entry
from optimizer.report.sarif import sarif
from optimizer.transforms import Level, all_transforms
from tests.report.conftest import applied

SCHEMA = Path(__file__).parents[2] / "fixtures" / "contracts" / "sarif-2.1.0.json"
TEXTS = st.text(st.sampled_from("ab\n\r é😀"), max_size=30)


@pytest.fixture(scope="module")
def valid() -> Callable[[str], dict[str, Any]]:
    """Check a log against the published schema and return its run."""
    validator = Draft7Validator(json.loads(SCHEMA.read_text()), format_checker=Draft7Validator.FORMAT_CHECKER)

    def check(log: str) -> dict[str, Any]:
        found = json.loads(log)
        assert not [error.message for error in validator.iter_errors(found)]
        (run,) = found["runs"]
        return run  # type: ignore[no-any-return]

    return check


def test_the_schema_refuses_what_is_no_sarif(valid: Callable) -> None:
    with pytest.raises(AssertionError):
        valid('{"version": "2.1.0", "runs": [{"tool": {}}]}')


def test_a_run(changed: Entry, unchanged: Entry, failed: Entry, valid: Callable) -> None:
    run = valid(sarif([changed, unchanged, failed], all_transforms(), "1.2.3"))

    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [
        "copy-over-add", "split-manifest-copy", "write-dockerignore"
    ]  # fmt: skip
    assert [result["ruleId"] for result in run["results"]] == [
        "split-manifest-copy", "copy-over-add", "write-dockerignore"
    ]  # fmt: skip
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    (place,) = run["results"][1]["locations"]
    assert place["physicalLocation"]["artifactLocation"] == {"uri": "api/Dockerfile", "uriBaseId": "%SRCROOT%"}
    assert place["physicalLocation"]["region"] == {"startLine": 16}
    assert "Assumes: nobody needs ADD." in run["results"][1]["message"]["text"]
    (invocation,) = run["invocations"]
    assert not invocation["executionSuccessful"]
    assert invocation["toolExecutionNotifications"][0]["message"]["text"] == "there is no FROM instruction"


def test_the_fixes_of_a_run(changed: Entry, valid: Callable) -> None:
    run = valid(sarif([changed], all_transforms(), "1.2.3"))

    for result in run["results"]:
        (fix,) = result["fixes"]
        own, ignore = fix["artifactChanges"]
        assert fixed(changed.changes[0].before or "", own["replacements"]) == changed.changes[0].after
        assert fixed("", ignore["replacements"]) == changed.changes[1].after


def test_names_are_quoted_for_uris(valid: Callable) -> None:
    entry = entry_of("FROM a\n", "FROM b\n", "my app/Dockerfile#1")

    run = valid(sarif([entry], all_transforms(), "1"))

    location = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location["uri"] == "my%20app/Dockerfile%231"


@settings(max_examples=200)
@given(TEXTS, TEXTS)
def test_fixes_make_the_new_text(before: str, after: str) -> None:
    if before == after:
        return
    run = json.loads(sarif([entry_of(before, after)], all_transforms(), "1"))["runs"][0]

    (change,) = run["results"][0]["fixes"][0]["artifactChanges"]
    assert fixed(before, change["replacements"]) == after


def entry_of(before: str, after: str, path: str = "Dockerfile") -> Entry:
    result = Result(before, after, (applied("copy-over-add", 1, 1),))
    change = Change(path, before, after, path)
    assert change.patch_path == path
    return Entry(path, ".", Level.EXACT, result, (), path)


def fixed(text: str, replacements: list[dict[str, Any]]) -> str:
    """Apply replacements as a reader of SARIF does: all of them name places of the old text."""
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(units(line)) + 1)
    data = units(text)
    for one in reversed(replacements):
        region = one["deletedRegion"]
        begin = starts[region["startLine"] - 1] + region["startColumn"] - 1
        end = starts[region["endLine"] - 1] + region["endColumn"] - 1
        assert begin <= end <= len(data)
        data[begin:end] = units(one["insertedContent"]["text"])
    return b"".join(data).decode("utf-16-le")


def units(text: str) -> list[bytes]:
    """Return a text as UTF-16 units."""
    data = text.encode("utf-16-le")
    return [data[at : at + 2] for at in range(0, len(data), 2)]
