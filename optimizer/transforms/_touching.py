"""What one call of a known program touches, told from its words."""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

from optimizer.shell import Call, Word
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._copies import below
from optimizer.transforms._programs import Program, Words

_FILE = lazy_pattern(r"^\.\.?(?:\[|$)|\.(?:deb|rpm|apk|whl|gem|tgz|zip|repo|ya?ml|tar(?:\.\w+)?)$")
_ABSOLUTE = lazy_pattern(r"(?:^(?:-\w)?|[=:@,])(/[^:,]*)")
_URL = lazy_pattern(r"(?:[\w-]+=)?(?:git\+)?(?:https?|ftp|ssh|git|hkps?)://|git@")
_KNOWN = lazy_pattern(r"\$(?:\{(\w+)\}|(\w+))")
_MAGIC = lazy_pattern(r"[$`*?\[{\\]")
_CLUSTER = lazy_pattern(r"-[A-Za-z]{2,6}")
_AWAY_CLUSTER = lazy_pattern(r"-[qncvSNxzjJf]*([A-Zd])")
_CLOSED = {"[": "]", "[[": "]]"}
_SERVERS = lazy_pattern(r"apache|httpd|nginx|lighttpd|php|www|caddy")  # packages that bring pages for /var/www


def is_below(path: str, folder: str) -> bool:
    """Tell whether a path is a folder or lies in it."""
    return below(path, folder) is not None


def touches(path: str, folders: Sequence[str]) -> bool:
    """Tell whether a path lies at, below or above one of the folders."""
    path = posixpath.normpath(path).replace("//", "/")
    return any(is_below(path, folder) or is_below(folder, path) for folder in folders)


