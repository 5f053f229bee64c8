"""What the package managers of the distributions share: a verb among options, and packages that come by name."""

import posixpath
from collections.abc import Iterator, Mapping
from functools import lru_cache

from msgspec import Struct, field

from optimizer.ecosystems.ecosystem import Cache, Install, Project, Refusal
from optimizer.shell import Call, Word
from optimizer.syntax.lazy_pattern import lazy_pattern

_CLUSTER = lazy_pattern(r"-[A-Za-z]+")
_SUBSTITUTION = lazy_pattern(r"\$\(|`|<\(")
_BRACES = lazy_pattern(r"([^{}]*)\{([^{}]*)\}([^{}]*)")
_LAST_GLOB = lazy_pattern(r"(?:^|(?<=/))[^/]*\*[^/]*$")
_LOCAL = lazy_pattern(r"\.{0,2}/|~|\.{1,2}$")


class Grammar(Struct, frozen=True):
    """Which options of a program take the next word as their value."""

    long: frozenset[str]
    short: str = ""  # letters

    def takes_next(self, option: str) -> bool:
        """Tell whether the value of an option (as written) is the next word."""
        if option.startswith("--"):
            return option in self.long
        letters = option[1:]
        at = next((i for i, letter in enumerate(letters) if letter in self.short), None)
        return at is not None and at == len(letters) - 1


class Invocation(Struct, frozen=True):
    """The words of a call by their part: `verb` is None where there is none, or it depends on running it."""

    verb: Word | None
    options: tuple[str, ...]  # as written; the value that stands in a word of its own follows its option
    operands: tuple[Word, ...]

    @property
    def action(self) -> str | None:
        """The verb's value."""
        return self.verb.value if self.verb else None

    def has(self, *names: str) -> bool:
        """Tell whether an option is given, alone or with `=value`; single letters also within a cluster."""
        letters = {name[1] for name in names if len(name) == 2}  # noqa: PLR2004 a dash and a letter
        return any(
            option.split("=", 1)[0] in names
            or (not letters.isdisjoint(option[1:]) and _CLUSTER.fullmatch(option) is not None)
            for option in self.options
        )


def invocation(call: Call, grammar: Grammar) -> Invocation:
    """Sort the words of a call into verb, options and operands.

    A word that is only known when it runs may hold options: in front of the verb it makes the verb unknown.
    """
    return _sorted(call.arguments, grammar)


@lru_cache(maxsize=2048)
def _sorted(arguments: tuple[Word, ...], grammar: Grammar) -> Invocation:
    options: list[str] = []
    operands: list[Word] = []
    words = iter(arguments)
    for word in words:
        text = word.text if word.value is None else word.value
        if text == "--":
            operands += words
        elif text.startswith("-") and len(text) > 1:
            options.append(text)
            if grammar.takes_next(text) and (value := next(words, None)):
                options.append(value.value or value.text)
        else:
            operands.append(word)
    verb = operands[0] if operands and operands[0].value is not None else None
    return Invocation(verb, tuple(options), tuple(operands[1:]))


