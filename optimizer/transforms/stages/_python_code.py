"""What code of the project leaves behind when a RUN starts it: `manage.py`, scripts, `python -c`."""

import posixpath
import re
from collections.abc import Iterator

from optimizer.context import Context
from optimizer.model import Step
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._scripts import text_of
from optimizer.transforms.stages.interpreted import folder_of, home_of, in_folder, text, variable
from optimizer.transforms.stages.nodes import NOTHING, Build, Effect

_LOOKS = frozenset({"check", "version", "diffsettings", "showmigrations", "help", "test"})
_STATIC = frozenset({"collectstatic", "compress", "compilestatic", "collectmedia"})
_WITHIN = frozenset({"compilemessages", "makemessages", "makemigrations", "migrate", "loaddata", "tailwind", "test"})
_ROOT = lazy_pattern(r"^[ \t]*(?:STATIC_ROOT|COMPRESS_ROOT)\s*=\s*([^\n]*(?:\n[ \t)]+[^\n]*)*)", re.MULTILINE)
_BASE = lazy_pattern(
    r"^[ \t]*(?:BASE_DIR|PROJECT_ROOT|ROOT_DIR|PROJECT_DIR)\s*=\s*([^\n]*(?:\n[ \t)]+[^\n]*)*)", re.MULTILINE
)
_ABOVE = lazy_pattern(r"\.\.|\.parent\b|parents|dirname|[\"']/|\benv|getenv|config\(|\benviron")
_PARENTS = lazy_pattern(r"\.parent\b|\bdirname\(|\.\.")
_PARENT_NUMBER = lazy_pattern(r"parents\[(\d+)\]")
_DATABASE = lazy_pattern(r"sqlite3?[^\n]*\n?[^\n]*[\"']NAME[\"']\s*:\s*[\"']/|sqlite:////")
# Downloads that end in an error where they fail, and their folders below the user's cache.
_MODELS = (
    (
        lazy_pattern(r"from_pretrained|SentenceTransformer\(|snapshot_download|hf_hub_download"),
        "HF_HOME",
        "huggingface",
    ),
    (lazy_pattern(r"\bwhisper\.load_model"), "XDG_CACHE_HOME", "whisper"),
    (lazy_pattern(r"\btorch\.hub\b"), "TORCH_HOME", "torch"),
)
_ELSEWHERE = lazy_pattern(
    r"expanduser|Path\.home|nltk|gensim|spacy|easyocr|paddle|tensorflow_hub|keras|torchvision|playwright|webdriver"
    r"|chromedriver|tiktoken|download|urlretrieve|platformdirs|appdirs|pip\b|ensurepip"
)
_ABSOLUTE = lazy_pattern(r"[\"'](/[A-Za-z][\w./-]*)")
_HARMLESS = lazy_pattern(
    r"\s*(?:import\s+[\w., ]+|from\s+[\w.]+\s+import\s+[\w., ]+|print\([^;]*\)|assert\s[^;]*)(?:;|$)"
)
_IMPORTED = lazy_pattern(r"^[ \t]*(?:from|import)\s+([\w.]+)", re.MULTILINE)


def of_code(call: Call, step: Step, build: Build, words: list[str]) -> Effect:
    """Return what a Python program of the project leaves behind; `words` are those behind the interpreter."""
    if words[:1] == ["-c"]:
        return _of_text(" ".join(words[1:]), call, step, build, "python -c")
    if not words or words[0].startswith("-"):
        return Effect(unknown=f"what the Python of line {step.line} makes is not known")
    if posixpath.basename(words[0]) == "manage.py":
        return of_django(call, step, build, words[1:])
    path = words[0]
    context, dockerfile = build.subject.context, build.subject.dockerfile
    source = text_of(dockerfile, context, step, path, folder_of(call))
    if source is None:
        return Effect(unknown=f"what {path} of line {step.line} makes is not known")
    found = [_of_text(one, call, step, build, path) for one in _read(context, source, path)]
    if unknown := next((one for one in found if one.unknown), None):
        return unknown
    makes = dict.fromkeys(path for one in found for path in one.makes)
    return Effect(tuple(makes))


def of_django(call: Call, step: Step, build: Build, words: list[str]) -> Effect:
    """Return what a command of Django's leaves behind: within the project, unless its settings say otherwise."""
    command = next((word for word in words if not word.startswith("-")), "")
    folder = folder_of(call)
    if command in _LOOKS:
        return NOTHING
    if command not in _STATIC | _WITHIN:
        return Effect(unknown=f"what manage.py {command} of line {step.line} makes is not known")
    if reason := next(_outside(build.subject.context, command), None):
        return Effect(unknown=reason)
    return in_folder(folder, f"manage.py {command}")


def _outside(context: Context, command: str) -> Iterator[str]:
    """Go through the settings by which Django may write outside of the project."""
    roots = [posixpath.dirname(path) for path in context.under("") if posixpath.basename(path) == "manage.py"]
    for path in context.under(""):
        name = posixpath.relpath(path, roots[0] or ".") if roots else path
        source = context.text(path) or "" if path.endswith(".py") and "settings" in path else ""
        if command in _STATIC:
            yield from (
                f"{path} has files put into {m[1].strip()[:60]}"
                for m in _ROOT.finditer(source)
                if _ABOVE.search(_plain(m[1]))
            )
        elif _DATABASE.search(source):
            yield f"{path} has a database outside of the project"
        for match in _BASE.finditer(source):
            numbers = [int(number) + 1 for number in _PARENT_NUMBER.findall(match[1])]
            if len(_PARENTS.findall(match[1])) + sum(numbers) > len(name.split("/")):
                yield f"{path} speaks of a folder above the project"


def _plain(expression: str) -> str:
    """Return an expression without the calls by which it leads to the project's own folder."""
    return re.sub(r"os\.path\.dirname\((?:os\.path\.(?:dirname|abspath)\()*__file__\)*", "", expression)


def _of_text(source: str, call: Call, step: Step, build: Build, what: str) -> Effect:
    if _HARMLESS.sub("", source).strip() == "":
        return NOTHING
    cache = f"{home_of(call, step, build)}/.cache"
    for pattern, name, below in _MODELS:
        if pattern.search(source):
            return Effect(makes=(f"{variable(name, call, step) or f'{cache}/{below}'}/",))
    if found := _ELSEWHERE.search(source):
        return Effect(unknown=f"what {what} of line {step.line} makes is not known, for it speaks of {found[0]}")
    folder = folder_of(call)
    odd = next((m[1] for m in _ABSOLUTE.finditer(source) if not f"{m[1]}/".startswith(f"{folder}/")), None)
    if odd:
        return Effect(unknown=f"what {what} of line {step.line} makes is not known, for it speaks of {odd}")
    return in_folder(folder, what)


def _read(context: Context, source: str, path: str) -> Iterator[str]:
    """Go through a script and the modules of the project that it imports, one step deep."""
    yield source
    beside = posixpath.dirname(path.removeprefix("./"))
    for name in dict.fromkeys(_IMPORTED.findall(source)):
        place = name.replace(".", "/")
        for candidate in (f"{place}.py", f"{place}/__init__.py", posixpath.join(beside, f"{place}.py")):
            if (found := context.text(candidate)) is not None:
                yield found


def script_words(call: Call) -> list[str]:
    """Return the words behind the interpreter, without those options that only change how it runs."""
    words = [text(word, call) for word in call.arguments]
    while words and words[0] in {"-u", "-B", "-E", "-I", "-O", "-OO", "-s", "-S", "-W"}:
        words = words[2:] if words[0] == "-W" else words[1:]
    return words
