"""The patterns of `${x#p}`, `${x%p}` and `${x/p/r}`, as in moby/buildkit frontend/dockerfile/shell/lex.go.

Each function returns None where BuildKit refuses the pattern, or where the search would take too long.
"""

import re

_MOST_STEPS = 1_000_000


def trim_prefix(pattern: str, value: str, *, greedy: bool) -> str | None:
    """Cut the shortest (or longest) prefix that matches."""
    compiled = _compile(pattern, value, greedy=greedy)
    if compiled is None:
        return None
    match = compiled.match(value)
    return value[match.end() :] if match else value


def trim_suffix(pattern: str, value: str, *, greedy: bool) -> str | None:
    """Cut the shortest (or longest) suffix that matches."""
    trimmed = trim_prefix(_reversed_pattern(pattern), value[::-1], greedy=greedy)
    return None if trimmed is None else trimmed[::-1]


def replace(pattern: str, replacement: str, value: str, *, every: bool) -> str | None:
    """Replace the first match, or every one; the longest match counts."""
    compiled = _compile(pattern, value, greedy=True)
    if compiled is None:
        return None
    if not every:
        return compiled.sub(lambda _: replacement, value, count=1)
    # Go expands `$1` and `$name` in this replacement; what it makes of them nobody relies on.
    return None if "$" in replacement else _replace_every(compiled, replacement, value)


def _replace_every(compiled: re.Pattern[str], replacement: str, value: str) -> str:
    """Replace as Go does: an empty match right behind another match is none."""
    parts = []
    behind = -1
    done = 0
    for match in compiled.finditer(value):
        if match.start() == match.end() == behind:
            continue
        parts += [value[done : match.start()], replacement]
        done = behind = match.end()
    return "".join([*parts, value[done:]])


def _compile(pattern: str, value: str, *, greedy: bool) -> re.Pattern[str] | None:
    if len(value) ** (pattern.count("*") + 1) > _MOST_STEPS:
        return None
    star = ".*" if greedy else ".*?"
    parts = []
    position = 0
    while position < len(pattern):
        char = pattern[position]
        position += 1
        if char == "\\":
            char = pattern[position : position + 1]
            if not char or char not in "}/*?\\":
                return None
            position += 1
            parts.append(re.escape(char))
        else:
            parts.append(star if char == "*" else "." if char == "?" else re.escape(char))
    return re.compile("".join(parts))


def _reversed_pattern(pattern: str) -> str:
    """Reverse a pattern, each escape staying in front of what it escapes."""
    return "".join(reversed(re.findall(r"\\.|.", pattern, re.DOTALL)))
