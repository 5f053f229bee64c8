"""Leave the packages that are for development only out of the image that is shipped.

Test runners, linters and compilers are often the larger part of what an install brings. They may go where nothing
behind the install builds or runs with them, and nothing that the container starts is one of them.
"""

from collections.abc import Iterator
from itertools import chain

from msgspec.structs import replace

from optimizer.context import Context
from optimizer.ecosystems import Refusal
from optimizer.ecosystems._development import Development, development
from optimizer.model import Dockerfile, Step, mounts
from optimizer.shell import Call
from optimizer.transforms._copied_project import copied_project, steps_above, tools_of
from optimizer.transforms._copies import brings_context, read_copy
from optimizer.transforms._finding import Decline, Finding, Level, Rewrite
from optimizer.transforms._layout import insert_word
from optimizer.transforms._transform import Example, Subject, transform

_PROGRAMS = frozenset({"npm", "yarn", "pnpm", "uv", "poetry"})
_PYTHON = frozenset({"poetry", "uv"})
# Programs that do not look into node_modules or an environment; all else behind an install may build.
_HARMLESS = frozenset(
    "true : echo cd set export mkdir rm rmdir ls chown chmod chgrp ln touch find sed grep cat apt-get apt apk dnf yum "
    "adduser addgroup useradd groupadd usermod ldconfig update-ca-certificates test [".split()
)
_CLEANING = frozenset({("npm", "cache"), ("yarn", "cache"), ("pnpm", "store"), ("uv", "cache"), ("poetry", "cache")})
_MANIFEST = '{"dependencies": {"express": "4.18.2"}, "devDependencies": {"eslint": "9.0.0"}, "scripts": %s}'
_LOCK = '{"lockfileVersion": 3, "packages": {"": {}}}'


@transform(
    level=Level.ASSUMED,
    gain="size",
    examples=(
        Example(
            "nothing is built behind the install",
            context={
                "package.json": _MANIFEST % '{"start": "node server.js"}',
                "package-lock.json": _LOCK,
                "server.js": "require('express')().listen(80)\n",
            },
            before="""
                FROM node:20
                WORKDIR /app
                COPY package*.json ./
                RUN npm ci && npm cache clean --force
                COPY server.js .
                CMD ["npm", "start"]
                """,
            after="""
                FROM node:20
                WORKDIR /app
                COPY package*.json ./
                RUN npm ci --omit=dev && npm cache clean --force
                COPY server.js .
                CMD ["npm", "start"]
                """,
        ),
        Example(
            "a build step follows",
            context={"package.json": _MANIFEST % "{}", "package-lock.json": _LOCK},
            before="""
                FROM node:20
                WORKDIR /app
                COPY . .
                RUN npm ci
                RUN npm run build
                CMD ["node", "dist/server.js"]
                """,
            because="line 5 runs npm run behind it, which may need a development dependency",
        ),
        Example(
            "the start command is a development dependency",
            context={"package.json": _MANIFEST % '{"start": "eslint ."}', "package-lock.json": _LOCK},
            before="""
                FROM node:20
                WORKDIR /app
                COPY . .
                RUN npm ci
                CMD npm start
                """,
            because="the script start: eslint is a development dependency",
        ),
        Example(
            "the sources load one",
            context={
                "package.json": _MANIFEST % "{}",
                "package-lock.json": _LOCK,
                "server.js": "const { ESLint } = require('eslint')\n",
            },
            before="""
                FROM node:20
                WORKDIR /app
                COPY . .
                RUN npm ci
                CMD ["node", "server.js"]
                """,
            because="server.js speaks of eslint",
        ),
    ),
)
def omit_dev_dependencies(subject: Subject) -> Iterator[Finding]:
    """Put the option to the last install of the project's dependencies in each shipped stage."""
    dockerfile = subject.dockerfile
    for step in dockerfile:
        if step.run is None or step.stage not in dockerfile.shipped:
            continue
        for call in step.run.calls:
            answer = _judged(dockerfile, subject.context, step, call)
            if isinstance(answer, Development):
                yield _rewrite(step, call, answer)
            elif answer is not None:
                yield Decline(step.line, answer.reason)


