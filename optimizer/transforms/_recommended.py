"""What comes with Debian's packages as a recommendation only, and is missed without it.

Source: the Recommends fields of Debian 11 to 13 (those of Ubuntu are much the same).
"""

import re
from collections.abc import Iterator, Sequence

from optimizer.ecosystems._system import invocation
from optimizer.ecosystems.apt import ECOSYSTEM as APT
from optimizer.model import Dockerfile, Step
from optimizer.model.base_images import repository
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern

# Images that stand on buildpack-deps: compilers, headers, git, curl and certificates are there already.
_FULL = frozenset("buildpack-deps elixir erlang golang haskell node perl pypy python ruby rust".split())
_SMALL = lazy_pattern(r"slim|alpine|curl|scm")
_CERTIFIED = frozenset("eclipse-temurin maven openjdk php python ruby rust".split())

_IN_FULL = frozenset(
    "automake build-essential ca-certificates curl dirmngr file g++ gcc git gnupg libc6-dev make openssh-client patch "
    "pkg-config unzip wget xz-utils".split()
)
_SECURE = (
    r"aria2|apt-transport-https|curl|docker\.io|elinks|git|git-core|git-lfs|golang.*|httpie|libcurl.*|links|lynx|mercurial"
    r"|npm|opam|php.*-curl|postfix|python-pip|python3?-virtualenv|software-properties-common|subversion|w3m|wget"
    r"|youtube-dl|yt-dlp"
)
_COMPILERS = ("gcc", "build-essential", "g++", "gfortran", "clang")
_NEEDS = tuple(
    (re.compile(package), needed)
    for package, needed in (
        (_SECURE, ("ca-certificates",)),
        (r"gcc(-\d+)?|flex|valac|cython3?", ("libc6-dev", "libc-dev", "g++", "build-essential")),
        (r"golang.*|ocaml.*|opam|ghc|rustc|cargo|cabal-install", _COMPILERS),
        (r"cmake|cpanminus|checkinstall", ("make", "build-essential", "ninja-build")),
        (r"cmake|python3?-pip|python3?-virtualenv|npm|bundler|ruby-build|dpkg-dev|meson", _COMPILERS),
        (r"python3?-pip|python3?-virtualenv|cython3?", ("python3-dev", "python-dev", "python3-all-dev", "python2-dev")),
        (r"bundler", ("ruby-dev", "ruby-full")),
        (r"composer|npm|opam", ("git",)),
        (r"autoconf", ("automake",)),
        (r"protobuf-compiler", ("libprotobuf-dev",)),
        (r"xvfb|xclip|x11vnc", ("xauth",)),
        (r"gpg|dirmngr|debootstrap|software-properties-common", ("gnupg", "gnupg2", "gpg-agent")),
        (r"valgrind", ("libc6-dbg",)),
        (r"graphviz|wkhtmltopdf|chromium.*|firefox.*", ("fonts-liberation", "fonts-liberation2", "fonts-dejavu")),
        (r"mailutils", ("default-mta", "exim4", "postfix", "msmtp-mta", "ssmtp")),
    )
)
_WHOLES = lazy_pattern(
    r"task-.*|.*-desktop(-.*)?|.*-(full|all|complete|meta|recommended)|texlive.*|tex-live|lmodern|libreoffice.*|r-.*"
    r"|octave.*|gnome.*|kde-.*|plasma.*|xfce4.*|lxde.*|lxqt.*|mate-.*|cinnamon.*|kali-.*|ubuntu-.*|xorg|xserver.*|ros-.*"
    r"|qemu.*|libvirt.*|lxc|systemd|dbus.*|network-manager.*|pulseaudio|mono-.*|munin.*|mysql-server.*|mariadb-server.*"
    r"|postgis|postgresql.*|phpmyadmin|ansible|imagemagick|inkscape|vlc|gimp|gstreamer.*|snmp.*|avahi.*|xpra|devscripts"
    r"|calibre|clamav|gazebo.*|nuget|oracle-java.*|debhelper|sagemath|wine.*|steam.*|zabbix.*|icinga.*|nagios.*|asterisk.*|slapd|samba|snapd"
)
# Programs of later steps, and the packages by which somebody asks for them.
_PROGRAMS = {
    **dict.fromkeys(("ssh", "ssh-add", "ssh-agent", "ssh-keygen", "ssh-keyscan", "scp", "sftp"), ("openssh-client",
        "ssh", "openssh-server")),
    **dict.fromkeys(("cc", "gcc"), _COMPILERS),
    **dict.fromkeys(("c++", "g++"), ("g++", "build-essential")),
    **dict.fromkeys(("automake", "aclocal", "autoreconf"), ("automake",)),
    **dict.fromkeys(("gpg", "apt-key", "gpg2"), ("gnupg", "gnupg2", "gpg")),
    "make": ("make", "build-essential"),
    "patch": ("patch", "build-essential", "dpkg-dev"),
    "pkg-config": ("pkg-config", "pkgconf"),
    "xz": ("xz-utils",),
    **{name: (name,) for name in "cargo curl fakeroot file git less rsync unzip wget xauth".split()},
}  # fmt: skip


