"""What `explain` is asked, worked out for each Dockerfile."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from optimizer.cli.jobs import Job, jobs
from optimizer.cli.outcome import Outcome, problems, wants_colour
from optimizer.cli.recipes import overlaid, recipe
from optimizer.cli.request import Request
from optimizer.context import Context
from optimizer.engine import InputError, Result
from optimizer.layers.nodes import Builder, Change
from optimizer.layers.replay import Replayed
from optimizer.layers.simulate import Built
from optimizer.layers.table import stack
from optimizer.layers.words import chain
from optimizer.model import read
from optimizer.report import Entry, exit_code
from optimizer.report.explain import BuiltImage, Explained, Side, Supposed
from optimizer.syntax import parse


class Question(NamedTuple):
    """What the user wants to know."""

    changed: tuple[str, ...] = ()
    build_args: tuple[str, ...] = ()
    new_base: bool = False
    history: int | None = None
    image: str | None = None
    legacy: bool = False

    @property
    def given(self) -> Mapping[str, str]:
        """The build arguments of the next build; a bare name takes its value from the environment, as docker does."""
        pairs = (value.partition("=") for value in self.build_args)
        read_ = ((name, value if sign else os.environ.get(name)) for name, sign, value in pairs)
        return {name: value for name, value in read_ if value is not None}


def explained(request: Request, question: Question) -> tuple[list[Explained], list[Entry]]:
    """Explain the Dockerfiles of a run; give also the entries of those that cannot be worked on."""
    from optimizer.cli.batch import work

    found, failed = [], []
    for job in jobs(request, alone=False):
        entry = work(job) if isinstance(job, Job) else job
        if not isinstance(job, Job) or entry.result is None or entry.error:
            failed.append(entry)
            continue
        try:
            found.append(_explained(job, entry.result, question))
        except InputError as error:
            failed.append(entry.failed(str(error), line=error.line))
    return found, failed


def reported(found: list[Explained], failed: list[Entry], request: Request, format_: str) -> Outcome:
    """Say what came out of it."""
    messages = [message for entry in failed for message in problems(entry, verbose=request.verbose)]
    return Outcome(
        _report(found, request, format_), tuple(messages), exit_code(failed, changes_count=False), request.output
    )


def _report(found: list[Explained], request: Request, format_: str) -> str:
    if format_ == "json":
        from optimizer.report.explain_json import explain_json

        return explain_json(found)
    if format_ == "html":
        from optimizer.cli.texts import text_of
        from optimizer.report.explain_html import pictures

        return text_of("report/explain.html.j2", pages=pictures(found))
    from optimizer.report.explain_text import explain_text
    from optimizer.report.text import Style

    return explain_text(found, Style(colour=request.output is None and wants_colour(), verbose=request.verbose))


def _explained(job: Job, result: Result, question: Question) -> Explained:
    from optimizer.cli.batch import context_of

    context = context_of(job)
    files, chosen = _files(job, result.before, question, context)
    builder = Builder.LEGACY if question.legacy else Builder.BUILDKIT
    change = Change(files, _images(result.before, job) if question.new_base else frozenset())
    changed = result.after != result.before or bool(result.artifacts)
    after = _side(result.after, overlaid(context, result), job, question, builder, _again(result.after, change, job))
    return Explained(
        job.path,
        job.context,
        builder,
        Supposed(tuple(sorted(files)), tuple(question.given), question.new_base, chosen),
        _side(result.before, context, job, question, builder, change),
        after if changed else None,
        _history(job, question),
        _image(job, question, result.before),
    )


def _again(text: str, change: Change, job: Job) -> Change:
    """Return the change for the rewritten file, which may start from other images."""
    return Change(change.files, _images(text, job)) if change.images else change


def _side(text: str, context: Context, job: Job, question: Question, builder: Builder, change: Change) -> Side:
    before = recipe(text, context, job)
    after = recipe(text, context, job, question.given)
    simulation = Built(before, builder).again(after, change)
    return Side(stack(after, simulation), chain(simulation))


def _images(text: str, job: Job) -> frozenset[str]:
    dockerfile = read(parse(text), target=job.plan.target, build_args=job.plan.build_args)
    return frozenset(stage.base for stage in dockerfile.stages if stage.base and stage.parent is None)


def _files(job: Job, text: str, question: Question, context: Context) -> tuple[frozenset[str], bool]:
    """Return the files that are supposed to change, and whether dfopt chose them."""
    if question.changed:
        return frozenset(_within(name, job) for name in question.changed), False
    if question.build_args or question.new_base:
        return frozenset(), False
    from optimizer.verify.rebuild import source_to_edit

    source = source_to_edit(text, context, target=job.plan.target, build_args=job.plan.build_args)
    return frozenset([source] if source else []), source is not None


def _within(name: str, job: Job) -> str:
    """Return a path of the context: as named from the current folder where it lies there, or else from the context."""
    root = os.path.abspath(job.context)  # noqa: PTH100 (links stay links)
    for base in (os.getcwd(), root):  # noqa: PTH109
        path = os.path.normpath(os.path.join(base, name))  # noqa: PTH118
        inside = os.path.relpath(path, root).replace(os.sep, "/")
        if not inside.startswith("..") and (os.path.lexists(path) or base == root):
            return inside
    raise InputError(f"{name} is not in the build context {job.context}")


def _history(job: Job, question: Question) -> Replayed | None:
    if question.history is None:
        return None
    from optimizer.cli.replaying import replayed

    return replayed(job, question.history)


def _image(job: Job, question: Question, text: str) -> BuiltImage | None:
    """Ask the engine for a built image; what it does not know is the user's error."""
    if question.image is None:
        return None
    from optimizer.report.explain_image import built_image
    from optimizer.verify.builder import BuilderError
    from optimizer.verify.builders import find

    try:
        history = find(None).history(question.image)
    except BuilderError as error:
        raise InputError(f"the image {question.image} cannot be looked at: {error}") from None
    return built_image(
        question.image, history, read(parse(text), target=job.plan.target, build_args=job.plan.build_args)
    )
