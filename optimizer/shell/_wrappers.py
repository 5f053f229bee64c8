"""Programs that start another program given on their own command line."""

import re
from collections.abc import Callable
from itertools import pairwise

from msgspec import Struct

from optimizer.shell.nodes import Word
from optimizer.syntax.lazy_pattern import lazy_pattern

_ASSIGNMENT = lazy_pattern(r"[A-Za-z_]\w*=", re.ASCII)


class Wrapper(Struct, frozen=True):
    """How a wrapper's own words are told from those of the program that it starts.

    `takes` are the options whose argument is a word of its own; `skips` is the number of words between the
    options and the program; `assigns` says that `NAME=value` words may stand there; `stops` are the options
    with which no program is started, or one that cannot be told.
    """

    takes: frozenset[str] = frozenset()
    skips: int = 0
    assigns: bool = False
    stops: frozenset[str] = frozenset()
    incomplete: bool = False  # the program gets more arguments than are written


class Unwrapped(Struct, frozen=True):
    """What a wrapper starts: its options (with arguments), what stands before the program, and the rest."""

    options: tuple[Word, ...]
    between: tuple[Word, ...]
    words: tuple[Word, ...]


def _wrapper(
    takes: str = "", skips: int = 0, *, assigns: bool = False, stops: str = "", incomplete: bool = False
) -> Wrapper:
    return Wrapper(frozenset(takes.split()), skips, assigns, frozenset(stops.split()), incomplete)


WRAPPERS = {
    "sudo": _wrapper(
        "-u --user -g --group -h --host -p --prompt -C --close-from -r --role -t --type -T --command-timeout"
        " -U --other-user -D --chdir -R --chroot",
        assigns=True,
        stops="-l --list -v --validate -k -K -e --edit -V -R --chroot",
    ),
    "doas": _wrapper("-u -C", stops="-C -L -s"),
    "env": _wrapper("-u --unset -C --chdir", assigns=True, stops="-S --split-string"),
    "time": _wrapper("-f --format -o --output"),
    "nice": _wrapper("-n --adjustment"),
    "ionice": _wrapper("-c --class -n --classdata", stops="-p --pid -P -u"),
    "nohup": _wrapper(),
    "setsid": _wrapper(),
    "stdbuf": _wrapper("-i --input -o --output -e --error"),
    "fakeroot": _wrapper("-l --lib -f --faked -i -s -b"),
    "eatmydata": _wrapper(),
    "exec": _wrapper("-a"),
    "command": _wrapper(stops="-v -V"),
    "builtin": _wrapper(),
    "timeout": _wrapper("-s --signal -k --kill-after", 1),
    "gosu": _wrapper(skips=1),
    "su-exec": _wrapper(skips=1),
    "setpriv": _wrapper(
        "--ambient-caps --apparmor-profile --bounding-set --egid --euid --gid --groups --inh-caps --pdeathsig"
        " --regid --reuid --rgid --ruid --securebits --selinux-label --uid",
        stops="-d --dump",
    ),
    "xargs": _wrapper(
        "-a --arg-file -d --delimiter -E -I -L --max-lines -n --max-args -P --max-procs -s --max-chars",
        incomplete=True,
    ),
}  # fmt: skip


def unwrap(wrapper: Wrapper, words: tuple[Word, ...]) -> Unwrapped | None:
    """Split the words of a call to a wrapper; None where it starts no program or one that cannot be told."""
    at, options = 1, 1
    while at < len(words) and (value := words[at].value) is not None:
        if value == "--":
            options, at = at, at + 1
            break
        if not value.startswith("-") or value == "-":
            break
        if _stops(wrapper, value):
            return None
        at += 2 if value in wrapper.takes or _cluster_takes(wrapper, value) else 1
        options = at
    start = at
    while wrapper.assigns and at < len(words) and (words[at].value == "-" or _ASSIGNMENT.match(words[at].text)):
        at += 1
    at += wrapper.skips
    if at >= len(words):
        return None
    return Unwrapped(words[1:options], words[start:at], words[at:])


def option(options: tuple[Word, ...], *names: str) -> Word | None:
    """Return the argument of the last of these options, None where none is given as a word of its own."""
    found = None
    for name, argument in pairwise(options):
        if name.value in names:
            found = argument
    return found


def has_option(options: tuple[Word, ...], short: str, *names: str) -> bool:
    """Tell whether an option is there, alone or in a cluster of short ones."""
    return any(is_cluster_with(short)(w) or w.value in names for w in options)


def is_cluster_with(letter: str) -> Callable[[Word], bool]:
    """Make the test for a word of short options that holds a letter."""
    pattern = re.compile(rf"-[A-Za-z]*{letter}[A-Za-z]*")
    return lambda word: word.value is not None and bool(pattern.fullmatch(word.value))


def _stops(wrapper: Wrapper, value: str) -> bool:
    return value in wrapper.stops or value.split("=", 1)[0] in wrapper.stops


def _cluster_takes(wrapper: Wrapper, value: str) -> bool:
    """Tell whether the last of several short options in one word takes the next word (`sudo -Eu name`)."""
    if value.startswith("--") or len(value) < 3:  # noqa: PLR2004 - a dash and two letters
        return False
    return f"-{value[-1]}" in wrapper.takes and not any(f"-{letter}" in wrapper.takes for letter in value[1:-1])
