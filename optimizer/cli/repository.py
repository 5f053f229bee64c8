"""Where a repository begins."""

import os.path
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=4096)
def repository_root(folder: Path) -> Path | None:
    """Return the root of the git repository that holds a folder (an absolute path), None outside of one."""
    if os.path.exists(folder / ".git"):  # noqa: PTH110 (Path.exists raises where a folder cannot be entered)
        return folder
    return None if folder.parent == folder else repository_root(folder.parent)
