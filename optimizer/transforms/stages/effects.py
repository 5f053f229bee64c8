"""What the programs that any Dockerfile starts leave in the image: users, folders, downloads, settings, packages.

A program that is not listed may write anywhere, so that what it makes is not known.
"""

import posixpath
from collections.abc import Callable, Iterator

from optimizer.ecosystems import apt
from optimizer.ecosystems._system import invocation
from optimizer.model import Step
from optimizer.shell import SHELLS, Call, Redirect, Word, calls, parse_script, resolve
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._scripts import script_path, text_of
from optimizer.transforms.stages.nodes import NOTHING, Build, Effect
from optimizer.transforms.stages.paths import SYSTEM

# Programs that look, talk or compute; what they write goes where they are redirected to.
_LOOKING = frozenset(
    "[ [[ : arch awk basename break cat cd cksum command cmp continue cut date declare df diff dirname dpkg-query du "
    "echo egrep env exit export expr false fgrep file find getconf getent gpgconf grep groups head hostname id ldd let "
    "local ls lsb_release md5sum mktemp nm nproc objdump od printenv printf ps pwd read readelf readonly return rev "
    "sed seq set sha1sum sha256sum sha512sum shasum shift shopt sleep sort stat sync tac tail test time tr true type "
    "typeset ulimit umask uname uniq unset wait wc which whoami xxd yes".split()
)
_VERSIONS = frozenset({"--version", "-version", "-V", "version", "--help", "-v"})
_WRITING = frozenset({">", ">>", ">|", "1>", "1>>", "&>", "&>>", "2>", "2>>"})
_NOWHERE = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr"})
_USERS = frozenset(
    "useradd groupadd adduser addgroup usermod groupmod chpasswd passwd userdel groupdel deluser delgroup gpasswd "
    "chsh".split()
)
_OF_SYSTEM = frozenset(
    "locale-gen update-locale localedef dpkg-reconfigure debconf-set-selections update-alternatives "
    "update-ca-certificates ldconfig fc-cache a2enmod a2dismod a2ensite a2dissite a2enconf a2disconf".split()
)
_VALUED = {
    "chown": frozenset({"--reference", "--from"}),
    "curl": frozenset(
        "-H --header -A --user-agent -e --referer -X --request -u --user -m --max-time --retry --retry-delay "
        "--retry-max-time --connect-timeout --proto --ciphers -x --proxy -d --data".split()
    ),
    "install": frozenset("-m --mode -o --owner -g --group -t --target-directory".split()),
    "mkdir": frozenset({"-m", "--mode"}),
    "wget": frozenset("--header -U --user-agent -t --tries -T --timeout -w --wait --waitretry".split()),
}
_REMOVING = frozenset({"-delete", "rm", "-exec", "-execdir", "+"})
_ARCHIVES = lazy_pattern(r".*\.(?:tar(?:\.\w+)?|tgz|tbz2?|txz|zip)")
_NAMED_ELSEWHERE = frozenset("--output-dir --remote-header-name --content-disposition -i --input-file -r -m -x".split())
_FLAGS = lazy_pattern(r"-[A-Za-z#]*")
_CLUSTER = lazy_pattern(r"-?[A-Za-z]+")
_GLOB = lazy_pattern(r"[\w./*?+:@%~=,-]+")
_RECURSION = 3


def effect_of(call: Call, step: Step, build: Build, depth: int = _RECURSION) -> Effect:
    """Return what a call leaves behind by the rules that hold in every image; `unknown` where there is none for it."""
    if call.own or not call.words or call.program == "":
        return _redirected(call, NOTHING)
    if call.program in {"cp", "mv", "install"}:
        return _redirected(call, _copied(call, build))
    if call.program in _RULES:
        return _redirected(call, _RULES[call.program](call))
    if _asks_version(call):
        return NOTHING
    if call.program in SHELLS or script_path(call):
        return _of_script(call, step, build, depth)
    return Effect(unknown=f"what {call.program} of line {step.line} makes is not known")


def known_path(word: Word, call: Call) -> str | None:
    """Return the absolute path that a word of a call stands for, None where it takes a running shell to tell."""
    text = resolve(word, call.variables)
    if text is None and word.text.startswith("~/"):
        text = f"/root/{word.text[2:]}" if call.user in {None, "root"} else None
    return _absolute(text, call.directory) if text else None


def operands(call: Call) -> list[Word]:
    """Return the words of a call that are neither options nor the values of options."""
    valued = _VALUED.get(call.program, frozenset())
    found: list[Word] = []
    words = iter(call.arguments)
    for word in words:
        if word.text == "--":
            return found + list(words)
        if word.text in valued:
            next(words, None)
        elif not word.text.startswith("-") or word.text == "-":
            found.append(word)
    return found


