"""`chown` and `chmod` of files that a COPY brought: what they change, and whether the COPY can say it instead.

What BuildKit's `COPY --chown` and `--chmod` do was seen in real builds: they apply to the files, to the folders that
the COPY makes on its way (parents too), to folders below the destination that are there already, and not to a
destination that is there already. `--chown=user` without a group means the user's own group, where `chown user`
keeps root's; so the group is always written. Files from the build context are root's without a flag, those of
`COPY --from` belong to whom they belonged.
"""

import posixpath
from collections.abc import Iterator, Sequence

from msgspec import Struct

from optimizer.context import Context
from optimizer.model import Dockerfile, Step, base_images
from optimizer.shell import Call, Word, resolve
from optimizer.syntax import Document, variables_in
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._copies import Copied, brings_context, image_path, read_copy
from optimizer.transforms._crossing import destinations
from optimizer.transforms._independence import is_system, why_call_dependent, why_dependent
from optimizer.transforms._touching import is_below, touches

# Images that hold nothing outside of the standard folders, but for the homes of their users.
_PLAIN_BASES = frozenset(
    "almalinux alpine amazoncorretto amazonlinux buildpack-deps debian eclipse-temurin fedora nginx node openjdk "
    "oraclelinux python rockylinux ruby rust ubuntu".split()
)
# Folders that every distribution's base image has.
_STANDARD = frozenset(
    "/ /bin /etc /home /mnt /opt /root /sbin /srv /tmp /usr /usr/bin /usr/local /usr/local/bin /usr/sbin /var".split()
)
_COPIES = frozenset({"COPY", "ADD"})
_ROOT = frozenset({None, "root", "0", "root:root", "0:0"})
_NAME = r"(?:[A-Za-z0-9_][\w-]*|\$\w+|\$\{\w+\})"
_OWNER = lazy_pattern(rf"(?P<user>{_NAME})?(?P<colon>:)?(?P<group>{_NAME})?")
_OCTAL = lazy_pattern(r"0?[0-7]{3}")
_BUILDKIT_FLAGS = frozenset({"mount", "link", "chmod", "network", "security", "parents", "exclude"})


class Change(Struct, frozen=True):
    """A call that changes the owner or mode of paths; `value` is what the flag of a COPY would be.

    `problem` says why there is no such value.
    """

    step: Step
    call: Call
    flag: str
    value: str
    paths: tuple[str, ...]
    recursive: Word | None
    problem: str | None
    partial: bool  # the user or the group stays what it was


class Taken(Struct, frozen=True):
    """The COPYs that can say it; `folder` is one that was there before, for which the call must stay."""

    copies: tuple[Step, ...]
    folder: str | None = None


def read_change(step: Step, call: Call) -> Change | None:
    """Return what a call of chown or chmod changes, None where its paths are not known."""
    options = [word for word in call.arguments if word.text.startswith("-")]
    operands = [word for word in call.arguments if not word.text.startswith("-")]
    variables = {**step.state.args, **step.state.env, **call.variables}
    named = [resolve(word, variables) for word in operands[1:]]
    if not named or None in named or call.directory is None:
        return None
    paths = tuple(image_path(value or "", call.directory) for value in named)
    value, problem = _mode(operands[0]) if call.program == "chmod" else _owner(operands[0], step, call)
    unknown = next((word for word in options if word.text not in {"-R", "--recursive"}), None)
    if unknown is not None:
        problem = f"what {call.program} {unknown} does is not known"
    partial = call.program == "chown" and ":" not in operands[0].text.strip('":')
    return Change(step, call, call.program, value, paths, options[0] if options else None, problem, partial)


def why_not_separable(change: Change) -> str | None:
    """Say why the call cannot be taken out of its RUN, None where it can."""
    run, call = change.step.run, change.call
    if run is None or not run.editable:
        return run.why_not_editable if run else "it is not in a RUN"
    if change.step.instruction.flags:
        return "the RUN has flags"
    chain = run.script.chain
    if chain is None or call.nested or chain[call.step] != call.command:
        return f"the {call.program} is not a plain part of the RUN"
    if call.command.redirects or call.command.assignments or change.step.instruction.comments or run.script.comment:
        return f"the {call.program} has redirections or comments"
    if change.step.state.user not in _ROOT or call.user not in _ROOT:
        return f"the RUN's user is {call.user or change.step.state.user}"
    environment = {**change.step.state.args, **change.step.state.env}
    earlier = (other for other in run.calls if other.step < call.step)
    return next((why for c in earlier if (why := why_call_dependent(c, change.paths, environment))), None)


