"""Folders that a RUN mounts: what is written there is in no layer."""

import posixpath

from optimizer.model import Step, mounts


def mounted(step: Step, folder: str) -> bool:
    """Tell whether a cache or tmpfs mount of a RUN is, holds or stands within a folder (or may do so)."""
    return any(_meets(mount.target, folder) for mount in mounts(step) if mount.keeps_out)


def _meets(target: str | None, folder: str) -> bool:
    if target is None or not target.startswith("/") or not folder.startswith("/"):
        return True
    one, other = (posixpath.normpath(path).rstrip("/") + "/" for path in (target, folder))
    return one.startswith(other) or other.startswith(one)
