"""Which Dockerfiles go to which branch."""

import re
from collections.abc import Sequence

from optimizer.bot.maintain import Unit
from optimizer.bot.state import digest
from optimizer.report import Entry

_OTHER = re.compile(r"[^A-Za-z0-9]+")
_LONGEST = 60


def together(prefix: str, entries: Sequence[Entry]) -> list[Unit]:
    """Put all Dockerfiles on one branch."""
    return [Unit(f"{prefix}dockerfiles", tuple(entries))]


def each(prefix: str, entries: Sequence[Entry]) -> list[Unit]:
    """Give each Dockerfile a branch whose name tells which it is, and which no other path has."""
    return [Unit(f"{prefix}{_slug(entry.patch_path)}", (entry,)) for entry in entries]


def _slug(path: str) -> str:
    plain = _OTHER.sub("-", path).strip("-").lower()[-_LONGEST:].strip("-")
    return f"{plain}-{digest(path)[:6]}"
