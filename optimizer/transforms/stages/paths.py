"""Paths of the image as `multi-stage` writes them: absolute, `/` at the end marks a folder with all that is in it."""

import posixpath
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

_PIECES = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}
# Folders that every Debian image has, so that what is put into one of them is never the folder itself.
SYSTEM = frozenset(
    "/ /bin /boot /etc /home /lib /media /mnt /opt /root /run /sbin /srv /tmp /usr /usr/bin /usr/games /usr/include "
    "/usr/lib /usr/lib/x86_64-linux-gnu /usr/libexec /usr/local /usr/local/bin /usr/local/etc /usr/local/include "
    "/usr/local/lib /usr/local/sbin /usr/local/share /usr/local/src /usr/sbin /usr/share /usr/src /var /var/cache "
    "/var/lib /var/lib/apt /var/log /var/opt /var/run /var/spool /var/tmp /var/www".split()
)


def ancestors(path: str) -> Iterator[str]:
    """Go through the folders above a path, the nearest first, `/` last."""
    while path not in {"/", ""}:
        path = posixpath.dirname(path)
        yield path


def covers(copy: str, path: str) -> bool:
    """Tell whether a copied path brings another one along."""
    return path.rstrip("/") == copy.rstrip("/") or (copy.endswith("/") and path.startswith(copy))


def is_covered(path: str, copies: Iterable[str]) -> bool:
    """Tell whether any of the copied paths brings a path along."""
    return any(covers(copy, path) for copy in copies)


def is_left(path: str, patterns: Iterable[str]) -> bool:
    """Tell whether any of the patterns (as in `Rewrite.leaves_out`) stands for a path, or a folder that it lies in."""
    return any(_pattern(pattern).fullmatch(path.rstrip("/")) for pattern in patterns)


@lru_cache(maxsize=512)
def _pattern(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*\*|\*)", pattern.rstrip("/"))
    return re.compile("".join(_PIECES.get(part, re.escape(part)) for part in parts) + "(?:/.*)?")
