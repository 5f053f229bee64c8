"""Which Dockerfiles a run is about."""

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from optimizer.cli.repository import repository_root
from optimizer.syntax.lazy_pattern import lazy_pattern

# Templates and copies are no Dockerfiles; who wants one rewritten names it.
_OTHER = frozenset({
    "dockerignore", "j2", "jinja", "jinja2", "tmpl", "tpl", "template", "erb", "in", "m4", "mustache", "hbs",
    "orig", "rej", "bak", "old", "swp", "md", "rst", "txt", "sh", "py", "json", "yml", "yaml", "toml",
})  # fmt: skip
_NAME = lazy_pattern(r"(?:Dockerfile|Containerfile)(?:\..+)?|Containerfile.*|.+\.Dockerfile", re.DOTALL)
_VENDORED = frozenset({
    ".git", ".hg", ".svn", ".tox", ".nox", ".venv", "venv", "site-packages", "node_modules",
    "bower_components", "jspm_packages", "vendor", "third_party", "third-party", "Pods", "Carthage", ".terraform",
    ".bundle", "__pycache__",
})  # fmt: skip


def is_dockerfile(name: str) -> bool:
    """Tell whether a file name is one that a search takes."""
    return _NAME.fullmatch(name) is not None and not name.endswith("~") and name.rpartition(".")[2] not in _OTHER


def search(folder: Path) -> Iterator[Path]:
    """Go through the Dockerfiles below a folder, sorted; git-ignored and vendored ones are left out."""
    listed = _git_files(folder)
    names = sorted(_walk(folder) if listed is None else (n for n in listed if is_dockerfile(n.rpartition("/")[2])))
    for name in names:
        path = folder / name
        if _VENDORED.isdisjoint(Path(name).parts[:-1]) and path.is_file():
            yield path


def _git_files(folder: Path) -> Iterable[str] | None:
    """Return what git tracks or would track below a folder, None outside a repository or without git."""
    if repository_root(folder.absolute()) is None:
        return None
    # A repository may name a program as its file monitor: it must not run because somebody looks at the files.
    command = ["git", "-c", "core.fsmonitor=false", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=60)  # noqa: S603 (fixed)
    except (OSError, subprocess.SubprocessError):
        return None
    return dict.fromkeys(filter(None, os.fsdecode(listed.stdout).split("\0")))


def _walk(folder: Path) -> Iterator[str]:
    """Return the names of Dockerfiles relative to a folder; folders that cannot be read are passed over."""
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in _VENDORED]
        yield from (os.path.relpath(Path(here, name), folder) for name in files if is_dockerfile(name))
