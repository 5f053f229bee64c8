"""One run over many Dockerfiles: find, read, optimise; an error of one never stops the others."""

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from optimizer.cli.jobs import STDIN, Job, jobs, patch_path
from optimizer.cli.reading import decoded, read_text
from optimizer.cli.request import Request
from optimizer.context import Context
from optimizer.engine import GateError, InputError, Plan, Result, optimize
from optimizer.report import AfterEdit, Change, Entry

_MANY = 20  # up to so many files starting processes costs more than it saves


def run(request: Request, *, alone: bool = False) -> Iterator[Entry]:
    """Go through the entries of a run, in the order of the files."""
    _listings.cache_clear()
    found = list(jobs(request, alone=alone))
    done = _work([item for item in found if isinstance(item, Job)], request)
    written: dict[str, str] = {}
    for item in found:
        yield _after(item, next(done), written) if isinstance(item, Job) else item


def _after(job: Job, entry: Entry, written: dict[str, str]) -> Entry:
    """Look again at a Dockerfile that shares an ignore file with one before it, with that file as it will be then."""
    if any(change.path in written for change in entry.artifacts):
        entry = work(job, written)
    written.update((change.path, change.after) for change in entry.artifacts)
    return entry


def _work(todo: Sequence[Job], request: Request) -> Iterator[Entry]:
    """Do the jobs, in processes where there are many."""
    processes = min(request.jobs or os.cpu_count() or 1, len(todo))
    entries = map(work, todo) if processes < 2 or len(todo) <= _MANY else _in_processes(todo, processes)  # noqa: PLR2004
    if len(todo) <= _MANY or request.quiet:
        return iter(entries)
    from optimizer.cli.progress import shown

    return shown(entries, len(todo))


def _in_processes(todo: Sequence[Job], processes: int) -> Iterator[Entry]:
    from concurrent.futures import ProcessPoolExecutor

    from optimizer.cli.workers import prepare, undisturbed

    yield work(todo[0])  # loads all that the processes need, where they are forks
    with ProcessPoolExecutor(processes, initializer=prepare) as pool:
        with undisturbed():
            entries = pool.map(work, todo[1:], chunksize=max(1, min(16, len(todo) // (processes * 4))))
        yield from entries


def work(job: Job, written: Mapping[str, str] = MappingProxyType({})) -> Entry:
    """Optimise one Dockerfile; every error becomes part of the entry. `written` are files of the run so far."""
    entry = Entry(job.path, job.context, job.plan.level, patch_path=job.patch_path)
    try:
        return _optimised(job, entry, written)
    except InputError as error:
        return entry.failed(str(error), line=error.line)
    except OSError as error:
        named = f" ({error.filename})" if error.filename and str(error.filename) != job.path else ""
        return entry.failed(f"cannot be read: {error.strerror or error}{named}")
    except Exception as error:  # noqa: BLE001 (one bad file never stops a batch)
        return stopped(job, entry, error)


def stopped(job: Job, entry: Entry, error: Exception) -> Entry:
    """Write the report that a bug needs, and say where it is."""
    from traceback import format_exception

    from optimizer.cli.bugs import write_report

    details = "".join(format_exception(error))
    what = str(error) if isinstance(error, GateError) else f"{type(error).__name__}: {error}"
    place = write_report(what, details, job)
    text = f"a bug in dfopt, the file is untouched; please report it with {place}: {what}"
    return entry.failed(text, bug=True, details=details)


def _optimised(job: Job, entry: Entry, written: Mapping[str, str]) -> Entry:
    text = job.text if job.text is not None else read_text(Path(job.path))
    context = context_of(job)
    for path, content in written.items():
        if not (within := os.path.relpath(path, job.context)).startswith(os.pardir):
            context = context.overlay(within.replace(os.sep, "/"), content)
    result = optimize(text, context, job.plan)
    if job.alone and result.artifacts:
        result = optimize(text, context, _without(job.plan, result))
    return _with_gain(with_result(entry, result, context), job, context)


def with_result(entry: Entry, result: Result, context: Context) -> Entry:
    """Return an entry for a result of its Dockerfile in the build context."""
    artifacts = tuple(_artifact(entry.context, a.path, a.content, context) for a in result.artifacts)
    return Entry(entry.path, entry.context, entry.level, result, artifacts, entry.patch_path)


def _with_gain(entry: Entry, job: Job, context: Context) -> Entry:
    """Add what an edit of a source file makes run again, where a rewrite is made for that."""
    from optimizer.layers.gain import FOR_LATER_BUILDS

    result = entry.result
    if result is None or not any(applied.transform in FOR_LATER_BUILDS for applied in result.applied):
        return entry
    from msgspec.structs import replace

    from optimizer.cli.recipes import overlaid, recipe
    from optimizer.layers.gain import after_edit
    from optimizer.verify.rebuild import source_to_edit

    source = source_to_edit(result.before, context, target=job.plan.target, build_args=job.plan.build_args)
    if source is None:
        return entry
    rewritten = recipe(result.after, overlaid(context, result), job)
    return replace(
        entry, after_edit=AfterEdit(source, *after_edit(recipe(result.before, context, job), rewritten, source))
    )


def context_of(job: Job) -> Context:
    """Return the build context of a job; raises InputError where it is no folder."""
    from optimizer.cli.disk import read_context

    folder = Path(job.context)
    if not os.path.isdir(folder):  # noqa: PTH112 (Path.is_dir raises where it may not look)
        raise InputError(f"the build context {job.context} is no folder")
    dockerfile = folder / "Dockerfile" if job.path == STDIN else Path(job.path)
    return read_context(folder, dockerfile, _listings(job.context))


@lru_cache(maxsize=1)
def _listings(_context: str) -> dict[str, Mapping[str, bool]]:
    """Return what is listed of a context: neighbours in a batch often share it, and to keep all would cost memory."""
    return {}


def _without(plan: Plan, result: Result) -> Plan:
    """Leave out the transforms that wrote another file."""
    from msgspec.structs import replace

    writers = {applied.transform for applied in result.applied if applied.rewrite.artifacts}
    return replace(plan, ignore=plan.ignore | writers)


def _artifact(folder: str, path: str, content: str, context: Context) -> Change:
    before = context.read_bytes(path)
    place = os.path.normpath(Path(folder) / path)
    return Change(place, None if before is None else decoded(before, path), content, patch_path(place))
