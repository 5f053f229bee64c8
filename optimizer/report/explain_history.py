"""The replay of a project's history, for people."""

from collections.abc import Iterator

from optimizer.layers.replay import Replayed
from optimizer.report.sizes import count
from optimizer.report.text import Style, plain

_SHOWN = 8


def history_lines(history: Replayed, style: Style) -> Iterator[str]:
    """Go through the lines of a replay."""
    before, after, commits = history.before, history.after, len(history.commits)
    yield style.paint(f"The last {count(commits, 'commit')} replayed", "bold") + (
        f": {history.built:,} of them {'makes' if history.built == 1 else 'make'} a build run something again"
    )
    yield f"  as it is:              {_work(before.steps, before.seconds)}"
    yield f"  after dfopt's rewrite: {_work(after.steps, after.seconds)}"
    if before.seconds:
        saved = round(100 * history.saving)
        verb = "saves" if saved >= 0 else "costs"
        yield f"  the rewrite {verb} about {abs(saved)} % of that time"
    if before.doubted or after.doubted:
        yield f"  (in doubt, and counted as run again: {before.doubted:,} steps as it is, {after.doubted:,} after)"
    often = sorted(history.manifests.items(), key=lambda item: (-item[1], item[0]))
    for path, times in often[:_SHOWN]:
        yield f"  {plain(path)} changed in {count(times, 'commit')}"


def _work(steps: int, spent: float) -> str:
    return f"{count(steps, 'step')} run again, about {_time(spent)} by a rule of thumb"


def _time(spent: float) -> str:
    minutes = spent / 60
    if minutes < 1:
        return f"{spent:.0f} s"
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"  # noqa: PLR2004 (two hours)
