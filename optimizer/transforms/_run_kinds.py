"""What kind of work a RUN does, and which files and packages it makes and removes."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from optimizer.model import Step
from optimizer.shell import Call, Redirect, Word, resolve
from optimizer.syntax.lazy_pattern import lazy_pattern

FILES = "arranging files"
_FETCH = "fetching"
_SUPPORT = "support"
_MANAGERS = {
    "apt packages": "apt-get apt aptitude apt-key apt-mark add-apt-repository dpkg dpkg-reconfigure"
    " debconf-set-selections",
    "apk packages": "apk",
    "rpm packages": "dnf dnf5 yum microdnf tdnf rpm yum-config-manager",
    "zypper packages": "zypper",
    "pacman packages": "pacman pacman-key",
}
SYSTEM = frozenset(_MANAGERS)
_PROGRAMS = {
    **{program: kind for kind, programs in _MANAGERS.items() for program in programs.split()},
    **dict.fromkeys(
        "mkdir rmdir chown chmod chgrp ln touch mv cp rm useradd groupadd adduser addgroup usermod groupmod userdel"
        " deluser delgroup chpasswd passwd truncate install tee"
        " a2enmod a2dismod a2ensite a2dissite a2enconf a2disconf".split(),
        FILES,
    ),
    **dict.fromkeys(("docker-php-ext-install", "docker-php-ext-configure", "pecl"), "PHP extensions"),
    "docker-php-ext-enable": "PHP extensions",
    **dict.fromkeys("curl wget gpg".split(), _FETCH),
    **dict.fromkeys(
        "set true : test [ cd echo printf sed cat grep egrep awk cut tr sort head tail uname id date lsb_release"
        " export unset umask command type which sha256sum sha512sum md5sum [[ false sleep"
        " exit trap alias wait ls read ulimit readonly declare typeset local let shift return break continue".split(),
        _SUPPORT,
    ),
}  # fmt: skip
_BUILT_IN = frozenset({"true", "false", ":", "echo", "printf", "test", "[", "cd", "set", "export", "command"})
# Programs that end when they are done and leave nothing running, beside those above.
_PLAIN = frozenset(
    "tar unzip gunzip gzip bzip2 bunzip2 xz unxz git make cmake ninja gcc g++ cc c++ clang configure autogen.sh"
    " ldconfig patch strip find xargs pip pip3 npm yarn pnpm gem cargo go conda locale-gen update-ca-certificates"
    " meson autoreconf nproc update-alternatives localedef fc-cache".split()
)
_PYTHON = lazy_pattern(r"python[\d.]*")
_PIP = lazy_pattern(r"pip[\d.]*|uv")
_INSTALLERS = {
    "npm": ("npm packages", frozenset({"install", "i", "add"}), frozenset({"-g", "--global"})),
    "yarn": ("yarn packages", frozenset({"global"}), frozenset()),
    "pnpm": ("pnpm packages", frozenset({"add", "install", "i"}), frozenset({"-g", "--global"})),
    "gem": ("gems", frozenset({"install", "update"}), frozenset()),
    "cargo": ("cargo packages", frozenset({"install"}), frozenset()),
    "go": ("Go programs", frozenset({"install"}), frozenset()),
    "conda": ("conda packages", frozenset({"install", "clean", "config", "update"}), frozenset()),
    "mamba": ("conda packages", frozenset({"install", "clean", "config", "update"}), frozenset()),
}
_CACHES = (
    (re.compile(r"/var/(?:lib|cache)/apt\b"), "apt packages"),
    (re.compile(r"/var/cache/apk\b"), "apk packages"),
    (re.compile(r"/var/(?:cache|lib)/(?:yum|dnf)\b"), "rpm packages"),
    (re.compile(r"/var/cache/zypp\b"), "zypper packages"),
    (re.compile(r"(?:/root|~|\$HOME)/\.cache/pip\b"), "Python packages"),
    (re.compile(r"(?:/root|~|\$HOME)/\.npm\b"), "npm packages"),
)
_VERSION = lazy_pattern(r"(?<=.)[@=<>~!\[]")
_ADDS = frozenset({"install", "add", "in", "localinstall"})
_DROPS = frozenset({"remove", "purge", "del", "erase", "autoremove", "rm"})
_SYMBOLIC = lazy_pattern(r"[\w./${}+:@%~=,-]+")
_GLOB = lazy_pattern(r"[\w./*?+:@%~=,-]+")
_ARCHIVE = lazy_pattern(r"\.(?:tar(?:\.\w+)?|tgz|tbz2?|txz|zip)$")


def kind_of(step: Step) -> str | None:
    """Return the one kind of work that a RUN does, None where it does several or one that is not known."""
    kinds = {_kind(call) for call in step.run.calls} if step.run else {None}
    main = kinds - {FILES, _FETCH, _SUPPORT}
    if None in kinds or len(main) > 1:
        return None
    kind = next(iter(main), FILES if FILES in kinds else None)
    return None if _FETCH in kinds and kind not in SYSTEM else kind


def only_updates(step: Step) -> bool:
    """Tell whether a RUN does no more than `apt-get update`."""
    calls = [c for c in step.run.calls if _kind(c) != _SUPPORT] if step.run else []
    return bool(calls) and all(c.program in {"apt-get", "apt"} and _operands(c)[:1] == ["update"] for c in calls)


def fetches_lists(step: Step) -> bool:
    """Tell whether a RUN fetches the package lists that it installs from."""
    calls = step.run.calls if step.run else ()
    return any(c.program in {"apt-get", "apt"} and _operands(c)[:1] == ["update"] for c in calls)


def stranger(step: Step) -> str | None:
    """Return a program that a RUN starts and of which is not known what it leaves running, None where there is none."""
    calls = step.run.calls if step.run else ()
    return next((c.program for c in calls if _kind(c) is None and c.program not in _PLAIN), None)


def removes_made(earlier: Iterable[Step], later: Step) -> bool:
    """Tell whether a RUN removes a file or package that one of the earlier RUNs made."""
    removed = [re.compile(pattern) for pattern in _removed(later)]
    return bool(removed) and any(p.fullmatch(path) for step in earlier for path in _made(step) for p in removed)


def replaces(earlier: Step, later: Step) -> str | None:
    """Return a program that both RUNs start and that the earlier puts in place anew, None where there is none.

    A shell remembers where it found a program, so that in one RUN the later call would start the old one.
    """
    if earlier.run is None or later.run is None:
        return None
    wanted, started = {c.program for c in later.run.calls} - _BUILT_IN, set[str]()
    for call in earlier.run.calls:
        started |= {call.program} & wanted
        if started and (found := started & _put_in_place(call)):
            return min(found)
    return None


def _put_in_place(call: Call) -> set[str]:
    """Return the programs that a call may install, as far as names tell."""
    if call.program in {"make", "ninja"}:
        return {posixpath.basename(call.directory or "").partition("-")[0]}
    names = {posixpath.basename(_package(o)) for o in _operands(call)}
    if "--system" in {w.value for w in call.arguments} and call.program == "gem":
        names.add("gem")
    return names | {f"{name}{digit}" for name in names for digit in ("2", "3")}


def _kind(call: Call) -> str | None:
    """Return the kind of a call; a program whose name is not certain has none."""
    if call.words[0].value is None:
        return None
    if call.own:
        return _SUPPORT
    if call.program == "rm":
        return next((kind for word in call.arguments if (kind := _cache_in(word.text))), FILES)
    kind = _base_kind(call)
    if kind != _SUPPORT:
        return kind
    in_place = call.program == "sed" and any((w.value or "").startswith(("-i", "--in-place")) for w in call.arguments)
    return FILES if in_place or any(map(_writes, call.command.redirects)) else _SUPPORT


@lru_cache(maxsize=512)
def _cache_in(path: str) -> str | None:
    """Return the kind of packages whose cache a path is, or lies in."""
    return next((kind for pattern, kind in _CACHES if pattern.search(path)), None)


def _writes(redirect: Redirect) -> bool:
    """Tell whether a redirection makes a file."""
    return redirect.operator in {">", ">>", "1>", "1>>", ">|"} and str(redirect.target) != "/dev/null"


def _base_kind(call: Call) -> str | None:
    if kind := _PROGRAMS.get(call.program):
        return kind
    operands = _operands(call)
    verb = operands[0] if operands else None
    python = _PYTHON.fullmatch(call.program) and [w.value for w in call.arguments[:2]] == ["-m", "pip"]
    if python or _PIP.fullmatch(call.program):
        installs = {"install", "uninstall", "cache", "config"} & set(operands[:2])
        return "Python packages" if installs else None
    if call.program == "git":
        return FILES if verb == "config" else None
    if call.program in _INSTALLERS:
        kind, verbs, options = _INSTALLERS[call.program]
        if call.program == "npm" and verb in {"cache", "config", "set"}:
            return kind
        given = {w.value for w in call.arguments}
        return kind if verb in verbs and (not options or options & given) else None
    return None


def _operands(call: Call) -> list[str]:
    return [w.value if w.value is not None else w.text for w in call.arguments if not w.text.startswith("-")]


def _package(operand: str) -> str:
    """Return a package's name without the version."""
    return _VERSION.split(operand, maxsplit=1)[0]