def taken_by(dockerfile: Dockerfile, change: Change, copies: Sequence[Step], context: Context) -> Taken | str:
    """Return the COPYs that can take a change over, or a clause that says why they cannot ("" where it is no place).

    `copies` are the COPYs and ADDs above it in its stage.
    """
    base = dockerfile.stages[min(dockerfile.lineage(change.step.stage))].base
    if base is None or base_images.repository(base) not in _PLAIN_BASES:
        return f"what {base or 'the base image'} holds is not known"
    taken = _taken_file(dockerfile, change, copies, context) or _taken_folder(dockerfile, change, context)
    if isinstance(taken, str):
        return taken
    return next((why for copy in taken.copies if (why := _why_not_on(copy, change, dockerfile))), taken)


def _mode(word: Word) -> tuple[str, str | None]:
    """Return the mode for COPY --chmod, and why there is none."""
    if _OCTAL.fullmatch(word.text):
        return word.text, None
    return "", f"the mode {word} depends on the one that the file has, and COPY --chmod takes a whole one"


def _owner(word: Word, step: Step, call: Call) -> tuple[str, str | None]:
    """Return `user:group` for COPY --chown, variables left in place where COPY sees them too, and why there is none."""
    parts = _OWNER.fullmatch(word.text.strip('"'))
    seen = {**step.state.args, **step.state.env}
    hidden = any(name in call.variables or not seen.get(name) for name in word.variables)
    if parts is None or hidden or not (parts["user"] or parts["group"]) or (parts["colon"] and not parts["group"]):
        return "", f"whom {word} stands for is not known"
    return f"{parts['user'] or '0'}:{parts['group'] or '0'}", None


def _taken_file(dockerfile: Dockerfile, change: Change, copies: Sequence[Step], context: Context) -> Taken | str | None:
    """Return the COPY that brings just the changed files; None where it brings folders."""
    for copy in reversed(copies):
        if not touches_any(destinations(copy, context) or (), change.paths):
            continue
        placed = _files(copy, context)
        if placed is None or set(placed).isdisjoint(change.paths):
            return None
        between = _first_run(dockerfile, copy, change.step)
        if between is not None:
            return f"RUN in line {between.line} stands between"
        if set(placed) != set(change.paths):
            return f"{copy.name} in line {copy.line} brings other files as well"
        parents = sorted({posixpath.dirname(path) for path in placed} - _STANDARD)
        made = next((p for p in parents if not _is_made(dockerfile, copy, p)), None)
        return (
            f"{copy.name} in line {copy.line} may make {made}, which would change as well" if made else Taken((copy,))
        )
    return None


def _first_run(dockerfile: Dockerfile, above: Step, step: Step) -> Step | None:
    """Return the first RUN between two steps."""
    between = (dockerfile.steps[index] for index in range(above.index + 1, step.index))
    return next((s for s in between if s.run is not None), None)


def touches_any(placed: Sequence[str], paths: Sequence[str]) -> bool:
    """Tell whether any of the placed files is, or lies below or above, one of the paths."""
    return any(touches(path, paths) for path in placed)


def _files(copy: Step, context: Context) -> list[str] | None:
    """Return where a COPY puts its files, None where it brings folders or that cannot be told."""
    if not brings_context(copy):
        return None
    copied = read_copy(copy, context)
    if isinstance(copied, Copied):
        return None if any(p.folder for p in copied.placed) else [p.destination for p in copied.placed]
    words = [copy.state.word(word) for word in copy.instruction.arguments]
    if len(words) != 2 or None in words:  # noqa: PLR2004 - one source and its destination
        return None
    source, target = (word or "" for word in words)
    same = posixpath.basename(source) == posixpath.basename(target) or "." in posixpath.basename(target)
    return [image_path(target, copy.state.workdir)] if same and context.is_file(source) else None


def _is_made(dockerfile: Dockerfile, step: Step, folder: str) -> bool:
    """Tell whether a WORKDIR above a step makes a folder."""
    return any(path is not None and is_below(path, folder) for s, path in _workdirs(dockerfile, step))


