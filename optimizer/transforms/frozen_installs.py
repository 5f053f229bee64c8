"""Install what the lock file says, and stop where it and the manifests disagree.

`npm install`, `yarn install`, `pnpm install` and the like take a lock file as advice: where it does not fit they
resolve anew, and write another one that nobody sees. Bound to it, today's build and next year's install the same.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from posixpath import join, normpath

from msgspec.structs import replace

from optimizer.context import Context
from optimizer.ecosystems import Refusal
from optimizer.ecosystems._frozen import PROGRAMS, Frozen, frozen
from optimizer.model import Dockerfile, Run, Step, mounts
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._copied_project import copied_project, steps_above, tools_of
from optimizer.transforms._copies import brings_context, read_copy
from optimizer.transforms._finding import Decline, Edit, Finding, Level, Rewrite
from optimizer.transforms._transform import Example, Subject, transform

_MANIFESTS = lazy_pattern(
    r"package(?:-lock)?\.json|npm-shrinkwrap|yarn\.lock|pnpm-lock|bun\.lock|\.npmrc|\.yarnrc|Pipfile|pyproject\.toml"
    r"|uv\.lock|(?:npm|yarn|pnpm)\s+(?:pkg|version|set\s+version|init|add|un\w+|remove|rm|up\w*|link|dedupe|audit)\b"
    r"|uv\s+(?:add|remove|lock)\b|pipenv\s+(?:lock|update|uninstall|upgrade)\b|config\s+set\s+\S*(?:lock|shrinkwrap|legacy|immutable)"
)


@transform(
    level=Level.ASSUMED,
    gain="reproducible builds",
    examples=(
        Example(
            "npm",
            context={
                "package.json": '{"dependencies": {"express": "^4.18.0"}}',
                "package-lock.json": (
                    '{"lockfileVersion": 3, "packages": {"": {"dependencies": {"express": "^4.18.0"}},'
                    ' "node_modules/express": {"version": "4.18.2"}}}'
                ),
            },
            before="""
                FROM node:20
                WORKDIR /app
                COPY package*.json ./
                RUN npm install --omit=dev
                """,
            after="""
                FROM node:20
                WORKDIR /app
                COPY package*.json ./
                RUN npm ci --omit=dev
                """,
        ),
        Example(
            "Yarn 1",
            context={
                "package.json": '{"dependencies": {"express": "^4.18.0"}}',
                "yarn.lock": '# yarn lockfile v1\n\n\nexpress@^4.18.0:\n  version "4.18.2"\n',
            },
            before="""
                FROM node:20
                WORKDIR /app
                COPY package.json yarn.lock ./
                RUN yarn install && yarn cache clean
                """,
            after="""
                FROM node:20
                WORKDIR /app
                COPY package.json yarn.lock ./
                RUN yarn install --frozen-lockfile && yarn cache clean
                """,
        ),
        Example(
            "a lock file that stays behind",
            context={"package.json": '{"dependencies": {"express": "^4.18.0"}}', "package-lock.json": "{}"},
            before="""
                FROM node:20
                WORKDIR /app
                COPY package.json ./
                RUN npm install
                """,
            because="no package-lock.json is copied",
        ),
        Example(
            "a lock file that is out of date",
            context={
                "package.json": '{"dependencies": {"express": "^4.19.0"}}',
                "package-lock.json": (
                    '{"lockfileVersion": 3, "packages": {"": {"dependencies": {"express": "^4.18.0"}},'
                    ' "node_modules/express": {"version": "4.18.2"}}}'
                ),
            },
            before="""
                FROM node:20
                WORKDIR /app
                COPY . .
                RUN npm install
                """,
            because="says something else than the manifests",
        ),
        Example(
            "an npm that cannot read it",
            context={
                "package.json": '{"dependencies": {"express": "^4.18.0"}}',
                "package-lock.json": (
                    '{"lockfileVersion": 3, "packages": {"": {"dependencies": {"express": "^4.18.0"}},'
                    ' "node_modules/express": {"version": "4.18.2"}}}'
                ),
            },
            before="""
                FROM node:14
                WORKDIR /app
                COPY . .
                RUN npm install
                """,
            because="npm 6 does not know the form of",
        ),
    ),
)
def frozen_installs(subject: Subject) -> Iterator[Finding]:
    """Bind each install of the project's dependencies to the lock file that is copied with its manifests."""
    for step in subject.dockerfile:
        chosen = []
        for call in step.run.calls if step.run and step.stage >= 0 else ():
            answer = _judged(subject.dockerfile, subject.context, step, call)
            if isinstance(answer, Frozen):
                chosen.append((call, answer))
            elif answer is not None:
                yield Decline(step.line, answer.reason)
        if step.run and chosen:
            yield _rewrite(step, step.run, chosen)


