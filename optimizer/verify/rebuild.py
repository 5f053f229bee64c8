"""Which source file a developer would have edited, and how to edit it so that the build stays whole."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from posixpath import basename, splitext

from optimizer.context import Context
from optimizer.model import Dockerfile, read
from optimizer.syntax import parse
from optimizer.transforms._copies import brings_context, read_copy

_SLASHES = "c cc cjs cpp cs dart fs go groovy h hpp java js jsx kt m mjs php proto rs scala swift ts tsx".split()
_HASHES = "awk ex exs jl pl pm py r rb tcl".split()
# Languages first; scripts and texts only where a build copies nothing else.
_COMMENTS: tuple[Mapping[str, str], ...] = (
    {**dict.fromkeys(_SLASHES, "// {}"), **dict.fromkeys(_HASHES, "# {}")},
    dict.fromkeys(("sh", "bash"), "# {}"),
    {"css": "/* {} */", "scss": "/* {} */", "html": "<!-- {} -->", "htm": "<!-- {} -->"},
    dict.fromkeys(("md", "rst", "txt"), "{}"),
)
# What is not the program, or what the build of the program is told by: an edit there is another kind of change.
_UNUSUAL = re.compile(
    r"""(?:^|.*/)
      (?: (?:\.[^/]+|__tests__|bench(?:es|marks)?|build|config|dist|docs?|e2e|examples?|migrations?|node_modules|out
            |site-packages|spec|target|tests?|third_party|vendor|venv)/.*
        | test_[^/]+|[^/]+[._-](?:test|tests|spec|config|conf)\.[^/.]+|[^/]+\.d\.ts|[^/]*\.min\.[^/]+
        | conftest\.py|setup\.py|(?:gulp|grunt|jake|nox|rake)file\.[^/]+|build\.rs|mix\.exs
        | requirements[^/]*\.txt|robots\.txt|license[^/]* )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MAIN = frozenset("__main__ app application cli index main manage program server wsgi".split())


def source_to_edit(
    text: str, context: Context, *, target: str | None = None, build_args: Mapping[str, str] | None = None
) -> str | None:
    """Return the file of the context that stands for the project's sources; None where the build copies none.

    It is of the language of which the build copies most files, and rather the program's main file than another.
    """
    dockerfile = read(parse(text), target=target, build_args=build_args or {})
    files = [file for file in dict.fromkeys(_copied(dockerfile, context)) if not _UNUSUAL.match(file)]
    known = [file for file in files if context.tracked(file) is not False] or files
    for comments in _COMMENTS:
        if found := [file for file in known if _suffix(file) in comments and _takes_comment(file, context)]:
            return _likeliest(found)
    return None


def edited(path: str, stamp: str) -> Callable[[bytes], bytes]:
    """Return the edit of a file: a comment of its language behind the last line, which `stamp` makes unique."""
    comment = next(kind[suffix] for kind in _COMMENTS if (suffix := _suffix(path)) in kind).format(stamp)

    def edit(data: bytes) -> bytes:
        newline = b"\r\n" if b"\r\n" in data else b"\n"
        return data + (b"" if data.endswith(newline) or not data else newline) + comment.encode() + newline

    return edit


def _copied(dockerfile: Dockerfile, context: Context) -> Iterator[str]:
    """Go through the context files that the built stages copy; those of the last COPY first."""
    used = _used(dockerfile)
    for step in reversed(dockerfile.steps):
        if step.stage in used and brings_context(step):
            copied = read_copy(step, context)
            if not isinstance(copied, str):
                yield from copied.files(context)


def _used(dockerfile: Dockerfile) -> set[int]:
    """Return the stages that the target needs."""
    used: set[int] = set()
    pending = [dockerfile.target]
    while pending:
        stage = pending.pop()
        if stage >= 0 and stage not in used:
            used.add(stage)
            pending += [*dockerfile.lineage(stage), *dockerfile.copied_from.get(stage, ())]
    return used


def _likeliest(files: Iterable[str]) -> str:
    files = list(files)
    counts = Counter(map(_suffix, files))
    return min(
        files, key=lambda f: (-counts[_suffix(f)], splitext(basename(f))[0].lower() not in _MAIN, f.count("/"), f)
    )


def _suffix(path: str) -> str:
    return splitext(path)[1].removeprefix(".").lower()


def _takes_comment(path: str, context: Context) -> bool:
    """Tell whether a comment at the end is one: a PHP file may end as HTML; what is no text is left alone."""
    text = context.text(path)
    return text is not None and "\0" not in text and not (_suffix(path) == "php" and "?>" in text)
