"""Run the containers of both images and compare what they do.

What is run is what the image itself says: its default command (does it stay up, or how does it end and what does it
print), the ports that it exposes, its HEALTHCHECK; or what the user asks for. The original is the measure, and first
its own steadiness is found out: what differs between two of its runs says nothing about a rewrite.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from time import monotonic, sleep

from msgspec import Struct, field

from optimizer.report import Check, Difference
from optimizer.verify.builder import Builder, Container
from optimizer.verify.trials import Checks, Trial, trials

_PAUSE = 0.3  # seconds between two questions to a container that is starting
_VARIES = re.compile(
    r"""\x1b\[[\d;]*[A-Za-z]                                     # colours
      | \b0x[0-9a-fA-F]+ | \b[0-9a-f]{12,}\b                     # addresses, identifiers
      | \b\d{4}[-/]\d\d[-/]\d\d\b[T ]? | \b\d{1,2}/[A-Z][a-z]{2}/\d{4}:?
      | \b\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|\ ?[+-]\d\d:?\d\d)?     # dates and times
      | \b\d+(?:\.\d+)?\ ?(?:ns|us|µs|ms|s|sec|secs|seconds)\b   # durations
      | (?<=\[)\d+(?=\]) | (?<=\bpid[ :=])\ ?\d+                 # processes
    """,
    re.VERBOSE | re.IGNORECASE,
)


class Seen(Struct, frozen=True):
    """What a container did; `status` is None where it stayed up. `answers` are by subject, None: no answer."""

    status: int | None
    lines: tuple[str, ...] = ()
    answers: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def how(self) -> str:
        """How it ended, for a report."""
        if self.status is None:
            return "stays up"
        return f"exits with {self.status}"

    @property
    def told(self) -> str:
        """How it ended, with its last line."""
        return f"{self.how}: {self.lines[-1][:200]}" if self.lines and self.status else self.how


class Baseline(Struct, frozen=True):
    """What the original did in one trial, `lines` those that each of its runs printed.

    `steady` tells that the second run printed what the first did; `other` is how it ended where that was another way.
    """

    trial: Trial
    seen: Seen
    lines: tuple[str, ...] = ()
    steady: bool = True
    other: Seen | None = None


def examine(builder: Builder, image: str, checks: Checks) -> tuple[Baseline, ...]:
    """Return what the original does; one that ends is run twice, to learn what varies."""
    return tuple(_baseline(builder, image, trial, checks) for trial in trials(builder.config(image), checks))


def compare(
    builder: Builder, images: tuple[str, str], baselines: Iterable[Baseline], checks: Checks
) -> tuple[tuple[Difference, ...], tuple[str, ...]]:
    """Run the rewritten image (the second) as the original was; return the differences, and what was seen, in lines.

    What differs is run once more, for a container may be slow for once: the original too, for three times as long.
    """
    differences: list[Difference] = []
    notes: list[str] = []
    for base in baselines:
        seen = observe(builder, images[1], base.trial, checks, base.seen)
        found = tuple(_differences(base, seen))
        if found:
            longer = Checks(network=checks.network, watch=checks.watch * 3, patience=checks.patience)
            second = _both(base, _baseline(builder, images[0], base.trial, longer))
            found = tuple(_differences(second, observe(builder, images[1], base.trial, longer, second.seen)))
            if not found:
                notes.append(f"{base.trial.subject}: differed once and not again")
        differences += found
        notes += [] if found else _notes(base, seen)
    return tuple(differences), tuple(notes or () if differences else notes or _NOTHING)


_NOTHING = ("nothing was run: the image has no command; --smoke names one",)


def observe(builder: Builder, image: str, trial: Trial, checks: Checks, expected: Seen | None = None) -> Seen:
    """Run one container and return what it does; it is waited for until it does what is `expected`."""
    ports = tuple(dict.fromkeys(http.port for http in trial.http))
    with builder.run(image, trial.command, ports=ports, network=checks.network) as container:
        began = monotonic()
        answers = _asked(container, trial, began + checks.patience, expected)
        least = checks.watch if trial.command is None else checks.patience
        ended = container.wait(max(0.1, least - (monotonic() - began)))
        lines = _normal(ended.output if ended else container.output())
        if ended is None and trial.health:
            answers["HEALTHCHECK"] = _health(container, trial.health, monotonic() + checks.patience)
        return Seen(ended.status if ended else None, lines, answers)


def _baseline(builder: Builder, image: str, trial: Trial, checks: Checks) -> Baseline:
    first = observe(builder, image, trial, checks)
    if first.status is None:
        return Baseline(trial, first)
    second = observe(builder, image, trial, checks)
    lines = tuple(line for line in first.lines if line in second.lines)
    other = None if first.status == second.status else second
    return Baseline(trial, first, lines, steady=first.lines == second.lines and other is None, other=other)


def _both(first: Baseline, second: Baseline) -> Baseline:
    """Return a second look at the original, with what the first has taught of its unsteadiness."""
    if first.seen.status != second.seen.status:
        return second  # it was watched for too short a time
    steady = first.steady and second.steady
    lines = second.lines if steady else tuple(line for line in second.lines if line in first.lines)
    return Baseline(second.trial, second.seen, lines, steady, second.other or first.other)


def _asked(container: Container, trial: Trial, until: float, expected: Seen | None) -> dict[str, str | None]:
    """Ask the ports until each answers (as expected, where that is known), the time is up or the container ends."""
    answers: dict[str, str | None] = {http.subject: None for http in trial.http}
    places = {http: container.address(http.port) for http in trial.http if _is_up(container)}
    wanted = {h for h in places if expected is None or expected.answers.get(h.subject) is not None}
    for http in places.keys() - wanted:
        answers[http.subject] = _get(*places[http], http.path)
    while wanted and _is_up(container):
        for http in sorted(wanted, key=lambda http: http.subject):
            answer = answers[http.subject] = _get(*places[http], http.path)
            if answer is not None and (expected is None or answer == expected.answers.get(http.subject)):
                wanted.discard(http)
        if monotonic() >= until:
            break
        sleep(_PAUSE if wanted else 0)
    return answers


def _is_up(container: Container) -> bool:
    return container.wait(0) is None


def _get(host: str, port: int, path: str) -> str | None:
    """Return the status of a GET; None where nothing answers. Docker's proxy takes connections for nobody, too."""
    from http.client import BadStatusLine, HTTPConnection, HTTPException, RemoteDisconnected

    connection = HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", path, headers={"User-Agent": "dfopt", "Connection": "close"})
        return str(connection.getresponse().status)
    except RemoteDisconnected:
        return None
    except BadStatusLine:
        return "an answer that is no HTTP"
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def _health(container: Container, command: tuple[str, ...], until: float) -> str:
    """Return whether the health check passes before its time is up; it is run by hand, not at its interval."""
    while True:
        ended = container.execute(command, max(1.0, until - monotonic()))
        if ended.status == 0:
            return "passes"
        if monotonic() >= until or not _is_up(container):
            last = _normal(ended.output)[-1:]
            return f"fails with {ended.status}{f': {last[0][:200]}' if last else ''}"
        sleep(1)