def _made(step: Step) -> Iterator[str]:
    variables = {**step.state.args, **step.state.env}
    for call in step.run.calls if step.run else ():
        known = {**variables, **call.variables}
        for redirect in call.command.redirects:
            if redirect.target and redirect.operator in {">", ">>", "1>", ">|"}:
                yield from _paths(call, [redirect.target], known)
        if _base_kind(call) in SYSTEM and set(_operands(call)) & _ADDS:
            yield from (f"package:{_package(o)}" for o in _operands(call)[1:])
            yield from (f"package:{w.value}" for w in call.arguments if (w.value or "").startswith("."))
        yield from _made_files(call, known)


def _made_files(call: Call, known: Mapping[str, str | None]) -> Iterator[str]:
    words = [w for w in call.arguments if not w.text.startswith("-")]
    named = _option_values(call, "o" if call.program == "curl" else "O")
    if call.program in {"curl", "wget"}:
        yield from _paths(call, named, known)
        folder = next(_paths(call, _option_values(call, "P"), known), None)
        for word in words if not named else ():
            name = posixpath.basename((resolve(word, known) or word.text.strip('"')).partition("?")[0])
            yield from _joined(folder or call.directory, name)
    elif call.program == "git" and [w.value for w in words[:1]] == ["clone"]:
        last = words[-1]
        is_url = "://" in last.text or last.text.startswith("git@")
        name = posixpath.basename(resolve(last, known) or last.text.strip('"')).removesuffix(".git")
        yield from _joined(call.directory, name) if is_url else _paths(call, [last], known)
    elif call.program in {"tar", "unzip"}:
        folder = next(_paths(call, _option_values(call, "C" if call.program == "tar" else "d"), known), call.directory)
        for path in _paths(call, words, known):
            if _ARCHIVE.search(path):
                yield from _joined(folder, _ARCHIVE.sub("", posixpath.basename(path)))
    elif call.program in {"mkdir", "touch"}:
        yield from _paths(call, words, known)
    elif call.program in {"cp", "mv"}:
        yield from _paths(call, words[-1:], known)


