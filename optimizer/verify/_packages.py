"""Packages that the rewritten image no longer has, and which of the lost files were theirs."""

import re
from collections.abc import Iterable, Iterator
from posixpath import dirname, join, normpath

from optimizer.verify.image import Image, Kind

# What the system's packages write when they are installed, beyond the files that they bring.
_OF_PACKAGES = re.compile(
    r"/etc/(?:dpkg|python3)(?:/.*)?|/var/lib/(?:dpkg|systemd|ucf|pam|xml-core|sgml-base|dictionaries-common|ghostscript|ieee-data|aspell|emacsen-common"
    r"|polkit-1|dbus|python)(?:/.*)?"
    r"|/etc/(?:alternatives|rc[0-6S]\.d|systemd|ssl/certs|fonts|init\.d|cron\.[^/]+|pam\.d|logrotate\.d|xml|sgml)(?:/.*)?"
    r"|/etc/(?:ld\.so\.cache|ca-certificates\.conf|mailcap|passwd|group|shadow|gshadow|subuid|subgid|shells)"
    r"|/var/lib/apt/extended_states|/var/cache/debconf/.*|/usr/share/(?:mime|applications|glib-2\.0/schemas|icons|info|fonts)/.*"
    r"|/usr/lib/(?:[^/]+/)?(?:gdk-pixbuf[^/]*|gio|gtk[^/]*|mime|locale)/.*"
)
_LIST = re.compile(r"/var/lib/dpkg/info/([^/]+)\.list")
_ALTERNATIVES = "/etc/alternatives/"


def files_of_lost_packages(before: Image, after: Image) -> frozenset[str]:
    """Return the paths that only packages had brought which are no longer there."""
    lost, kept = _lists(before), _lists(after)
    gone = frozenset(_paths(before, (text for name, text in lost.items() if name not in kept)))
    return gone - frozenset(_paths(before, kept.values()))


def listed_paths(image: Image) -> Iterator[str]:
    """Go through the paths that the packages of an image brought."""
    return _paths(image, _lists(image).values())


def is_state_of_packages(path: str, before: Image) -> bool:
    """Tell whether the package system or the scripts of packages write a path."""
    entry = before.entries.get(path)
    if entry is not None and entry.kind is Kind.LINK and entry.content.startswith(_ALTERNATIVES):
        return True
    if entry is not None and entry.kind is Kind.FOLDER and path.startswith("/usr/local/"):
        return True  # Debian's packages make empty folders there for the administrator (its Policy Manual, 9.1.2)
    return bool(_OF_PACKAGES.fullmatch(path))


def scripts_of_lost_distributions(before: Image, after: Image) -> frozenset[str]:
    """Return what Python distributions had put outside of their folder, by those that are no longer there."""
    found = set()
    for path, text in before.texts.items():
        if path.endswith(".dist-info/RECORD") and dirname(path) not in after.entries:
            base = dirname(dirname(path))
            found |= {normpath(join(base, line.split(",", 1)[0].strip('"'))) for line in text.splitlines()}
    return frozenset(found)


def _lists(image: Image) -> dict[str, str]:
    return {found[1]: text for path, text in image.texts.items() if (found := _LIST.fullmatch(path))}


def _paths(image: Image, texts: Iterable[str]) -> Iterator[str]:
    """Go through the listed paths by the folders that they really lie in: packages may still call /usr/lib /lib."""
    for text in texts:
        for path in text.splitlines():
            folder, _, name = path.rpartition("/")
            yield join(image.real(folder) or folder, name)