def option(call: Call, *names: str) -> Word | None:
    """Return the word behind an option; a single letter also stands at the end of a cluster (`-sSLo`)."""
    letters = {name[1] for name in names if len(name) == 2}  # noqa: PLR2004 - a dash and a letter
    for before, word in zip(call.arguments, call.arguments[1:], strict=False):
        text = before.text
        if text in names or (text[:1] == "-" and text[1:2] != "-" and text[-1:] in letters):
            return word
    return None


def _absolute(path: str, directory: str | None) -> str | None:
    if path.startswith("/"):
        return posixpath.normpath(path)
    return posixpath.normpath(posixpath.join(directory, path)) if directory and directory.startswith("/") else None


def _redirected(call: Call, effect: Effect) -> Effect:
    """Add the files that a call's output goes to; what only prints can be done again."""
    targets = [r for r in call.command.redirects if r.operator in _WRITING and str(r.target) not in _NOWHERE]
    if not targets or effect.unknown:
        return effect
    paths = tuple(_target(redirect, call) for redirect in targets)
    known = tuple(path for path in paths if path)
    if len(known) < len(paths):
        return Effect(unknown=f"where {call.program} writes to is not known")
    again = call.program in {"echo", "printf", "cat", "sed", "grep", "tee"} and not effect.makes
    return Effect((*effect.makes, *known), effect.leaves, effect.packages, effect.removes, again=again or effect.again)


def _target(redirect: Redirect, call: Call) -> str | None:
    return known_path(redirect.target, call) if redirect.target else None


def _asks_version(call: Call) -> bool:
    words = [word.text for word in call.arguments]
    return len(words) == 1 and words[0] in _VERSIONS


def _of_script(call: Call, step: Step, build: Build, depth: int) -> Effect:
    """Return what a script of the build context does, command by command."""
    path = script_path(call)
    subject = build.subject
    text = text_of(subject.dockerfile, subject.context, step, path, call.directory) if path else None
    script = parse_script(text) if text is not None else None
    if script is None or script.problem or not depth:
        return Effect(unknown=f"what {path or call.program} of line {step.line} makes is not known")
    found = [effect_of(inner, step, build, depth - 1) for inner in calls(script, call.directory, {**call.variables})]
    if any(one.again or one.packages for one in found):
        return Effect(unknown=f"what {path} of line {step.line} sets up is not known")
    return joined(found)


def joined(effects: list[Effect]) -> Effect:
    """Return several effects as one."""
    return Effect(
        tuple(path for one in effects for path in one.makes),
        tuple(path for one in effects for path in one.leaves),
        tuple(name for one in effects for name in one.packages),
        tuple(path for one in effects for path in one.removes),
        any(one.again for one in effects),
        next((one.unknown for one in effects if one.unknown), None),
    )


def _unknown(call: Call) -> Effect:
    return Effect(unknown=f"where {call.program} puts its files is not known")


def _nothing(call: Call) -> Effect:  # noqa: ARG001 - one of the rules
    return NOTHING


def _all_known(call: Call, words: list[Word]) -> tuple[str, ...] | None:
    paths = [known_path(word, call) for word in words]
    return None if None in paths else tuple(path for path in paths if path)


def _again(call: Call) -> Effect:  # noqa: ARG001 - one of the rules
    """Users, and what belongs to the system: done anew, for the files are shared with what the image brings."""
    return Effect(again=True)


def _made_again(call: Call) -> Effect:
    words = operands(call)
    paths = _all_known(call, words)
    if paths is None:
        paths = tuple(path for word in words for path in _braces(word, call))
    return Effect(paths, again=True) if paths else _unknown(call)


def _braces(word: Word, call: Call) -> Iterator[str]:
    """Go through what `{a,b}` in a word stands for; in a shell without braces it is a name of that form."""
    head, opened, rest = word.text.partition("{")
    inner, closed, tail = rest.partition("}")
    if opened and closed and not any(sign in word.text for sign in "$`*?"):
        folder = _absolute(head + inner.partition(",")[0] + tail, call.directory)
        yield from (folder,) if folder else ()


def _owned(call: Call) -> Effect:
    """`chown` and `chmod`: the first operand says whom or what to, unless a file is named for it."""
    words = operands(call)
    if call.program in {"chown", "chmod", "chgrp"}:
        words = words[1:]
    paths = _all_known(call, [word for word in words if word.value is not None or "*" not in word.text])
    globs = tuple(path for word in words if word.value is None and "*" in word.text for path in _globbed(word, call))
    return Effect((*paths, *globs), again=True) if paths is not None and (paths or globs) else _unknown(call)


def _globbed(word: Word, call: Call) -> Iterator[str]:
    """Go through the folder of a pattern's first wildcard."""
    if _GLOB.fullmatch(word.text):
        folder = _absolute(posixpath.dirname(word.text.partition("*")[0] + "x"), call.directory)
        yield from (f"{folder}/",) if folder else ()


