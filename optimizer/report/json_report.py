"""The run as JSON, for programs; `docs/reference/report.schema.json` describes it."""

from collections.abc import Iterable, Mapping

from optimizer import __version__
from optimizer.engine import Applied, Declined, Result
from optimizer.images.lifecycle import as_of
from optimizer.report.entry import Entry
from optimizer.report.evidence_json import evidence_record
from optimizer.report.patch import file_patch
from optimizer.transforms import Gain

SCHEMA = 1


def json_report(entries: Iterable[Entry]) -> str:
    """Return the whole run as one JSON object."""
    import json
    import re

    report = {"schema": SCHEMA, "version": __version__, "files": [_file(entry) for entry in entries]}
    text = json.dumps(report, indent=2, ensure_ascii=False)
    # A file name that is not UTF-8 arrives as surrogates, which only an escape can carry.
    return re.sub("[\ud800-\udfff]", lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"


def _file(entry: Entry) -> Mapping[str, object]:
    result = None if entry.error else entry.result
    return {
        "path": entry.path,
        "context": entry.context,
        "status": str(entry.status),
        "level": str(entry.level),
        "content": result.after if result else None,
        "diff": "".join(map(file_patch, entry.changes)),
        "rewrites": [_rewrite(applied) for applied in result.applied] if result else [],
        "declines": [_decline(declined) for declined in result.declined] if result else [],
        "artifacts": [{"path": c.path, "action": c.action, "content": c.after} for c in entry.artifacts],
        "estimate": _estimate(result, entry.gain) if result else None,
        "error": entry.error,
        **({"evidence": evidence_record(entry.evidence)} if entry.evidence else {}),
    }


def _rewrite(applied: Applied) -> Mapping[str, object]:
    rewrite = applied.rewrite
    return {
        "transform": applied.transform,
        "level": str(applied.level),
        "line": applied.line,
        "end_line": applied.end_line,
        "title": rewrite.title,
        "why": rewrite.why,
        "assumption": rewrite.assumption,
        "gain": _gain(rewrite.gain),
    }


def _decline(declined: Declined) -> Mapping[str, object]:
    return {"transform": declined.transform, "line": declined.line, "reason": declined.reason}


def _estimate(result: Result, gain: Gain) -> Mapping[str, object]:
    """Return what is predicted of the images before and after, which are not built."""
    before, after = (
        {"bytes": size and size.bytes, "layers": layers, "not_counted": list(size.unknown) if size else []}
        for size, layers in zip(result.sizes, result.layers, strict=True)
    )
    return {"before": before, "after": after, "saved": _gain(gain), "facts": as_of()}


def _gain(gain: Gain) -> Mapping[str, int]:
    return {"bytes": gain.bytes, "layers": gain.layers}
