"""The installs of a RUN, asked of every ecosystem for the project as the COPYs above it show it."""

import posixpath
from collections.abc import Iterator, Sequence

from msgspec import Struct

from optimizer.context import Context, IgnoreFile
from optimizer.ecosystems import ecosystems_for
from optimizer.ecosystems.ecosystem import Ecosystem, Install, Project, Refusal
from optimizer.model import BASE_WORKDIR, Dockerfile, Step
from optimizer.shell import Call, resolve
from optimizer.transforms._ahead import is_done
from optimizer.transforms._copies import Copied, Placed, below, image_path, overlaid


class Found(Struct, frozen=True):
    """An install in a RUN; `paths` and `outputs` are the image paths of its manifests and of what it makes.

    Where something is done ahead of it, `folder` is the place for that, and at `stand_ins` it puts files of its own.
    """

    step: Step
    call: Call
    install: Install
    paths: tuple[str, ...]
    outputs: tuple[str, ...]
    folder: str = ""
    stand_ins: tuple[str, ...] = ()


def install_of(call: Call, step: Step, context: Context, copies: Sequence[Copied]) -> Found | Refusal | None:
    """Return the install that a call is, why it cannot be separated, or None for what is no install."""
    refusal: Refusal | None = None
    ecosystems = ecosystems_for(call.program)
    for project in _projects(call, step, context, copies) if ecosystems else ():
        for ecosystem in ecosystems:
            answer = _answer(ecosystem, call, project)
            if isinstance(answer, Refusal):
                refusal = refusal or answer
            elif answer is not None:
                paths = tuple(_image_path_of(manifest, project) for manifest in answer.manifests)
                outputs = tuple(_image_path_of(output, project) for output in answer.outputs)
                missing = next((p for p in paths if brought(p, copies) is None), None)
                if missing is None:
                    folder = answer.ahead.folder if answer.ahead else project.source
                    sources = answer.ahead.stand_ins if answer.ahead else ()
                    stand_ins = tuple(_image_path_of(source, project) for source in sources)
                    return Found(step, call, answer, paths, outputs, _image_path_of(folder, project), stand_ins)
                refusal = refusal or Refusal(f"{posixpath.basename(missing)} is not among the copied files")
    return refusal


def _answer(ecosystem: Ecosystem, call: Call, project: Project) -> Install | Refusal | None:
    """Return what an ecosystem says of a call, asked once of a context: most calls stay while the file changes."""
    values = (*call.variables.items(), None, *project.env.items())
    key = (ecosystem.id, call.words, call.command, call.directory, call.user, call.certain, call.nested, *values)
    return project.context.once((project.source, project.destination, key), lambda _: ecosystem.install(call, project))


def wanted(answer: Found | Refusal | None, step: Step, call: Call, dockerfile: Dockerfile) -> Found | Refusal | None:
    """Return an answer, None where it speaks of fetching what a command above fetches already."""
    ahead = answer.install.ahead if isinstance(answer, Found) else answer
    return None if ahead is not None and is_done(dockerfile, step, call, ahead.marks) else answer


def is_made(found: Found, dockerfile: Dockerfile) -> bool:
    """Tell whether a command leaves the project out already, as an install's own `command` would."""
    words = (found.install.command or "").split()
    switches = {*words} - {*(found.install.then or "").split()}
    if not (found.install.then and switches):
        return False
    made = _made_in(dockerfile, found.step.stage)
    return any(m[:2] == (*words[:2],) and switches <= {*m} for m in made)


def _made_in(dockerfile: Dockerfile, stage: int) -> frozenset[tuple[str, ...]]:
    """Return the words of the commands of a stage and of those that it is built on."""
    runs = (step.run for at in dockerfile.lineage(stage) for step in dockerfile.stages[at].body if step.run)
    return frozenset(tuple(map(str, call.words)) for run in runs for call in run.calls)


def _image_path_of(path: str, project: Project) -> str:
    inner = below(path, project.source) if project.source else path
    return posixpath.join(project.destination, inner or "")


def brought(path: str, copies: Sequence[Copied]) -> str | None:
    """Return the context path of what stands at an image path after all COPYs."""
    return next((source for c in reversed(copies) if (source := c.source_of(path)) is not None), None)


def _projects(call: Call, step: Step, context: Context, copies: Sequence[Copied]) -> Iterator[Project]:
    """Give the project as each COPY of a folder shows it, the nearest one first, and then as all do together.

    Where one COPY replaces files of another, or puts some beside or above them, only all together show it as it is.
    """
    folders = [one for copied in reversed(copies) for one in copied.placed if one.folder]
    alone = [] if overlaid(copies, context) else [one for one in folders if _is_whole(one, copies)]
    for one in sorted(alone, key=lambda p: -_nearness(call.directory, p.destination)):
        yield Project(context, one.source, one.destination, step.state.sure)
    if len(folders) != 1 or len(copies) > 1:
        top = BASE_WORKDIR if (call.directory or "").startswith(BASE_WORKDIR) else "/"
        view = context.once(("view", top, *(c.placed for c in copies)), lambda seen: _view(seen, copies, top))
        yield Project(view, "", top, step.state.sure)


def _is_whole(folder: Placed, copies: Sequence[Copied]) -> bool:
    """Tell whether a COPY shows all that an install in its folder may look at: what is in it and above it."""
    return not any(_adds(other, folder) for copied in copies for other in copied.placed)


def _adds(other: Placed, folder: Placed) -> bool:
    """Tell whether a file or folder stands above, beside or in a folder that does not bring it itself."""
    inner = below(other.destination, folder.destination)
    if inner is not None:
        return (posixpath.join(folder.source, inner) if inner else folder.source) != other.source
    place = other.destination if other.folder else posixpath.dirname(other.destination)
    return below(folder.destination, place) is not None


def _view(context: Context, copies: Sequence[Copied], top: str) -> Context:
    """Return the files below a folder of the image, as all COPYs together make it, as a context of its own."""
    sources = {}
    for copied in copies:
        for one in copied.placed:
            for file in context.under(one.source) if one.folder else (one.source,):
                inner = (below(file, one.source) if one.source else file) if one.folder else ""
                path = below(posixpath.join(one.destination, inner or "") if inner else one.destination, top)
                if path:
                    sources[path] = file
    sizes = {path: context.files.get(source, 0) for path, source in sources.items()}
    return Context(
        sizes,
        IgnoreFile(""),
        lambda path: context.read_bytes(sources[path]) if path in sources else None,
        executable=lambda path: context.executable(sources[path]) if path in sources else None,
    )


def _nearness(directory: str | None, folder: str) -> int:
    return len(folder) if directory is not None and below(directory, folder) is not None else -1


def is_provided(step: Step, context: Context, copies: Sequence[Copied]) -> bool:
    """Tell whether a RUN has an install whose manifests these COPYs bring."""
    calls = step.run.calls if step.run else ()
    return any(isinstance(found := install_of(c, step, context, copies), Found) and found.paths for c in calls)


def why_copied(found: Found, context: Context, moved: Sequence[Copied]) -> str | None:
    """Say whether what an install starts is itself brought by COPYs (`bin/yarn`), and is not among its manifests."""
    call, word = found.call, found.call.words[0]
    started = resolve(word, {**found.step.state.sure, **call.variables})
    if started is not None and "/" not in started:
        return None
    if started is None or (call.directory is None and not started.startswith("/")):
        return f"where {word.text} lies is not known"
    path = image_path(started, call.directory)
    source = None if path in found.paths else brought(path, moved)
    return f"{started} is one of the copied files" if source and context.exists(source) else None
