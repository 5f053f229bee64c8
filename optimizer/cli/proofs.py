"""One run over many Dockerfiles, of which none stops the others: what the builds of each showed.

`proofs` is for `verify`, which takes each rewrite as it is; `held` for `rewrite --verify`, which steps back from it.
"""

import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer
from msgspec.structs import replace

from optimizer.cli.arguments import EvidenceFormat
from optimizer.cli.outcome import Outcome, problems, wants_colour
from optimizer.cli.request import Request
from optimizer.report import Entry, Evidence, Verdict, exit_code

if TYPE_CHECKING:
    from optimizer.cli.jobs import Job
    from optimizer.context import Context
    from optimizer.verify.builder import Builder
    from optimizer.verify.evidence import Proof, Settings
    from optimizer.verify.trials import Http

UNPROVEN = 4
_PORTS = range(1, 65536)


class Wanted(NamedTuple):
    """What the user wants of the builds."""

    builder: str | None = None
    smoke: tuple[str, ...] = ()
    http: tuple[str, ...] = ()
    network: bool = False
    limit: float | None = None
    rebuild: bool = True
    cached: bool = False
    side_by_side: bool = False
    keep: bool = False

    def settings(self) -> "Settings":
        """Return it as the proof takes it; refuses a smoke check that cannot be read."""
        from optimizer.verify.evidence import Settings
        from optimizer.verify.trials import Checks

        checks = Checks(tuple(map(_words, self.smoke)), tuple(map(_http, self.http)), self.network)
        return Settings(checks, self.limit, self.rebuild, not self.cached, self.side_by_side, self.keep)


class Proven(NamedTuple):
    """A Dockerfile with what its builds showed (no evidence where an error stood in the way), and what is kept."""

    entry: Entry
    kept: tuple[str, ...] = ()


Judge = Callable[["Proof", "Job", "Context", Entry], Entry]  # what becomes of an entry that changed


def proofs(request: Request, wanted: Wanted) -> Iterator[Proven]:
    """Prove the rewrites of a run. Ends the command where there is no builder."""
    yield from _each(request, wanted, _as_it_is)


def held(request: Request, wanted: Wanted) -> Iterator[Entry]:
    """Give for each Dockerfile of a run the best rewrite that the builds bear out; one not judged is no change.

    Ends the command where there is no builder.
    """
    yield from (proven.entry for proven in _each(request, wanted, _stepped_back))


def _as_it_is(proof: "Proof", job: "Job", _: "Context", entry: Entry) -> Entry:
    assert entry.result is not None  # noqa: S101 (for the types: it changed)
    return replace(entry, evidence=proof.prove(entry.result, job.plan.level))


def _stepped_back(proof: "Proof", job: "Job", context: "Context", entry: Entry) -> Entry:
    from optimizer.cli.batch import with_result
    from optimizer.engine import Result
    from optimizer.verify.stepping_back import best

    assert entry.result is not None  # noqa: S101 (for the types: it changed)
    text, level = entry.result.before, job.plan.level
    left = best(text, context, job.plan, lambda result, measured: proof.prove(result, level, measured=measured))
    unchanged = Result(text, text, declined=entry.result.declined, layers=entry.result.layers[:1] * 2)
    result = left.result if left.evidence.verdict is Verdict.HOLDS else unchanged
    return replace(with_result(entry, result, context), evidence=left.evidence)


def _each(request: Request, wanted: Wanted, judge: Judge) -> Iterator[Proven]:
    """Go through the Dockerfiles of a run, each rewrite with what the judge makes of it."""
    from optimizer.cli.batch import work
    from optimizer.cli.jobs import Job, jobs
    from optimizer.cli.write import ended_in_order

    ended_in_order()
    settings = wanted.settings()
    builder: Builder | None = None
    with _live(request) as told:
        for job in jobs(request, alone=False):
            entry = work(job) if isinstance(job, Job) else job
            if isinstance(job, Job) and entry.changed:
                builder = builder or _builder(wanted.builder)
                yield _proven(job, entry, builder, settings, told, judge)
            elif entry.error:
                yield Proven(entry)
            else:
                yield Proven(replace(entry, evidence=Evidence(entry.path, entry.level, Verdict.HOLDS, "")))