def _linked(call: Call) -> Effect:
    words = operands(call)
    symbolic = any(w.text.startswith("-") and not w.text.startswith("--") and "s" in w.text for w in call.arguments)
    if len(words) != 2:  # noqa: PLR2004 - what it leads to, and its name
        return _unknown(call)
    target, link = (known_path(word, call) for word in words)
    if link is None or target is None:
        return _unknown(call)
    inside = link in SYSTEM or words[1].text.endswith("/")
    path = posixpath.join(link, posixpath.basename(target)) if inside else link
    return Effect((path,), again=symbolic or any(w.text == "--symbolic" for w in call.arguments))


def _copied(call: Call, build: Build) -> Effect:
    words = operands(call)
    named = option(call, "-t", "--target-directory")
    if named is not None:
        words = [*(w for w in words if w is not named), named]
    if call.program == "install" and any(w.text in {"-d", "--directory"} for w in call.arguments):
        return _made_again(call)
    target = known_path(words[-1], call) if len(words) > 1 else None
    if target is None:
        return _unknown(call)
    several = len(words) > 2 or words[-1].text.endswith(("/", "/.")) or words[-1].text == "."  # noqa: PLR2004
    folder = several or _is_folder(target, build)
    sources = _all_known(call, words[:-1])
    removes = sources if sources is not None and call.program == "mv" else ()
    if not folder:
        return Effect((target,), removes=removes)
    if sources is None:
        return Effect((f"{target.rstrip('/')}/",)) if target not in SYSTEM else _unknown(call)
    makes = tuple(
        posixpath.join(target, "" if word.text.endswith("/.") else posixpath.basename(source))
        for word, source in zip(words, sources, strict=False)
    )
    return Effect(makes, removes=removes)


def _is_folder(path: str, build: Build) -> bool:
    """Tell whether a path is known to be a folder by now."""
    return path in SYSTEM or path in build.there or any(other.startswith(f"{path}/") for other in build.copied)


def _removed(call: Call) -> Effect:
    found: list[str] = []
    for word in operands(call):
        path = known_path(word, call)
        if path is None and _GLOB.fullmatch(word.text):
            path = _absolute(word.text, call.directory)
        if path is None:
            return Effect(unknown=f"what {word.text[:40]} removes is not known")
        found.append(path)
    return Effect(removes=tuple(found))


def _edited(call: Call) -> Effect:
    """`sed -i` changes files in place."""
    if not any(w.text.startswith(("-i", "--in-place")) for w in call.arguments):
        return NOTHING
    scripts = {id(word) for word in (option(call, "-e", "--expression"),) if word}
    words = [word for word in operands(call) if id(word) not in scripts]
    return _owned_paths(call, words if scripts else words[1:])


def _owned_paths(call: Call, words: list[Word]) -> Effect:
    paths = _all_known(call, words)
    return Effect(paths, again=True) if paths else _unknown(call)


def _found(call: Call) -> Effect:
    texts = {word.text for word in call.arguments}
    if not texts & (_REMOVING - {"+"}):
        return NOTHING
    paths = _all_known(call, list(call.arguments[:1]))
    harmless = {"-type", "-name"} & texts and ("-delete" in texts or "rm" in texts)
    changing = "chmod" in texts or "chown" in texts
    if not paths or not (harmless or changing):
        return Effect(unknown="what find starts is not known")
    return Effect(removes=tuple(f"{path}/**" for path in paths)) if harmless else Effect(paths, again=True)


def _fetched(call: Call) -> Effect:
    """`curl` and `wget`: a file where they are told to, by its own name, or what a pipe hands on."""
    curl = call.program == "curl"
    texts = {word.text.partition("=")[0] for word in call.arguments}
    if texts & _NAMED_ELSEWHERE or any(_is_cluster_with(text, "J") for text in texts if curl):
        return _unknown(call)
    named = list(_outputs(call, *(("o", "--output") if curl else ("O", "--output-document"))))
    if named:
        paths = [text if text in _NOWHERE or text == "-" else _absolute(text or "", call.directory) for text in named]
        known = tuple(path for path in paths if path and path not in _NOWHERE and path != "-")
        return _unknown(call) if None in paths else Effect(known)
    by_name = not curl or any(_is_cluster_with(text, "O") or text.startswith("--remote-name") for text in texts)
    if not by_name:
        return NOTHING
    folder = option(call, "-P", "--directory-prefix") if not curl else None
    into = known_path(folder, call) if folder else call.directory
    words = [word for word in operands(call) if word is not folder]
    names = [posixpath.basename((resolve(w, call.variables) or "").partition("?")[0]) for w in words]
    if not into or not into.startswith("/") or not all(names):
        return _unknown(call)
    return Effect(tuple(posixpath.join(into, name) for name in names))