def _judged(dockerfile: Dockerfile, context: Context, step: Step, call: Call) -> Development | Refusal | None:
    """Return what an install may leave out, why it may not, or None for what leaves nothing out."""
    if call.program not in _PROGRAMS:
        return None
    above = steps_above(dockerfile, step)
    from optimizer.transforms._started_with import why_started

    found = development(call, copied_project(above, step, call, context), tools_of(dockerfile, above, step))
    if not isinstance(found, Development):
        return found
    copies = (read_copy(other, context) for other in above if brings_context(other))
    reason = (
        next((one for one in copies if isinstance(one, str)), None)
        or ("node_modules of the build context is copied as well" if context.is_dir("node_modules") else None)
        or _why_not(step, call, found)
        or _why_before(above, step, call)
        or _why_behind(dockerfile, step, call)
        or next(
            (why for leaf in _leaves(dockerfile, step) if (why := why_started(dockerfile, context, leaf, found))), None
        )
    )
    return Refusal(reason) if reason else found


def _why_not(step: Step, call: Call, found: Development) -> str | None:
    run = step.run
    if run is None or not run.editable:
        return run.why_not_editable if run else None
    if call.nested:
        return "the install stands in a script within the script"
    if not call.certain or found.word not in call.command.words:
        return "the install runs under a condition only"
    if any("node_modules" in (mount.target or "node_modules") for mount in mounts(step)):
        return "a mount may hold node_modules"
    return None


def _why_before(above: list[Step], step: Step, call: Call) -> str | None:
    """Say which step above has put the packages into a layer already."""
    for other in (*above, step):
        for one in other.run.calls if other.run else ():
            if other is step and one == call:
                return None
            words = {word.value for word in one.arguments}
            if (
                one.program == call.program
                and words & {"install", "i", "ci", "sync"}
                and not words & {"-g", "--global"}
            ):
                return f"line {other.line} installs them before"
    return None


def _why_behind(dockerfile: Dockerfile, step: Step, call: Call) -> str | None:
    """Say which command behind an install may need what it brings."""
    taker = next((s for s, taken in dockerfile.copied_from.items() if step.stage in taken), None)
    if taker is not None:
        return "another stage copies from this one"
    heirs = {step.stage, *dockerfile.children(step.stage)}
    behind = False
    for other in dockerfile.steps[step.index :]:
        if other.run is None or other.stage not in heirs:
            continue
        if behind and other.run.script.problem:
            return f"line {other.line} may build with them: {other.run.script.problem}"
        for one in other.run.calls:
            if behind and not _is_harmless(one):
                words = " ".join(word.text for word in one.words[:2])
                return f"line {other.line} runs {words} behind it, which may need a development dependency"
            behind = behind or (other is step and one == call)
    return None


def _is_harmless(call: Call) -> bool:
    return call.program in _HARMLESS or (call.program, call.arguments[0].value if call.arguments else "") in _CLEANING


def _leaves(dockerfile: Dockerfile, step: Step) -> list[int]:
    """Return the stages that may be started with what the step installs."""
    return [stage for stage in sorted({step.stage, *dockerfile.children(step.stage)}) if not dockerfile.children(stage)]


def _rewrite(step: Step, call: Call, found: Development) -> Rewrite:
    words = ((w, replace(w, text=found.flag)) if w == found.word else (w,) for w in call.command.words)
    return Rewrite(
        step.line,
        "Install no development dependencies",
        "Nothing behind the install builds or runs with them, and they are often the larger part of it.",
        (insert_word(step, found.word, found.flag),),
        added=(str(replace(call.command, words=tuple(chain.from_iterable(words)))),),
        removed=(str(call.command),),
        assumption="The container is started as this file says, and what it starts needs no development dependency.",
        leaves_out=("/**/site-packages",) if call.program in _PYTHON else (f"{call.directory or ''}/**/node_modules",),
    )
