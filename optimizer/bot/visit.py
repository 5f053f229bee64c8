"""One repository from its target to what was done there."""

import os.path
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from optimizer.bot import branches
from optimizer.bot.body import Render
from optimizer.bot.checkout import Checkout, beside, cloned, inside
from optimizer.bot.forge import Forge, ForgeError, Repository
from optimizer.bot.git import Git, GitError
from optimizer.bot.maintain import Did, Site, Step, Unit, left_over, maintain
from optimizer.bot.secret import Secret
from optimizer.bot.target import Target
from optimizer.report import Entry, Verdict

_TRIES, _PAUSE = 20, 3.0  # a minute for the forge to make a fork

Optimize = Callable[[Path], Sequence[Entry]]  # a work tree to its Dockerfiles, each with its result


class Wishes(Struct, frozen=True):
    """How the user wants it; `base` is None for the default branch."""

    base: str | None = None
    prefix: str = "dfopt/"
    split: bool = False
    fork: bool = False
    dry: bool = False


class Visit(Struct, frozen=True):
    """What came of one target: steps, or the problem that stood in the way; `notes` are errors of single files."""

    target: str
    steps: tuple[Step, ...] = ()
    problem: str | None = None
    notes: tuple[str, ...] = ()
    bug: bool = False
    details: str = ""  # the traceback of an unexpected error

    @property
    def failed(self) -> bool:
        """Whether a person has to look."""
        return bool(self.problem) or any(step.did is Did.REFUSED for step in self.steps)


def visit(target: Target, token: Secret | None, wishes: Wishes, optimize: Optimize, render: Render) -> Visit:
    """Bring the requests of a repository up to date. Raises ForgeError, GitError."""
    forge = connected(target, token, wishes)
    repository = forge.repository() if forge else None
    if repository and not (wishes.base or repository.default_branch):
        return Visit(target.text, problem="the repository is empty")
    if repository and repository.archived:
        return Visit(target.text, problem=f"{repository.name} is archived: nothing can be opened there")
    source = _source(forge, repository, wishes) if forge and repository else None
    if forge and source and source != repository:
        _wait_for(source, Git(Path.cwd(), forge.user, token, source.clone_url))
    with _checkout(target, token, forge, repository, wishes) as checkout:
        remote = target.remote if source == repository and target.remote else source.clone_url if source else "origin"
        site = Site(checkout, render, remote, forge, source, wishes.dry)
        submodules = checkout.submodules()
        entries = tuple(_named(entry, checkout, submodules) for entry in optimize(checkout.folder))
        units = (branches.each if wishes.split else branches.together)(wishes.prefix, entries)
        tips = checkout.tips(remote, f"{wishes.prefix}*") if forge else {}
        steps = [_step(site, unit, tips.get(unit.branch)) for unit in units]
        if forge and source:
            kept = {unit.branch for unit in units}
            steps += left_over(site, forge.open_requests(source), kept, wishes.prefix, tips)
    notes = tuple(problem for entry in entries if (problem := _problem(entry)))
    return Visit(target.text, tuple(steps), notes=notes, bug=any(entry.bug for entry in entries))


def connected(target: Target, token: Secret | None, wishes: Wishes) -> Forge | None:
    """Return the forge of a target; None where it is not known or may not be asked, and a dry run can do without."""
    if target.kind is None:
        if wishes.dry:
            return None
        raise ForgeError(f"no known forge at {target.server or 'its remote'}; name it with --forge")
    if token is None:
        if wishes.dry:
            return None
        raise ForgeError(f"no token: set one in the environment ({_variable(target.kind)}), or store one for git")
    from optimizer.bot.forges import connect

    return connect(target, token)


def _variable(kind: str) -> str:
    from optimizer.bot.credentials import VARIABLES

    return VARIABLES[kind][-1] if kind == "github" else VARIABLES[kind][1]


def _source(forge: Forge, repository: Repository, wishes: Wishes) -> Repository:
    """Return the repository that gets the branch."""
    if repository.can_push and not wishes.fork:
        return repository
    if wishes.dry:
        return repository
    if not wishes.fork:
        raise ForgeError(f"the token may not push to {repository.name}; --fork works from a fork")
    return forge.fork()


def _wait_for(fork: Repository, git: Git) -> None:
    """Wait until a fork is there: forges make them in the background."""
    for _ in range(_TRIES):
        if git.asked("ls-remote", "--", fork.clone_url, "HEAD") is not None:
            return
        time.sleep(_PAUSE)
    raise ForgeError(f"the fork {fork.name} is not ready; run it again later")


@contextmanager
def _checkout(
    target: Target, token: Secret | None, forge: Forge | None, repository: Repository | None, wishes: Wishes
) -> Iterator[Checkout]:
    known = (forge.user, token, repository.clone_url) if forge and repository else ()
    git = Git(target.clone or Path.cwd(), *known)
    if target.clone:
        base = wishes.base or (repository.default_branch if repository else default_branch(git, target.remote))
        with beside(git, target.remote, base) as checkout:
            yield checkout
        return
    url = repository.clone_url if repository else f"{target.server}/{target.name}.git"
    base = wishes.base or (repository.default_branch if repository else default_branch(git, url))
    # A fork may lack the commits that a clone without history does not have either.
    with cloned(git, url, base, whole=wishes.fork) as checkout:
        yield checkout


def default_branch(git: Git, remote: str) -> str:
    """Return the branch that the HEAD of a remote names. Raises GitError."""
    for line in git("ls-remote", "--symref", "--", remote, "HEAD").splitlines():
        if line.startswith("ref: refs/heads/"):
            return line.removeprefix("ref: refs/heads/").partition("\t")[0]
    raise GitError("the repository is empty")


def _named(entry: Entry, checkout: Checkout, submodules: Sequence[str]) -> Entry:
    """Return an entry by its path in the repository; one that cannot be judged by it alone as an error."""
    root = checkout.folder.resolve()
    if not entry.patch_path:
        entry = replace(entry, patch_path=os.path.relpath(entry.path, root))
    # First of all: what an error says may come from a file that is nobody's business here.
    if not all(inside(Path(path).resolve(), root) for path in (entry.path, *(change.path for change in entry.changes))):
        return replace(entry, result=None, artifacts=(), error="leads out of the repository, left alone")
    if entry.error:
        return entry
    context = Path(entry.context).resolve()
    if found := next((name for name in submodules if (root / name).is_relative_to(context)), None):
        problem = f"its build context has the submodule {found}, which is not here to be read"
        return replace(entry, result=None, artifacts=(), error=problem)
    return entry


def _problem(entry: Entry) -> str | None:
    """Return why nothing can be said of a Dockerfile: it is no good, or its builds did not end with a proof."""
    if entry.error:
        return f"{entry.patch_path}: {entry.error}"
    if entry.changed or entry.evidence is None or entry.evidence.verdict is Verdict.HOLDS:
        return None
    return f"{entry.patch_path}: not proven: {entry.evidence.problem or 'the builds speak against every rewrite'}"


def _step(site: Site, unit: Unit, tip: str | None) -> Step:
    """Do what one branch needs; without a single result nothing is known, so that nothing may be closed."""
    problems = [problem for entry in unit.entries if (problem := _problem(entry))]
    if problems and not any(entry.changed for entry in unit.entries):
        return Step(Did.REFUSED, unit.branch, problems[0])
    try:
        return maintain(site, unit, tip)
    except (ForgeError, GitError) as error:
        return Step(Did.REFUSED, unit.branch, str(error))
