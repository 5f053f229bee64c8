"""Folders that a RUN mounts: what is written there is in no layer."""

import posixpath

from optimizer.model import Step

_OUTSIDE = frozenset({"cache", "tmpfs"})


def mounted(step: Step, folder: str) -> bool:
    """Tell whether a cache or tmpfs mount of a RUN is, holds or stands within a folder (or may do so)."""
    return any(_meets(target, folder) for target in _targets(step))


def _targets(step: Step) -> list[str | None]:
    """Return the targets of the mounts that keep files out of the layer, None for one that is not known."""
    found: list[str | None] = []
    for flag in step.instruction.flags:
        if flag.name != "mount" or not flag.value:
            continue
        options = dict(part.partition("=")[::2] for part in flag.value.replace('"', "").split(","))
        if options.get("type") in _OUTSIDE:
            target = options.get("target") or options.get("dst") or options.get("destination")
            found.append(target if target and target.startswith("/") and "$" not in target else None)
    return found


def _meets(target: str | None, folder: str) -> bool:
    if target is None or not folder.startswith("/"):
        return True
    one, other = (posixpath.normpath(path).rstrip("/") + "/" for path in (target, folder))
    return one.startswith(other) or other.startswith(one)
