"""What Python sources do, as far as an image depends on it: programs they start, modules they import, files they read.

Names are resolved by libcst's metadata, so `from subprocess import run as r` and `import subprocess as sp` are seen.
A source that is not Python 3 gives nothing (`files_read`: None), and neither does what is only known at run time.
libcst takes a while to load, so a cheap look at the text comes first.
"""

from collections.abc import Iterator
from functools import lru_cache
from posixpath import basename, normpath
from typing import TYPE_CHECKING

from optimizer.syntax.lazy_pattern import lazy_pattern

if TYPE_CHECKING:
    import libcst as cst

    from optimizer.context._python_values import Values

_STARTS = lazy_pattern(r"subprocess|\bpopen|\bsystem\b|\bexec[lv]|\bspawn|\bwhich\b|find_executable|pexpect")
_READS = lazy_pattern(
    r"\bopen\b|read_text|read_bytes|parse_requirements|run_path|load_source|from_file_location|\.read\b"
    r"|glob|listdir|scandir|iterdir|\bwalk\b|exists|is_?file|is_?dir"
)
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
_FIRST_ARGUMENT = frozenset(
    {
        *(f"{module}.open" for module in ("builtins", "io", "codecs", "os", "gzip", "bz2", "lzma", "tokenize")),
        *(f"os.path.{name}" for name in ("exists", "lexists", "isfile", "isdir", "getsize", "getmtime")),
        "runpy.run_path",
    }
)
_SECOND_ARGUMENT = frozenset({"imp.load_source", "importlib.util.spec_from_file_location"})
_PATH_METHODS = frozenset({"read_text", "read_bytes", "open", "exists", "is_file", "is_dir"})
_LISTINGS = frozenset(
    {"glob.glob", "glob.iglob", "os.listdir", "os.walk", "os.scandir", "pathlib.Path.glob", "pathlib.Path.rglob"}
)
_LISTING_METHODS = frozenset({"glob", "rglob", "iterdir"})
_WORD_ENDS = lazy_pattern(r"[;&|\n()`]+")


@lru_cache(maxsize=256)
def programs_started(source: str) -> frozenset[str]:
    """Return the base names of the programs that a source starts or looks for, where they are literal."""
    if not _STARTS.search(source):
        return frozenset()
    values = _values(source)
    if values is None:
        return frozenset()
    return frozenset(name for call, names in values.calls for name in _programs(call, names, values))


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


@lru_cache(maxsize=256)
def files_read(source: str) -> frozenset[str] | None:
    """Return the files that a script such as setup.py reads or looks for, relative to its own folder.

    That folder is taken for the working directory too. None where a path cannot be told, or a folder is listed.
    What `find_packages` and imports of the project's own modules read is not among them.
    """
    if not _READS.search(source):
        return frozenset()
    values = _values(source)
    if values is None:
        return None
    found: set[str] = set()
    for call, names in values.calls:
        node = _path_argument(call, names)
        if node is None:
            if names & _LISTINGS or _method(call) in _LISTING_METHODS:
                return None
            continue
        paths = values.texts(node)
        if paths is None:
            return None
        found |= {normpath(path) for path in paths}
    return frozenset(found)


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


def _path_argument(call: "cst.Call", names: frozenset[str]) -> "cst.BaseExpression | None":
    """Return the expression of the path that a call reads, None where it reads nothing."""
    import libcst as cst

    arguments = [arg.value for arg in call.args if arg.keyword is None]
    named = [arg.value for arg in call.args if arg.keyword and arg.keyword.value in {"file", "filename", "path"}]
    if names & _FIRST_ARGUMENT or any(n.startswith("pip.") and n.endswith("parse_requirements") for n in names):
        return None if _writes(call, 1) else next(iter(arguments + named), None)
    if names & _SECOND_ARGUMENT:
        return next(iter(arguments[1:]), None)
    method = _method(call)
    if method in _PATH_METHODS and isinstance(call.func, cst.Attribute):
        return None if _writes(call, 0) else call.func.value
    if method == "read" and arguments and not isinstance(arguments[0], cst.Integer | cst.UnaryOperation):
        return arguments[0]
    return None


def _method(call: "cst.Call") -> str:
    import libcst as cst

    return call.func.attr.value if isinstance(call.func, cst.Attribute) else ""


def _writes(call: "cst.Call", position: int) -> bool:
    """Whether a call of `open` names a mode that does not read, by keyword or as the argument at `position`."""
    import libcst as cst

    modes = [arg.value for arg in call.args if arg.keyword and arg.keyword.value == "mode"]
    modes += [arg.value for arg in call.args if arg.keyword is None][position : position + 1]
    texts = [mode.evaluated_value for mode in modes if isinstance(mode, cst.SimpleString)]
    return any(isinstance(t, str) and set(t) <= set("waxbt") and set(t) & set("wax") for t in texts)
