"""What else happens to a downloaded file, in its RUN and after it."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from optimizer.context import Context
from optimizer.model import BASE_WORKDIR, Dockerfile, State, Step
from optimizer.shell import Call, Command, Word
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._downloads import File, pattern_of

# Programs that only look at a file, or change its mode.
_READERS = frozenset({
    "sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum", "md5sum", "b2sum", "shasum", "gpg", "gpgv",
    "openssl", "echo", "printf", "ls", "chmod", "chown", "file", "stat", "du", "test", "[", "grep", "awk", "cosign",
    "minisign", "tar", "bsdtar", "unzip", "dpkg", "rpm",
})  # fmt: skip
_REMOVERS = frozenset({"rm", "unlink", "shred", "find", "mv"})
# What a step may do to the folder that holds the file without caring for the file.
_STAYERS = frozenset({"cd", "pushd", "mkdir", "chown", "chmod", "chgrp", "ls", "echo", "export", "test", "[", "rm"})
_SOURCES = lazy_pattern(
    r"\.(?:py|m?js|ts|sh|rb|php|pl|go|rs|java|kt|ya?ml|toml|json|cfg|ini|env|conf|xml)$|(?:^|/)[^.]+$"
)
_MANY = 2000  # files of a context that are looked into
_LARGE = 200_000
_GLOB = lazy_pattern(r"[*?\[]")
_OPEN = lazy_pattern(r"\$\{[^}]*\}|\$\w+|\[[^\]]*\]|\{[^}]*\}|[*?]+")
_VARIABLE = lazy_pattern(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))")


def is_removed(file: File, calls: tuple[Call, ...], env: Mapping[str, str | None]) -> bool | None:
    """Tell whether one of the calls removes a file; None where that cannot be told."""
    doubtful = False
    for call in calls:
        if call.program not in _REMOVERS or (call.program == "find" and not _deletes(call)):
            continue
        words = call.arguments[:-1] if call.program == "mv" else call.arguments  # the last is where mv puts them
        verdicts = [_covers(call, word, file, env) for word in words if not word.text.startswith("-")]
        if True in verdicts and call.program != "mv" and call.certain:
            return True
        doubtful = doubtful or any(verdict is not False for verdict in verdicts)
    return None if doubtful else False


def other_use(file: File, calls: tuple[Call, ...], own: tuple[Command, ...]) -> str | None:
    """Return the program of the same RUN that uses a file as well, None where there is none."""
    others = (call for call in calls if call.program not in _READERS and call.command not in own)
    return next((call.program for call in others if is_named(file, call)), None)


def is_named(file: File, call: Call) -> bool:
    """Tell whether a call names a file, or redirects to or from it."""
    texts = [w.text for w in call.words] + [r.target.text for r in call.command.redirects if r.target]
    return any(_loose(file.name) in _loose(text) for text in texts)


def later_use(dockerfile: Dockerfile, context: Context, step: Step, file: File) -> str | None:
    """Return what of the build or the context may read a file that a step leaves, None where nothing does."""
    heirs = {step.stage, *dockerfile.children(step.stage)}
    for other in dockerfile.steps:
        if other.stage == step.stage and other.index <= step.index and other.instruction.trigger is None:
            continue
        if _copies(dockerfile, other, heirs, file) or (other.stage in heirs and _uses(other, file)):
            return f"line {other.line} may use {file.name}"
    source = next(_naming(context, file.name), None) if "$" not in file.name else None
    return f"{source} names {file.name}" if source else None


def _deletes(call: Call) -> bool:
    return any(word.value in {"-delete", "rm"} for word in call.arguments)


def _covers(call: Call, word: Word, file: File, env: Mapping[str, str | None]) -> bool | None:
    """Tell whether a word names a file, a folder that holds it or a pattern for it; None where it might."""
    path = pattern_of(call, word, env)
    if path is None:
        return None
    if _is_within(file.path, path) or (_GLOB.search(path) and _matches(file.path, path)):
        return True
    # What is removed may be the file, or a folder on the way to it, only if its name is one of theirs.
    last, names = posixpath.basename(path.rstrip("/")), file.path.split("/")
    if path.startswith("/") and file.path.startswith("/") and not _may_meet(path.split("/"), names):
        return False
    if last in {"", ".", ".."} or (not file.path.startswith("/") and _is_recursive(call)):
        return None
    return None if any(_alike(last, name) for name in names) else False


def _may_meet(one: list[str], other: list[str]) -> bool:
    """Tell whether a path from the root may be another or a folder on the way to it; a variable may hold slashes."""
    for name, wanted in zip(other, one, strict=False):
        if "$" in name or "$" in wanted or "{" in wanted:
            return True
        if not _alike(name, wanted):
            return False
    return len(one) <= len(other)


def _is_recursive(call: Call) -> bool:
    return any(re.match(r"-[a-zA-Z]*[rR]|--recursive", word.text) for word in call.arguments) or call.program != "rm"


def _alike(one: str, other: str) -> bool:
    """Tell whether two names with wildcards and variables in them may be the same."""
    first, second = (_OPEN.sub("*", name) for name in (one, other))
    if "*" not in first or "*" not in second:
        return fnmatchcase(first, second) or fnmatchcase(second, first)
    ends = [(a.split("*")[0], a.split("*")[-1]) for a in (first, second)]
    (head, tail), (start, end) = ends
    heads = head.startswith(start) or start.startswith(head)
    return heads and (tail.endswith(end) or end.endswith(tail))


def _is_within(file: str, path: str) -> bool:
    return file == path or file.startswith(path.rstrip("/") + "/")


def _matches(file: str, pattern: str) -> bool:
    """Tell whether a pattern takes in a file or a folder that holds it; `*` stops at a slash."""
    names, wanted = file.split("/"), posixpath.normpath(pattern).split("/")
    return len(wanted) <= len(names) and all(map(fnmatchcase, names, wanted))


def _copies(dockerfile: Dockerfile, other: Step, heirs: set[int], file: File) -> bool:
    """Tell whether a step of another stage may take the file out of one that has it."""
    instruction = other.instruction
    origin = instruction.flag("from")
    if origin is None:
        mounts = [f.value or "" for f in instruction.flags if f.name == "mount"]
        return other.stage not in heirs and any(
            _is_one_of(dockerfile, name, heirs) for m in mounts for name in _from(m)
        )
    if not _is_one_of(dockerfile, origin, heirs):
        return False
    if file.path[0] == "?" or BASE_WORKDIR in file.path:
        return True
    sources = [other.state.word(w) for w in instruction.arguments[:-1]]
    return any(s is None or _matches(file.path, posixpath.join("/", s)) for s in sources)


def _from(mount: str) -> list[str]:
    return [part[5:] for part in mount.split(",") if part.startswith("from=")]


def _is_one_of(dockerfile: Dockerfile, name: str, stages: set[int]) -> bool:
    return any(name.lower() in {dockerfile.stages[s].name, str(s)} for s in stages)


def _uses(other: Step, file: File) -> bool:
    """Tell whether an instruction names the file, or a RUN takes a whole folder or pattern that it falls under."""
    text = other.instruction.body.text + "".join(h.body for h in other.instruction.heredocs)
    names = {_loose(file.name), _loose(posixpath.basename(file.word.text))}
    if any(name in _loose(text) or name in _loose(_filled(text, other.state)) for name in names):
        return True
    env = {**other.state.args, **other.state.env}
    calls = [c for c in (other.run.calls if other.run else ()) if c.program not in _STAYERS]
    return any(_covers(c, word, file, env) for c in calls for word in c.arguments if not word.text.startswith("-"))


def _loose(text: str) -> str:
    """Return a text as one to search in: without quotes, and with variables in one form."""
    return _VARIABLE.sub(lambda m: f"${m[1] or m[2]}", text.replace('"', "").replace("'", ""))


def _filled(text: str, state: State) -> str:
    return _VARIABLE.sub(lambda m: state.value(m[1] or m[2]) or m[0], text)


def _naming(context: Context, name: str) -> Iterator[str]:
    """Go through the sources of the context that name a file: the program may read it when it runs."""
    sources = (path for path in context.under("") if path != context.dockerfile and _SOURCES.search(path))
    for number, path in enumerate(sources):
        if number >= _MANY:
            return
        if context.size(path) <= _LARGE and name in (context.text(path) or ""):
            yield path