def _workdirs(dockerfile: Dockerfile, step: Step) -> Iterator[tuple[Step, str | None]]:
    for earlier in _history(dockerfile, step):
        if earlier.name == "WORKDIR":
            value = earlier.state.word(earlier.instruction.value.text.strip())
            yield earlier, None if value is None else image_path(value, earlier.state.workdir)


def _history(dockerfile: Dockerfile, step: Step) -> Iterator[Step]:
    """Go through the steps of the stages that a step builds on, and of its own up to it."""
    for stage in sorted(dockerfile.lineage(step.stage)):
        first = dockerfile.stages[stage].steps[0].index
        end = step.index if stage == step.stage else first + len(dockerfile.stages[stage].steps)
        yield from (dockerfile.steps[index] for index in range(first + 1, end))


def _taken_folder(dockerfile: Dockerfile, change: Change, context: Context) -> Taken | str:
    """Return the COPYs that bring all that a folder holds."""
    folder = change.paths[0]
    if len(change.paths) != 1 or change.recursive is None or change.flag != "chown":
        written = (destinations(s, context) or () for s in _history(dockerfile, change.step) if s.name in _COPIES)
        inside = any(is_below(folder, path) and folder != path for paths in written for path in paths)
        return "not all that the COPY brings is changed alike" if inside or change.recursive else ""
    if is_system(folder):
        return f"{folder} holds other files as well"
    made, copies = False, []
    for step in _history(dockerfile, change.step):
        reason = _why_mixed(step, folder, change, context)
        if reason:
            return reason
        if step.name in _COPIES and touches_any(destinations(step, context) or (), (folder,)):
            copies.append(step)
    for _, path in _workdirs(dockerfile, change.step):
        if path is None or (path != folder and is_below(path, folder)):
            return f"WORKDIR makes folders in {folder}"
        made = made or path == folder
    if not made and posixpath.dirname(folder) not in _STANDARD:
        return f"the COPY makes {posixpath.dirname(folder)} as well"
    return Taken(tuple(copies), folder if made else None)


def _why_mixed(step: Step, folder: str, change: Change, context: Context) -> str | None:
    """Say why a step may have put something into a folder that no COPY of this stage brings."""
    if step.run is not None:
        reason = why_dependent(step, (folder,))
        return f"RUN in line {step.line} may have put files into {folder}: {reason}" if reason else None
    if step.name == "VOLUME":
        return f"VOLUME in line {step.line} stands above"
    if step.name not in _COPIES:
        return None
    paths = destinations(step, context)
    if paths is None:
        return f"where {step.name} in line {step.line} puts its files is not known"
    inside = all(is_below(path, folder) for path in paths)
    if touches_any(paths, (folder,)) and not (inside and step.stage == change.step.stage):
        return f"{step.name} in line {step.line} brings other files as well"
    return None


def _why_not_on(copy: Step, change: Change, dockerfile: Dockerfile) -> str | None:
    """Say why a COPY cannot get the flag."""
    instruction = copy.instruction
    if copy.name != "COPY" or instruction.problem:
        return f"{copy.name} in line {copy.line} is not a plain COPY"
    taken = next((f for f in (change.flag, "link") if instruction.flag(f) is not None), None)
    if taken:
        return f"COPY in line {copy.line} has --{taken} already"
    if change.partial and instruction.flag("from") is not None:
        return f"the files that COPY in line {copy.line} takes from elsewhere keep a part of their owner"
    if any(copy.state.value(name) != change.step.state.value(name) for name in variables_in(change.value)):
        return f"{change.value} means something else in COPY in line {copy.line}"
    if change.flag == "chmod" and not uses_buildkit(dockerfile.document):
        return "COPY --chmod needs BuildKit, which nothing else in the file does"
    numeric = all(part.isdigit() or part == "root" for part in change.value.split(":"))
    late = change.call.step > 0 or _first_run(dockerfile, copy, change.step) is not None
    if change.flag == "chown" and not numeric and late:
        return f"whether {change.value} is known before COPY in line {copy.line} cannot be told"
    return None


def uses_buildkit(document: Document) -> bool:
    """Tell whether a file cannot be built without BuildKit anyway."""
    if any(directive.name == "syntax" for directive in document.directives):
        return True
    return any(i.heredocs or any(flag.name in _BUILDKIT_FLAGS for flag in i.flags) for i in document)
