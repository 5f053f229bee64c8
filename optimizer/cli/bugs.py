"""When dfopt itself is wrong: a file with what a bug report needs, and one line that says so."""

import os
import platform
import sys
import tempfile
from pathlib import Path

from msgspec.structs import replace

from optimizer import __version__
from optimizer.cli.jobs import Job
from optimizer.cli.reading import read_text
from optimizer.engine import InputError

EXIT_CODE = 3


def write_report(what: str, details: str, job: Job) -> str:
    """Write what happened to which Dockerfile into a new file; return its path, or why there is none."""
    parts = [
        f"dfopt {__version__}, Python {platform.python_version()}, {platform.platform()}",
        f"what: {what}",
        f"plan: {replace(job.plan, build_args=dict.fromkeys(job.plan.build_args, '(hidden)'))}",
        "This file holds the Dockerfile, and nothing else of the build context.",
        f"\n{details}",
        f"----- {Path(job.path).name} -----\n{_source(job)}",
    ]
    try:
        handle, path = tempfile.mkstemp(prefix="dfopt-report-", suffix=".txt")
        with os.fdopen(handle, "wb") as file:
            file.write("\n".join(parts).encode(errors="backslashreplace"))
    except OSError as error:
        return f"the Dockerfile (no report could be written: {error.strerror})"
    return path


def report_crash(error: Exception, *, verbose: bool) -> int:
    """Say on standard error that dfopt failed outside of any Dockerfile; return the exit code."""
    from traceback import print_exception

    if verbose:
        print_exception(error)
    hint = "" if verbose else " (--verbose shows the traceback)"
    sys.stderr.write(f"dfopt: a bug in dfopt: {type(error).__name__}: {error}; please report it{hint}\n")
    return EXIT_CODE


def _source(job: Job) -> str:
    if job.text is not None:
        return job.text
    try:
        return read_text(Path(job.path))
    except (OSError, InputError) as error:
        return f"({error})"
