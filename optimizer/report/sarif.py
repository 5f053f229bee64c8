"""The run as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/), with fixes."""

from collections.abc import Iterable, Mapping, Sequence

from optimizer.engine import Applied
from optimizer.report.diff import Hunk, hunks, lines_of
from optimizer.report.entry import Change, Entry
from optimizer.report.sections import said
from optimizer.transforms import Level, Transform

Object = Mapping[str, object]

_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/"
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif(entries: Sequence[Entry], transforms: Iterable[Transform], version: str) -> str:
    """Return a run; each result carries one fix with all changes of its Dockerfile, for they hold only together."""
    import json

    used = {applied.transform for entry in entries if entry.result for applied in entry.result.applied}
    rules = [transform for transform in transforms if transform.id in used]
    index = {transform.id: at for at, transform in enumerate(rules)}
    failed = [entry for entry in entries if entry.error]
    driver = {"name": "dfopt", "version": version, "rules": [_rule(rule) for rule in rules]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "utf16CodeUnits",
        "invocations": [{"executionSuccessful": not failed, "toolExecutionNotifications": list(map(_notice, failed))}],
        "results": [result for entry in entries for result in _results(entry, index)],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(transform: Transform) -> Object:
    return {
        "id": transform.id,
        "shortDescription": {"text": transform.summary},
        "fullDescription": {"text": " ".join(transform.doc.split())},
        "help": {"text": transform.doc.strip(), "markdown": transform.doc.strip()},
        "defaultConfiguration": {"level": _level(transform.level)},
        "properties": {"tags": [str(transform.level), transform.gain], "precision": "high"},
    }


def _level(level: Level) -> str:
    return "note" if level is Level.ASSUMED else "warning"


def _notice(entry: Entry) -> Object:
    place = {"locations": [_location(entry.patch_path or entry.path, entry.line or 1)]}
    return {"level": "error", "message": {"text": entry.error or ""}, **place}


def _results(entry: Entry, index: Mapping[str, int]) -> Iterable[Object]:
    if entry.error or entry.result is None:
        return
    fix = {
        "description": {"text": f"Take over all changes of {entry.patch_path or entry.path}"},
        "artifactChanges": [_changes(change) for change in entry.changes],
    }
    for applied in entry.result.applied:
        yield _result(applied, entry, index, fix)


def _result(applied: Applied, entry: Entry, index: Mapping[str, int], fix: Object) -> Object:
    return {
        "ruleId": applied.transform,
        "ruleIndex": index[applied.transform],
        "level": _level(applied.level),
        "message": {"text": said(applied)},
        "locations": [_location(entry.patch_path or entry.path, applied.origin)],
        "fixes": [fix],
    }


def _location(path: str, line: int) -> Object:
    return {"physicalLocation": {"artifactLocation": _artifact(path), "region": {"startLine": max(line, 1)}}}


def _artifact(path: str) -> Object:
    """Return a place below the root of the sources; its name as a URI has it (RFC 3986, section 2)."""
    quoted = (chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in path.encode("utf-8", "surrogateescape"))
    return {"uri": "".join(quoted), "uriBaseId": "%SRCROOT%"}


def _changes(change: Change) -> Object:
    """Return the changes of a file; those of one that is not there yet put all of it at its beginning."""
    old = lines_of(change.before or "")
    replacements = [_replacement(hunk, old) for hunk in hunks(change.before or "", change.after)]
    return {"artifactLocation": _artifact(change.patch_path), "replacements": replacements}


def _replacement(hunk: Hunk, old: Sequence[str]) -> Object:
    """Return the lines of a hunk from its first change to its last; a region ends before its end column."""
    marks = [at for at, line in enumerate(hunk.lines) if line[0] != " "]
    first, end = marks[0], marks[-1] + 1
    # A hunk that covers no line names the line before it.
    start = hunk.start - 1 + sum(line[0] != "+" for line in hunk.lines[:first])
    stop = start + sum(line[0] != "+" for line in hunk.lines[first:end])
    region = dict(zip(("startLine", "startColumn"), _place(start, old), strict=True))
    region |= dict(zip(("endLine", "endColumn"), _place(stop, old), strict=True))
    text = "".join(line[1:] for line in hunk.lines[first:end] if line[0] != "-")
    return {"deletedRegion": region, "insertedContent": {"text": text}}


def _place(line: int, old: Sequence[str]) -> tuple[int, int]:
    """Return the line and column (both from 1, in UTF-16) before a line; behind the last one, its end."""
    if line < len(old) or not old or old[-1].endswith("\n"):
        return line + 1, 1
    return len(old), len(old[-1].encode("utf-16-le", "surrogatepass")) // 2 + 1
