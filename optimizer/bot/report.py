"""What a run over repositories tells: a line each, the plan of a dry run, a summary."""

from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import json

from optimizer.bot.maintain import Step
from optimizer.bot.visit import Visit
from optimizer.report.text import plain

_PIECE = 400  # `plain` shortens what is longer


def told(visit: Visit, *, verbose: bool = False) -> str:
    """Return what was done in one repository."""
    return "\n".join(_lines(visit, verbose=verbose))


def summary(visits: Sequence[Visit], skipped: int = 0) -> str:
    """Return the last line of a run."""
    counts = Counter(
        f"would be {step.did}" if step.dry else str(step.did)
        for visit in visits
        if not visit.problem
        for step in visit.steps
    )
    parts = [f"{number} {did}" for did, number in sorted(counts.items())]
    if failed := sum(bool(visit.problem) for visit in visits):
        parts.append(f"{failed} failed")
    if skipped:
        parts.append(f"{skipped} finished before")
    number = len(visits) + skipped
    return f"{number:,} {'repository' if number == 1 else 'repositories'}: {', '.join(parts) or 'no Dockerfile'}"


def as_json(visits: Sequence[Visit]) -> str:
    """Return a run for programs."""
    return json.format(json.encode({"schema": 1, "repositories": list(visits)}), indent=2).decode() + "\n"


def _lines(visit: Visit, *, verbose: bool) -> Iterator[str]:
    if visit.problem:
        yield f"{plain(visit.target)}: failed: {plain(visit.problem)}"
    if visit.details and verbose:
        yield visit.details.rstrip()
    for step in visit.steps:
        yield f"{plain(visit.target)}: {_said(step)}"
        if step.dry and step.body:
            yield from _planned(step)
    if not visit.steps and not visit.problem:
        yield f"{plain(visit.target)}: no Dockerfile"
    if verbose or not visit.steps:
        yield from (f"  {plain(note)}" for note in visit.notes)


def _said(step: Step) -> str:
    verb = f"would be {step.did}" if step.dry else str(step.did)
    why = f" ({plain(step.why.rstrip('.'))})" if step.why else ""
    return f"{verb}: {plain(step.branch)}{why}" + (f" {plain(step.url)}" if step.url else "")


def _planned(step: Step) -> Iterator[str]:
    yield f"branch: {plain(step.branch)}\ncommit: {step.commit}"
    yield from map(_whole, step.message.rstrip().split("\n"))
    yield f"title: {plain(step.title)}\nbody:"
    yield from map(_whole, step.body.rstrip().split("\n"))


def _whole(line: str) -> str:
    """Return a line that no control character can leave; however long, it is shown to its end."""
    pieces = (line[at : at + _PIECE] for at in range(0, len(line), _PIECE))
    return f"    {''.join(map(plain, pieces))}".rstrip()
