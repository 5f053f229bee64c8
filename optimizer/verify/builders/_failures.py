"""Why a build ended: the Dockerfile, the builder, or the time."""

import re

from optimizer.verify.builder import BuilderError, BuildFailed
from optimizer.verify.builders._progress import Progress

_FULL = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)
_GONE = re.compile(
    r"""cannot\ connect\ to\ (?:the\ )?(?:docker|podman)|error\ during\ connect|code\ =\ (?:Unavailable|Canceled)
      | connection\ (?:refused|reset\ by\ peer)|broken\ pipe|transport\ is\ closing|closing\ transport|unexpected\ EOF
      | \bEOF$|context\ canceled|no\ such\ builder|no\ builder\ .*\ found|failed\ to\ find\ driver|signal:\ killed
      | TLS\ handshake\ timeout|i/o\ timeout|toomanyrequests|server\ misbehaving
      | permission\ denied\ while\ trying\ to\ connect""",
    re.IGNORECASE | re.VERBOSE,
)
_LAST_WORDS = 5


def failure(program: str, status: int, progress: Progress) -> Exception:
    """Return what to raise for a build that ended with a status other than 0."""
    output = "\n".join(progress.log)
    last = [line.strip() for line in list(progress.log)[-_LAST_WORDS:] if line.strip()]
    step = progress.failed()
    if _FULL.search("\n".join(list(progress.log)[-50:])):
        return BuilderError(f"{program} ran out of disk space (no space left on device); make room, then again", output)
    if step is not None:
        return BuildFailed(f"the build fails at {step}", output)
    gone = next((line for line in reversed(last) if _GONE.search(line)), None)
    if gone is not None or status < 0:
        return BuilderError(f"{program} broke off: {_short(gone or f'ended by signal {-status}')}", output)
    errors = [line for line in last if "error" in line.lower()]
    why = (errors or last or [f"exit status {status}"])[-1]
    return BuildFailed(f"the build fails: {_short(why)}", output)


def _short(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:297]}..."  # noqa: PLR2004 (a line of a report)


def late(limit: float | None, progress: Progress) -> BuildFailed:
    """Return what to raise for a build whose time was up."""
    where = progress.steps()[-1:]
    behind = f", behind {where[0].name}" if where else ""
    what = f"the build took longer than the limit of {limit:g} s{behind}"
    return BuildFailed(what, "\n".join(progress.log), timed_out=True)
