"""What a command comes to, and the one place that prints it."""

import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple, NoReturn

from optimizer.cli.arguments import Format
from optimizer.cli.facts_age import notices
from optimizer.cli.request import Request
from optimizer.report import Entry, exit_code


class Outcome(NamedTuple):
    """What goes to standard output (or to `output`), what to standard error, and the exit code."""

    text: str
    messages: tuple[str, ...] = ()
    code: int = 0
    output: Path | None = None


def reported(entries: Sequence[Entry], request: Request, *, written: bool, changes_count: bool) -> Outcome:
    """Report a run as the request wants it."""
    code = exit_code(entries, changes_count=changes_count)
    messages = [message for entry in entries for message in problems(entry, verbose=request.verbose)]
    if any(entry.changed for entry in entries):
        messages += notices(entries, date.today())  # noqa: DTZ011 - the day at the user's place
    return Outcome(_report(entries, request, written=written), tuple(messages), code, request.output)


def problems(entry: Entry, *, verbose: bool) -> list[str]:
    """Return what to say on standard error of an entry."""
    if not entry.error:
        return []
    from optimizer.report.text import plain

    place = f"{entry.path}:{entry.line}" if entry.line else entry.path
    return [f"dfopt: {plain(place)}: {plain(entry.error)}", *([entry.details] if verbose and entry.details else [])]


def finish(outcome: Outcome) -> NoReturn:
    """Print an outcome and end the command with its exit code."""
    import typer

    code = outcome.code
    problem = _print(outcome.text) if outcome.output is None else _saved(outcome.text, outcome.output)
    # Errors come last, where people look.
    for message in (*outcome.messages, *([f"dfopt: {problem}"] if problem else [])):
        typer.echo(message, err=True)
    raise typer.Exit(max(code, 2) if problem else code)


def _report(entries: Sequence[Entry], request: Request, *, written: bool) -> str:
    if request.format is Format.JSON:
        from optimizer.report.json_report import json_report

        return json_report(entries)
    if request.format is Format.PATCH:
        from optimizer.report.patch import patch

        return patch(entries)
    if request.format is not Format.TEXT:
        return _for_others(entries, request.format)
    if request.quiet:
        return ""
    from optimizer.report.text import Style, text_report

    colour = request.output is None and wants_colour()
    style = Style(colour=colour, verbose=request.verbose, written=written)
    found = [entry.evidence for entry in entries if entry.evidence and entry.evidence.builder]
    if not found:
        return text_report(entries, style)
    from optimizer.report.evidence_text import evidence_report

    return f"{text_report(entries, style._replace(proven=True))}\n{evidence_report(found, style)}"


def _for_others(entries: Sequence[Entry], format_: Format) -> str:
    """Report to where reviewers are: code scanning, workflow logs, comments, browsers."""
    match format_:
        case Format.SARIF:
            from optimizer import __version__
            from optimizer.report.sarif import sarif
            from optimizer.transforms import all_transforms

            return sarif(entries, all_transforms(), __version__)
        case Format.GITHUB:
            from optimizer.report.github import github

            return github(entries)
        case Format.MARKDOWN:
            from optimizer.cli.texts import text_of
            from optimizer.report.pages import markdown_values

            return text_of("report/diff.md.j2", **markdown_values(entries))
        case _:
            from optimizer.cli.texts import text_of
            from optimizer.report.pages import html_values

            return text_of("report/diff.html.j2", **html_values(entries))


def wants_colour() -> bool:
    """Tell whether standard output gets colours: NO_COLOR and FORCE_COLOR decide, or else whether it is a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (sys.stdout.isatty() and os.environ.get("TERM") != "dumb")


def _print(text: str) -> str | None:
    """Write bytes, for a patch must keep its line endings; return what went wrong."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough, that is no error. What is in the buffer would fail again when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return f"standard output cannot be written: {error.strerror}"
    return None


def _saved(text: str, path: Path) -> str | None:
    """Write a report; return what went wrong."""
    from optimizer.cli.write import WriteError, write_whole

    try:
        write_whole(path, text.encode("utf-8", "surrogateescape"))
    except WriteError as error:
        return str(error)
    return None
