"""Who still reads the package lists that a RUN leaves behind.

`apt-get install` reads what the last `apt-get update` stored. Lists may go only where every later install of this
stage, of the stages built on it and of ONBUILD fetches its own.
"""

import re
from collections.abc import Iterable, Sequence
from enum import Enum, auto

from msgspec import Struct

from optimizer.context import Context
from optimizer.ecosystems import apk, apt
from optimizer.ecosystems._system import Grammar, invocation
from optimizer.model import Dockerfile, Step
from optimizer.model.run import read_run
from optimizer.shell import Call, calls, parse_script
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms import _scripts

_DEPTH = 3  # of scripts that start scripts


class Reads(Struct, frozen=True):
    """Which programs read a manager's lists, and which do not."""

    grammar: Grammar
    programs: frozenset[str]
    harmless: frozenset[str]  # verbs that do without lists
    sufficient: tuple[str, ...]  # options with which a call fetches its own
    fronts: frozenset[str]  # programs that run the manager for the user
    mention: re.Pattern[str]  # in text that is not understood


READERS = {
    "apt": Reads(
        apt.GRAMMAR,
        frozenset({"apt-get", "apt", "aptitude"}),
        frozenset({
            "clean", "autoclean", "auto-clean", "distclean", "remove", "purge", "autoremove", "auto-remove",
            "autopurge", "check", "moo", "help",
        }),
        (),
        frozenset({
            "apt-cache", "apt-file", "apt-build", "apt-fast", "apt-rdepends", "apt-show-versions", "apt-install",
            "ansible", "ansible-playbook", "ansible-pull", "auto-apt", "chef-client", "chef-solo", "gdebi",
            "mk-build-deps", "puppet", "rosdep", "salt-call", "tasksel", "ubuntu-drivers", "unattended-upgrade",
            "wajig",
        }),
        re.compile(r"\b(?:apt|apt-get|aptitude|apt-cache|rosdep|gdebi)\b(?!/|\.conf|-key|-mark)"),
    ),
    "apk": Reads(
        apk.GRAMMAR,
        frozenset({"apk"}),
        frozenset({"del", "info", "audit", "verify", "version", "cache", "stats", "dot", "manifest"}),
        ("--no-cache", "-U", "--update-cache", "--update"),
        frozenset({"abuild"}),
        re.compile(r"\bapk\b"),
    ),
}  # fmt: skip
_ELSEWHERE = lazy_pattern(r"\bDir::(?:State|Cache)|\bAPT_CONFIG=")
# Programs that only name others.
_TALKERS = frozenset(
    {"echo", "printf", "which", "type", "hash", "dpkg", "dpkg-query", "apt-mark", "man", "grep", "sed"}
)
# Installers that are piped into a shell, by a part of their address: whether they refresh the lists themselves, before
# they install anything (scripts/deb/setup_20.x of nodesource/distributions, install.sh of docker/docker-install). That
# of packagecloud (script.deb.sh) is none: it may install curl and gnupg from the lists that it finds.
_PIPED = {
    "deb.nodesource.com/setup": True,
    "get.docker.com": True,
    "sh.rustup.rs": False,
    "static.rust-lang.org": False,
    "install.python-poetry.org": False,
    "astral.sh/uv": False,
    "nvm-sh/nvm": False,
    "creationix/nvm": False,
    "getcomposer.org": False,
    "get.sdkman.io": False,
    "bun.sh/install": False,
    "deno.land": False,
    "pyenv.run": False,
    "pyenv-installer": False,
}


class _Verdict(Enum):
    FETCHES = auto()  # lists are fresh from here on


class _Search(Struct, frozen=True):
    """What stays the same while one stage after the other is looked at."""

    dockerfile: Dockerfile
    context: Context
    reads: Reads
    flags_come: bool  # whether later calls get a flag with which they fetch their own


