"""A run over repositories: each is cloned, its Dockerfiles optimised, its requests brought up to date."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import typer

from optimizer.bot.credentials import Tokens
from optimizer.bot.forge import ForgeError
from optimizer.bot.git import Git, GitError
from optimizer.bot.report import as_json as json_report
from optimizer.bot.report import summary, told
from optimizer.bot.secret import redacted
from optimizer.bot.target import Target, TargetError, target_of, target_of_clone
from optimizer.bot.visit import Visit, Wishes
from optimizer.cli.bugs import EXIT_CODE
from optimizer.cli.outcome import Outcome
from optimizer.cli.proofs import Wanted
from optimizer.cli.request import Request
from optimizer.report import Entry


class Run(NamedTuple):
    """What the user asked for; `proof` is None where nothing is to be built."""

    request: Request
    wishes: Wishes
    proof: Wanted | None
    forge: str | None
    suggest: int | None
    resume: Path | None
    jobs: int
    quiet: bool


def outcome(targets: Sequence[str], run: Run, *, as_json: bool) -> Outcome:
    """Visit the targets and return what to print."""
    from optimizer.bot.batch import Journal, visits
    from optimizer.cli.write import ended_in_order

    ended_in_order()
    if run.proof is not None and (problem := _no_builder(run.proof)):
        return Outcome("", (f"dfopt: {problem}",), 2)
    tokens = Tokens()
    journal = Journal(run.resume) if run.resume and not run.wishes.dry else None
    before = len(journal.finished() & set(targets)) if journal else 0
    todo = len(dict.fromkeys(targets)) - before
    one = _Visitor(run, tokens)
    done: list[Visit] = []
    try:
        done.extend(_shown(visits(targets, one.visit, min(run.jobs, max(todo, 1)), journal), todo, run))
    except KeyboardInterrupt:
        typer.echo(redacted(_text(done, before, run), tokens.secrets), err=True, nl=False)
        raise
    order = {redacted(target, ()): at for at, target in enumerate(targets)}
    in_order = sorted(done, key=lambda visit: order[visit.target])
    text = json_report(in_order) if as_json else _text(in_order, before, run)
    code = EXIT_CODE if any(v.bug for v in done) else 2 * any(v.failed for v in done)
    return Outcome(redacted(text, tokens.secrets), (), code, run.request.output)


def _no_builder(proof: Wanted) -> str | None:
    """Return why nothing can be built."""
    from optimizer.verify.builder import BuilderError
    from optimizer.verify.builders import find

    try:
        find(proof.builder)
    except BuilderError as error:
        return str(error)
    return None


def _text(done: Sequence[Visit], before: int, run: Run) -> str:
    if run.quiet:
        shown = [visit for visit in done if visit.failed]
        return "".join(f"{told(visit)}\n" for visit in shown)
    lines = [told(visit, verbose=run.request.verbose) for visit in done]
    return "\n".join([*lines, summary(done, before)]) + "\n"


def _shown(visits: Iterator[Visit], todo: int, run: Run) -> Iterator[Visit]:
    """Pass the visits on and show on standard error how far the run is."""
    if run.quiet or todo < 2:  # noqa: PLR2004 (of one there is nothing to count)
        yield from visits
    elif sys.stderr.isatty():
        from optimizer.cli.progress import counted

        yield from counted(visits, todo, "repositories")
    else:
        for number, visit in enumerate(visits, 1):
            word = "failed" if visit.failed else "done"
            typer.echo(f"[{number}/{todo}] {visit.target}: {word}", err=True)
            yield visit


class _Visitor:
    """Visits one target after the other, from several threads."""

    def __init__(self, run: Run, tokens: Tokens) -> None:
        self._run = run
        self._tokens = tokens
        # Optimising is work for the processor, and a builder serves one at a time: waiting is for git and the forges.
        self._lock = Lock()

    def visit(self, text: str) -> Visit:
        """Visit a target; whatever goes wrong becomes part of the visit, without secrets."""
        try:
            return self._visited(text)
        except (TargetError, ForgeError, GitError) as error:
            return self._failed(text, str(error))
        except Exception as error:  # noqa: BLE001 (one repository never stops the others)
            from traceback import format_exception

            details = "".join(format_exception(error))
            return self._failed(text, f"a bug in dfopt: {type(error).__name__}: {error}", details)

    def _failed(self, text: str, problem: str, details: str = "") -> Visit:
        known = self._tokens.secrets
        return Visit(
            redacted(text, ()), problem=redacted(problem, known), bug=bool(details), details=redacted(details, known)
        )

    def _visited(self, text: str) -> Visit:
        from optimizer.bot.visit import visit
        from optimizer.cli.texts import text_of

        target = self._target(text)
        token = self._tokens.of(target)
        if self._run.suggest is not None:
            from optimizer.bot.suggestions import suggest

            return suggest(target, token, self._run.suggest, self._run.wishes, self._entries, text_of)
        return visit(target, token, self._run.wishes, self._entries, text_of)

    def _target(self, text: str) -> Target:
        if not os.path.isdir(text):  # noqa: PTH112 (Path.is_dir raises where it may not look)
            return target_of(text, os.environ)
        git = Git(Path(text))
        root = git.asked("rev-parse", "--show-toplevel")
        remotes = (git.asked("remote") or "").splitlines()
        if root is None or not remotes:
            raise TargetError(f"{text}: " + ("no git repository" if root is None else "the clone has no remote"))
        remote = "origin" if "origin" in remotes else remotes[0]
        url = git("remote", "get-url", remote)
        self._tokens.learn(url)
        return target_of_clone(text, remote, url, self._run.forge, os.environ)

    def _entries(self, folder: Path) -> Sequence[Entry]:
        """Optimise the Dockerfiles of a work tree."""
        from optimizer.cli.batch import run
        from optimizer.cli.discover import search

        request = self._run.request._replace(paths=(str(folder),))
        with self._lock:
            if next(iter(search(folder)), None) is None:
                return ()
            if self._run.proof is not None:
                return list(self._proven(request, self._run.proof))
            entries = list(run(request))
            return [self._alone(entry) for entry in entries] if self._run.wishes.split else entries

    def _alone(self, entry: Entry) -> Entry:
        """Return a Dockerfile's result without what its neighbours write: each request stands for itself."""
        from optimizer.cli.batch import run

        if not entry.artifacts:
            return entry
        return next(iter(run(self._run.request._replace(paths=(entry.path,)))))

    def _proven(self, request: Request, proof: Wanted) -> Iterator[Entry]:
        """Go through the results that builds bear out; each is written, so that the next one builds upon it."""
        from optimizer.cli.proofs import held
        from optimizer.cli.write import write_together

        for entry in held(request, proof):
            if entry.changed and not self._run.wishes.split:
                write_together(entry.changes)
            yield entry
