"""pacman, the package manager of Arch Linux.

Its operations are options (`-S`, `--sync`), and what it downloads stays in /var/cache/pacman/pkg. `pacman -Scc` asks
before it empties that, and with `--noconfirm` the answer is no (pacman's `sync_cleancache`), so only `yes | pacman
-Scc` counts as cleaning. The databases in /var/lib/pacman/sync stay, as a later `pacman -S` reads them.
Options: pacman(8).
"""

from collections.abc import Mapping

from optimizer.ecosystems._system import Grammar, SystemManager, invocation
from optimizer.ecosystems.ecosystem import Cache, Install, Project, Refusal
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern

GRAMMAR = Grammar(
    long=frozenset({
        "--arch", "--assume-installed", "--cachedir", "--color", "--config", "--dbpath", "--gpgdir", "--hookdir",
        "--ignore", "--ignoregroup", "--logfile", "--overwrite", "--print-format", "--root", "--sysroot",
    }),
    short="br",
)  # fmt: skip
_CLUSTER = lazy_pattern(r"-[A-Za-z]+")
_LONG = {"--sync": "S", "--upgrade": "U", "--refresh": "y", "--sysupgrade": "u", "--clean": "c"}
# With these a sync asks the databases and installs nothing: search, info, list, groups, print.
_ASKING = frozenset("silgpc")
_ASKING_LONG = frozenset({"--search", "--info", "--list", "--groups", "--print", "--clean"})


class Pacman(SystemManager, frozen=True):
    """`pacman -S`, `pacman -Syu`, `pacman -U`."""

    def install(self, call: Call, project: Project) -> Install | Refusal | None:  # noqa: ARG002 part of the protocol
        """Say that an install reads nothing of the project, or which file it reads all the same."""
        if call.program not in self.programs or not _letters(call) & {"S", "U", "F"}:
            return None
        given = invocation(call, self.grammar)
        operands = [word for word in (given.verb, *given.operands) if word]
        local = next(
            (w.text for w in operands if "://" not in w.text and (self.suffix in w.text or "/" in w.text)), None
        )
        if any("$(" in word.text or "`" in word.text or word.text == "-" for word in operands):
            return Refusal("the names of the packages come from another command or a file")
        if given.has("--config") or (local and "U" in _letters(call)):
            return Refusal(
                "it has a configuration of its own" if not local else f"it installs the local package {local}"
            )
        return Install(manifests=())

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:  # noqa: ARG002 part of the protocol
        """Say what an install leaves behind for the next one."""
        if not self.installs(call):
            return None
        given = invocation(call, self.grammar)
        off = f"{self.cached} are kept at another place" if self._is_elsewhere(given) else None
        return Cache(self.cached, cleanup=(self.cleanup[""],), targets=self.targets, off=off)

    def cleans(self, call: Call) -> bool:
        """Tell whether the call empties the folder: `yes | pacman -Scc`, `rm -rf /var/cache/pacman/pkg/*`."""
        if call.program not in self.programs:
            return super().cleans(call)
        asked = "--noconfirm" in invocation(call, self.grammar).options
        return not asked and "S" in _letters(call) and _count(call, "c") > 1

    def installs(self, call: Call) -> bool:
        """Tell whether the call may put packages in place."""
        letters = _letters(call) if call.program in self.programs else frozenset[str]()
        given = invocation(call, self.grammar)
        if not letters & {"S", "U"} or letters & _ASKING or given.has(*_ASKING_LONG):
            return False
        return bool(given.verb or given.operands) or "u" in letters


ECOSYSTEM = Pacman(
    id="pacman",
    title="pacman",
    programs=frozenset({"pacman"}),
    grammar=GRAMMAR,
    verbs=frozenset(),
    refreshing=frozenset(),
    cached="pacman's packages",
    targets=("/var/cache/pacman/pkg",),
    suffix=".pkg.tar",
    folders=("/var/cache/pacman/pkg",),
    elsewhere=("--root", "-r", "--sysroot", "--cachedir", "--config"),
    cleanup={"": "rm -rf /var/cache/pacman/pkg/*"},
)


def _letters(call: Call) -> frozenset[str]:
    """Return the single letters of all options, long ones among them that have one here."""
    options = invocation(call, GRAMMAR).options
    short = "".join(option[1:] for option in options if _CLUSTER.fullmatch(option))
    return frozenset(short) | {_LONG[option] for option in options if option in _LONG}


def _count(call: Call, letter: str) -> int:
    options = invocation(call, GRAMMAR).options
    long = [_LONG.get(option, "") for option in options]
    return sum(o.count(letter) for o in options if _CLUSTER.fullmatch(o)) + long.count(letter)
