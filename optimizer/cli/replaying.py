"""The history of a Dockerfile's project as `layers.replay` takes it."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from optimizer.cli.git_history import Changed, Past, last_commits, parent, past
from optimizer.cli.jobs import STDIN, Job
from optimizer.cli.recipes import overlaid
from optimizer.cli.repository import repository_root
from optimizer.context import Context
from optimizer.engine import GateError, InputError, optimize
from optimizer.layers.nodes import Recipe
from optimizer.layers.replay import Commit, Plan, Replayed, replay
from optimizer.model import read
from optimizer.syntax import parse


class _Places(NamedTuple):
    """Where things are in the repository: its root, the Dockerfile and the context below it."""

    root: Path
    dockerfile: str
    context: str  # "" is the root

    def inside(self, path: str) -> str | None:
        """Return a path of the repository as one of the context, None where it lies outside."""
        if not self.context:
            return path
        return path[len(self.context) + 1 :] if path.startswith(self.context + "/") else None

    @property
    def dockerfile_inside(self) -> str:
        """The Dockerfile as seen from the context."""
        return os.path.relpath(self.dockerfile, self.context or ".").replace(os.sep, "/")

    @property
    def rules(self) -> frozenset[str]:
        """The files that decide how the image is built."""
        ignore = f"{self.context}/.dockerignore" if self.context else ".dockerignore"
        return frozenset({self.dockerfile, ignore, f"{self.dockerfile}.dockerignore"})


def replayed(job: Job, number: int) -> Replayed:
    """Replay the last commits for a Dockerfile. Raises InputError where there is no history to be had."""
    places = _places(job)
    changed = last_commits(places.root, number)
    if not changed:
        raise InputError("the repository has no commits to replay")
    with past(places.root) as files:
        before = parent(places.root, changed[0].commit)
        start = _plan(files, before, places, job) if before else None
        while start is None and changed:  # the Dockerfile came later: its first build is none that could be saved
            start = _plan(files, changed[0].commit, places, job)
            changed = changed[1:]
        if start is None:
            raise InputError(f"{places.dockerfile} is in none of the last {number:,} commits")
        return replay(start, _commits(changed, files, places, job))


def _places(job: Job) -> _Places:
    if job.path == STDIN:
        raise InputError("the history needs a Dockerfile in its repository")
    context = os.path.realpath(job.context)
    dockerfile = os.path.realpath(job.path)
    root = repository_root(Path(context))
    if root is None:
        raise InputError(f"{job.context} is in no git repository, so that there is no history to replay")
    inside = os.path.relpath(context, root).replace(os.sep, "/")
    return _Places(root, os.path.relpath(dockerfile, root).replace(os.sep, "/"), "" if inside == "." else inside)


def _commits(changed: Sequence[Changed], files: Past, places: _Places, job: Job) -> Iterator[Commit]:
    for one in changed:
        inside = frozenset(path for name in one.paths if (path := places.inside(name)) is not None)
        plan = _plan(files, one.commit, places, job) if places.rules.intersection(one.paths) else None
        yield Commit(one.commit, inside, plan)


def _plan(files: Past, commit: str, places: _Places, job: Job) -> Plan | None:
    """Return how the image was built at a commit, and how dfopt would have rewritten it; None without Dockerfile."""
    text = files.text(commit, places.dockerfile)
    if text is None:
        return None
    context = files.context(commit, places.context, places.dockerfile_inside)
    found = _recipe(text, context, job)
    if found.dockerfile.target < 0:
        return None
    try:
        result = optimize(text, context, job.plan)
    except (InputError, GateError):
        return Plan(found, found)  # what dfopt leaves alone costs what it did
    if result.after == result.before and not result.artifacts:
        return Plan(found, found)
    return Plan(found, _recipe(result.after, overlaid(context, result), job))


def _recipe(text: str, context: Context, job: Job) -> Recipe:
    return Recipe(read(parse(text), target=job.plan.target, build_args=job.plan.build_args), context)
