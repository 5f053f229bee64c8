"""What the programs that any Dockerfile starts leave in the image: users, folders, downloads, settings, packages.

A program that is not listed may write anywhere, so that what it makes is not known.
"""

from collections.abc import Callable

from msgspec.structs import replace

from optimizer.ecosystems import apt
from optimizer.ecosystems._system import invocation
from optimizer.model import Step
from optimizer.shell import SHELLS, Call, Redirect, Word, calls, parse_script, resolve
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._scripts import script_path, text_of
from optimizer.transforms.stages.arranging import copied, edited, linked, made_again, owned, removed, searched, teed
from optimizer.transforms.stages.fetching import cloned, fetched, unpacked
from optimizer.transforms.stages.languages import languages_for
from optimizer.transforms.stages.makefile import commands_of
from optimizer.transforms.stages.nodes import NOTHING, Build, Effect
from optimizer.transforms.stages.words import known_path

LOOKING = frozenset(
    "[ [[ : arch awk basename break cat cd cksum command cmp continue cut date declare df diff dirname dpkg-query du "
    "echo egrep env exit export expr false fgrep file find getconf getent gpgconf grep groups head hostname id ldd let "
    "local ls lsb_release md5sum mktemp nm nproc objdump od printenv printf ps pwd read readelf readonly return rev "
    "sed seq set sha1sum sha256sum sha512sum shasum shift shopt sleep sort stat sync tac tail test time tr true type "
    "typeset ulimit uname uniq unset wait wc which whoami xxd yes".split()
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
_COPIED_WELL = frozenset({"mkdir", "touch", "ln", "echo", "printf", "cat", "sed", "tee"})
_AWK_WRITES = lazy_pattern(r">\s*[\"(]|\bsystem\s*\(|\|\s*\"")
_RECURSION = 3


def effect_of(call: Call, step: Step, build: Build, depth: int = _RECURSION) -> Effect:
    """Return what a call leaves behind by the rules that hold in every image; `unknown` where there is none for it."""
    if call.own or not call.words or call.program == "":
        return _redirected(call, NOTHING)
    if call.program in {"cp", "mv", "install", "ln"}:
        return _redirected(call, linked(call, build) if call.program == "ln" else copied(call, build))
    if call.program in LOOKING and _writes(call):
        return Effect(unknown=f"what {call.program} of line {step.line} writes is not known")
    if call.program in _RULES:
        return _redirected(call, _RULES[call.program](call))
    if _asks_version(call):
        return NOTHING
    if call.program in SHELLS or script_path(call):
        return _of_script(call, step, build, depth)
    if call.program == "make":
        return _of_make(call, step, build, depth)
    return Effect(unknown=f"what {call.program} of line {step.line} makes is not known")


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


def _writes(call: Call) -> bool:
    """Tell whether a program that mostly looks is told to write a file by its own words."""
    words = [word.value if word.value is not None else word.text for word in call.arguments]
    if call.program in {"uniq", "xxd"}:
        return len([word for word in words if not word.startswith("-")]) > 1
    if call.program == "awk":
        return any(_AWK_WRITES.search(word) for word in words)
    return call.program == "sort" and any(word.startswith(("-o", "--output")) for word in words)


def is_of_system(program: str, *, any_rule: bool = False) -> bool:
    """Tell whether a program sets up users or the system, or with `any_rule` whether what it makes is known at all."""
    return program in _USERS | _OF_SYSTEM or (any_rule and program in {*_RULES, "cp", "install", "mv"})


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
    found = [_of_inner(inner, step, build, depth) for inner in calls(script, call.directory, {**call.variables})]
    if any(one.again or one.packages for one in found):
        return Effect(unknown=f"what {path} of line {step.line} sets up is not known")
    return joined(found)


def _of_make(call: Call, step: Step, build: Build, depth: int) -> Effect:
    """Return what the recipes of a Makefile of the build context do."""
    unread = Effect(unknown=f"what make of line {step.line} makes is not known")
    words = [resolve(word, call.variables) for word in call.arguments]
    subject = build.subject
    text = text_of(subject.dockerfile, subject.context, step, "Makefile", call.directory)
    if text is None or not depth or None in words or any(word and word.startswith("-") for word in words):
        return unread
    given = dict(word.split("=", 1) for word in words if word and "=" in word)
    lines = commands_of(text, tuple(word for word in words if word and "=" not in word), given)
    scripts = [parse_script(line) for line in lines or ()]
    if not scripts or any(script.problem for script in scripts):
        return unread
    inner = [one for script in scripts for one in calls(script, call.directory, {**call.variables})]
    found = [_of_inner(one, step, build, depth) for one in inner]
    return unread if any(one.again or one.packages for one in found) else joined(found)


def _of_inner(call: Call, step: Step, build: Build, depth: int) -> Effect:
    """Return the effect of a command of a script, which is not done again by itself: what it makes is copied."""
    asked = (language.effect(call, step, build) for language in languages_for(build.full.image))
    effect = next((found for found in asked if found is not None), None) or effect_of(call, step, build, depth - 1)
    copied_well = effect.again and effect.makes and call.program in _COPIED_WELL and call.certain
    return replace(effect, again=False) if copied_well else effect


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


def _nothing(call: Call) -> Effect:  # noqa: ARG001 - one of the rules
    return NOTHING


def _again(call: Call) -> Effect:  # noqa: ARG001 - one of the rules
    """Users, and what belongs to the system: done anew, for the files are shared with what the image brings."""
    return Effect(again=True)


def _listed(word: Word, call: Call) -> str | None:
    """Return the value of a word; a variable that stands alone may hold several names."""
    name = word.text.removeprefix("$").strip("{}")
    alone = word.text in {f"${name}", f"${{{name}}}"}
    return call.variables.get(name) if alone else resolve(word, call.variables)


def _apt(call: Call) -> Effect:
    given = invocation(call, apt.GRAMMAR)
    if given.verb is None:
        return Effect(unknown=f"what {call.program} does depends on a variable")
    names = [_listed(word, call) for word in given.operands]
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
    return (
        NOTHING
        if given.action in {"update", "clean", "autoclean", "check"}
        else Effect(unknown=f"what {call.program} does is not known")
    )


def _marked(call: Call) -> Effect:
    """Let packages be held, which changes no files; what goes when others are marked is not known."""
    verb = call.arguments[0].text if call.arguments else ""
    return (
        NOTHING
        if verb in {"hold", "unhold", "showmanual"}
        else Effect(unknown=f"what apt-mark {verb} leaves is not known")
    )


_RULES: dict[str, Callable[[Call], Effect]] = {
    **dict.fromkeys(LOOKING, _nothing),
    **dict.fromkeys(_USERS | _OF_SYSTEM, _again),
    **dict.fromkeys(("mkdir", "touch"), made_again),
    **dict.fromkeys(("chown", "chmod", "chgrp"), owned),
    **dict.fromkeys(("rm", "rmdir"), removed),
    **dict.fromkeys(("curl", "wget"), fetched),
    **dict.fromkeys(("tar", "unzip"), unpacked),
    **dict.fromkeys(("apt-get", "apt"), _apt),
    "apt-mark": _marked,
    "sed": edited,
    "find": searched,
    "git": cloned,
    "tee": teed,
    **dict.fromkeys(("strip", "upx"), _nothing),
}