def reader_of_lists(
    dockerfile: Dockerfile, context: Context, step: Step, manager: str, *, flags_come: bool = False
) -> str | None:
    """Say which later step may need the lists that a RUN leaves, None where none does.

    `manager` is the id of the ecosystem; of those that are not in `READERS` no later step needs anything.
    """
    if manager not in READERS:
        return None
    search = _Search(dockerfile, context, READERS[manager], flags_come)
    triggers = [s for s in dockerfile.stages[step.stage].steps if s.instruction.trigger is not None]
    return _trigger_reader(search, triggers) or _reader(search, step.stage, dockerfile.after(step))


def why_configured(dockerfile: Dockerfile, step: Step) -> str | None:
    """Say which RUN, COPY or ENV above may have told apt to keep its files elsewhere (apt.conf(5), "Directories")."""
    lineage = dockerfile.lineage(step.stage)
    for other in dockerfile.steps[: step.index + 1]:
        if other.stage in lineage and other.name in {"RUN", "COPY", "ENV"}:
            texts = (other.instruction.value.text, *(heredoc.body for heredoc in other.instruction.heredocs))
            if any(_ELSEWHERE.search(text) for text in texts):
                return f"line {other.line} tells apt of other folders"
    return None


def refreshes(dockerfile: Dockerfile, context: Context, step: Step, manager: str) -> bool:
    """Tell whether a RUN fetches lists, itself or through an installer that may do so."""
    if manager not in READERS or step.run is None:
        return True
    search = _Search(dockerfile, context, READERS[manager], flags_come=False)
    for call in step.run.calls:
        found = _of_call(search, step, call, step.run.calls, _DEPTH)
        if found is _Verdict.FETCHES or _action(search.reads, call) == "update" or _scripts.script_path(call) == "":
            return True
    return False


def reader_behind(
    dockerfile: Dockerfile, context: Context, step: Step, manager: str, found: Sequence[Call]
) -> str | None:
    """Say which of the calls of a RUN may need the lists that the calls before leave, None where none does."""
    if manager not in READERS:
        return None
    reader = _of_calls(_Search(dockerfile, context, READERS[manager], flags_come=False), step, tuple(found))
    return reader if isinstance(reader, str) else None


def known_installer(call: Call, others: Sequence[Call]) -> bool | None:
    """Tell whether an installer that is fetched and piped into a shell refreshes the lists; None where it is no such.

    `others` are the calls of the same script.
    """
    if _scripts.script_path(call) != "":
        return None
    fetched = " ".join(w.text for c in others if c.step == call.step for w in c.arguments)
    return next((does for part, does in _PIPED.items() if part in fetched), None)


def _reader(search: _Search, stage: int, steps: Iterable[Step]) -> str | None:
    for step in steps:
        found = _of_step(search, step)
        if isinstance(found, str):
            return found
        if found is _Verdict.FETCHES:
            return None
    children = [s for s in search.dockerfile.stages if s.parent == stage]
    return next((r for c in children if (r := _reader(search, c.index, c.body))), None)


def _trigger_reader(search: _Search, steps: Iterable[Step]) -> str | None:
    for step in steps:
        trigger = step.instruction.trigger
        if trigger is None or trigger.name != "RUN":
            continue
        run = read_run(trigger, step.state)
        found = _of_calls(search, step, run.calls)
        if isinstance(found, str):
            return found
        if run.script.problem and search.reads.mention.search(trigger.value.text):
            return f"the ONBUILD of line {step.line} may install packages and need the lists"
    return None


def _of_step(search: _Search, step: Step) -> str | _Verdict | None:
    if step.name in {"CMD", "ENTRYPOINT", "HEALTHCHECK"}:
        own = " ".join(step.instruction.json or (step.instruction.value.text,))
        texts = [
            (f"{step.name} in line {step.line}", own),
            *_scripts.command_texts(search.dockerfile, search.context, step),
        ]
        return next((f"{name} {_NEEDS}" for name, text in texts if _text_reads(search, step, text)), None)
    if step.run is None:
        return None
    if step.run.script.problem and search.reads.mention.search(step.instruction.value.text):
        return f"line {step.line} is not understood and may need the lists"
    return _of_calls(search, step, step.run.calls)


_NEEDS = "may install packages and could need the lists"


