"""A progress bar for long runs, on a terminal only."""

import sys
from collections.abc import Iterable, Iterator

from optimizer.report import Entry


def shown(entries: Iterable[Entry], total: int) -> Iterator[Entry]:
    """Pass the entries on and show on standard error how many there have been."""
    if not sys.stderr.isatty():
        yield from entries
        return
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(entries, "Dockerfiles", total=total, console=console, transient=True)