def _judged(dockerfile: Dockerfile, context: Context, step: Step, call: Call) -> Frozen | Refusal | None:
    """Return how an install is bound, why it is not, or None for what is none."""
    if call.program not in PROGRAMS:
        return None
    above = steps_above(dockerfile, step)
    project = copied_project(above, step, call, context)
    answer = frozen(call, project, tools_of(dockerfile, above, step))
    if not isinstance(answer, Frozen):
        return answer
    copies = (read_copy(other, context) for other in above if brings_context(other))
    unread = next((reason for reason in copies if isinstance(reason, str)), None)
    modules = join(answer.lock, "..", "node_modules")
    removed = answer.text == "ci" and project.context.is_dir(modules)
    reason = (
        unread
        or _why_not(step, call)
        or _why_changed(step, call, above, answer)
        or ("npm ci removes the node_modules that is copied" if removed else None)
    )
    return Refusal(reason) if reason else answer


def _why_not(step: Step, call: Call) -> str | None:
    run = step.run
    if run is None or not run.editable:
        return run.why_not_editable if run else None
    if call.nested:
        return "the install stands in a script within the script"
    if not call.certain:
        return "the install runs under a condition only"
    if any("node_modules" in (mount.target or "node_modules") for mount in mounts(step)):
        return "a mount may hold node_modules"
    return None


def _why_changed(step: Step, call: Call, above: Sequence[Step], answer: Frozen) -> str | None:
    """Say what may make other files of those that are copied, or need what an install before it left."""
    before = step.run.script.text[: call.command.span.start] if step.run else ""
    for other, text in (*((o, o.run.text.text) for o in above if o.run), (step, before)):
        if _MANIFESTS.search(text):
            return f"line {other.line} may change the manifests or the lock file"
    folder = normpath(join("/", answer.lock, ".."))
    for other in above:
        if other.name == "COPY" and not brings_context(other) and not other.instruction.heredocs:
            target = normpath(join(other.state.workdir or "/", other.instruction.arguments[-1]))
            if folder == target or folder.startswith(target.rstrip("/") + "/") or "$" in target:
                return f"line {other.line} may bring other manifests"
    if answer.text != "ci":
        return None
    runs = [one for other in above for one in (other.run.calls if other.run else ())]
    runs += [one for one in (step.run.calls if step.run else ()) if one.command.span.start < call.command.span.start]
    if any(one.program == "npm" and not _is_global(one) for one in runs):
        return "npm ci removes what an npm before it installed"
    return None


def _is_global(call: Call) -> bool:
    return not {"-g", "--global", "--version", "-v"}.isdisjoint(word.value or "" for word in call.arguments)


def _rewrite(step: Step, run: Run, chosen: Sequence[tuple[Call, Frozen]]) -> Rewrite:
    names = " and ".join(dict.fromkeys(frozen.lock.rpartition("/")[2] for _, frozen in chosen))
    return Rewrite(
        step.line,
        f"Install what {names} says",
        "An install that may resolve anew gives another image when a package is released, and nobody sees it.",
        tuple(Edit(run.text.span(*one.word.span), one.text) for _, one in chosen),
        added=tuple(_bound(call, one) for call, one in chosen),
        removed=tuple(str(call.command) for call, _ in chosen),
        assumption="The lock file is meant to be the truth for this image.",
    )


def _bound(call: Call, one: Frozen) -> str:
    words = ([replace(w, text=one.text)] if w == one.word else [w] for w in call.command.words)
    return str(replace(call.command, words=tuple(chain.from_iterable(words))))
