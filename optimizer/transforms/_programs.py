"""Programs of which is known which files they touch: those that their words name, and none of the project besides.

A program that is not listed may read anything. What a listed one writes for itself (packages, users, global tools,
caches) lies in the system's folders, which `_independence.is_system` keeps apart from the project's.
"""

from enum import Enum

from msgspec import Struct


class Words(Enum):
    """What the operands of a program are."""

    NAMES = "names"  # of packages, users, settings; a path only where it looks like one
    PATHS = "paths"
    TEXT = "text"  # none is a file


class Program(Struct, frozen=True):
    """How a program treats files.

    `subcommands` are the ones known to be harmless (None: it has none), and `on_names` those of them that work on
    the project unless an operand follows and one of the `required` options is there. `valued` are options whose
    argument is a word of its own and no path; `refused` ones name files or change what the program reads.
    With `at_home`, or one of the `local` options, it reads or writes in the working directory unless an `away`
    option takes it elsewhere. `skipped` operands come before the first path, and with
    `paths_with` they are paths only where such an option is given. `looks`: it does not care what a folder
    holds. `homes` marks makers of home folders, `sets_up` what a cache is for: slow, and the same whatever the sources.
    """

    words: Words
    subcommands: frozenset[str] | None = None
    on_names: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    valued: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    at_home: bool = False
    local: frozenset[str] = frozenset()
    away: frozenset[str] = frozenset()
    skipped: int = 0
    paths_with: frozenset[str] = frozenset()
    looks: bool = False
    homes: bool = False
    sets_up: bool = False


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _system(subcommands: str | None = None, valued: str = "", refused: str = "", words: Words = Words.NAMES) -> Program:
    known = None if subcommands is None else _set(subcommands)
    return Program(words, known, valued=_set(valued), refused=_set(refused), sets_up=True)


def _tool(
    on_names: str, others: str = "", *, required: str = "", valued: str = "", refused: str = "", at_home: bool = False
) -> Program:
    return Program(
        Words.NAMES, _set(f"{on_names} {others}"), _set(on_names), _set(required), _set(valued), _set(refused),
        at_home=at_home, sets_up=True,
    )  # fmt: skip


def _files(skipped: int = 0, *, valued: str = "", refused: str = "", at_home: bool = False, away: str = "") -> Program:
    return Program(
        Words.PATHS, valued=_set(valued), refused=_set(refused), at_home=at_home, away=_set(away), skipped=skipped
    )


def _users(*, homes: bool) -> Program:
    options = "-c --comment -g --gid -G --groups -u --uid -s --shell -p --password -e --expiredate --gecos"
    return Program(Words.NAMES, valued=_set(options), homes=homes, sets_up=True)


_APT = _system(
    "update upgrade dist-upgrade full-upgrade install reinstall remove purge autoremove autopurge clean autoclean",
    "-o --option -t --target-release --default-release -a --host-architecture",
    "-c --config-file",
)
_DNF = _system(
    "install update upgrade remove erase clean makecache groupinstall reinstall module config-manager autoremove "
    "swap check-update distro-sync",
    "-x --exclude --enablerepo --disablerepo --setopt --releasever",
    "-c --config --installroot",
)
# pip reads its settings from the home folder and the environment, never from the working directory
# (pip documentation, "Configuration"); a word is a path only with a separator or an archive's ending.
PIP = _tool(
    "install uninstall",
    "config cache list freeze show check debug",
    valued="-i --index-url --extra-index-url --trusted-host --timeout --retries --default-timeout --progress-bar",
    refused="-r --requirement -c --constraint -e --editable -f --find-links -t --target --root --prefix --src --group",
)
_CONDA = _tool(
    "install", "update clean config", valued="-n --name -c --channel", refused="--file -f -p --prefix --update-spec"
)
_FILE_TESTS = "-a -b -c -d -e -f -g -h -k -p -r -s -t -u -w -x -G -L -N -O -S -ef -nt -ot"
_TEXT = Program(Words.TEXT)