class Reading:
    """One call of a known program, read for what it touches."""

    def __init__(
        self, call: Call, program: Program, folders: Sequence[str], variables: Mapping[str, str | None]
    ) -> None:
        """Take the call, what is known of its program, the copied paths and the variables that it sees."""
        self.call, self.program, self.folders, self.variables = call, program, folders, variables
        self.words = call.arguments[2:] if call.program.startswith("python") else call.arguments
        if call.program in _CLOSED and self.words and self.words[-1].text == _CLOSED[call.program]:
            self.words = self.words[:-1]
        self.options = [w for w in self.words if w.text.startswith("-") and w.text != "-"]
        self.operands = tuple(_operands(self.words, program))

    def why(self) -> str | None:
        """Say why the call may touch the folders."""
        if len(self.words) == 1 and self.words[0].text in {"--version", "-v", "-V"}:
            return None
        if self._sets_own_settings():
            return None
        return self._why_options() or self._why_subcommand() or self._why_words()

    def _sets_own_settings(self) -> bool:
        """Tell whether git sets what the user or the system has it do everywhere: no word of that is a path."""
        words = [word.value for word in self.words]
        return self.call.program == "git" and words[:1] == ["config"] and not {"--global", "--system"}.isdisjoint(words)

    def _why_options(self) -> str | None:
        name, program = self.call.program, self.program
        refused = next((o for o in self.options if _is_given(o.text, program.refused)), None)
        if refused is not None:
            return f"{name} {refused} may name copied files"
        if program.homes and any(is_below(folder, "/home") for folder in self.folders):
            return f"{name} may use the home folder that the files are copied to"
        if self._works_in_place() and self._is_inside():
            return f"{name} looks into the working directory"
        return None

    def _why_subcommand(self) -> str | None:
        name, program = self.call.program, self.program
        if program.subcommands is None:
            return None
        subcommand = (self.operands[0].value or "") if self.operands else ""
        if subcommand not in program.subcommands:
            return f"what {name} {subcommand}".rstrip() + " reads is not known"
        given = not program.required or any(o.text in program.required for o in self.options)
        if subcommand in program.on_names and not (given and len(self.operands) > 1):
            return f"{name} {subcommand} works on the project"
        return None

    def _why_words(self) -> str | None:
        name, program = self.call.program, self.program
        if program.words is Words.TEXT:
            listed = next((w for w in self.operands if self._lists_names(w)), None)
            return None if listed is None else f"{name} may look for files through {listed}"
        operands = self.operands[self._skipped() :]
        only_with = program.paths_with
        as_path = program.words is Words.PATHS and (not only_with or any(o.text in only_with for o in self.options))
        touching = next((w for w in operands if self._may_touch(w, as_path=as_path)), None)
        touching = touching or next((w for w in self.options if self._may_touch(w, as_path=False)), None)
        if touching is not None:
            return f"{name} may touch the copied files through {touching}"
        pages = program.sets_up and any(is_below(folder, "/var/www") for folder in self.folders)
        if pages and any(_SERVERS.search(word.text) for word in operands):
            return f"{name} may bring pages of its own"
        return None

    def _skipped(self) -> int:
        if self.program.subcommands is not None:
            return 1
        if self.call.program == "tar":  # `tar xzf`: the first word may be options without a dash
            return int(bool(self.words) and re.fullmatch(r"[A-Za-z]+", self.words[0].text) is not None)
        return 0 if any(_is_given(o.text, self.program.valued) for o in self.options) else self.program.skipped

    def _works_in_place(self) -> bool:
        if any(_is_given(o.text, self.program.local) for o in self.options):
            return True
        return self.program.at_home and not any(_takes_away(o.text, self.program.away) for o in self.options)

    def _is_inside(self) -> bool:
        """Tell whether the working directory is one that the copied files are in, or not known."""
        directory = self.call.directory
        if directory is None or not directory.startswith("/"):
            return True
        return any(_is_near(directory, folder) for folder in self.folders)

    def _may_touch(self, word: Word, *, as_path: bool) -> bool:
        text = _KNOWN.sub(self._value, word.text.strip("\"'")) if word.value is None else word.value
        if text == "-" or _URL.match(text) or text.startswith(("<(", ">(")):  # what these start is looked at by itself
            return False
        if text.startswith("~"):
            return any(is_below(folder, home) for folder in self.folders for home in ("/root", "/home"))
        if self.program.homes and _KNOWN.search(text):
            return True  # the variable may name a home folder
        if not as_path and not _looks_like_path(text):
            return self._lists_names(word)
        paths = _ABSOLUTE.findall(text) or [text]
        return any(self._is_touched(path) for path in paths)

    def _lists_names(self, word: Word) -> bool:
        """Tell whether a word is a pattern that the shell compares with what was copied."""
        return word.value is None and any(c in word.text for c in "*?") and self._is_inside()

    def _is_touched(self, path: str) -> bool:
        """Tell whether a path, known up to its first variable or pattern, may be one of the folders."""
        if magic := _MAGIC.search(path):
            if magic.start() == 0 and magic[0] in "$`":
                return True
            path = posixpath.dirname(path[: magic.start()])
        base = self.call.directory or ""
        if not path.startswith("/") and not base.startswith("/"):
            return True
        full = posixpath.normpath(posixpath.join(base, path)).replace("//", "/")
        if self.program.looks:
            return any(is_below(full, folder) for folder in self.folders)
        return touches(full, self.folders)

    def _value(self, match: re.Match[str]) -> str:
        return self.variables.get(match[1] or match[2]) or match[0]


def _is_near(directory: str, copied: str) -> bool:
    """Tell whether a program that looks into a directory (and those above it) would find what was copied."""
    parent, name = posixpath.split(copied)
    if is_below(directory, copied) or directory == parent:
        return True
    return "." in name and is_below(directory, parent)


def _looks_like_path(text: str) -> bool:
    if text.startswith("@"):  # a scoped package, a group of packages
        return False
    return "/" in text or bool(_FILE.search(text))


def _operands(words: Sequence[Word], program: Program) -> Iterator[Word]:
    """Give the words that are no options and no arguments of those that take one."""
    valued = False
    for word in words:
        if valued:
            valued = False
        elif word.text.startswith("-") and word.text != "-":
            valued = word.text in program.valued
        else:
            yield word


def _is_given(word: str, options: frozenset[str]) -> bool:
    """Tell whether an option may be one of a set: written out, shortened, glued to its value or to others."""
    if not options:
        return False
    if word.startswith("--"):
        name = word.split("=", 1)[0]
        return word in options or any(o.startswith(name) for o in options if len(name) > 3)  # noqa: PLR2004 - a prefix
    if word in options:
        return True
    letters = word[1:] if _CLUSTER.fullmatch(word) else word[1:2]
    return any(f"-{letter}" in options for letter in letters)


def _takes_away(word: str, options: frozenset[str]) -> bool:
    """Tell whether an option names another place to write to; rather not where it is unclear."""
    if word.startswith("--"):
        return word.split("=", 1)[0] in options
    cluster = _AWAY_CLUSTER.match(word)
    return cluster is not None and f"-{cluster[1]}" in options
