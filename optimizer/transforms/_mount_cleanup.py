"""What has to leave a RUN whose cache is mounted: clean-ups, and flags that keep the cache from being used.

A folder that is mounted cannot be removed ("Device or resource busy"), and a clean-up would empty the cache that the
next build is to find.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from posixpath import join, normpath

from msgspec import Struct
from msgspec.structs import replace

from optimizer.model import Run, Step
from optimizer.shell import Call, Command, Word, resolve
from optimizer.syntax import Span
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._finding import Edit
from optimizer.transforms._layout import chain_operator

_HOME = lazy_pattern(r"~(?=/|$)|\$HOME\b|\$\{HOME\}")
_BRACES = lazy_pattern(r"([^{}]*)\{([^{}]*)\}([^{}]*)")
_OPTION_PATH = lazy_pattern(r"--?[\w-]+[= ](?=[/~$])")
_WORDS_ONLY = frozenset({"cd", "echo", "printf", "mkdir", "true", ":"})  # what they are given stays as it is


class Cut(Struct, frozen=True):
    """What goes: whole parts of the script, by their place, and words of commands that stay."""

    parts: frozenset[int] = frozenset()
    words: tuple[tuple[Command, Word], ...] = ()


class Trimmed(Struct, frozen=True):
    """The edits of a cut, and what the gate is told of them."""

    edits: tuple[Edit, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]


def cut_for(
    step: Step, folders: Sequence[str], cleans: Callable[[Call], bool], env: Mapping[str, str | None]
) -> Cut | str:
    """Return what has to go where folders are mounted in a RUN, or a clause that says why that cannot be told.

    `cleans` tells whether a call empties the cache, other than by removing files.
    """
    run = step.run
    parts: set[int] = set()
    words: list[tuple[Command, Word]] = []
    for call in run.calls if run else ():
        if call.program != "rm" and cleans(call):
            gone: Collection[Word] | str = call.arguments
        else:
            gone = _removed(call, folders, env) if call.program == "rm" else _why_touched(call, folders, env) or ()
        if isinstance(gone, str):
            return f"line {step.line} {gone}"
        if gone and (reason := why_not_part(step, call)):
            return reason
        if gone and _is_all(call, gone):
            parts.add(call.step)
        else:
            words += ((call.command, word) for word in gone)
    return Cut(frozenset(parts), tuple(words))


def flags_of(step: Step, call: Call, flags: Collection[str]) -> Cut | str:
    """Return the flags of a call that have to go, or why they cannot."""
    words = tuple((call.command, word) for word in call.arguments if word.value in flags)
    reason = why_not_part(step, call, part=False) if words else None
    return reason or Cut(words=words)


def together(cuts: Sequence[Cut]) -> Cut:
    """Return several cuts as one."""
    words = dict.fromkeys(pair for cut in cuts for pair in cut.words)
    return Cut(frozenset().union(*(cut.parts for cut in cuts)), tuple(words))


def trimmed(step: Step, cut: Cut) -> Trimmed | str:
    """Return the edits of a cut, or a clause that says why the script cannot be cut so."""
    run = step.run
    if run is None:
        return "it is no RUN"
    spans: list[Span] = []
    removed: list[str] = []
    added: list[str] = []
    for places in _rows(cut.parts):
        found = _without(step, run, places[0], places[-1])
        if isinstance(found, str):
            return found
        spans.append(found[0])
        removed += [*(str(run.script.root.parts[at]) for at in places), *found[1]]
    for command, gone in _by_command(cut.words):
        spans += _word_spans(run, command, gone)
        removed.append(str(command))
        added.append(str(replace(command, words=tuple(w for w in command.words if w not in gone))))
    if any(s.start < comment.end and comment.start < s.end for s in spans for comment in step.instruction.comments):
        return "a comment stands within what would have to go"
    return Trimmed(tuple(Edit(span, "") for span in spans), tuple(added), tuple(removed))


def overlap(path: str, folder: str) -> bool:
    """Tell whether a path, maybe with wildcards, is a folder, above or below it."""
    names, wanted = folder.strip("/").split("/"), path.strip("/").split("/")
    return path.strip("/") in {"", "*"} or all(fnmatchcase(one, two) for one, two in zip(names, wanted, strict=False))


def why_not_part(step: Step, call: Call, *, part: bool = True) -> str | None:
    """Say why a call cannot be edited, or with `part` taken out whole, None where it can."""
    run = step.run
    if run is None or call.nested or not run.editable:
        return f"{call.program} stands in a script within the script"
    if part and run.script.root.parts[call.step] != call.command:
        return f"the clean-up by {call.program} stands within other commands"
    return None


def paths_of(call: Call, word: Word, env: Mapping[str, str | None]) -> Iterator[str | None]:
    """Go through the absolute paths that a word may stand for; None where a variable hides it."""
    known = {**env, **call.variables}
    text = resolve(word, known) or _HOME.sub(known.get("HOME") or "/root", word.text.strip("\"'"))
    text = _OPTION_PATH.sub("", text)
    braces = _BRACES.fullmatch(text)
    for path in [braces[1] + part + braces[3] for part in braces[2].split(",")] if braces else [text]:
        if "$" in path or "`" in path:
            yield None
        elif path.startswith("/") or call.directory is not None:
            yield normpath(join(call.directory or "/", path))


def _removed(call: Call, folders: Sequence[str], env: Mapping[str, str | None]) -> list[Word] | str:
    """Return the operands of an rm that lie in the folders, or why some of them may do so in part."""
    gone = []
    for word in call.arguments:
        if word.text.startswith("-"):
            continue
        paths = list(paths_of(call, word, env))
        inside = [any(f"{path}/".startswith(f"{folder}/") for folder in folders) for path in paths if path]
        if paths and len(inside) == len(paths) and all(inside):
            gone.append(word)
        elif None in paths:
            return f"removes {word}, which may hold the cache"
        elif any(path and overlap(path, folder) for path in paths for folder in folders):
            return f"removes {word}, which holds the cache"
    return gone


def _why_touched(call: Call, folders: Sequence[str], env: Mapping[str, str | None]) -> str | None:
    """Say that another call works on the folders, which a mount would change."""
    if call.program in _WORDS_ONLY:
        return None
    for word in call.arguments:
        if "/" in word.text or "$" in word.text or word.text in {".", ".."}:
            for path in paths_of(call, word, env):
                if path and not (word.text in {".", "./"} and path == "/") and any(overlap(path, f) for f in folders):
                    return f"has {call.program} work on {word}, where the cache is"
    return None


def _is_all(call: Call, gone: Collection[Word]) -> bool:
    return all(word in gone or word.text.startswith("-") for word in call.arguments)


def _rows(places: Collection[int]) -> list[list[int]]:
    """Return the places in rows of neighbours."""
    rows: list[list[int]] = []
    for place in sorted(places):
        if rows and rows[-1][-1] == place - 1:
            rows[-1].append(place)
        else:
            rows.append([place])
    return rows


def _by_command(words: Sequence[tuple[Command, Word]]) -> Iterator[tuple[Command, list[Word]]]:
    commands: dict[Command, list[Word]] = {}
    for command, word in words:
        commands.setdefault(command, []).append(word)
    yield from commands.items()


def _word_spans(run: Run, command: Command, gone: Sequence[Word]) -> Iterator[Span]:
    """Go through the spans from the end of the word before to the end of a word that goes."""
    before = command.words[0]
    for word in command.words:
        if word in gone:
            yield Span(run.text.end_at(before.span.end), run.text.end_at(word.span.end))
        before = word


def _without(step: Step, run: Run, first: int, last: int) -> tuple[Span, list[str]] | str:
    """Return the span that goes with a row of parts, and the operators other than `&&` in it."""
    parts, operators = run.script.root.parts, run.script.root.operators
    around = operators[max(first - 1, 0) : last + 1]
    if set(around) - {"&&", ";"}:
        return f"the clean-up is joined by {next(iter(set(around) - {'&&', ';'}))}"
    if len(parts) == last - first + 1:
        return "the RUN does nothing else"
    is_end = last == len(parts) - 1
    if first == 0 or (not is_end and operators[first - 1] == ";" and operators[last] == "&&"):
        span = Span(run.text.at(parts[first].span.start), run.text.at(parts[last + 1].span.start))
        return span, [op for op in operators[first : last + 1] if op == ";"]
    if is_end and operators[first - 1] == ";" and chain_operator(step) != ";":
        return "whether the RUN fails hangs on the clean-up at its end"
    end = Span(run.text.end_at(parts[first - 1].span.end), run.text.end_at(parts[last].span.end))
    return end, [op for op in operators[first - 1 : last] if op == ";"]
