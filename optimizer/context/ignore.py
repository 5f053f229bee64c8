"""`.dockerignore`: which files of the folder the build never sees.

The file is read as BuildKit reads it (moby/patternmatcher: ignorefile/ignorefile.go and patternmatcher.go) and put
in force as it walks the folder (tonistiigi/fsutil: filter.go). The last pattern that matches a path or a folder
above it decides.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from posixpath import normpath

from msgspec import Struct, field

from optimizer.context._go_regexp import BadPatternError, translate
from optimizer.context.wildcards import is_well_formed
from optimizer.syntax.lazy_pattern import lazy_pattern

# What Go's strings.TrimSpace removes.
_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_WILD = lazy_pattern(r"[*?\[\]^\\]")
# Not `{`, `|` and `}`: the matcher's table of escapes ends below them, so to Go they are operators.
_ESCAPED = frozenset(".+()$")


class IgnoreFile(Struct, frozen=True):
    """The ignore rules in force; an empty text ignores nothing."""

    text: str

    def ignores(self, path: str) -> bool:
        """Tell whether a file is kept out of the build; for a folder see also `hides`.

        `path` is relative to the context, clean, with `/`.
        """
        return _compiled(self.text).ignores(path)

    def hides(self, folder: str) -> bool:
        """Tell whether a folder is ignored and no exception (`!`) can bring back anything in it."""
        return _compiled(self.text).hides(folder)

    @property
    def patterns(self) -> tuple[str, ...]:
        """The cleaned patterns in order, exceptions with their `!`."""
        return tuple("!" * p.exception + p.text for p in _compiled(self.text).patterns)

    @property
    def problem(self) -> str | None:
        """Why BuildKit would refuse the file, None where it is in order."""
        return _compiled(self.text).problem


class _Pattern(Struct, frozen=True):
    text: str
    exception: bool
    kind: str  # "exact", "prefix", "suffix", "regex", or "never" for one that Go cannot compile
    value: str

    def may_match_below(self, folder: str) -> bool:
        """Whether a path below the folder may match, told by the part of the pattern without wildcards."""
        if self.kind == "exact":
            return self.text.startswith(folder + "/")
        literal = _literal_folders(self.text)
        return not literal or f"{literal}/".startswith(folder + "/") or folder.startswith(literal + "/")


class _Run(Struct, frozen=True):
    """Neighbouring patterns of one sign: which of them matched does not matter."""

    exception: bool
    patterns: tuple[_Pattern, ...]
    exact: frozenset[str]
    prefixes: tuple[str, ...]
    suffixes: tuple[str, ...]
    regex: re.Pattern[str] | None

    def matches(self, path: str) -> bool:
        return (
            path in self.exact
            or path.startswith(self.prefixes)
            or path.endswith(self.suffixes)
            or (self.regex is not None and self.regex.match(path) is not None)
        )


class _Rules(Struct):
    patterns: tuple[_Pattern, ...]
    runs: tuple[_Run, ...]
    problem: str | None
    folders: dict[str, tuple[bool, int]] = field(default_factory=lambda: {"": (False, 0)})

    def ignores(self, path: str) -> bool:
        if path in {"", "."} or not self.runs:
            return False
        return self._next(path, self._folder(path.rpartition("/")[0])[1])[0]

    def hides(self, folder: str) -> bool:
        if not folder or not self.runs:
            return False
        ignored, matched = self._folder(folder)
        # Below a folder that a run matched, only the runs behind it still count.
        later = self.runs[matched.bit_length() :]
        return ignored and not any(p.may_match_below(folder) for run in later if run.exception for p in run.patterns)

    def _folder(self, folder: str) -> tuple[bool, int]:
        """Return whether the folder is ignored, and a bit for each run that matched it or a folder above."""
        found = self.folders.get(folder)
        if found is not None:
            return found
        start = 0
        found = self.folders[""]
        while start <= len(folder):
            end = folder.find("/", start)
            end = len(folder) if end < 0 else end
            part = folder[:end]
            found = self.folders.get(part) or self._next(part, found[1])
            self.folders[part] = found
            start = end + 1
        return found

    def _next(self, path: str, above: int) -> tuple[bool, int]:
        ignored = False
        for index, run in enumerate(self.runs):
            bit = 1 << index
            if above & bit:
                ignored = not run.exception
            elif run.exception == ignored and run.matches(path):
                above |= bit
                ignored = not run.exception
        return ignored, above


@lru_cache(maxsize=32)
def _compiled(text: str) -> _Rules:
    patterns: list[_Pattern] = []
    problem = None
    for line in _lines(text):
        raw = clean(line.strip(_SPACE))
        exception = raw.startswith("!")
        pattern = raw[1:] if exception else raw
        if not pattern or not is_well_formed(pattern):
            problem = problem or f"the ignore pattern {line[:80]!r} is not valid"
            continue
        kind, value = _analyse(pattern)
        if kind == "never":
            problem = problem or f"the ignore pattern {line[:80]!r} is not valid"
        patterns.append(_Pattern(pattern, exception, kind, value))
    runs = tuple(_run(exception, list(group)) for exception, group in groupby(patterns, key=lambda p: p.exception))
    return _Rules(tuple(patterns), runs, problem)


def clean(path: str) -> str:
    """Return the shortest equal path, as Go's filepath.Clean does."""
    short = normpath(path)
    return short[1:] if short.startswith("//") else short


