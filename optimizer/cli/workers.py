"""The processes of a run over many files: how they begin and end."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

_ENDS = {number for name in ("SIGINT", "SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None}


def prepare() -> None:
    """Make a process end when the one that started it does; the first thing that it runs.

    An interruption goes to the whole group: the parent answers it, the others just end with it.
    """
    from threading import Thread

    for number in _ENDS:
        signal.signal(number, signal.SIG_IGN if number == signal.SIGINT else signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDS)
    Thread(target=_end_with_the_parent, daemon=True).start()


def _end_with_the_parent() -> None:
    """Wait for the parent's end: one that is killed tells nobody, and its workers would wait for work for ever."""
    from multiprocessing import parent_process

    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hold signals back while processes start: one in the middle of it would print a traceback."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
