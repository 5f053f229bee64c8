"""Folders that a RUN mounts: what is written there is in no layer."""

import posixpath

from optimizer.model import Step, mounts
from optimizer.syntax.lazy_pattern import lazy_pattern

_HIDDEN = lazy_pattern(r"/\..*")


def mounted(step: Step, folder: str) -> bool:
    """Tell whether a cache or tmpfs mount of a RUN is, holds or stands within a folder (or may do so).

    Whose home folder a hidden folder is in does not matter, for that is not always known.
    """
    return any(_meets(mount.target, folder) for mount in mounts(step) if mount.keeps_out)


def below_home(folder: str) -> str:
    """Return a path from its first hidden folder on (`.cache/pip`), "" where it has none."""
    found = _HIDDEN.search(folder)
    return found[0][1:] if found else ""


def _meets(target: str | None, folder: str) -> bool:
    if target is None or not target.startswith("/") or not folder.startswith("/"):
        return True
    one, other = below_home(target), below_home(folder)
    return _overlap(target, folder) or bool(one and other and _overlap(one, other))


def _overlap(one: str, other: str) -> bool:
    first, second = (posixpath.normpath(path).rstrip("/") + "/" for path in (one, other))
    return first.startswith(second) or second.startswith(first)
