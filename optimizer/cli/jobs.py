"""Which Dockerfiles a run works on, each with its context and its plan."""

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from optimizer.cli.configuration import (
    Configuration,
    ConfigurationError,
    named_configuration,
    nearest_configuration,
)
from optimizer.cli.reading import decoded
from optimizer.cli.repository import repository_root
from optimizer.cli.request import Request
from optimizer.engine import InputError, Plan
from optimizer.report import Entry
from optimizer.transforms import Level

STDIN = "-"


class Job(NamedTuple):
    """A Dockerfile to work on. `alone` leaves out rewrites that need another file; `text` is what `-` read."""

    path: str
    context: str
    plan: Plan
    patch_path: str
    alone: bool = False
    text: str | None = None


def jobs(request: Request, *, alone: bool) -> Iterator[Job | Entry]:
    """Go through what there is to do; a path that leads nowhere is an entry with its error."""
    if request.config and (problem := _unusable(request.config)):
        yield Entry(str(request.config), "", Level.EQUIVALENT, error=problem)
        return
    seen = set[str]()
    for path, searched in _paths(request.paths):
        if isinstance(path, Entry):
            yield path
            continue
        real = os.path.realpath(path) if path != STDIN else STDIN
        if real in seen:
            continue
        seen.add(real)
        if (job := _job(path, request, alone=alone, searched=searched)) is not None:
            yield job


def _paths(paths: Iterable[str]) -> Iterator[tuple[str | Entry, bool]]:
    """Go through the Dockerfiles, each with whether a search found it."""
    from optimizer.cli.discover import search

    for path in paths:
        if not path:  # an unset variable of a script must not mean all that is here
            yield Entry("''", "", Level.EQUIVALENT, error="an empty path; the current folder is ."), False
            continue
        if path == STDIN or not os.path.isdir(path):  # noqa: PTH112 (Path.is_dir raises where it may not look)
            yield path, False
            continue
        count = 0
        for count, found in enumerate(search(Path(path)), 1):  # noqa: B007 (asked for after the loop)
            yield str(found), True
        if not count:
            yield Entry(path, path, Level.EQUIVALENT, error=_nothing_in(path)), False


def _nothing_in(folder: str) -> str:
    """Return why a search found nothing."""
    if not os.access(folder, os.R_OK | os.X_OK):
        return "cannot be searched: Permission denied"
    return "no Dockerfile in this folder (looked for Dockerfile, Dockerfile.*, *.Dockerfile, Containerfile*)"


def _job(path: str, request: Request, *, alone: bool, searched: bool) -> Job | Entry | None:
    """Return the job for a path with its configuration; None where that excludes a file that a search found."""
    beside = Path() if path == STDIN else Path(path).parent
    folder = str(request.context or beside)
    try:
        configuration = _configuration(request, beside)
        if searched and configuration.excludes(Path(path)):
            return None
        text = decoded(sys.stdin.buffer.read(), None) if path == STDIN else None
    except (ConfigurationError, InputError) as error:
        return Entry(path, folder, Level.EQUIVALENT, error=str(error))
    named = patch_path(f"{folder}/Dockerfile" if path == STDIN else path)
    return Job(path, folder, request.plan(configuration), named, alone, text)


def _unusable(config: Path) -> str | None:
    """Return what is wrong with the configuration that was named, which is wrong for all files."""
    try:
        named_configuration(config)
    except ConfigurationError as error:
        return str(error).removeprefix(f"{config}: ")
    return None


def _configuration(request: Request, folder: Path) -> Configuration:
    return named_configuration(request.config) if request.config else nearest_configuration(folder.absolute())


def patch_path(path: str) -> str:
    """Return a path relative to the root of its repository, or else to the current folder."""
    # Links are not followed: git knows the file by the name that the user gave.
    file = Path(os.path.abspath(path))  # noqa: PTH100 (`resolve` follows links, `absolute` keeps `..`)
    return Path(os.path.relpath(file, repository_root(file.parent) or Path.cwd())).as_posix()
