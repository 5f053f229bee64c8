"""What the builds showed, for the body of a pull request: the figures as a table, what differs behind a fold."""

from collections.abc import Iterator, Sequence

from optimizer.report.evidence import Difference, Evidence, Measured, Verdict
from optimizer.report.layer_stack import Mark, stack
from optimizer.report.markup import code, escaped
from optimizer.report.sizes import change, count, seconds, size

_VERDICTS = {
    Verdict.HOLDS: "proven by builds",
    Verdict.FAILS: "**the builds speak against it**",
    Verdict.NOT_JUDGED: "not judged",
}
_MARKS = {Mark.BASE: "", Mark.CACHED: "cached", Mark.RUN: "run again", Mark.UNKNOWN: ""}


def evidence_markdown(found: Sequence[Evidence]) -> str:
    """Return the run as Markdown, a section for each Dockerfile that was built."""
    return "\n".join(line for evidence in found if evidence.builder for line in _section(evidence))


def _section(evidence: Evidence) -> Iterator[str]:
    builds = count(evidence.builds, "build")
    yield f"### {code(evidence.path)}: {_VERDICTS[evidence.verdict]} ({builds}, {escaped(evidence.builder)})\n"
    if evidence.problem:
        yield f"{escaped(evidence.problem)}\n"
    if evidence.before and evidence.after:
        yield from _table(evidence.before, evidence.after)
    yield from (f"- {escaped(text)}" for text in evidence.smoke)
    for one in evidence.dropped:
        reasons = "; ".join(_told(difference) for difference in one.because[:3])
        yield f"- left out: {code(one.transform)} of line {one.line}" + (f", as {reasons}" if reasons else "")
    yield ""
    yield from _fold("Differences that nothing explains", evidence.unclaimed)
    yield from _fold("Expected differences", [one for one in evidence.differences if one.claimed_by])
    if evidence.before and evidence.after:
        yield from _layers(evidence.before, evidence.after)


def _table(before: Measured, after: Measured) -> Iterator[str]:
    yield "| | before | after | |"
    yield "|---|---:|---:|---|"
    yield f"| image | {size(before.size)} | {size(after.size)} | {change(before.size, after.size)} |"
    yield f"| layers | {before.layer_count} | {after.layer_count} | |"
    yield f"| build | {seconds(before.seconds)} | {seconds(after.seconds)} | |"
    if before.rebuild and after.rebuild:
        times = [seconds(each.rebuild.seconds) for each in (before, after) if each.rebuild]
        yield f"| build after an edit of {code(after.rebuild.touched)} | {times[0]} | {times[1]} | |"
        yield f"| steps that run again | {len(before.rebuild.executed)} | {len(after.rebuild.executed)} | |"
    yield ""


def _fold(title: str, found: Sequence[Difference]) -> Iterator[str]:
    if found:
        yield f"<details><summary>{title}: {len(found)}</summary>\n"
        yield from (f"- {_told(one)}" for one in found)
        yield "\n</details>\n"


def _layers(before: Measured, after: Measured) -> Iterator[str]:
    yield "<details><summary>Layers</summary>\n"
    for name, measured in (("before", before), ("after", after)):
        yield f"| {name} | size | after the edit |"
        yield "|---|---:|---|"
        yield from (
            f"| {code(layer.instruction[:80])} | {size(layer.size)} | {_MARKS[layer.mark]} |"
            for layer in stack(measured)
        )
        yield ""
    yield "</details>\n"


def _told(one: Difference) -> str:
    before, after = (code(value) if value is not None else "not there" for value in (one.before, one.after))
    more = f" (and {one.count} more)" if one.count else ""
    told = f"{one.check}: {code(one.subject)}{more}: {before} → {after}"
    return f"{told} ({code(one.claimed_by)})" if one.claimed_by else told
