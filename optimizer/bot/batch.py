"""Many repositories in one run: none stops the others, and what is finished is written down."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from msgspec import DecodeError, Struct
from msgspec.json import decode, encode

from optimizer.bot.visit import Visit


class Journal(Struct, frozen=True):
    """A file with a line for each repository that is finished, so that a run can be taken up again."""

    path: Path

    def finished(self) -> set[str]:
        """Return the targets that need no second visit."""
        try:
            lines = self.path.read_text("utf-8").splitlines()
        except FileNotFoundError:
            return set()
        return {visit.target for visit in map(_read, lines) if visit and not visit.failed}

    def add(self, visit: Visit) -> None:
        """Write down a visit."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"\n{encode(visit).decode()}")  # a line that was cut off does not spoil this one


def visits(
    targets: Sequence[str], visit: Callable[[str], Visit], jobs: int, journal: Journal | None
) -> Iterator[Visit]:
    """Visit each target, `jobs` at a time, and give the visits as they end. An interruption starts no new ones."""
    done = journal.finished() if journal else set()
    todo = iter([target for target in dict.fromkeys(targets) if target not in done])
    with ThreadPoolExecutor(jobs) as pool:
        # No more than are worked on are handed in: what is not started yet, an interruption need not take back.
        running: set[Future[Visit]] = {pool.submit(visit, target) for _, target in zip(range(jobs), todo, strict=False)}
        while running:
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                result = future.result()
                if journal:
                    journal.add(result)
                running |= {pool.submit(visit, target) for _, target in zip(range(1), todo, strict=False)}
                yield result


def _read(line: str) -> Visit | None:
    """Read a line; one that was cut off counts for nothing."""
    try:
        return decode(line, type=Visit)
    except DecodeError:
        return None
