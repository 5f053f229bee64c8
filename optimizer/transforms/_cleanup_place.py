"""Where in a RUN the removal of a cache can stand.

At the end nothing can fill the cache again, but by then the tool may be gone, or the shell stand somewhere else. So a
removal goes to the end only where every command behind the install is known to leave the tool alone, and directly
behind the install otherwise.
"""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from posixpath import join, normpath

from optimizer.model import Step
from optimizer.shell import Call, Command, Compound, Kind, Node, Word, state_changes
from optimizer.shell.state import assigned_names, parts_of
from optimizer.syntax import Document, Span
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms import _scripts
from optimizer.transforms._finding import Edit
from optimizer.transforms._independence import is_system
from optimizer.transforms._layout import WIDTH, chain_operator, continuation
from optimizer.transforms._package_lists import known_installer
from optimizer.transforms._programs import PROGRAMS, Program, Words

# Variables that decide which program runs, and which folder it takes for its cache.
_STEERING = lazy_pattern(
    r"PATH|HOME|USER|XDG_.*|npm_config_.*|NVM_.*|NODE_.*PATH|YARN_.*|(?:CONDA|MAMBA)_.*|PDM_.*|LD_.*", re.IGNORECASE
)
_REMOVING = frozenset({
    "remove", "purge", "autoremove", "auto-remove", "autopurge", "del", "erase", "rm", "un", "uninstall", "unlink",
    "clean-all", "--auto-remove", "--autoremove", "--purge", "-e", "--erase",
})  # fmt: skip
# What the tools do without starting a program of the project.
_QUIET = frozenset({
    "add", "audit", "cache", "ci", "clean", "config", "dedupe", "global", "i", "info", "install", "list", "ls", "prune",
    "rebuild", "set", "update", "upgrade", "--version", "-v",
})  # fmt: skip
_SYSTEM_TOOLS = frozenset({"yum", "dnf", "dnf5", "microdnf", "tdnf", "zypper"})  # these do not remove themselves
_SCRATCH = lazy_pattern(
    r"(?:/tmp|/var/tmp|/var/cache|/var/log|/var/lib/apt/lists|/usr/share/(?:doc|info|locale|man)"
    r"|(?:/root|/home/[^/]+)/\.(?:cache|npm|node-gyp|gnupg|wget-hsts))(?:/.*)?"
)
_HOME = lazy_pattern(r"~(?=/|$)|\$HOME\b|\$\{HOME\}")
_REMOVERS = ("/bin/rm", "/usr/bin/rm", "/bin/busybox")
_ESSENTIAL = frozenset({"coreutils", "busybox", "toybox"})


def place_of(step: Step, installs: Sequence[Call], command: str) -> int | str:
    """Return the part of a RUN's script that a removal goes behind, or a clause that says why there is none.

    `installs` are the calls that fill the cache, `command` is what removes it: an `rm`, or a call of the same tool.
    """
    run = step.run
    if run is None:
        return "it is no RUN"
    at = max(map(run.calls.index, installs))
    install, parts = run.calls[at], run.script.root.parts
    behind = [call for call in run.calls[at + 1 :] if known_installer(call, run.calls) is None]
    beside = [call for call in behind if call.step == install.step]
    if command.startswith("rm -rf /"):
        if not any(map(why_rm_lost, behind)):
            return len(parts) - 1
        return next(filter(None, map(why_rm_lost, beside)), install.step)
    if install.program == "npm" and ("node_modules/npm" in (install.directory or "") or "npm root" in run.text.text):
        return "npm works on its own files"
    if reason := _why_not_outside(install, parts[install.step]):
        return reason
    if all(_keeps(call, install) for call in behind) and not any(map(_moves, parts[install.step + 1 :])):
        return len(parts) - 1
    unsure = next((call for call in beside if not _keeps(call, install)), None)
    return f"{unsure.program} may take {install.program} away" if unsure else install.step


def replaces_itself(step: Step, call: Call) -> bool:
    """Tell whether npm installs another npm, and nothing behind it in the RUN shows that this one runs."""
    run = step.run
    if run is None or call.program != "npm":
        return False
    if any(other.program == "npm" and other.certain for other in run.calls[run.calls.index(call) + 1 :]):
        return False
    return any(re.fullmatch(r"npm(?:@.*)?", word.value or "") for word in call.arguments)


def as_started(command: str, call: Call) -> str | None:
    """Return a removal with the tool called as the install calls it (`/usr/bin/npm`); None where that is not told."""
    tool, _, rest = command.partition(" ")
    if tool in {"rm", call.words[0].text}:
        return command
    return f"{call.words[0].text} {rest}" if call.program in {tool, f"{tool}pkg"} else None