class SystemManager(Struct, frozen=True):
    """A package manager of a distribution. It reads no project file unless it is handed one."""

    id: str
    title: str
    programs: frozenset[str]
    grammar: Grammar
    verbs: frozenset[str]  # install, refresh, upgrade
    refreshing: frozenset[str]  # those of the verbs that only fetch lists or metadata
    cached: str  # Cache.name
    targets: tuple[str, ...]
    suffix: str  # of a package file
    folders: tuple[str, ...]  # removing one of them, or all in it, removes the cache
    elsewhere: tuple[str, ...]  # options with which the cache is not at its usual place
    cleanup: Mapping[str, str] = field(default_factory=dict)  # by verb, "" for all others; {program} is replaced
    flag: str | None = None  # keeps the cache away where no cleanup is named for the verb
    spared: frozenset[str] = frozenset()  # verbs and options with which nothing is left behind
    cleaning: frozenset[str] = frozenset()  # verb and operand that remove the cache, joined by a blank
    paths_are_files: bool = False  # whether an operand with a leading path is a package file

    def install(self, call: Call, project: Project) -> Install | Refusal | None:  # noqa: ARG002 part of the protocol
        """Say that an install reads nothing of the project, or which file it reads all the same."""
        if call.program not in self.programs:
            return None
        given = invocation(call, self.grammar)
        if given.verb is None and given.operands:
            return Refusal("what it does depends on a variable")
        if given.action not in self.verbs:
            return None
        reason = self._reads(call, given)
        return Refusal(reason) if reason else Install(manifests=())

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:  # noqa: ARG002 part of the protocol
        """Say what an install or a refresh leaves behind for the next one."""
        if call.program not in self.programs:
            return None
        given = invocation(call, self.grammar)
        if given.verb is None or given.action not in self.verbs or given.has(*self.spared):
            return None
        off = f"{self.cached} are kept at another place" if self._is_elsewhere(given) else None
        cleanup = self.cleanup.get(given.action or "") or self.cleanup.get("")
        if cleanup:
            command = cleanup.format(program=call.program)
            return Cache(self.cached, cleanup=(command,), targets=self.targets, off=off)
        return Cache(self.cached, flag=self.flag, after=given.verb, targets=self.targets, off=off)

    def cleans(self, call: Call) -> bool:
        """Tell whether the call removes the cache: `dnf clean all`, `rm -rf /var/lib/apt/lists/*`."""
        if call.program in {"rm", "find"}:
            return any(_holds(path, folder) for path in _paths(call) for folder in self.folders)
        if call.program not in self.programs:
            return False
        given = invocation(call, self.grammar)
        what = {f"{given.action} {word.value}" for word in given.operands} | {
            f"{given.action} {o}" for o in given.options
        }
        return bool(self.cleaning & (what | {given.action}))

    def installs(self, call: Call) -> bool:
        """Tell whether the call may put packages in place."""
        action = invocation(call, self.grammar).action if call.program in self.programs else None
        return action in self.verbs - self.refreshing

    def _is_elsewhere(self, given: Invocation) -> bool:
        return given.has(*(o for o in self.elsewhere if o.startswith("-"))) or any(
            part in option for part in self.elsewhere if not part.startswith("-") for option in given.options
        )

    def _reads(self, call: Call, given: Invocation) -> str | None:
        """Return why a call reads a file that may be the project's, None where it reads none."""
        fed = any(word.value == "xargs" for word in call.command.words)
        if fed or any(_SUBSTITUTION.search(word.text) for word in given.operands):
            return "the names of the packages come from another command or a file"
        if any(r.operator == "<" for r in call.command.redirects):
            return "it reads a file"
        for word in given.operands:
            text = word.value or word.text
            if "://" not in text and (text.endswith(self.suffix) or (self.paths_are_files and _LOCAL.match(text))):
                return f"it installs the local package {text}"
        if given.has("-c", "--config-file", "--config") or any("Dir::" in option for option in given.options):
            return "it has a configuration of its own"
        return None


def _paths(call: Call) -> Iterator[str]:
    """Go through the folders that an rm or a find empties; braces are taken as bash and most shells do."""
    if call.program == "find" and not any(w.value in {"-delete", "rm"} for w in call.arguments):
        return
    for word in call.arguments:
        text = (word.value or word.text).strip("\"'")
        braces = _BRACES.fullmatch(text)
        for path in [braces[1] + part + braces[3] for part in braces[2].split(",")] if braces else [text]:
            yield posixpath.normpath(posixpath.join(call.directory or "", _LAST_GLOB.sub("", path)))


def _holds(path: str, folder: str) -> bool:
    return path.startswith("/") and path != "/" and f"{folder}/".startswith(f"{path}/")
