"""Scripts that a build or a container runs, and their text where the build context has it."""

import posixpath
import shlex
from collections.abc import Iterator
from functools import lru_cache

from optimizer.context import Context
from optimizer.model import BASE_WORKDIR, Dockerfile, Step
from optimizer.shell import SHELLS, Call, calls, parse_script
from optimizer.syntax.lazy_pattern import lazy_pattern

_BINARIES = lazy_pattern(r"(?:^|/)s?bin$|^/etc/init\.d$")
_SEARCHED = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_INTO_BINARIES = lazy_pattern(r"bin\b|\s/(?:usr(?:/local)?/?)?[\"\]]*\s*$")
_SUFFIXES = (".sh", ".bash")
# What unpacked sources, installers of one tool and wrappers of build tools are called: they build, and install no
# packages of the distribution.
_BUILDERS = lazy_pattern(
    r"(?:configure|config|Configure|autogen\.sh|buildconf(?:\.sh)?|bootstrap\.sh|gradlew|mvnw|b2|bjam|artisan|manage\.py"
    r"|.*(?:conda|mamba|miniforge).*\.sh|rustup.*|install-poetry\.py|get-pip\.py|nvm\.sh|activate|cmake-.*\.sh)"
)
_INTERPRETERS = lazy_pattern(r"(?:python|node|perl|ruby|php)[\d.]*")


def script_path(call: Call) -> str | None:
    """Return the path of the shell script that a call runs: "" where it cannot be told, None where it runs none.

    A program in a folder of binaries is none, unless its name says otherwise; neither are `configure` and the like.
    """
    if call.program in SHELLS:
        return _operand(call)
    if call.program == "source":
        text = call.words[1].value if len(call.words) > 1 else None
        return text if text and not text.startswith("/") and text.endswith(_SUFFIXES) else None
    text = call.words[0].value or call.words[0].text
    folder, name = posixpath.split(text)
    if _BUILDERS.fullmatch(name):
        return None
    if name.endswith(_SUFFIXES):
        return call.words[0].value or ""
    if "/" not in text:
        return "" if call.words[0].value is None else None
    if _BINARIES.search(folder):
        return None
    return call.words[0].value or ""


def interpreted_path(call: Call) -> str | None:
    """Return the path of the script that Python, Node.js, Perl, Ruby, PHP or make run, None where there is none."""
    if call.program == "make":
        return "Makefile"
    if not _INTERPRETERS.fullmatch(call.program):
        return None
    return next((w.value for w in call.arguments if w.value and not w.value.startswith("-")), None)


def text_of(dockerfile: Dockerfile, context: Context, step: Step, path: str, directory: str | None) -> str | None:
    """Return the text of a file of the image that a COPY or ADD of the stage brings from the context."""
    image_path = _absolute(path, directory)
    if image_path is None:
        return None
    for copy in _copies(dockerfile, step):
        for candidate in _sources(dockerfile, context, copy, image_path):
            if (text := context.text(candidate)) is not None:
                return text
    return None


def command_texts(dockerfile: Dockerfile, context: Context, step: Step) -> Iterator[tuple[str, str]]:
    """Go through the scripts from the context that a CMD or ENTRYPOINT names or starts: name and text."""
    for word in dict.fromkeys((*step.instruction.arguments, *_started(step))):
        name = word.strip("\"'")
        paths = [name] if "/" in name else [name, *(f"{folder}/{name}" for folder in _SEARCHED)]
        for path in paths:
            text = text_of(dockerfile, context, step, path, step.state.workdir or BASE_WORKDIR)
            if text is not None:
                yield word, text
                break


def sourced_text(dockerfile: Dockerfile, context: Context, step: Step, call: Call) -> str | None:
    """Return the text of what a call of `source` reads, where the context brings it."""
    path = call.words[1].value if call.program == "source" and len(call.words) > 1 else None
    return text_of(dockerfile, context, step, path, call.directory) if path else None


def bare_text(dockerfile: Dockerfile, context: Context, step: Step, call: Call) -> str | None:
    """Return the text of a script that the context brings to a folder of binaries, called by its name alone."""
    if not any(_INTO_BINARIES.search(copy.instruction.value.text) for copy in _copies(dockerfile, step)):
        return None
    texts = (text_of(dockerfile, context, step, f"{folder}/{call.program}", "/") for folder in _SEARCHED)
    return next((text for text in texts if text is not None), None)


def program_text(dockerfile: Dockerfile, context: Context, step: Step, program: str) -> str | None:
    """Return the text of a program that the context brings: at its path, or in a folder of binaries for a bare name."""
    directory = step.state.workdir or BASE_WORKDIR
    paths = [program] if "/" in program else [f"{folder}/{program}" for folder in _SEARCHED]
    texts = (text_of(dockerfile, context, step, path, directory) for path in paths)
    return next((text for text in texts if text is not None), None)


def _operand(call: Call) -> str | None:
    """Return the script that a shell is given: "" for standard input or one that is not known."""
    for word in call.arguments:
        value = word.value
        if value is None:
            return ""
        if value in {"-s", "-", "--"}:
            return ""
        if value.startswith("--"):
            return None
        if not value.startswith(("-", "+")):
            return None if _BUILDERS.fullmatch(posixpath.basename(value)) else value
        if "c" in value:
            return ""
    return ""


def _started(step: Step) -> Iterator[str]:
    """Go through the programs and scripts that an instruction starts, also within `sh -c`."""
    listed = step.instruction.json
    text = step.instruction.value.text if listed is None else shlex.join(listed)
    for call in calls(parse_script(text), step.state.workdir or BASE_WORKDIR, {}):
        words = call.words[:2] if call.program == "source" else (call.words[0], *call.arguments[:1])
        yield from (
            posixpath.join(call.directory or "", w.value) if "/" in w.value else w.value for w in words if w.value
        )


def _copies(dockerfile: Dockerfile, step: Step) -> list[Step]:
    """Return the COPY and ADD instructions that a step sees the files of, the last first."""
    lineage = dockerfile.lineage(step.stage)
    above = [s for s in dockerfile.steps[: step.index] if s.stage in lineage and s.name in {"COPY", "ADD"}]
    return above[::-1]


def _sources(dockerfile: Dockerfile, context: Context, copy: Step, path: str) -> Iterator[str]:
    """Go through the context paths that a COPY may bring to an image path."""
    if copy.instruction.flag("from") is not None:
        return
    words = [copy.state.word(w, dockerfile.document.escape) for w in copy.instruction.arguments]
    if len(words) < 2:  # noqa: PLR2004 a source and a destination
        return
    target = _absolute(words[-1] or "", copy.state.workdir or BASE_WORKDIR)
    if target is None or words[-1] is None:
        return
    for source in filter(None, words[:-1]):
        for found in context.match(source):
            if context.is_dir(found):
                folder = f"{target.rstrip('/')}/"
                if path.startswith(folder):
                    yield posixpath.join(found, path.removeprefix(folder))
            elif path in {target, posixpath.join(target, posixpath.basename(found))}:
                yield found


@lru_cache(maxsize=1024)
def _absolute(path: str, directory: str | None) -> str | None:
    if path.startswith("/"):
        return posixpath.normpath(path)
    return posixpath.normpath(posixpath.join(directory, path)) if directory and path else None
