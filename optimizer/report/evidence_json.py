"""What the builds showed, for programs; `docs/reference/evidence.schema.json` describes it."""

from collections.abc import Iterable

from optimizer import __version__
from optimizer.report.evidence import Evidence

SCHEMA = 1


def evidence_json(found: Iterable[Evidence]) -> str:
    """Return the run as one JSON object."""
    import json

    files = [evidence_record(one) for one in found]
    return json.dumps({"schema": SCHEMA, "version": __version__, "files": files}, indent=2) + "\n"


def evidence_record(evidence: Evidence) -> dict[str, object]:
    """Return the evidence of one Dockerfile as JSON has it."""
    from msgspec import to_builtins

    return {**to_builtins(evidence), "level": str(evidence.level)}
