"""The JSON report keeps to its schema."""

import json
from pathlib import Path

import jsonschema
import pytest

from optimizer.images.lifecycle import as_of
from optimizer.report import Entry
from optimizer.report.json_report import json_report
from optimizer.transforms import Level

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "reference" / "report.schema.json").read_text())


@pytest.fixture
def report(changed: Entry, unchanged: Entry, failed: Entry, bug: Entry) -> dict:
    return json.loads(json_report([changed, unchanged, failed, bug]))


def test_is_valid(report: dict) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(report)


def test_the_schema_names_every_property(report: dict) -> None:
    definitions = SCHEMA["$defs"]
    changed = report["files"][0]

    assert set(report) == set(SCHEMA["properties"])
    assert set(changed) == set(definitions["file"]["required"])
    assert set(changed) | {"evidence"} == set(definitions["file"]["properties"])
    for key, name in (("rewrites", "rewrite"), ("declines", "decline"), ("artifacts", "artifact")):
        assert set(changed[key][0]) == set(definitions[name]["properties"])


def test_says_how_each_file_fared(report: dict) -> None:
    assert [file["status"] for file in report["files"]] == ["changed", "unchanged", "error", "error"]


def test_a_changed_file(report: dict, changed: Entry) -> None:
    file = report["files"][0]

    assert changed.result
    assert file["content"] == changed.result.after
    assert file["artifacts"] == [{"path": "api/.dockerignore", "action": "create", "content": "node_modules\n"}]
    assert "diff --git a/api/.dockerignore b/api/.dockerignore\nnew file mode 100644\n" in file["diff"]
    assert file["estimate"]["before"] == {"bytes": None, "layers": 5, "not_counted": []}
    assert file["estimate"]["saved"] == {"bytes": 2_500_000, "layers": -1}
    assert file["rewrites"][1]["assumption"] == "nobody needs ADD"


def test_the_predicted_sizes(sized: Entry) -> None:
    report = json.loads(json_report([sized]))
    jsonschema.Draft202012Validator(SCHEMA).validate(report)
    estimate = report["files"][0]["estimate"]

    assert estimate["before"] == {"bytes": 1_000_000_000, "layers": 5, "not_counted": ["line 4: make"]}
    assert estimate["after"]["bytes"] == 200_000_000
    assert estimate["saved"]["bytes"] == 800_000_000
    assert estimate["facts"] == as_of()


def test_a_file_with_an_error_has_nothing_else(report: dict) -> None:
    file = report["files"][2]

    assert file["error"] == "there is no FROM instruction"
    assert (file["content"], file["diff"], file["rewrites"], file["estimate"]) == (None, "", [], None)


def test_a_name_that_is_no_text_is_valid_json() -> None:
    entry = Entry("Dockerfile.\udcff", ".", Level.EXACT, error="not a file")

    written = json_report([entry]).encode()

    assert json.loads(written)["files"][0]["path"] == "Dockerfile.\udcff"
