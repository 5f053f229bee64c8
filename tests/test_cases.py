"""Every folder of fixtures/cases, end to end through the command line."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.end_to_end import Case, all_cases, expected_files, found_files, report

CASES = all_cases()
each_case = pytest.mark.parametrize("case", CASES, ids=[case.path.name for case in CASES])


@each_case
def test_gives_what_is_expected(case: Case) -> None:
    assert expected_files(report(case)) == found_files(case)


@each_case
def test_a_second_run_finds_nothing(case: Case, tmp_path: Path) -> None:
    shutil.copytree(case.context, tmp_path / "context", symlinks=True)
    entry = report(case)
    (tmp_path / "context" / case.dockerfile).write_bytes(str(entry["content"]).encode())
    for name, text in expected_files(entry).items():
        if name not in {"Dockerfile", "diff.patch", "report.json"}:
            (tmp_path / "context" / name).write_bytes(text.encode())

    again = report(replace(case, path=tmp_path))

    assert again["status"] != "changed", again["diff"]


@pytest.mark.parametrize("level", ["exact", "equivalent", "assumed"])
@each_case
def test_passes_the_gate_at_every_level(case: Case, level: str) -> None:
    assert report(case, level)["error"] is None


@pytest.mark.parametrize("case", [c for c in CASES if c.unchanged], ids=[c.path.name for c in CASES if c.unchanged])
def test_stays_for_the_reason_given(case: Case) -> None:
    entry = report(case)

    assert entry["status"] in {"unchanged", "declined"}
    declines = entry["declines"]
    assert isinstance(declines, list)
    reasons = [f"{d['transform']}: {d['reason']}" for d in declines]
    assert reasons == [] if case.unchanged == "nothing" else any(case.unchanged in reason for reason in reasons)


def test_a_third_of_the_cases_must_not_change() -> None:
    unchanged = [case for case in CASES if case.unchanged]

    assert len(CASES) >= 60
    assert len(unchanged) * 3 >= len(CASES)
