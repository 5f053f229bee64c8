"""The layers of a Dockerfile for programs; `docs/reference/explain.schema.json` describes it."""

from collections.abc import Iterable, Mapping

from optimizer import __version__
from optimizer.layers.replay import Replayed, Work
from optimizer.layers.table import Row
from optimizer.report.explain import BuiltImage, Explained, Side

SCHEMA = 1


def explain_json(found: Iterable[Explained]) -> str:
    """Return all Dockerfiles as one JSON object."""
    import json

    report = {"schema": SCHEMA, "version": __version__, "files": [_file(one) for one in found]}
    text = json.dumps(report, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
    return text + "\n"


def _file(one: Explained) -> Mapping[str, object]:
    return {
        "path": one.path,
        "context": one.context,
        "builder": str(one.builder),
        "supposed": {
            "files": list(one.supposed.files),
            "build_args": list(one.supposed.build_args),
            "new_base": one.supposed.new_base,
            "chosen": one.supposed.chosen,
        },
        "before": _side(one.before),
        "after": _side(one.after) if one.after else None,
        "history": _history(one.history) if one.history else None,
        "image": _image(one.image) if one.image else None,
    }


def _side(side: Side) -> Mapping[str, object]:
    stack = side.stack
    return {
        "layers": stack.layers,
        "bytes": stack.bytes,
        "steps": stack.built,
        "steps_again": len(stack.again),
        "seconds_again": round(stack.seconds_again, 1),
        "chain": side.chain,
        "rows": [_row(row) for row in stack.rows],
    }


def _row(row: Row) -> Mapping[str, object]:
    return {
        "step": row.number,
        "line": row.line,
        "stage": row.stage,
        "instruction": row.text,
        "layer": row.layer,
        "in_image": row.final,
        "bytes": row.weight.bytes if row.weight else None,
        "estimated": not row.weight.known if row.weight else None,
        "reads": list(row.reads),
        "fate": str(row.fate),
        "why": row.why,
        "seconds": row.seconds,
    }


def _history(history: Replayed) -> Mapping[str, object]:
    return {
        "before": _work(history.before),
        "after": _work(history.after),
        "saving": round(history.saving, 4),
        "manifests": dict(history.manifests),
        "commits": [
            {"commit": name, "before": _work(before), "after": _work(after)} for name, before, after in history.commits
        ],
    }


def _work(work: Work) -> Mapping[str, object]:
    return {"steps": work.steps, "in_doubt": work.doubted, "seconds": round(work.seconds, 1)}


def _image(image: BuiltImage) -> Mapping[str, object]:
    return {
        "name": image.name,
        "rows": [
            {"step": r.number, "created_by": r.layer.created_by, "bytes": r.layer.size, "layer": not r.layer.empty}
            for r in image.rows
        ],
        "missing": list(image.missing),
    }