def _lines(text: str) -> Iterator[str]:
    for line in text.removeprefix("\ufeff").split("\n"):
        if line.startswith("#"):
            continue
        pattern = line.strip(_SPACE)
        if not pattern:
            continue
        exception = pattern.startswith("!")
        if exception:
            pattern = pattern[1:].strip(_SPACE)
        if pattern:
            pattern = clean(pattern)
            if len(pattern) > 1:
                pattern = pattern.removeprefix("/")
        yield "!" * exception + pattern


def _run(exception: bool, patterns: list[_Pattern]) -> _Run:  # noqa: FBT001 - a key of groupby
    of_kind = {kind: [p.value for p in patterns if p.kind == kind] for kind in ("exact", "prefix", "suffix", "regex")}
    # `**/foo` is also `foo` itself.
    bare = [value[1:] for value in of_kind["suffix"] if value.startswith("/")]
    regexes = of_kind["regex"]
    return _Run(
        exception,
        tuple(patterns),
        frozenset(of_kind["exact"] + bare),
        tuple(of_kind["prefix"]),
        tuple(of_kind["suffix"]),
        re.compile("|".join(f"(?:{r})" for r in regexes)) if regexes else None,
    )


def _analyse(pattern: str) -> tuple[str, str]:
    """Return how a path is compared with the pattern, and with what."""
    if not _WILD.search(pattern):
        return "exact", pattern
    kind, expression = _expression(pattern)
    if kind == "prefix":
        return kind, pattern[:-2]
    if kind == "suffix":
        return kind, pattern[2:]
    if kind == "exact":
        return kind, pattern
    try:
        return "regex", translate(expression)
    except BadPatternError:
        return "never", ""


def _expression(pattern: str) -> tuple[str, str]:
    """Return the kind of comparison and the Go expression for it (patternmatcher.go: compile)."""
    kind, out, at = "exact", ["^"], 0
    while at < len(pattern):
        first = at == 0
        char = pattern[at]
        if pattern.startswith("**", at):
            at += 3 if pattern.startswith("/", at + 2) else 2
            if at < len(pattern):
                kind = "regex"
                out.append("(.*/)?")
            elif kind == "exact":
                kind = "prefix"
            else:
                kind = "regex"
                out.append(".*")
            kind = "suffix" if first else kind
            continue
        at += 1
        if char == "\\" and at < len(pattern):
            char += pattern[at]
            at += 1
        piece, plain = _piece(char)
        kind = kind if plain else "regex"
        out.append(piece)
    return kind, "".join(out) + "$"


def _piece(char: str) -> tuple[str, bool]:
    """Return the Go expression for a character (or an escaped one), and whether it stands for itself."""
    if char == "*":
        return "[^/]*", False
    if char == "?":
        return "[^/]", False
    if char in "[]" or len(char) > 1:
        return char, False
    return ("\\" + char if char in _ESCAPED else char), True


@lru_cache(maxsize=1024)
def _literal_folders(pattern: str) -> str:
    """Return the leading part of a pattern whose names have no wildcards."""
    names: list[str] = []
    for name in pattern.split("/"):
        if _WILD.search(name):
            break
        names.append(name)
    return "/".join(names)