def _removed(step: Step) -> Iterator[str]:
    variables = {**step.state.args, **step.state.env}
    for call in step.run.calls if step.run else ():
        words = [w for w in call.arguments if not w.text.startswith("-")]
        if call.program in {"rm", "rmdir"}:
            for word in words:
                if word.value is None and "*" in word.text and _GLOB.fullmatch(word.text):
                    paths: Iterable[str] = _joined(call.directory, word.text)
                else:
                    paths = _paths(call, [word], {**variables, **call.variables})
                for path in paths:
                    pattern = re.escape(path).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
                    yield rf"{pattern}(?:/.*)?"
        elif _base_kind(call) in SYSTEM and set(_operands(call)) & _DROPS:
            yield from (re.escape(f"package:{_package(o)}") for o in _operands(call)[1:])


def _option_values(call: Call, letter: str) -> list[Word]:
    """Return the words behind an option such as `-o`, alone or at the end of a cluster."""
    long = {"o": "--output", "O": "--output-document", "P": "--directory-prefix", "C": "--directory", "d": "-d"}[letter]
    pattern = re.compile(rf"-[A-Za-z]*{letter}|{long}")
    pairs = zip(call.arguments, call.arguments[1:], strict=False)
    return [after for option, after in pairs if pattern.fullmatch(option.text) and not after.text.startswith("-")]


def _paths(call: Call, words: Iterable[Word], known: Mapping[str, str | None]) -> Iterator[str]:
    """Return the paths that words stand for; a variable that is not known stands for itself."""
    for word in words:
        text = resolve(word, known)
        if text is None and _SYMBOLIC.fullmatch(bare := word.text.strip('"')):
            text = bare
        if text and "://" not in text:
            yield from _joined(call.directory, text)


def _joined(directory: str | None, path: str) -> Iterator[str]:
    if path.startswith(("/", "~", "$")):
        yield posixpath.normpath(path)
    elif directory is not None and path:
        yield posixpath.normpath(posixpath.join(directory, path))
