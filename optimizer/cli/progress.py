"""A progress bar for long runs, on a terminal only."""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from optimizer.report import Entry

Thing = TypeVar("Thing")


def shown(entries: Iterable[Entry], total: int) -> Iterator[Entry]:
    """Pass the entries on and show on standard error how many there have been."""
    yield from counted(entries, total, "Dockerfiles") if sys.stderr.isatty() else entries


def counted(things: Iterable[Thing], total: int, name: str) -> Iterator[Thing]:
    """Pass things on and show on standard error, a terminal, how many there have been."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(things, name, total=total, console=console, transient=True)