def _outputs(call: Call, letter: str, long: str) -> Iterator[str | None]:
    """Go through the files that an option names: behind it, glued to it (`-qO/bin/x`), or behind `=`."""
    words = iter(call.arguments)
    for word in words:
        text = resolve(word, call.variables) or word.text
        head, _, tail = text.partition(letter)
        if text == long:
            yield _resolved(next(words, None), call)
        elif text.startswith(f"{long}="):
            yield text.partition("=")[2]
        elif text.startswith("-") and not text.startswith("--") and _FLAGS.fullmatch(head) and head != text:
            if not tail:
                yield _resolved(next(words, None), call)
            elif tail[0] in "/.-" or call.program == "wget":
                yield tail


def _resolved(word: Word | None, call: Call) -> str | None:
    return resolve(word, call.variables) if word else None


def _is_cluster_with(text: str, letter: str) -> bool:
    return bool(_CLUSTER.fullmatch(text)) and text.startswith("-") and letter in text


def _unpacked(call: Call) -> Effect:
    if call.program == "tar" and _reads_or_packs(call):
        return _unknown(call)
    named = option(call, "-d") if call.program == "unzip" else option(call, "-C", "--directory")
    folder = known_path(named, call) if named else call.directory
    return Effect((f"{folder.rstrip('/')}/",)) if folder and folder.startswith("/") else _unknown(call)


def _reads_or_packs(call: Call) -> bool:
    first = call.arguments[0].text if call.arguments else ""
    return "x" not in first and "--extract" not in {w.text for w in call.arguments} and not any(
        _is_cluster_with(w.text, "x") for w in call.arguments
    )  # fmt: skip


def _cloned(call: Call) -> Effect:
    words = [word.text for word in call.arguments if not word.text.startswith("-")]
    if words[:1] != ["clone"]:
        verb = words[0] if words else ""
        return (
            NOTHING
            if verb in {"checkout", "describe", "log", "rev-parse", "submodule", "fetch", "status"}
            else _config(call)
        )
    last = call.arguments[-1]
    text = resolve(last, call.variables)
    if text is None:
        return _unknown(call)
    is_url = "://" in text or text.startswith("git@")
    path = _absolute(posixpath.basename(text.rstrip("/")).removesuffix(".git") if is_url else text, call.directory)
    return Effect((f"{path}/",)) if path else _unknown(call)


def _config(call: Call) -> Effect:
    """Know the settings of git, which only git reads."""
    words = [word.text for word in call.arguments]
    if "config" in words and "--global" in words:
        return Effect(leaves=("/root/.gitconfig", "/home/*/.gitconfig"))
    return Effect(unknown=f"what git {' '.join(words[:1])} makes is not known")


def _apt(call: Call) -> Effect:
    given = invocation(call, apt.GRAMMAR)
    if given.verb is None:
        return Effect(unknown=f"what {call.program} does depends on a variable")
    names = [resolve(word, call.variables) for word in given.operands]
    if given.action in {"install", "reinstall"}:
        words = [name for text in names if text is not None for name in text.split()]
        if None in names or any("/" in word or word.endswith("-") or "*" in word for word in words):
            return Effect(unknown=f"which packages {call.program} installs is not known")
        return Effect(packages=tuple(words))
    if given.action in {"remove", "purge", "autoremove", "autopurge"}:
        if None in names:
            return Effect(unknown=f"which packages {call.program} removes is not known")
        return Effect(packages=tuple(f"{name}-" for text in names if text for name in text.split()))
    if given.action in {"upgrade", "dist-upgrade", "full-upgrade"}:
        return Effect(packages=(given.action,))
    known = {"update", "clean", "autoclean", "check", "source", "build-dep"} - {"source", "build-dep"}
    return NOTHING if given.action in known else Effect(unknown=f"what {call.program} does is not known")


def _teed(call: Call) -> Effect:
    paths = _all_known(call, operands(call))
    return Effect(paths, again=True) if paths else NOTHING if paths == () else _unknown(call)


_RULES: dict[str, Callable[[Call], Effect]] = {
    **dict.fromkeys(_LOOKING, _nothing),
    **dict.fromkeys(_USERS | _OF_SYSTEM, _again),
    **dict.fromkeys(("mkdir", "touch"), _made_again),
    **dict.fromkeys(("chown", "chmod", "chgrp"), _owned),
    **dict.fromkeys(("rm", "rmdir"), _removed),
    **dict.fromkeys(("curl", "wget"), _fetched),
    **dict.fromkeys(("tar", "unzip"), _unpacked),
    **dict.fromkeys(("apt-get", "apt"), _apt),
    "ln": _linked,
    "sed": _edited,
    "find": _found,
    "git": _cloned,
    "tee": _teed,
    **dict.fromkeys(("strip", "upx"), _nothing),
}
