"""What Python sources do, as far as an image depends on it: programs they start, modules they import.

Names are resolved by libcst's metadata, so `from subprocess import run as r` and `import subprocess as sp` are seen.
A source that is not Python 3 gives nothing, and neither does what is only known at run time.
libcst takes a while to load, so a cheap look at the text comes first.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from posixpath import basename
from typing import TYPE_CHECKING

from optimizer.syntax.lazy_pattern import lazy_pattern

if TYPE_CHECKING:
    import libcst as cst

    from optimizer.context._python_values import Values

_STARTS = lazy_pattern(r"subprocess|\bpopen|\bsystem\b|\bexec[lv]|\bspawn|\bwhich\b|find_executable|pexpect")
_SUBPROCESS = ("run", "call", "check_call", "check_output", "Popen", "getoutput", "getstatusoutput")
_EXEC = ("execl", "execle", "execlp", "execlpe", "execv", "execve", "execvp", "execvpe", "posix_spawn", "posix_spawnp")
_ASYNC = ("create_subprocess_exec", "create_subprocess_shell")
_STARTERS = frozenset(
    {
        *(f"subprocess.{name}" for name in _SUBPROCESS),
        *(f"os.{name}" for name in ("system", "popen", *_EXEC)),
        *(f"asyncio.{name}" for name in _ASYNC),
        *(f"asyncio.subprocess.{name}" for name in _ASYNC),
        "shutil.which",
        "distutils.spawn.find_executable",
        "pexpect.spawn",
        "pexpect.run",
    }
)
_SPAWNERS = frozenset(f"os.spawn{end}" for end in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe"))
# Other ways to start programs, and programs that start what they are given.
_OTHERWISE = lazy_pattern(
    r"^\s*(?:import|from)\s+(?:sh|fabric|invoke|plumbum|delegator|ptyprocess)\b|(?<!create_)subprocess_exec\b",
    re.MULTILINE,
)
_TELLING = lazy_pattern(
    r"(?:^|\.)(?:print|echo|debug|info|warn|warning|error|exception|critical|log|write|add_argument|print_\w+)$"
    r"|(?:Error|Exception|Warning)$|\.format$"
)
_WRAPPERS = frozenset(
    "bash chroot dash env exec nice nohup parallel setsid sh stdbuf su sudo time timeout watch xargs zsh".split()
)
_WORD_ENDS = lazy_pattern(r"[;&|\n()`]+")


@lru_cache(maxsize=256)
def all_programs_started(source: str) -> frozenset[str] | None:
    """Return the base names of all programs that a source starts or looks for; None where one cannot be told."""
    if _OTHERWISE.search(source):
        return None
    if not _STARTS.search(source):
        return frozenset()
    values = _values(source)
    if values is None:
        return None
    found: set[str] = set()
    for call, names in values.calls:
        if names & (_STARTERS | _SPAWNERS):
            programs = frozenset(_programs(call, names, values))
            if not programs or programs & _WRAPPERS or any("$" in name or "{" in name for name in programs):
                return None
            found |= programs
    return None if values.hands_on(_STARTERS | _SPAWNERS) else frozenset(found)


@lru_cache(maxsize=256)
def commands_written(source: str) -> frozenset[str] | None:
    """Return the first words of texts that may be commands for functions of other modules; None for no Python 3.

    These are texts at the head of a list, those of one line that are given a name, and arguments of functions that
    neither print nor raise.
    """
    import ast

    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return None
    found: set[str] = set()
    for node in ast.walk(tree):
        given: list[ast.expr] = []
        if isinstance(node, ast.List | ast.Tuple):
            given = node.elts[:1]
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.keyword) and node.value is not None:
            given = [node.value]
        elif isinstance(node, ast.Call) and not _TELLING.search(ast.unparse(node.func)):
            given = node.args
        texts = (one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str))
        found.update(basename(text.split()[0]) for text in texts if text.strip() and "\n" not in text.strip())
    return frozenset(found)


@lru_cache(maxsize=256)
def modules_imported(source: str) -> frozenset[str]:
    """Return the dotted names of the modules that a source imports, relative ones left out.

    `from a.b import c` gives `a.b`; whether `a.b.c` is a module cannot be told.
    """
    if "import" not in source:
        return frozenset()
    import libcst as cst

    from optimizer.context._python_imports import Imports

    try:
        module = cst.parse_module(source)
    except (cst.ParserSyntaxError, RecursionError):
        return frozenset()
    found = Imports()
    module.visit(found)
    return frozenset(found.modules)


def _values(source: str) -> "Values | None":
    from optimizer.context._python_values import Values

    return Values.of(source)


def _programs(call: "cst.Call", names: frozenset[str], values: "Values") -> Iterator[str]:
    at = 1 if names & _SPAWNERS else 0
    if not (at or names & _STARTERS):
        return
    given = [arg.value for arg in call.args if arg.keyword is None and not arg.star][at : at + 1]
    given += [arg.value for arg in call.args if arg.keyword and arg.keyword.value in {"args", "cmd", "command"}]
    for node in given[:1]:
        for command in values.lists(node):
            yield from _first_words(command, values)


def _first_words(command: "cst.BaseExpression", values: "Values") -> Iterator[str]:
    import libcst as cst

    if isinstance(command, cst.Call) and isinstance(command.func, cst.Attribute):
        # The text is split by a method of its own, or handed to shlex.split.
        command = command.args[0].value if command.args else command.func.value
    if isinstance(command, cst.BinaryOperation):
        command = command.left
    if isinstance(command, cst.List | cst.Tuple):
        if not command.elements:
            return
        command = command.elements[0].value
    for text in values.texts(command) or _beginning(command):
        for part in _WORD_ENDS.split(text):
            words = [word for word in part.split() if "=" not in word.split("/")[0]]
            if words:
                yield basename(words[0])


def _beginning(command: "cst.BaseExpression") -> tuple[str, ...]:
    """Return the literal beginning of an f-string, if the first word ends in it."""
    import libcst as cst

    first = command.parts[0] if isinstance(command, cst.FormattedString) and command.parts else None
    text = first.value if isinstance(first, cst.FormattedStringText) else ""
    return (text,) if " " in text.strip() or text.endswith(" ") else ()
