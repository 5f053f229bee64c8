"""What `make` would run for its goals, by a plain Makefile: variables, rules and their recipes.

Whatever else a Makefile has (conditions, functions, patterns, includes) leaves it unread. Source: GNU make's manual.
"""

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from optimizer.syntax.lazy_pattern import lazy_pattern

_CONTINUED = lazy_pattern(r"[ \t]*\\\n[ \t]*")
_SETTING = lazy_pattern(r"(?:export\s+)?([\w.-]+)\s*(?::{0,3}|\?)=\s*(.*)")
_RULE = lazy_pattern(r"([^\s:=#%][^:=#%]*?)\s*:(?!=)\s*([^=;%|]*)")
_REFERENCE = lazy_pattern(r"\$(?:\$|\(([^()]*(?:\([^()]*\)[^()]*)*)\)|\{([^{}]*)\}|([@<^]))")
_NAME = lazy_pattern(r"[\w.-]+")
_DEPTH = 20


class _Rule(Struct):
    """A target: what it hangs on, and the lines of its recipe."""

    needs: list[str]
    recipe: list[str] = field(default_factory=list)


def commands_of(text: str, goals: tuple[str, ...], given: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the shell commands for some goals, the first target where there is none; None where it cannot be told.

    `given` are variables that the command line sets.
    """
    settings: dict[str, str] = {}
    rules: dict[str, _Rule] = {}
    if not _is_read(_CONTINUED.sub(" ", text), settings, rules):
        return None
    settings |= given
    first = next((name for name in rules if not name.startswith(".")), None)
    found: dict[str, tuple[str, ...]] = {}
    for goal in goals or ((first,) if first else ()):
        if goal not in rules or not _follow(goal, rules, settings, found, _DEPTH):
            return None
    return tuple(line for lines in found.values() for line in lines) or None


def _is_read(text: str, settings: dict[str, str], rules: dict[str, _Rule]) -> bool:
    """Sort the lines of a Makefile; tell whether all of them are of the plain kinds."""
    at: list[_Rule] = []
    for line in text.splitlines():
        if line.startswith("\t"):
            for rule in at:
                rule.recipe.append(line.strip())
        elif not line.strip() or line.lstrip().startswith("#"):
            continue
        elif setting := _SETTING.fullmatch(line.partition(" #")[0].strip()):
            at = []
            settings[setting[1]] = setting[2]
        elif rule_line := _RULE.fullmatch(line.partition("#")[0].strip()):
            at = [rules.setdefault(name, _Rule([])) for name in rule_line[1].split()]
            for rule in at:
                rule.needs += rule_line[2].split()
        else:
            return False
    return True


def _follow(
    goal: str, rules: Mapping[str, _Rule], settings: Mapping[str, str], found: dict[str, tuple[str, ...]], depth: int
) -> bool:
    """Collect the recipes that a goal needs, its own last; tell whether all of it is known."""
    if goal in found or goal not in rules:
        return "$" not in goal
    rule = rules[goal]
    if not depth or not all(_follow(need, rules, settings, found, depth - 1) for need in rule.needs):
        return False
    own = {**settings, "@": goal, "<": (rule.needs or [""])[0], "^": " ".join(rule.needs)}
    lines = [_expanded(line, own, _DEPTH) for line in rule.recipe]
    found[goal] = tuple(_plain(line) for line in lines if line is not None)
    return None not in lines


def _plain(line: str) -> str:
    return line.lstrip("@-+ \t")


def _expanded(text: str, settings: Mapping[str, str], depth: int) -> str | None:
    """Return a text with its references replaced; what make asks a shell, the recipe's shell is left to ask."""
    parts = list(_parts(text, settings, depth))
    return None if None in parts else "".join(part for part in parts if part is not None)


def _parts(text: str, settings: Mapping[str, str], depth: int) -> Iterator[str | None]:
    at = 0
    for match in _REFERENCE.finditer(text):
        yield text[at : match.start()]
        yield _value(match, settings, depth)
        at = match.end()
    yield text[at:] if "$" not in text[at:] else None


def _value(match: re.Match[str], settings: Mapping[str, str], depth: int) -> str | None:
    if match[0] == "$$":
        return "$"
    inner = match[1] or match[2] or match[3] or ""
    if inner.startswith("shell "):
        return f"$({inner.removeprefix('shell ')})"
    if inner == "MAKE":
        return "make"
    if not (_NAME.fullmatch(inner) or match[3]) or not depth:
        return None
    return _expanded(settings.get(inner, ""), settings, depth - 1)