def outcome(proven: Sequence[Proven], request: Request, format_: EvidenceFormat) -> Outcome:
    """Say what came out of it: 3 for a bug of dfopt, 4 for a rewrite without proof, 2 for bad input, 0."""
    entries = [one.entry for one in proven]
    messages = [message for entry in entries for message in problems(entry, verbose=request.verbose)]
    kept = [f"kept: {thing}" for one in proven for thing in one.kept]
    found = [entry.evidence for entry in entries if entry.evidence]
    return Outcome(_report(found, request, format_), (*messages, *kept), unproven_code(entries), request.output)


def unproven_code(entries: Iterable[Entry]) -> int:
    """Return the exit code of a run whose rewrites were to be proven."""
    found = list(entries)
    code = exit_code(found, changes_count=False)
    unproven = any(entry.evidence and entry.evidence.verdict is not Verdict.HOLDS for entry in found)
    return UNPROVEN if unproven and code != 3 else code  # noqa: PLR2004 (a bug of dfopt)


def _proven(
    job: "Job", entry: Entry, builder: "Builder", settings: "Settings", told: Callable[[str], None], judge: Judge
) -> Proven:
    from optimizer.cli.batch import context_of, stopped
    from optimizer.verify.evidence import Subject, proving

    context = context_of(job)
    subject = Subject(job.path, Path(job.context), context, job.plan.target, job.plan.build_args)
    try:
        with proving(builder, subject, settings, lambda text: told(f"{job.path}: {text}")) as proof:
            judged = judge(proof, job, context, entry)
            return Proven(judged, proof.kept if settings.keep else ())
    except Exception as error:  # noqa: BLE001 (one bad file never stops a batch)
        return Proven(stopped(job, entry, error))


def _builder(name: str | None) -> "Builder":
    from optimizer.verify.builder import BuilderError
    from optimizer.verify.builders import find

    try:
        return find(name)
    except BuilderError as error:
        typer.echo(f"dfopt: {error}", err=True)
        raise typer.Exit(2) from None


def _words(command: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise typer.BadParameter(f"{command!r}: {error}", param_hint="--smoke") from None
    if not words:
        raise typer.BadParameter("an empty command", param_hint="--smoke")
    return words


def _http(text: str) -> "Http":
    from optimizer.verify.trials import Http

    port, _, path = text.removeprefix(":").partition("/")
    if not port.isdecimal() or int(port) not in _PORTS:
        raise typer.BadParameter(f"{text!r} is not PORT or PORT/PATH, such as 8080/health", param_hint="--http")
    return Http(int(port), f"/{path}")


@contextmanager
def _live(request: Request) -> Iterator[Callable[[str], None]]:
    """Show on standard error what is going on: one changing line on a terminal, a line for each phase elsewhere."""
    from optimizer.report.text import plain

    if request.quiet:
        yield lambda text: None  # noqa: ARG005 (the type gives the name)
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.text import Text

        with Console(stderr=True).status("") as status:
            yield lambda text: status.update(Text(plain(text), overflow="ellipsis", no_wrap=True))
    else:
        yield lambda text: typer.echo(plain(text), err=True) if request.verbose or ": [" not in text else None


def _report(found: Sequence[Evidence], request: Request, format_: EvidenceFormat) -> str:
    """Return the run in the form that is wanted."""
    if format_ is EvidenceFormat.JSON:
        from optimizer.report.evidence_json import evidence_json

        return evidence_json(found)
    if format_ is EvidenceFormat.MARKDOWN:
        from optimizer.report.evidence_markdown import evidence_markdown

        return evidence_markdown(found)
    if request.quiet:
        return ""
    from optimizer.report.evidence_text import evidence_report
    from optimizer.report.text import Style

    return evidence_report(found, Style(colour=request.output is None and wants_colour(), verbose=request.verbose))
