"""What two builds of one and the same file write differently, so that it says nothing of a rewrite.

Each pattern is as narrow as what was seen: `/tmp/hsperfdata_root` and not `/tmp`, so that a lost `/tmp/app` is seen.
"""

import re
from collections.abc import Callable

from optimizer.verify.image import Entry, Image, Kind

# What comes and goes: caches, logs, locks, and what an interpreter compiles when it first reads a source.
_COMES_AND_GOES = re.compile(
    r"""
      .*/__pycache__(?:/[^/]+\.pyc(?:\.\d+)?)?
    | /var/log/(?:(?:dpkg|alternatives|fontconfig|bootstrap|yum|hawkey|apk|php\d*-fpm)\.log|apt(?:/.*)?|dnf[^/]*\.log
      |lastlog|faillog|tallylog|[bw]tmp|journal)
    | /var/lib/(?:dpkg|apt)/[^/]+-old | /var/lib/dpkg/(?:lock|lock-frontend|triggers/Lock)
    | /var/lib/apt/(?:lists|mirrors)(?:/.*)? | /var/cache/apt(?:/.*)?
    | /var/cache/debconf/[^/]+-old | /var/cache/(?:ldconfig|fontconfig|man)(?:/.*)? | /usr/share/info/dir(?:\.old)?
    | /run/(?:adduser|lock/[^/]*|mount/utab) | /etc/(?:\.pwd\.lock|passwd-|shadow-|group-|gshadow-|subuid-|subgid-)
    | /tmp/(?:node-compile-cache|v8-compile-cache-\d+|yarn--[^/]+|npm-\d+-[^/]+|hsperfdata_[^/]+|\.dotnet
      |tmp[a-z0-9_]{8}(?:cacert\.pem)?
      |clr-debug-pipe-[^/]+|dotnet-diagnostic-[^/]+|NuGetScratch[^/]*|MSBuildTemp[^/]*|jna-\d+|phantomjs)(?:/.*)?
    | /(?:root|home/[^/]+)/
      (?:\.npm(?:/.*)?
      |\.cache/(?:pip|uv|pypoetry/(?:cache|artifacts)|pdm|pipenv|node|node-gyp|yarn|pnpm|composer|go-build)(?:/.*)?
      |\.(?:config/configstore|local/state/pnpm|local/share/pnpm/store|node-gyp|yarn/berry/cache)(?:/.*)?
      |\.(?:composer/cache|bundle/cache|gem/specs)(?:/.*)?
      |\.(?:wget-hsts|node_repl_history|python_history|bash_history|lesshst|pnpm-state|yarnrc))
    | /usr/local/share/\.cache(?:/yarn(?:/.*)?)?
    | (?:.*/)?node_modules/\.cache(?:/.*)?
    | .*/\.m2/repository/(?:.*/)?(?:_remote\.repositories|resolver-status\.properties|[^/]+\.lastUpdated)
    """,
    re.VERBOSE,
)
# What is always there, with another content: times, random keys, the records that installers keep for themselves.
_WRITTEN_ANEW = re.compile(
    r"""
      /etc/(?:machine-id|ssh/ssh_host_[^/]+|ssl/private/ssl-cert-snakeoil\.key|ssl/certs/ssl-cert-snakeoil\.pem)
    | /var/lib/(?:dbus/machine-id|systemd/(?:random-seed|catalog/database)|misc/random-seed)
    | .*/node_modules/(?:\.package-lock\.json|\.modules\.yaml|\.yarn-state\.yml|\.yarn-integrity)
    | .*/node_modules/\.pnpm-workspace-state[^/]*\.json | .*\.dist-info/uv_cache\.json
    """,
    re.VERBOSE,
)
# Folders in which such things are kept; that one is there without anything else in it means nothing.
_HOLDERS = re.compile(
    r"/(?:root|home/[^/]+)/\.(?:cache(?:/pypoetry)?|config|local(?:/share(?:/pnpm)?|/state)?|yarn(?:/berry)?|composer|bundle"
    r"|gem)|/run/lock"
)
_SHADOW = re.compile(r"/etc/shadow-?")
_DAY = re.compile(r"^((?:[^:\n]*:){2})\d*", re.MULTILINE)


def comes_and_goes(path: str, entry: Entry) -> bool:
    """Tell whether a path may be there after one build and not after the other."""
    if entry.kind is Kind.FOLDER and _HOLDERS.fullmatch(path):
        return True
    return bool(_COMES_AND_GOES.fullmatch(path))


def may_be_rewritten(path: str, before: Image, after: Image) -> bool:
    """Tell whether the content of a file that both images have says nothing."""
    if _COMES_AND_GOES.fullmatch(path) or _WRITTEN_ANEW.fullmatch(path):
        return True
    if path.endswith(".pyc"):  # Python 2 puts them beside the source, from which it makes them again
        return path[:-1] in before.entries and path[:-1] in after.entries
    return bool(_SHADOW.fullmatch(path)) and _without_days(before.texts.get(path)) == _without_days(
        after.texts.get(path)
    )


def steadfast(first: Image, second: Image) -> Callable[[str, Entry | None], bool]:
    """Return what tells whether a path of a third build differs from what two builds of one file agree upon.

    Where these two differ in content alone, any content will do; else it must be as in one of them.
    """

    def is_news(path: str, entry: Entry | None) -> bool:
        one, two = first.entries.get(path), second.entries.get(path)
        if entry in (one, two):
            return False
        return (
            one == two or None in (one, two, entry) or _but_content(entry) not in (_but_content(one), _but_content(two))
        )

    return is_news


def _but_content(entry: Entry | None) -> tuple[object, ...] | None:
    return None if entry is None else (entry.kind, entry.mode, entry.owner, entry.attributes)


def _without_days(text: str | None) -> str | None:
    """Return /etc/shadow without the days on which passwords were changed, shadow(5)."""
    return text and _DAY.sub(r"\1", text)