def _normal(output: str) -> tuple[str, ...]:
    """Return the lines of an output without what is another in every run."""
    return tuple(_VARIES.sub("…", line).rstrip() for line in output.splitlines() if line.strip())


def _differences(base: Baseline, seen: Seen) -> Iterator[Difference]:
    subject = base.trial.subject
    if base.other and seen.status == base.other.status:
        return  # the original itself ends now in one way and now in another
    if base.seen.status != seen.status:
        yield Difference(Check.SMOKE, subject, base.seen.told, seen.told)
    elif base.seen.status is not None and (other := _other_line(base, seen)):
        yield Difference(Check.SMOKE, f"output of {subject}", *other)
    for asked, answer in base.seen.answers.items():
        if (
            answer is not None
            and answer != seen.answers.get(asked)
            and not _fails_alike(answer, seen.answers.get(asked))
        ):
            yield Difference(Check.SMOKE, asked, answer, seen.answers.get(asked) or "no answer")


def _fails_alike(before: str, after: str | None) -> bool:
    """Tell whether a health check failed in both: what it printed does not count."""
    return before.startswith("fails with") and after is not None and after.startswith("fails with")


def _other_line(base: Baseline, seen: Seen) -> tuple[str | None, str | None] | None:
    """Return the first lines of an output that differ; of an unsteady one only those that it always prints count."""
    if base.steady:
        pairs = zip_longest(base.lines, seen.lines)
        return next(((before, after) for before, after in pairs if before != after), None)
    missing = next((line for line in base.lines if line not in seen.lines), None)
    return None if missing is None else (missing, None)


def _notes(base: Baseline, seen: Seen) -> Iterator[str]:
    """Say what was seen in both, and what it does not prove."""
    subject, status = base.trial.subject, base.seen.status
    if base.other:
        yield f"{subject}: the original {base.seen.how} and then {base.other.how}: nothing is proven"
    elif status is None:
        yield f"{subject}: stays up in both"
    elif status:
        why = f" ({base.seen.lines[-1][:120]})" if base.seen.lines else ""
        yield f"{subject}: exits with {status} in both{why}; what it would do where it succeeds is not proven"
    elif not base.steady:
        yield f"{subject}: exits with 0 in both; its output varies from run to run and was compared in part"
    else:
        lines = "line" if len(base.lines) == 1 else f"{len(base.lines)} lines"
        printed = f"prints the same {lines}" if base.lines else "prints nothing"
        yield f"{subject}: exits with 0 in both and {printed}"
    for asked, answer in base.seen.answers.items():
        if answer is None or answer.startswith("fails"):
            yield f"{asked}: {answer or 'no answer'} in the original: nothing is proven"
        else:
            yield f"{asked}: {answer} in both" if seen.answers.get(asked) == answer else f"{asked}: varies"
