"""How to hold an install to its lock file, and whether the lock file allows it.

A package manager that is told to leave the lock file alone stops where the manifests say something else, or where
the file is of a form that another release writes. So each must be known to be in order, or the answer is a refusal.
"""

from collections.abc import Callable, Mapping
from posixpath import basename, dirname

from msgspec import Struct
from msgspec.structs import replace

from optimizer.ecosystems import bun, npm, pipenv, pnpm, uv, yarn
from optimizer.ecosystems._arguments import Arguments, Options, folder_of, is_on, parse, variables_of
from optimizer.ecosystems._lock_rules import (
    Case,
    Tools,
    UnboundError,
    bind_bun,
    bind_npm,
    bind_pipenv,
    bind_pnpm,
    bind_uv,
    bind_yarn,
)
from optimizer.ecosystems.ecosystem import Ecosystem, Install, Project, Refusal
from optimizer.shell import Call, Word

__all__ = ["PROGRAMS", "Frozen", "Tools", "frozen"]


class Frozen(Struct, frozen=True):
    """A word of the call, and what stands in its place once the lock file is binding."""

    word: Word
    text: str
    lock: str  # context path


def frozen(call: Call, project: Project, tools: Tools) -> Frozen | Refusal | None:
    """Say how to bind an install to its lock file; None for what is no such install, or is bound already."""
    for manager in _MANAGERS:
        if call.program in manager.programs:
            variables = variables_of(call, project.env)
            arguments = parse(call.arguments, manager.options, variables)
            if isinstance(arguments, Refusal):
                return arguments if any(w.value in manager.verbs for w in call.arguments) else None
            if _is_bound(manager, arguments, variables) or not call.words[0].value:
                return None
            return _answer(manager, call, project, arguments, tools)
    return None


class _Manager(Struct, frozen=True):
    """What the answer needs of a package manager."""

    ecosystem: Ecosystem
    programs: tuple[str, ...]
    options: Options
    verbs: tuple[str, ...]
    bound: tuple[str, ...]  # options that bind the install already, or undo what would
    locks: tuple[str, ...]
    bind: "Callable[[Case], str]"  # gives the words in the place of the verb
    quiet: tuple[str, ...] = ()  # switch lifecycle scripts off, which do not matter here
    alone: bool = False  # whether no verb at all installs
    on: tuple[str, ...] = ()  # variables that bind it


def _is_bound(manager: _Manager, arguments: Arguments, variables: Mapping[str, str | None]) -> bool:
    plain = [argument.text for argument in arguments.plain]
    if (plain and plain[0] not in manager.verbs) or not (plain or manager.alone):
        return True
    if not plain and arguments.has("--version", "-v", "--help", "-h"):
        return True
    if arguments.has(*manager.bound) or any(arguments.denies(option) for option in manager.bound):
        return True
    if arguments.has("-g", "--global") or arguments.last("--location", "-L") == "global":
        return True
    return any(is_on(variables.get(name)) for name in manager.on)


def _answer(manager: _Manager, call: Call, project: Project, arguments: Arguments, tools: Tools) -> Frozen | Refusal:
    if len(arguments.plain) > 1:
        return Refusal(f"the install names {arguments.plain[1].text}")
    asked = replace(call, words=(*call.words, *(Word(text, call.words[-1].span, text) for text in manager.quiet)))
    install = manager.ecosystem.install(asked, project)
    if not isinstance(install, Install):
        if install is None or install.reason.endswith("is not in the build context"):
            return Refusal("its manifests are not copied from the build context")
        return install
    lock = next((path for path in install.manifests if path.rpartition("/")[2] in manager.locks), None)
    if lock is None:
        return Refusal(f"no {manager.locks[0]} is copied")
    if install.rewrites:
        return Refusal(f"{basename(lock)} says something else than the manifests, or is of another release's form")
    if manager.ecosystem is npm.ECOSYSTEM and dirname(lock) != folder_of(call, project, arguments, "-C", "--prefix"):
        return Refusal("npm ci in one of the workspaces removes what was installed for the others")
    context = project.context
    verb = arguments.plain[0].word if arguments.plain else call.words[0]
    case = Case(verb.text, arguments, context, dirname(lock), lock, context.text(lock) or "", tools)
    try:
        return Frozen(verb, manager.bind(case), lock)
    except UnboundError as error:
        return Refusal(str(error))


_MANAGERS = (
    _Manager(
        npm.ECOSYSTEM, ("npm",), npm.OPTIONS, ("install", "i"),
        ("--package-lock", "--package-lock-only", "--shrinkwrap", "--dry-run"),
        ("package-lock.json", "npm-shrinkwrap.json"), bind_npm, ("--ignore-scripts",),
    ),
    _Manager(
        yarn.ECOSYSTEM, ("yarn", "yarnpkg"), yarn.OPTIONS, ("install",),
        ("--frozen-lockfile", "--pure-lockfile", "--immutable", "--lockfile", "--refresh-lockfile"),
        ("yarn.lock",), bind_yarn, ("--ignore-scripts", "--mode=skip-build"),
        alone=True, on=("CI", "YARN_ENABLE_IMMUTABLE_INSTALLS"),
    ),
    _Manager(
        pnpm.ECOSYSTEM, ("pnpm",), pnpm.OPTIONS, ("install", "i"),
        ("--frozen-lockfile", "--lockfile", "--lockfile-only", "--fix-lockfile", "--prefer-frozen-lockfile",
         "--resolution-only", "--merge-git-branch-lockfiles"),
        ("pnpm-lock.yaml",), bind_pnpm, ("--ignore-scripts",), on=("CI",),
    ),
    _Manager(
        bun.ECOSYSTEM, ("bun",), bun.OPTIONS, ("install", "i"),
        ("--frozen-lockfile", "--lockfile-only", "--save-text-lockfile", "--dry-run", "-y", "--yarn"),
        ("bun.lock",), bind_bun, ("--ignore-scripts",),
    ),
    _Manager(
        pipenv.ECOSYSTEM, ("pipenv",), pipenv.OPTIONS, ("install",),
        ("--deploy", "--ignore-pipfile", "--skip-lock"), ("Pipfile.lock",), bind_pipenv,
        on=("PIPENV_DEPLOY", "PIPENV_IGNORE_PIPFILE", "PIPENV_SKIP_LOCK"),
    ),
    _Manager(
        uv.ECOSYSTEM, ("uv",), uv.OPTIONS, ("sync",),
        ("--locked", "--frozen", "--check", "-U", "--upgrade", "-P", "--upgrade-package"), ("uv.lock",), bind_uv,
        on=("UV_LOCKED", "UV_FROZEN"),
    ),
)  # fmt: skip

PROGRAMS = frozenset(program for manager in _MANAGERS for program in manager.programs)
