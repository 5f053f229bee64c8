"""Many repositories in one run."""

from pathlib import Path
from typing import Any

import pytest

from optimizer.bot import visit as visits
from optimizer.bot.target import Target
from optimizer.bot.visit import Visit
from tests.bot.conftest import DONE, FILES, ONLY, Dfopt, Forge

NUMBER = 50


def test_fifty_repositories(gitea: Forge, dfopt: Dfopt, tmp_path: Path) -> None:
    names = [f"team/app{number:02}" for number in range(NUMBER)]
    for name in names:
        gitea.store.add(name, {"Dockerfile": DONE} if name.endswith("5") else FILES)
    gitea.store.repositories["team/app07"].archived = True
    targets = tmp_path / "repositories.txt"
    targets.write_text("# all of them\n" + "".join(f"{gitea.target(name)}\n" for name in names))
    journal = tmp_path / "done.jsonl"
    run = ("--from", str(targets), "--jobs", "8", "--resume", str(journal), *ONLY)

    first = dfopt(gitea, *run)

    assert first.code == 2
    assert first.out.splitlines()[-1] == "50 repositories: 44 opened, 5 unchanged, 1 failed"
    assert "app07: failed: team/app07 is archived" in first.out
    assert first.err.splitlines()[-1].startswith("[50/50] ")
    assert first.err.count(": done") == 49
    assert sum(len(one.requests) for one in gitea.store.repositories.values()) == 44

    # Taken up again, only what is not finished is looked at.
    gitea.store.repositories["team/app07"].archived = False
    asked = len(gitea.store.asked)
    second = dfopt(gitea, *run)

    assert second.code == 0
    assert second.out.splitlines()[-1] == "50 repositories: 1 opened, 49 finished before"
    assert all("app07" in one for one in gitea.store.asked[asked:])


def test_a_journal_that_was_cut_off(gitea: Forge, dfopt: Dfopt, tmp_path: Path) -> None:
    gitea.store.add("team/app", FILES)
    journal = tmp_path / "done.jsonl"
    journal.write_text('{"target": "gitea:')

    ran = dfopt(gitea, gitea.target("team/app"), "--resume", str(journal), *ONLY)

    assert ran.out.splitlines()[-1] == "1 repository: 1 opened"
    assert "finished before" in dfopt(gitea, gitea.target("team/app"), "--resume", str(journal), *ONLY).out


def test_an_interruption_tells_what_was_done(gitea: Forge, dfopt: Dfopt, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("team/a", "team/b", "team/c"):
        gitea.store.add(name, FILES)
    visit = visits.visit

    def interrupted(target: Target, *others: Any) -> Visit:
        if target.name == "team/b":
            raise KeyboardInterrupt
        return visit(target, *others)

    monkeypatch.setattr(visits, "visit", interrupted)
    ran = dfopt(gitea, *(gitea.target(name) for name in ("team/a", "team/b", "team/c")), "--jobs", "1", *ONLY)

    assert ran.code == 130
    assert "1 repository: 1 opened\n" in ran.err
    assert [len(one.requests) for one in gitea.store.repositories.values()] == [1, 0, 0]
