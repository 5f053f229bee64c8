"""What a forge keeps: bare repositories, real ones, and the requests between their branches."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "A person"), ("EMAIL", "person@example.org"))
}


def git(folder: Path, *arguments: str) -> str:
    """Run git as a person would."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**os.environ, **IDENTITY},
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=False,
    )
    assert not done.returncode, done.stderr
    return done.stdout.strip()


@dataclass
class Request:
    """A pull or merge request."""

    number: int
    branch: str
    source: str
    base: str
    title: str
    body: str
    state: str = "open"
    merged: bool = False
    comments: list[str] = field(default_factory=list)
    reviews: list[dict] = field(default_factory=list)


@dataclass
class Repository:
    """A bare repository with its requests."""

    name: str
    path: Path
    archived: bool = False
    can_push: bool = True
    forked_from: str | None = None
    requests: list[Request] = field(default_factory=list)

    def commit(self, files: dict[str, str | None], branch: str = "main", message: str = "A commit") -> str:
        """Commit files as a person (None removes one), and return the commit."""
        work = self.path.parent / f"{self.path.name}.work"
        if not work.exists():
            git(self.path.parent, "clone", "--quiet", str(self.path), str(work))
        git(work, "fetch", "--quiet", "--prune", "origin")
        known = git(work, "branch", "--remotes", "--list", f"origin/{branch}")
        git(work, "checkout", "--quiet", "-B", branch, *([f"origin/{branch}"] if known else []))
        for path, text in files.items():
            target = work / path
            if text is None:
                target.unlink()
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        git(work, "add", "--all")
        git(work, "commit", "--quiet", "-m", message)
        git(work, "push", "--quiet", "origin", branch)
        return git(work, "rev-parse", "HEAD")

    def drop(self, branch: str) -> None:
        """Delete a branch."""
        git(self.path, "update-ref", "-d", f"refs/heads/{branch}")

    def tip(self, branch: str) -> str | None:
        """Return the commit of a branch."""
        found = git(self.path, "for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")
        return found or None

    def log(self, branch: str) -> list[str]:
        """Return the subjects of a branch's commits, the newest first."""
        return git(self.path, "log", "--format=%s", branch).splitlines()

    def file(self, branch: str, path: str) -> str:
        """Return a file of a branch."""
        return git(self.path, "show", f"{branch}:{path}")


@dataclass
class Store:
    """All repositories of a forge; `token` is the one that it accepts, `user` whose it is."""

    folder: Path
    token: str = "s3cr3t-t0ken-of-the-tests"
    user: str = "robot"
    repositories: dict[str, Repository] = field(default_factory=dict)
    patches: dict[tuple[str, int], dict[str, str]] = field(default_factory=dict)  # what a request changes, by file
    asked: list[str] = field(default_factory=list)  # what was asked for: `GET /path`
    answers: list[tuple[int, dict[str, str], object]] = field(default_factory=list)  # given before all others

    def add(self, name: str, files: dict[str, str] | None = None) -> Repository:
        """Make a repository with one commit."""
        path = self.folder / f"{name}.git"
        path.mkdir(parents=True)
        git(path, "init", "--quiet", "--bare", "--initial-branch=main")
        git(path, "config", "http.receivepack", "true")
        found = self.repositories[name] = Repository(name, path)
        if files:
            found.commit(files)
        return found

    def fork(self, name: str) -> Repository:
        """Return the user's fork of a repository."""
        own = f"{self.user}/{name.rpartition('/')[2]}"
        if own not in self.repositories:
            path = self.folder / f"{own}.git"
            git(self.folder, "clone", "--quiet", "--bare", str(self.repositories[name].path), str(path))
            git(path, "config", "http.receivepack", "true")
            self.repositories[own] = Repository(own, path, forked_from=name)
        return self.repositories[own]

    def open(self, name: str, source: str, branch: str, base: str, title: str, body: str) -> Request:
        """Open a request; the branches must exist, and there must not be an open one already."""
        repository = self.repositories[name]
        assert self.repositories[source].tip(branch), f"no branch {branch} in {source}"
        assert repository.tip(base), f"no branch {base}"
        twice = [r for r in repository.requests if (r.branch, r.source, r.state) == (branch, source, "open")]
        assert not twice, "a second request from the same branch"
        request = Request(len(repository.requests) + 1, branch, source, base, title, body)
        repository.requests.append(request)
        return request

    def head(self, request: Request) -> str:
        """Return the commit of a request's branch; once that is gone, a commit that never was."""
        return self.repositories[request.source].tip(request.branch) or "0" * 40
