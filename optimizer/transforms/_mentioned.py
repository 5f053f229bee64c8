"""Which programs the sources that a stage takes in may start: those that they speak of where they start any."""

import re
from collections.abc import Iterable, Iterator

from optimizer.context import Context
from optimizer.model import Dockerfile, Step
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._copies import brings_context
from optimizer.transforms._runtime_needs import Need

_CODE = lazy_pattern(
    r".*\.(?:py|[cm]?[jt]sx?|vue|sh|bash|rb|pl|php|toml|ya?ml|ini|cfg|conf)|(?:.*/)?(?:Procfile|Makefile)"
)
_BESIDE = lazy_pattern(
    r"(?:.*/)?(?:node_modules|tests?|__tests__|__mocks__|spec|e2e|docs?|examples?|\.github|\.vscode|\.git|\.circleci"
    r"|\.devcontainer|site-packages|\.venv|venv)/.*|.*\.(?:test|spec|stories|d|min)\.[cm]?[jt]sx?|(?:.*/)?conftest\.py"
    r"|(?:.*/)?(?:docker-)?compose[\w.-]*\.ya?ml|(?:.*/)?\.[\w.-]+\.ya?ml|(?:.*/)?(?:pnpm-lock|appveyor|\.travis)\.ya?ml"
)
_STARTING = lazy_pattern(
    r"child_process|\bexeca\b|shelljs|\bzx\b|cross-spawn|subprocess|\bpopen|\bos\.system\b|\bos\.(?:exec|spawn)|\bwhich\b"
    r"|pexpect|create_subprocess|Open3|shell_exec|proc_open|Bun\.spawn|Deno\.Command|plumbum|^import sh\b|fabric|invoke"
    r"|^#!.*sh\b|\bcommand\s*[:=]",
    re.MULTILINE,
)
_QUOTED = lazy_pattern(r"""(?:["'`]|[;&|(]\s*)(?:/usr)?(?:/s?bin/)?([\w.+-]+)(?=["'`\s])""")
_SCRIPT = lazy_pattern(r"([\w.+-]+\.(?:sh|bash))\b")
_FIRST = lazy_pattern(r"(?:^|[;&|(])[ \t]*(?:(?:sudo|exec|if|then|do|!)[ \t]+)*([\w.+-]+)", re.MULTILINE)
_CALLED = lazy_pattern(
    r"\b(?:run|call|check_call|check_output|Popen|getoutput|getstatusoutput|system|popen|which|find_executable|exec\w*"
    r"|spawn\w*|create_subprocess_\w+|execa)\(\s*[\[(]?\s*[frbu]?[\"'`](?:/usr)?(?:/s?bin/)?([\w.+-]+)"
)
_LARGE = 2_000_000  # bytes from which on a file is data, not code
# Names that are words of other use as well, so that a source that has them in quotes says nothing.
_AMBIGUOUS = frozenset(
    "animate ar as compare composite conjure convert display file free identify import install kill ld load m4 magick "
    "make montage patch prove scalar size skill slogin split sq stream strings strip top w watch".split()
)


def mentioned(dockerfile: Dockerfile, context: Context, stages: Iterable[int], names: frozenset[str]) -> Iterator[Need]:
    """Go through the programs of `names` that sources in the image may start: those that speak of them in quotes.

    Only sources that start programs at all are looked at, and shell scripts that one of these names. Names that are
    words of other use as well count where they are seen to be started.
    """
    for stage in sorted(stages):
        scripts: dict[str, str] = {}
        started: set[str] = set()
        for path in _sources(dockerfile, context, stage):
            text = context.text(path) or ""
            if path.endswith((".sh", ".bash")):
                scripts[path] = text
            if _STARTING.search(text):
                started |= set(_SCRIPT.findall(text)) - {path.rpartition("/")[2]}
                found = _started_by(path, text, names)
                yield from (Need(name, path, stage, len(dockerfile.steps)) for name in found)
        for path, text in scripts.items():
            if path.rpartition("/")[2] in started:
                found = sorted(names & set(_FIRST.findall(text)))
                yield from (Need(name, path, stage, len(dockerfile.steps)) for name in found)


def _started_by(path: str, text: str, names: frozenset[str]) -> list[str]:
    """Return the programs of `names` that a source may start: of Python's those that it starts, or hands to others."""
    found = _in_quotes(text, names)
    if not found or not path.endswith(".py"):
        return found
    from optimizer.context.python_sources import all_programs_started, commands_written

    started, written = all_programs_started(text), commands_written(text)
    return found if started is None or written is None else sorted(names & (started | (written & set(found))))


def _in_quotes(text: str, names: frozenset[str]) -> list[str]:
    found = set(_QUOTED.findall(text)) - _AMBIGUOUS
    return sorted(names & (found | set(_CALLED.findall(text))))


def sources_in(dockerfile: Dockerfile, context: Context, stages: Iterable[int]) -> Iterator[tuple[str, str]]:
    """Go through the code of the build context that the stages take in: path and text."""
    for stage in sorted(stages):
        for path in _sources(dockerfile, context, stage):
            yield path, context.text(path) or ""


def _sources(dockerfile: Dockerfile, context: Context, stage: int) -> Iterator[str]:
    seen: set[str] = set()
    for step in dockerfile.stages[stage].body:
        for place in _places(context, step) if brings_context(step) else ():
            for path in context.under(place) if context.is_dir(place) else (place,):
                if path not in seen and _CODE.fullmatch(path) and not _BESIDE.fullmatch(path):
                    seen.add(path)
                    if context.size(path) < _LARGE:
                        yield path


def _places(context: Context, step: Step) -> Iterator[str]:
    for word in step.instruction.arguments[:-1]:
        known = step.state.word(word)
        yield from context.match(known) if known is not None else ("",)