def insert_behind(document: Document, step: Step, place: int, commands: Sequence[str], widening: int) -> Edit:
    """Put commands behind one part of a RUN's script; `widening` is what else makes a RUN of one line longer."""
    run, operator = step.run, chain_operator(step)
    if run is None:
        raise ValueError(f"line {step.line} is no RUN")
    at = run.text.end_at(run.script.root.parts[place].span.end)
    line, is_last = step.instruction.text.rstrip("\r\n"), place == len(run.script.root.parts) - 1
    glue = "; " if operator == ";" else f" {operator} "
    length = len(line) + widening + sum(len(glue) + len(command) for command in commands)
    # A comment that ends the line stays on the line that it speaks of.
    is_row = ("\n" in line or (is_last and length > WIDTH)) and not (is_last and run.script.comment)
    joint = continuation(document, step.instruction, operator) if is_row else glue
    return Edit(Span(at, at), "".join(joint + command for command in commands))


def why_rm_lost(call: Call) -> str | None:
    """Say what may take `rm` away: a script that nobody knows, or a removal of the system's programs."""
    path = _scripts.script_path(call)
    if path is not None:
        return f"{path or 'the script'} may take away what a removal behind it needs"
    if {word.value for word in call.arguments} & _ESSENTIAL and _is_removing(call):
        return f"{call.program} takes the basic programs away"
    removing = call.program in {"rm", "mv"} or (call.program == "find" and not _is_picky(call))
    if removing and any(_covers(path, word, call) for word in call.arguments for path in _REMOVERS):
        return f"{call.program} may take the basic programs away"
    return None


def _is_picky(call: Call) -> bool:
    """Tell whether find removes nothing, or only what has a certain name or type."""
    words = {word.value for word in call.arguments}
    return not words & {"-delete", "-exec", "-execdir"} or bool(words & {"-name", "-iname", "-path", "-regex"})


def _covers(path: str, word: Word, call: Call) -> bool:
    """Tell whether a word may name a path or a folder that it lies in."""
    if word.text.startswith("-"):
        return False
    wanted = normpath(join(call.directory or "", word.text.strip("\"'"))).strip("/").split("/")
    names = path.strip("/").split("/")
    return wanted[0] in {"", ".", "*"} or (len(wanted) <= len(names) and all(map(fnmatchcase, names, wanted)))


def _why_not_outside(install: Call, part: Node) -> str | None:
    """Say why the tool may be another one, or have another home, outside of the command that installs."""
    names = [name for name, _ in install.command.assignments]
    names += [w.text.partition("=")[0] for w in install.command.words if "=" in w.text and w not in install.words]
    if name := next((name for name in names if _STEERING.fullmatch(name)), None):
        return f"{name} is set for the install alone"
    if isinstance(part, Compound) and any(state_changes(c) & {"variables", "source"} for c in parts_of(part)):
        return "the install has a shell of its own"
    return None


def _moves(part: Node) -> bool:
    """Tell whether a part changes the shell, so that the tool may be another one or work elsewhere."""
    if isinstance(part, Compound) and part.kind in {Kind.SUBSHELL, Kind.PIPELINE}:
        return False
    changes = state_changes(part)
    if changes & {"cd", "source", "functions", "traps"}:
        return True
    if "variables" not in changes:
        return False
    names = assigned_names(part) if isinstance(part, Command) else None
    return names is None or any(map(_STEERING.fullmatch, names))


def _keeps(call: Call, install: Call) -> bool:
    """Tell whether a call provably leaves the tool of an install as it is."""
    if call.program == install.program:
        if call.program in _SYSTEM_TOOLS:
            return True
        verb = next(
            (word.value for word in call.arguments if not word.text.startswith("-") or word.value in _QUIET), ""
        )
        return verb in {"", *_QUIET} and not _is_removing(call)
    program, started = PROGRAMS.get(call.program), call.words[0].text
    if program is None or ("/" in started and not re.fullmatch(r"/(?:usr/)?s?bin/[^/]+", started)):
        return False
    if program.words is Words.TEXT or program.looks or call.program in {"ls", "du", "stat", "grep", "cat", "test", "["}:
        return True
    if call.program == "find" and not {"-delete", "-exec", "-execdir", "-ok"} & {word.value for word in call.arguments}:
        return True
    return (
        not _is_removing(call) if _is_manager(program) else all(_spares(word, call, install) for word in call.arguments)
    )


def _is_manager(program: Program) -> bool:
    return program.sets_up and program.words is not Words.PATHS


def _is_removing(call: Call) -> bool:
    return any(word.value in _REMOVING or (word.value is None and word.text.startswith("$")) for word in call.arguments)


def _spares(word: Word, call: Call, install: Call) -> bool:
    """Tell whether an operand is no file of the system, of a home folder or of the install's directory itself."""
    text = _HOME.sub("/root", word.text.strip("\"'"))
    if text.startswith("-") or re.match(r"\w+://", text):
        return True
    path = join(call.directory or "", text)
    if not path.startswith("/") or re.search(r"[$`]", path):
        return False
    path = normpath(path)
    names, wanted = (install.directory or "").strip("/").split("/"), path.strip("/").split("/")
    if len(wanted) <= len(names) and all(map(fnmatchcase, names, wanted)):
        return False
    return bool(_SCRATCH.fullmatch(path)) or not is_system(path)