PROGRAMS: dict[str, Program] = {
    **dict.fromkeys(("apt-get", "apt"), _APT),
    "apk": _system(
        "add update upgrade del fix cache info",
        "-t --virtual -X --repository --wait",
        "-p --root --keys-dir --repositories-file",
    ),
    **dict.fromkeys(("yum", "dnf", "dnf5", "microdnf", "tdnf"), _DNF),
    "zypper": _system("refresh ref install in update up remove rm clean cc addrepo ar dist-upgrade dup", "-t --type"),
    "pacman": _system(refused="-U --upgrade -r --root --config"),
    **dict.fromkeys(("pacman-key", "yum-config-manager", "update-ca-trust"), _system()),
    "add-apt-repository": _system(words=Words.TEXT),
    **dict.fromkeys(("update-ca-certificates", "locale-gen", "update-locale", "ldconfig", "fc-cache"), _system()),
    **dict.fromkeys(("docker-php-ext-install", "docker-php-ext-configure", "docker-php-ext-enable"), _system()),
    **dict.fromkeys(("install-php-extensions", "a2enmod", "a2dismod"), _system()),
    "apt-mark": _system("hold unhold auto manual showmanual showauto"),
    "apt-key": _system("add adv del list", "--keyserver --recv-keys --recv", words=Words.PATHS),
    "dpkg-reconfigure": _system(None, "-f --frontend -p --priority"),
    "localedef": _system(None, "-i -f -c -A"),
    "pecl": _system("install channel-update config-set clear-cache"),
    # "This file is not read in global mode" (npm documentation, "npmrc", of the project's own).
    "npm": _tool(
        "install i add uninstall un remove rm update up",
        "config set cache",
        required="-g --global --location=global",
        valued="--registry --cache --loglevel --fetch-retries --fetch-timeout",
        refused="--prefix --userconfig -C --location=project -L",
    ),
    **dict.fromkeys(("pip", "pip2", "pip3"), PIP),
    "corepack": _tool("prepare", "enable", refused="-o --output"),
    "yarn": _tool("global", at_home=True),
    "pnpm": _tool("add install i", required="-g --global", refused="-C --dir --prefix", at_home=True),
    "bun": _tool("add install", required="-g --global", refused="--cwd", at_home=True),
    "pipx": _tool("install inject", at_home=True),
    "gem": _tool("install update", valued="-v --version", refused="-g --file -i --install-dir", at_home=True),
    "cargo": _tool("install", valued="--version --features -F", refused="--path --root --config", at_home=True),
    **dict.fromkeys(("conda", "mamba"), _CONDA),
    **dict.fromkeys(("groupadd", "addgroup", "groupmod", "delgroup", "groupdel", "gpasswd"), _users(homes=False)),
    **dict.fromkeys(("chpasswd", "passwd", "chsh"), _users(homes=False)),
    **dict.fromkeys(("useradd", "adduser", "usermod", "userdel", "deluser"), _users(homes=True)),
    "curl": Program(
        Words.PATHS,
        valued=_set(
            "-H --header -A --user-agent -e --referer -X --request -u --user -m --max-time --retry --retry-delay "
            "--retry-max-time --connect-timeout --proto --ciphers -x --proxy -y -Y"
        ),
        refused=_set("-K --config"),
        local=_set("-O --remote-name -J --remote-header-name --remote-name-all"),
        sets_up=True,
    ),
    "wget": Program(
        Words.PATHS,
        valued=_set("--header -U --user-agent -t --tries -T --timeout -w --wait --user --password --waitretry"),
        refused=_set("-i --input-file --config -x -r --recursive -m --mirror"),
        at_home=True,
        away=_set("-O --output-document -P --directory-prefix"),
        sets_up=True,
    ),
    "git": Program(
        Words.PATHS,
        _set("clone config"),
        _set("clone"),
        valued=_set("-b --branch --depth -j --jobs"),
        refused=_set("-C --git-dir"),
        at_home=True,
        sets_up=True,
    ),
    "tar": _files(valued="--strip-components --owner --group --mode", at_home=True, away="-C --directory"),
    "unzip": _files(at_home=True, away="-d"),
    **dict.fromkeys(("mkdir", "rm", "rmdir", "touch", "cp", "mv", "ln", "cat", "tee", "ls"), _files()),
    **dict.fromkeys(("test", "[", "[["), Program(Words.PATHS, paths_with=_set(_FILE_TESTS))),
    "cd": Program(Words.PATHS, looks=True),
    **dict.fromkeys(("gunzip", "gzip", "xz", "bzip2", "head", "tail", "cut", "sort", "wc"), _files()),
    **dict.fromkeys(("rpm", "update-alternatives", "debconf-set-selections"), _files()),
    **dict.fromkeys(("sha256sum", "sha512sum", "sha1sum", "md5sum"), _files(at_home=True)),  # names come from a list
    **dict.fromkeys(("chmod", "chown", "chgrp"), _files(1, refused="--reference")),
    "sed": _files(1, valued="-e --expression", refused="-f --file"),
    "grep": _files(1, valued="-e --regexp", refused="-f --file -r -R --recursive"),
    "find": _files(
        valued="-name -iname -path -type -mtime -mmin -size -perm -user -group -maxdepth -mindepth",
        refused="-exec -execdir -ok -okdir -fprint -files0-from",
    ),
    "dpkg": _files(refused="-R --recursive --root --admindir --instdir"),
    "gpg": _files(valued="--keyserver --recv-keys --recv --keyserver-options", refused="--homedir --options"),
    **dict.fromkeys(
        ("echo", "printf", "true", ":", "false", "set", "export", "unset", "umask", "sleep", "date"), _TEXT
    ),
    **dict.fromkeys(("uname", "id", "whoami", "getent", "arch", "nproc", "which", "type", "hash", "tr"), _TEXT),
    **dict.fromkeys(("read", "ulimit", "readonly", "declare", "typeset", "local", "let", "shift", "return"), _TEXT),
    **dict.fromkeys(("break", "continue", "lsb_release", "shopt", "command", "exit", "wait", "mktemp", "date"), _TEXT),
}

# Programs that take no notice of a variable they do not know; those of languages may build what they fetch.
DEAF = frozenset(name for name, program in PROGRAMS.items() if not program.sets_up) | _set(
    "apt apt-get apt-key apt-mark apk yum dnf dnf5 microdnf tdnf zypper pacman add-apt-repository dpkg-reconfigure "
    "update-ca-certificates locale-gen update-locale localedef ldconfig curl wget groupadd addgroup "
    "useradd adduser usermod"
)
