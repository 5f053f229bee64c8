"""What an image is built from, as `layers` takes it."""

import os
from collections.abc import Mapping
from types import MappingProxyType

from optimizer.cli.jobs import Job
from optimizer.context import Context
from optimizer.engine import Result
from optimizer.layers.nodes import Recipe
from optimizer.model import read
from optimizer.syntax import parse


def recipe(text: str, context: Context, job: Job, given: Mapping[str, str] = MappingProxyType({})) -> Recipe:
    """Return what a Dockerfile is built with; `given` are build arguments next to those of the job."""

    def link(path: str) -> str | None:
        try:
            return os.readlink(f"{job.context}/{path}")  # noqa: PTH115 (a text)
        except OSError:
            return None

    build_args = {**job.plan.build_args, **given}
    return Recipe(read(parse(text), target=job.plan.target, build_args=build_args), context, link)


def overlaid(context: Context, result: Result) -> Context:
    """Return the context with the files that a rewrite writes, such as an ignore file."""
    for artifact in result.artifacts:
        context = context.overlay(artifact.path, artifact.content)
    return context
