"""Copy the dependency manifests, install, and only then copy the rest.

A COPY of the whole project in front of an install makes every edit of a source file run the install again, for the
builder reuses a step only while all above it is unchanged. With the manifests alone in front, the install is reused
until they change. The manifests are those that the install command reads, each found in the build context.
"""

from collections.abc import Iterator, Sequence

from optimizer.model import Stage, Step
from optimizer.transforms._copies import Copied, Placed, brings_context, image_path, is_settings, overlap, read_copy
from optimizer.transforms._early_installs import Early, follow, installs_in
from optimizer.transforms._finding import Decline, Finding, Level
from optimizer.transforms._found_installs import is_provided
from optimizer.transforms._sources_last import sources_last
from optimizer.transforms._transform import Example, Subject, Touches, transform
from optimizer.transforms._unread import PROJECT_INSTALL, unread

_NODE = {"package.json": '{"dependencies": {"express": "4.18.2"}}', "server.js": "", ".dockerignore": "node_modules\n"}
_PYTHON = {"requirements.txt": "flask==3.0.0\n", "app.py": ""}


@transform(
    level=Level.EXACT,
    touches=frozenset({Touches.ORDER, Touches.CONTEXT}),
    gain="cache hits",
    aliases=("tally:prefer-copy-manifests",),
    examples=(
        Example(
            "npm install behind a copy of everything",
            context=_NODE,
            before="""
                FROM node:20
                WORKDIR /app
                COPY . .
                RUN npm install
                CMD ["node", "server.js"]
                """,
            after="""
                FROM node:20
                WORKDIR /app
                COPY package.json ./
                RUN npm install
                COPY . .
                CMD ["node", "server.js"]
                """,
        ),
        Example(
            "an install and a build in one RUN",
            context=_NODE | {"package.json": '{"scripts": {"build": "tsc"}}'},
            before="""
                FROM node:20
                WORKDIR /app
                COPY . .
                RUN npm install && npm run build
                """,
            after="""
                FROM node:20
                WORKDIR /app
                COPY package.json ./
                RUN npm install
                COPY . .
                RUN npm run build
                """,
        ),
        Example(
            "the requirements named by their path in the image",
            context=_PYTHON,
            before="""
                FROM python:3.12
                # The application
                COPY . /srv
                RUN pip install -r /srv/requirements.txt
                """,
            after="""
                FROM python:3.12
                COPY requirements.txt /srv/
                RUN pip install -r /srv/requirements.txt
                # The application
                COPY . /srv
                """,
        ),
        Example(
            "an install that builds the project itself",
            context=_PYTHON | {"pyproject.toml": "[project]\nname = 'app'\n"},
            before="""
                FROM python:3.12
                WORKDIR /app
                COPY . .
                RUN pip install .
                """,
            because="sources",
        ),
        Example(
            "a lifecycle script that may read the sources",
            context=_NODE | {"package.json": '{"scripts": {"postinstall": "node setup.js"}}'},
            before="""
                FROM node:20
                WORKDIR /app
                COPY . .
                RUN npm install
                """,
            because="postinstall",
        ),
        Example(
            "a step between that needs the sources",
            context=_PYTHON,
            before="""
                FROM python:3.12
                WORKDIR /app
                COPY . .
                RUN ./configure.sh
                RUN pip install -r requirements.txt
                """,
            because="line 4",
        ),
    ),
)
def split_manifest_copy(subject: Subject) -> Iterator[Finding]:
    """Move each COPY of sources below the installs that need the manifests only."""
    for stage in subject.dockerfile.stages:
        finding = _in_stage(subject, stage)
        if finding is not None:
            yield finding


def _in_stage(subject: Subject, stage: Stage) -> Finding | None:
    earlier: list[Copied] = []
    declined: Decline | None = None
    unread: Decline | None = None
    for step in stage.body:
        if not brings_context(step):
            continue
        copied = read_copy(step, subject.context)
        if isinstance(copied, str):
            unread = unread or _why_unread(subject, step, copied, earlier)
            continue
        if is_settings(copied, subject.context):
            earlier.append(copied)
            continue
        early = follow(subject.dockerfile, subject.context, copied, earlier)
        if early.installs:
            finding = sources_last(subject.dockerfile, subject.context, early, earlier)
            if finding is not None:
                return finding
        elif declined is None and any(placed.folder for placed in copied.placed):
            declined = _why_not(subject, early, earlier)
        earlier.append(copied)
    return declined or unread


def _why_unread(subject: Subject, step: Step, reason: str, earlier: Sequence[Copied]) -> Decline | None:
    """Return the decline for the first install below a COPY that cannot be read, if it might bring the project."""
    if all(map(subject.context.is_file, step.instruction.arguments[:-1])):
        return None  # single files are no sources, whatever they are called in the image
    target, workdir = step.instruction.arguments[-1:], image_path(".", step.state.workdir)
    folder = image_path(target[0], step.state.workdir) if target and "$" not in target[0] else workdir
    perhaps = Copied(step, (Placed("", folder, folder=True),), folder)
    for later in subject.dockerfile.after(step) if overlap(folder, workdir) else ():
        if installs_in(later, subject.dockerfile, subject.context, [*earlier, perhaps]):
            return None if is_provided(later, subject.context, earlier) else Decline(later.line, reason)
    return None


def _why_not(subject: Subject, early: Early, earlier: Sequence[Copied]) -> Decline | None:
    """Return the decline for the first install below a COPY that cannot run before it."""
    if early.stopped is None:
        return None
    stop, reason = early.stopped
    copies = [*earlier, *early.moved]
    if not_read := unread(stop, PROJECT_INSTALL):
        return not_read
    for step in (stop, *subject.dockerfile.after(stop)):
        if installs_in(step, subject.dockerfile, subject.context, copies):
            between = "" if step is stop else f"line {stop.line} stands between: "
            return Decline(step.line, between + reason)
    return None
