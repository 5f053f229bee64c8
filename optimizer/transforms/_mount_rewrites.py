"""The mounts of a file as rewrites, one for each RUN."""

from collections.abc import Iterator
from functools import cache

from optimizer.model import Step
from optimizer.syntax import Document, Span
from optimizer.transforms._buildkit import why_no_mounts
from optimizer.transforms._finding import Decline, Edit, Finding, Rewrite
from optimizer.transforms._layout import chain_operator, style_of
from optimizer.transforms._mount_apt import apt_mounts
from optimizer.transforms._mount_cleanup import together, trimmed
from optimizer.transforms._mount_owner import Owner, owner_of
from optimizer.transforms._mount_stores import stores
from optimizer.transforms._mount_wants import Refused, Want, downloads
from optimizer.transforms._transform import Subject

_WHY = (
    "What the step downloads stays with the builder for its next run, and in no layer; a builder that starts empty "
    "each time, as in many CI jobs, saves no time."
)


def findings(subject: Subject) -> Iterator[Finding]:
    """Go through the RUNs that get mounts, and those of which is told why they get none."""
    dockerfile = subject.dockerfile
    found = list(_found(subject))
    reason = why_no_mounts(dockerfile.document)
    if found and reason:
        yield Decline(found[0].step.line, reason)
        return
    for step in dockerfile:
        own = [one for one in found if one.step is step]
        yield from (
            Decline(step.line, reason) for reason in dict.fromkeys(o.reason for o in own if isinstance(o, Refused))
        )
        if wants := [one for one in own if isinstance(one, Want)]:
            yield _rewrite(dockerfile.document, step, wants)


def _found(subject: Subject) -> Iterator[Want | Refused]:
    dockerfile, context = subject.dockerfile, subject.context
    owners = cache(lambda index: owner_of(dockerfile, dockerfile.steps[index]))

    def owner(step: Step) -> Owner | str:
        found: Owner | str = owners(step.index)
        return found

    yield from apt_mounts(dockerfile, context, owner)
    yield from stores(dockerfile, owner)
    for step in dockerfile:
        yield from downloads(dockerfile, context, step, owner)


def _rewrite(document: Document, step: Step, wants: list[Want]) -> Finding:
    run = step.run
    cut = trimmed(step, together([want.cut for want in wants]))
    if run is None or isinstance(cut, str):
        return Decline(step.line, str(cut))
    mounts = [str(mount) for want in wants for mount in want.mounts]
    first = next((want.first for want in wants if want.first), None)
    style, operator = style_of(document, step.instruction), chain_operator(step)
    gap = f" {style.escape}{style.newline}{style.indent}"
    at = run.text.at(run.script.root.parts[0].span.start)
    text = "".join(mount + gap for mount in mounts) + (first + style.joint(operator) if first else "")
    return Rewrite(
        line=step.line,
        title=f"Keep {' and '.join(dict.fromkeys(want.name for want in wants))} in a cache mount",
        why=_WHY,
        edits=_with(Edit(Span(at, at), text), cut.edits),
        added=(
            *(f"RUN {mount}" for mount in mounts),
            *((first,) if first else ()),
            *((";",) if first and operator == ";" else ()),
            *cut.added,
        ),
        removed=cut.removed,
        leaves_out=tuple(word for word in (first or "").split() if word.startswith("/")),
    )


def _with(insertion: Edit, edits: tuple[Edit, ...]) -> tuple[Edit, ...]:
    """Return the edits with the insertion, as one with what goes in the same place."""
    at = insertion.span.start
    same = [edit for edit in edits if edit.span.start == at]
    rest = [edit for edit in edits if edit.span.start != at]
    return (Edit(same[0].span, insertion.text) if same else insertion, *rest)
