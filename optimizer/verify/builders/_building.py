"""What every builder's `build` has in common: its options, its clock, its ways to fail."""

import time
from collections.abc import Iterator, Mapping, Sequence

from optimizer.verify.builder import BuildRequest
from optimizer.verify.builders._failures import failure, late
from optimizer.verify.builders._progress import Progress
from optimizer.verify.process import OutOfTime, follow


def words(request: BuildRequest) -> Iterator[str]:
    """Go through the options that all builders know, the context last."""
    yield f"--file={request.dockerfile}"
    if request.target is not None:
        yield f"--target={request.target}"
    for name, value in request.build_args.items():
        yield f"--build-arg={name}={value}"
    if request.fresh:
        yield "--no-cache"
    yield str(request.context)


def timed(
    command: Sequence[str], progress: Progress, limit: float | None, environment: Mapping[str, str] | None = None
) -> float:
    """Run a build and return its seconds. Raises BuildFailed, BuilderError."""
    began = time.monotonic()
    try:
        status = follow(command, progress.hear, limit=limit, environment=environment)
    except OutOfTime:
        raise late(limit, progress) from None
    if status:
        raise failure(command[0], status, progress)
    progress.end()
    return round(time.monotonic() - began, 3)
