"""A throw-away work tree at the tip of the base branch, and the commit that is made there."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from optimizer.bot.git import Git, GitError
from optimizer.report import Change


class Checkout(Struct, frozen=True):
    """The work tree: `git` runs in it, `base` is the commit that it was made from."""

    git: Git
    base: str
    branch: str

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self.git.folder

    def commit(self, changes: Sequence[Change], message: str) -> str | None:
        """Make a commit of the changes on top of the base; None where it would be empty.

        The same base, changes and message make the same commit, by its date too: so a later run knows its own.
        """
        paths = [self._written(change) for change in changes]
        self.git("add", "--force", "--", *paths)
        tree = self.git("write-tree")
        self.git("reset", "--quiet", "--hard", self.base)
        self.git("clean", "--quiet", "-fdx")
        if tree == self.git("rev-parse", f"{self.base}^{{tree}}"):
            return None
        date = self.git("show", "--no-patch", "--format=%cI", self.base)
        dates = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        return self.git("commit-tree", tree, "-p", self.base, text=message, more=dates)

    def push(self, remote: str, branch: str, commit: str, over: str | None) -> None:
        """Make a commit the tip of a branch, provided that the branch still is at `over` (None: is not there)."""
        lease = f"--force-with-lease=refs/heads/{branch}:{over or ''}"
        self.git("push", "--quiet", "--no-verify", lease, remote, f"{commit}:refs/heads/{branch}")

    def delete(self, remote: str, branch: str, over: str) -> None:
        """Delete a branch, provided that it still is at `over`."""
        lease = f"--force-with-lease=refs/heads/{branch}:{over}"
        self.git("push", "--quiet", "--no-verify", lease, remote, f":refs/heads/{branch}")

    def tips(self, remote: str, pattern: str) -> dict[str, str]:
        """Return the branches of a remote that match a pattern, with their commits."""
        listed = self.git("ls-remote", "--heads", remote, f"refs/heads/{pattern}")
        pairs = (line.partition("\t") for line in listed.splitlines())
        return {name.removeprefix("refs/heads/"): commit for commit, _, name in pairs}

    def submodules(self) -> list[str]:
        """Return the folders of other repositories, which are empty here."""
        staged = self.git("ls-files", "--stage", "-z").split("\0")
        return [entry.partition("\t")[2] for entry in staged if entry.startswith("160000 ")]

    def _written(self, change: Change) -> str:
        """Put a text into the work tree and return the path that git knows it by."""
        root = self.folder.resolve()
        target = Path(change.path).resolve()
        if not inside(target, root):
            raise GitError(f"{change.patch_path} leads out of the repository")
        target.write_bytes(change.after.encode())
        return target.relative_to(root).as_posix()


def inside(path: Path, root: Path) -> bool:
    """Tell whether a path (both with links followed) is a file of the repository, and not one of git's own."""
    return path.is_relative_to(root) and ".git" not in path.relative_to(root).parts


@contextmanager
def cloned(git: Git, url: str, branch: str, *, whole: bool = False) -> Iterator[Checkout]:
    """Clone one branch into a folder that goes away again, without its history unless `whole`. Raises GitError."""
    with TemporaryDirectory(prefix="dfopt-", ignore_cleanup_errors=True) as folder:
        place = Path(folder) / "work"
        depth = () if whole else ("--depth=1",)
        options = ("--quiet", *depth, "--single-branch", "--no-tags", f"--branch={branch}")
        git.at(Path(folder))("clone", *options, "--", url, str(place))
        yield _checkout(git.at(place), branch)


@contextmanager
def fetched(git: Git, url: str, name: str) -> Iterator[Checkout]:
    """Check out any reference of a repository into a folder that goes away again. Raises GitError."""
    with TemporaryDirectory(prefix="dfopt-", ignore_cleanup_errors=True) as folder:
        work = git.at(Path(folder) / "work")
        git.at(Path(folder))("init", "--quiet", "work")
        work("fetch", "--quiet", "--depth=1", "--no-tags", "--", url, name)
        work("checkout", "--quiet", "--detach", "FETCH_HEAD")
        yield _checkout(work, name)


@contextmanager
def beside(git: Git, remote: str, branch: str) -> Iterator[Checkout]:
    """Make a work tree of a local clone at the tip of a remote branch; the clone's own stays as it is."""
    git("fetch", "--quiet", "--no-tags", remote, f"refs/heads/{branch}")
    tip = git("rev-parse", "FETCH_HEAD")
    with TemporaryDirectory(prefix="dfopt-", ignore_cleanup_errors=True) as folder:
        place = Path(folder) / "work"
        try:
            git("worktree", "add", "--quiet", "--detach", str(place), tip)
            yield _checkout(git.at(place), branch)
        finally:
            git.asked("worktree", "remove", "--force", str(place))
            git.asked("worktree", "prune")


def _checkout(git: Git, branch: str) -> Checkout:
    return Checkout(git, git("rev-parse", "HEAD"), branch)
