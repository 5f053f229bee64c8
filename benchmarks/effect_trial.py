"""One Dockerfile of the study: rewrite it, build what there is to build, and say how it fared."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from effect_records import SMALL, Decline, Outcome, Record, Source
from msgspec import Struct
from msgspec.structs import replace

from optimizer.cli.disk import read_context
from optimizer.engine import Plan, Result, optimize
from optimizer.report import Evidence, Verdict
from optimizer.verify.builder import Builder, BuilderError, BuildFailed, BuildRequest
from optimizer.verify.evidence import Settings, Subject, proving

_SETTLED = {Outcome.SMALLER, Outcome.DECLINED, Outcome.NOT_BUILT}  # the others may have had a cause outside
_MOST_SAID = 5  # of what speaks against a rewrite
_ASIDE = re.compile(r" in both.*| \(.*|; .*", re.DOTALL)
_BASE = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)", re.IGNORECASE | re.MULTILINE)


class Work(Struct, frozen=True):
    """A Dockerfile to examine; `folder` is its build context."""

    name: str
    dockerfile: Path
    folder: Path
    plan: Plan = Plan()
    source: Source | None = None


class Bench(Struct, frozen=True):
    """What the work is done with: the commit of dfopt, the builder, the seconds that a build may take."""

    code: str
    builder: Builder
    limit: float
    told: Callable[[str], None]


def examined(work: Work, bench: Bench, known: Record | None = None) -> Record:
    """Return what is seen of a Dockerfile; what was built for the same rewrite before (`known`) is not built again.

    Never raises for what dfopt, the Dockerfile or the builder does.
    """
    record = Record(work.name, Outcome.STOPPED, bench.code, source=work.source)
    try:
        text = work.dockerfile.read_text("utf-8")
        record = replace(record, base=" ".join(_BASE.findall(text)))
        result = optimize(text, read_context(work.folder, work.dockerfile), work.plan)
    except Exception as error:  # noqa: BLE001 (one bad project never stops the study)
        return replace(record, against=(f"{type(error).__name__}: {error}",))
    record = _judged_from_text(record, result)
    if known is not None and known.rewrite == record.rewrite and known.outcome in _SETTLED:
        return replace(known, code=record.code, declines=record.declines)
    return _proven(record, work, result, bench) if record.transforms else _original(record, work, bench)


def _judged_from_text(record: Record, result: Result) -> Record:
    """Add what is known before anything is built."""
    applied = dict.fromkeys(one.transform for one in result.applied if one.transform in SMALL)
    declines = dict.fromkeys(Decline(one.transform, one.reason) for one in result.declined if one.transform in SMALL)
    written = "\0".join([result.before, result.after, *(f"{a.path}\0{a.content}" for a in result.artifacts)])
    return replace(
        record,
        rewrite=hashlib.sha256(written.encode()).hexdigest()[:16],
        transforms=tuple(applied),
        declines=() if applied else tuple(declines),
    )


def _original(record: Record, work: Work, bench: Bench) -> Record:
    """Build what dfopt leaves alone: does it build at all, and how large is it."""
    try:
        request = BuildRequest(work.folder, work.dockerfile, limit=bench.limit)
        image = bench.builder.build(request, bench.told).image
        try:
            size = sum(layer.size for layer in bench.builder.history(image))
        finally:
            bench.builder.remove(image)
    except BuildFailed as error:
        return replace(record, outcome=Outcome.NOT_BUILT, against=(str(error),))
    except BuilderError as error:
        return replace(record, outcome=Outcome.NOT_JUDGED, against=(str(error),))
    return replace(record, outcome=Outcome.DECLINED, before=size)


def _proven(record: Record, work: Work, result: Result, bench: Bench) -> Record:
    """Build both and compare, as `dfopt verify --cached --no-rebuild` does."""
    subject = Subject(work.dockerfile.name, work.folder, read_context(work.folder, work.dockerfile))
    settings = Settings(limit=bench.limit, rebuild=False, fresh=False)
    try:
        with proving(bench.builder, subject, settings, bench.told) as proof:
            evidence = proof.prove(result, work.plan.level)
    except Exception as error:  # noqa: BLE001 (one bad project never stops the study)
        return replace(record, against=(f"{type(error).__name__}: {error}",))
    return _with_evidence(record, evidence)


def _with_evidence(record: Record, evidence: Evidence) -> Record:
    record = replace(
        record,
        outcome=_outcome(evidence),
        before=evidence.before.size if evidence.before else None,
        after=evidence.after.size if evidence.after else None,
        start=tuple(_ASIDE.sub("", note) for note in evidence.smoke),
    )
    against = [
        f"{d.check}: {d.subject}: {d.before or 'not there'} -> {d.after or 'not there'}" for d in evidence.unclaimed
    ]
    return replace(record, against=(*against[:_MOST_SAID], *filter(None, [evidence.problem])))


def _outcome(evidence: Evidence) -> Outcome:
    if evidence.verdict is Verdict.HOLDS:
        return Outcome.SMALLER
    if evidence.verdict is Verdict.FAILS:
        return Outcome.DIFFERS if evidence.after else Outcome.BROKEN
    never = evidence.before is None and (evidence.problem or "").startswith("the original")
    return Outcome.NOT_BUILT if never else Outcome.NOT_JUDGED