def why_needed(dockerfile: Dockerfile, step: Step, call: Call, packages: Sequence[str]) -> str | None:
    """Say which recommended package of an install is needed or may be, None where none is known to be."""
    whole = next((package for package in packages if _WHOLES.fullmatch(package)), None)
    if whole:
        return f"{whole} is made of what it recommends"
    base = dockerfile.stages[min(dockerfile.lineage(step.stage))].base
    named = {*_named(dockerfile, step, call), *_brought(base or "")}
    for package in packages:
        for pattern, needed in _NEEDS:
            if pattern.fullmatch(package) and named.isdisjoint(needed):
                return f"{package} needs {needed[0]}, which it only recommends and which no install names"
    return _why_used(dockerfile, step, call, named)


def packages_of(call: Call) -> tuple[str, ...] | None:
    """Return the names of the packages of an `apt-get install`, None where they cannot be told."""
    operands = invocation(call, APT.grammar).operands
    if any(word.value is None or word.value.endswith((".deb", "-")) for word in operands):
        return None
    names = [re.split(r"[=/:]", word.value or "")[0] for word in operands]
    return None if any(not re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", name) for name in names) else tuple(names)


def _brought(base: str) -> frozenset[str]:
    """Return what a base image has of the packages in question."""
    name = repository(base)
    if name in _FULL and not _SMALL.search(base.rpartition("/")[2]):
        return _IN_FULL
    certified = name in _CERTIFIED or (name in _FULL and "slim" not in base)
    return frozenset({"ca-certificates"}) if certified else frozenset()


def _named(dockerfile: Dockerfile, step: Step, call: Call) -> Iterator[str]:
    """Go through the packages that installs name up to this one."""
    lineage = dockerfile.lineage(step.stage)
    for other in dockerfile.steps[: step.index + 1]:
        for one in other.run.calls if other.run and other.stage in lineage else ():
            if APT.installs(one) and one.certain:
                yield from packages_of(one) or ()
            if other is step and one == call:
                return


def _why_used(dockerfile: Dockerfile, step: Step, call: Call, named: set[str]) -> str | None:
    """Say which later command may be there by a recommendation alone."""
    heirs = {step.stage, *dockerfile.children(step.stage)}
    behind = False
    known = set(named)
    for other in dockerfile.steps[step.index :]:
        for one in other.run.calls if other.run and other.stage in heirs else ():
            if behind and APT.installs(one):
                known |= set(packages_of(one) or ())
            if behind and (reason := _why_call(other, one, known)):
                return reason
            behind = behind or one == call
    return None


def _why_call(step: Step, call: Call, named: set[str]) -> str | None:
    texts = " ".join(word.text for word in call.arguments)
    packages = _PROGRAMS.get(call.program, ())
    if call.program == "git" and ("git@" in texts or "ssh://" in texts):
        packages = _PROGRAMS["ssh"]
    if call.program in {"gpg", "gpg2", "apt-key"} and ("--recv" in texts or "keyserver" in texts):
        packages = ("dirmngr",)
    if not packages or not named.isdisjoint(packages):
        return None
    return f"the {call.program} of line {step.line} may need {packages[0]}, which no install names"
