"""One run of `verify` over many Dockerfiles, of which none stops the others: what the builds of each showed."""

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from optimizer.cli.outcome import Outcome, problems, wants_colour
from optimizer.cli.request import Request
from optimizer.report import Entry, Evidence, Verdict, exit_code

if TYPE_CHECKING:
    from optimizer.cli.jobs import Job
    from optimizer.verify.builder import Builder
    from optimizer.verify.evidence import Settings
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
    """A Dockerfile and what its builds showed; no evidence where an error stood in the way."""

    entry: Entry
    evidence: Evidence | None = None
    kept: tuple[str, ...] = ()


def proofs(request: Request, wanted: Wanted) -> Iterator[Proven]:
    """Go through the Dockerfiles of a run. Ends the command where there is no builder."""
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
                yield _proven(job, entry, builder, settings, told)
            else:
                yield Proven(entry, None if entry.error else Evidence(entry.path, entry.level, Verdict.HOLDS, ""))


def outcome(proven: Sequence[Proven], request: Request) -> Outcome:
    """Say what came out of it: 3 for a bug of dfopt, 4 for a rewrite without proof, 2 for bad input, 0."""
    entries = [one.entry for one in proven]
    unproven = any(one.evidence and one.evidence.verdict is not Verdict.HOLDS for one in proven)
    code = exit_code(entries, changes_count=False)
    if unproven and code != 3:  # noqa: PLR2004 (a bug of dfopt)
        code = UNPROVEN
    messages = [message for entry in entries for message in problems(entry, verbose=request.verbose)]
    kept = [f"kept: {thing}" for one in proven for thing in one.kept]
    return Outcome("" if request.quiet else _report(proven), (*messages, *kept), code)


def _proven(job: "Job", entry: Entry, builder: "Builder", settings: "Settings", told: Callable[[str], None]) -> Proven:
    from optimizer.cli.batch import context_of, stopped
    from optimizer.verify.evidence import Subject, proving

    assert entry.result is not None  # noqa: S101 (for the types: it changed)
    subject = Subject(job.path, Path(job.context), context_of(job), job.plan.target, job.plan.build_args)
    try:
        with proving(builder, subject, settings, lambda text: told(f"{job.path}: {text}")) as proof:
            evidence = proof.prove(entry.result, job.plan.level)
            kept = proof.kept if settings.keep else ()
    except Exception as error:  # noqa: BLE001 (one bad file never stops a batch)
        return Proven(stopped(job, entry, error))
    return Proven(entry, evidence, kept)


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


def _report(proven: Sequence[Proven]) -> str:
    """Return the run as text."""
    from optimizer.report.text import Style

    style = Style(colour=wants_colour())
    return "".join(f"{line}\n" for one in proven if one.evidence for line in _lines(one.evidence, style.paint))


def _lines(evidence: Evidence, paint: Callable[[str, str], str]) -> Iterator[str]:
    from optimizer.report.text import plain

    colour = {Verdict.HOLDS: "green", Verdict.FAILS: "red", Verdict.NOT_JUDGED: "yellow"}[evidence.verdict]
    said = evidence.verdict.value.replace("-", " ") if evidence.builder else "nothing to prove"
    yield f"{paint(plain(evidence.path), 'bold')}: {paint(said, colour)}"
    yield from (f"  {plain(text)}" for text in filter(None, (evidence.problem, *evidence.smoke)))
    for one in evidence.differences:
        claimed = f" (as {one.claimed_by} says)" if one.claimed_by else ""
        yield f"  {one.check}: {plain(one.subject)}: {plain(str(one.before))} -> {plain(str(one.after))}{claimed}"
    for what, measured in (("before", evidence.before), ("after", evidence.after)):
        if measured:
            layers = sum(not layer.empty for layer in measured.layers)
            yield f"  {what}: {measured.size / 1e6:.1f} MB, {layers} layers, built in {measured.seconds:.1f} s"
            if again := measured.rebuild:
                steps = f"{len(again.executed)} steps run, {len(again.cached)} cached"
                yield f"    {plain(again.touched)} edited: {again.seconds:.1f} s, {steps}"
    if evidence.log:
        yield f"  log: {evidence.log}"