def _of_calls(search: _Search, step: Step, found: tuple[Call, ...], depth: int = _DEPTH) -> str | _Verdict | None:
    for call in found:
        verdict = _of_call(search, step, call, found, depth)
        if verdict is not None:
            return verdict
    return None


def _of_call(search: _Search, step: Step, call: Call, others: tuple[Call, ...], depth: int) -> str | _Verdict | None:
    """Return who needs the lists, FETCHES where they are fresh behind the call, None where it does neither."""
    if call.program in search.reads.programs:
        return _of_manager(search, step, call)
    if call.program in search.reads.fronts:
        return f"{call.program} in line {step.line} {_NEEDS}"
    named = {w.value for w in call.arguments} & search.reads.programs
    if named and call.program not in _TALKERS:
        return f"line {step.line} needs the lists"
    return _of_script(search, step, call, others, depth)


def _of_manager(search: _Search, step: Step, call: Call) -> str | _Verdict | None:
    reads, action = search.reads, _action(search.reads, call)
    if action == "update":
        return _Verdict.FETCHES if call.certain else None
    given = invocation(call, reads.grammar)
    if action in reads.harmless or (action is None and not given.operands) or given.has(*reads.sufficient):
        return None
    if search.flags_come and action in {"add", "upgrade"} and _gets_flag(search, step, call):
        return None
    return f"line {step.line} installs packages and needs the lists"


def _gets_flag(search: _Search, step: Step, call: Call) -> bool:
    run = step.run
    own = run is not None and run.editable and call in run.calls
    return own and call.certain and not call.nested and step.stage in search.dockerfile.shipped


def _action(reads: Reads, call: Call) -> str | None:
    return invocation(call, reads.grammar).action if call.program in reads.programs else None


def _of_script(search: _Search, step: Step, call: Call, others: tuple[Call, ...], depth: int) -> str | _Verdict | None:
    path = _scripts.script_path(call)
    if path == "":
        return _of_piped(step, call, others)
    if path is None:
        return _of_program(search, step, call, depth)
    text = _scripts.text_of(search.dockerfile, search.context, step, path, call.directory)
    if text is None or depth == 0:
        return f"{path} in line {step.line} {_NEEDS}"
    return f"{path} {_NEEDS}" if _script_reads(search, step, text, depth - 1) else None


def _of_program(search: _Search, step: Step, call: Call, depth: int) -> str | None:
    """Judge a program that may be, or may interpret, a file of the context; `source` reads one."""
    inner = _scripts.interpreted_path(call)
    dockerfile, context = search.dockerfile, search.context
    if call.program == "source":
        inner = call.words[1].text if len(call.words) > 1 else None
        text = _scripts.sourced_text(dockerfile, context, step, call)
        reads = text is not None and _script_reads(search, step, text, depth - 1)
        return f"{inner} {_NEEDS}" if reads else None
    if inner is None:
        text = _scripts.bare_text(dockerfile, context, step, call)
    else:
        text = _scripts.text_of(dockerfile, context, step, inner, call.directory)
    reads = text is not None and _text_reads(search, step, text, depth - 1)
    return f"{inner or call.program} {_NEEDS}" if reads else None


def _of_piped(step: Step, call: Call, others: tuple[Call, ...]) -> str | _Verdict | None:
    """Judge a script from standard input, or one whose name is not known, by the address that it comes from."""
    refreshed = known_installer(call, others)
    if refreshed is None:
        return f"the script that line {step.line} runs {_NEEDS}"
    return _Verdict.FETCHES if refreshed and call.certain else None


def _text_reads(search: _Search, step: Step, text: str, depth: int = _DEPTH) -> bool:
    """Tell whether a program in any language may need lists that are there before it starts."""
    first = text.partition("\n")[0]
    if first.startswith("#!") and first.rstrip().endswith("sh"):
        return _script_reads(search, step, text, depth)
    return bool(search.reads.mention.search(text))


def _script_reads(search: _Search, step: Step, text: str, depth: int) -> bool:
    script = parse_script(text)
    if depth < 0:
        return True  # scripts that start each other
    if script.problem:
        return bool(search.reads.mention.search(text))
    return isinstance(_of_calls(search, step, calls(script, None, {}), depth), str)
