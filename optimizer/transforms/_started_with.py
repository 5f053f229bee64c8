"""Whether what a container starts may need a package that is for development only."""

import posixpath
import re
import shlex
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from optimizer.context import Context
from optimizer.ecosystems._development import Development
from optimizer.ecosystems._python import normal_name
from optimizer.model import Dockerfile, Step
from optimizer.shell import SHELLS, Call, Word, calls, parse_script
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._programs import PROGRAMS
from optimizer.transforms._scripts import program_text, script_path

# Python packages that check, test and build, and that no program imports.
_TOOLS = lazy_pattern(
    r"pytest.*|black|ruff|mypy|types-.*|.*-stubs|flake8.*|pep8.*|pylint.*|pyflakes|pycodestyle|pydocstyle|isort|pre-commit"
    r"|coverage|tox.*|nox|sphinx.*|mkdocs.*|bandit|safety|pip-audit|autopep8|yapf|pyright|basedpyright|autoflake|twine"
    r"|bump.*|commitizen|hypothesis|poethepoet|taskipy|vulture|radon|interrogate|codespell|ipdb|pdbpp"
)
_CODE = lazy_pattern(r".*\.(?:[cm]?[jt]sx?|vue|svelte|json5?)")
_BESIDE = lazy_pattern(
    r"(?:.*/)?(?:node_modules|tests?|__tests__|__mocks__|specs?|e2e|cypress|\.storybook|\.github|\.vscode)/.*"
    r"|.*\.(?:test|spec|stories|d)\.[cm]?[jt]sx?|(?:.*/)?\.[\w-]+rc(?:\.[cm]?js|\.json)?"
    r"|(?:.*/)?(?:jest|babel|webpack|rollup|vite|vitest|karma|eslint|prettier|tailwind|postcss|commitlint|lint-staged"
    r"|playwright|cypress|tsup|stylelint|gulpfile|[gG]runtfile|tsconfig|package|package-lock)[\w.-]*\.(?:[cm]?[jt]s|json)"
)
_SERVERS = frozenset({"next", "serve", "http-server", "pm2-runtime", "json-server"})
_NODE_FLAGS = lazy_pattern(
    r"--(?:max-old-space-size|max-http-header-size|stack-size|trace-[\w-]+|unhandled-rejections|enable-source-maps"
    r"|no-warnings|no-deprecation|optimize-for-size|experimental-modules|dns-result-order)(?:=[\w.-]+)?"
)
_PROBES = frozenset({"curl", "wget", "nc", "true", "exit", "test", "[", "pgrep", "grep", "cat", "echo", "false"})
_WRAPPERS = frozenset(
    {"tini", "/sbin/tini", "/usr/bin/tini", "dumb-init", "/usr/bin/dumb-init", "/usr/local/bin/dumb-init"}
)
_RUNNERS = {"npm": {"run", "run-script"}, "yarn": {"run"}, "pnpm": {"run"}}
# What a start script does beside starting the program: nothing of it comes with a package of the project.
_ASIDE = frozenset(name for name, program in PROGRAMS.items() if program.subcommands is None and not program.at_home)
_ASIDE |= _PROBES | {"find", "basename", "dirname", "readlink", "envsubst", "awk", "mktemp", "seq", "date", "[["}
_ARGUMENTS = frozenset({'"$@"', "$@", '"${@}"', "${@}", "$*", '"$*"'})
_SHEBANG = lazy_pattern(r"#!\s*(?:\S*/env\s+)?\S*?(?:ba|da|a)?sh\b")
_DEPTH = 5
_DATA = 5_000_000  # bytes from which on a file is data, not code


def why_started(dockerfile: Dockerfile, context: Context, stage: int, found: Development) -> str | None:
    """Say what CMD, ENTRYPOINT, HEALTHCHECK or the sources may need of `found.names`, None where nothing shows it."""
    lineage = dockerfile.lineage(stage)
    last = {
        s.name: s for s in dockerfile.steps if s.stage in lineage and s.name in {"CMD", "ENTRYPOINT", "HEALTHCHECK"}
    }
    if any("NODE_OPTIONS" in {**s.state.env, **s.state.args} for s in last.values()):
        return "what NODE_OPTIONS loads is not known"
    start = _start(last)
    if isinstance(start, str):
        return start
    script_of = _Scripts(dockerfile, context, max(last.values(), key=lambda step: step.index))
    for call in start:
        if reason := _why_started(call, found, script_of, _DEPTH):
            return reason
    for call in _checks(last.get("HEALTHCHECK")):
        if call.program not in _PROBES and (reason := _why_started(call, found, script_of, _DEPTH)):
            return reason
    return _why_sources(context, found)


class _Scripts(Struct, frozen=True):
    """Finds the shell scripts of the build context that a container starts."""

    dockerfile: Dockerfile
    context: Context
    step: Step

    def __call__(self, call: Call) -> str | None:
        """Return the text of the shell script that a call runs, None where it runs none of the context's."""
        if call.program not in SHELLS and call.program != "source":
            path = call.words[0].value
            text = program_text(self.dockerfile, self.context, self.step, path) if path else None
            return text if text and _SHEBANG.match(text) else None
        path = script_path(call)
        return program_text(self.dockerfile, self.context, self.step, posixpath.join(".", path)) if path else None


def _why_started(call: Call, found: Development, script_of: _Scripts, depth: int) -> str | None:
    """Say what a program that the container starts may need, also through shell scripts of the context."""
    text = script_of(call)
    if text is None:
        return _why_call(call, found, depth)
    path = (call.words[1] if call.program in SHELLS else call.words[0]).text
    script = parse_script(text)
    if script.problem or depth == 0:
        return f"the script {path} is not understood"
    words = call.words[2:] if call.program in SHELLS else call.arguments
    for inner in calls(script, None, {}):
        for started in _passed_on(inner, words):
            if reason := _why_started(started, found, script_of, depth - 1):
                return f"the script {path}: {reason}"
    return None


def _passed_on(call: Call, given: tuple[Word, ...]) -> Iterator[Call]:
    """Go through what a call in a script really starts: `"$@"` is what the script was given, or set for itself."""
    words = call.words
    if call.program == "set" and "--" in {word.value for word in words}:
        words = words[[word.value for word in words].index("--") + 1 :]
        if words and words[0].text not in _ARGUMENTS:
            yield replace(call, words=words, program=posixpath.basename(words[0].value or words[0].text))
    elif words[0].text in _ARGUMENTS:
        if words := words[1:] or given:
            yield replace(call, words=words, program=posixpath.basename(words[0].value or words[0].text))
    elif not (call.own or call.program in _ASIDE):
        yield call


def _start(last: dict[str, Step]) -> tuple[Call, ...] | str:
    """Return the programs that the container starts, or why they cannot be told."""
    entry, command = last.get("ENTRYPOINT"), last.get("CMD")
    if entry is not None and entry.instruction.json is None:
        text = entry.instruction.value.text
    else:
        if command is None and not (entry and entry.instruction.json):
            return "how the container starts is not known"
        words = list(entry.instruction.json or ()) if entry else []
        if words[:1] and words[0] in _WRAPPERS:
            words = [word for word in words[1:] if not word.startswith("-")]
        text = shlex.join(words)
        if command is not None:
            inner = command.instruction.json
            text += f" {command.instruction.value.text if inner is None else shlex.join(inner)}"
            if inner is None and words:
                return f"the ENTRYPOINT of line {entry.line if entry else 0} is handed a shell"
    script = parse_script(text.strip())
    found = () if script.problem else calls(script, None, {})
    return found or f"how the container starts is not understood: {text.strip()[:60]}"


def _checks(step: Step | None) -> tuple[Call, ...]:
    if step is None or step.instruction.value.text.strip().upper() == "NONE":
        return ()
    listed = step.instruction.json
    text = shlex.join(listed) if listed is not None else step.instruction.value.text.strip()[len("CMD") :]
    return calls(parse_script(text), None, {})


def _why_call(call: Call, found: Development, depth: int) -> str | None:
    words = [word.value if word.value is not None else word.text for word in call.words]
    name = call.program
    if name in {"python", "python3"} or re.fullmatch(r"python3?\.\d+", name):
        return _why_python(words, found)
    if name == "uv":
        return "uv run installs the development dependencies when it starts"
    if name == "poetry" and words[1:2] == ["run"] and len(words) > 2:  # noqa: PLR2004 - a program follows
        return _why_program(words[2], found) if words[2] != "python" else _why_python(words[2:], found)
    if name in {"node", "nodejs"}:
        return _why_node(words)
    if name in _RUNNERS or name == "npx":
        return _why_script(words, found, depth)
    if name in {"cd", "export", "set", "echo", "exec", ":"}:
        return None
    return _why_program(name, found)


def _why_node(words: list[str]) -> str | None:
    rest = words[1:]
    while rest and rest[0].startswith("-"):
        if not _NODE_FLAGS.fullmatch(rest[0]):
            return f"what node's option {rest[0]} loads is not known"
        rest = rest[1:]
    if not rest or rest[0].endswith((".ts", ".tsx", ".mts")) or "node_modules" in rest[0]:
        return f"what node runs is not known: {' '.join(words)[:60]}"
    return None


def _why_script(words: list[str], found: Development, depth: int) -> str | None:
    """Look into the script of the package.json that is started, and those around it."""
    name = words[2] if words[1:2] and words[1] in _RUNNERS.get(words[0], ()) and words[2:] else "".join(words[1:2])
    if words[0] == "npx" or depth == 0 or name not in found.scripts:
        if name in found.names or name in _SERVERS:
            return _why_program(name, found)
        return f"what {' '.join(words)[:60]} starts is not known"
    for each in (f"pre{name}", name, f"post{name}"):
        script = parse_script(found.scripts.get(each, ""))
        if script.problem:
            return f"the script {each} is not understood"
        for call in calls(script, None, {}):
            if reason := _why_call(call, found, depth - 1):
                return f"the script {each}: {reason}"
    return None


def _why_python(words: list[str], found: Development) -> str | None:
    if words[1:2] == ["-m"] and len(words) > 2:  # noqa: PLR2004 - a module follows
        return _why_program(words[2].partition(".")[0], found) if normal_name(words[2]) in found.names else None
    return None


def _why_program(name: str, found: Development) -> str | None:
    if name in found.names or normal_name(name) in found.names:
        return f"{name} is a development dependency"
    if name in _SERVERS and name in found.others:
        return None
    if name.lower() in found.others and not found.scripts:
        return None
    return f"which package {name} comes from is not known"


def _why_sources(context: Context, found: Development) -> str | None:
    """Say which package the sources may load by its name."""
    if found.flag in {"--no-dev", "--only main"}:
        odd = next((name for name in sorted(found.names) if not _TOOLS.fullmatch(name)), None)
        return f"whether the program imports {odd} is not known" if odd else None
    names = [re.escape(name) for name in found.names if not name.startswith("@types/")]
    if not names:
        return None
    quoted = re.compile(rf"[\"'`]({'|'.join(sorted(names))})(?:/[^\"'`\s]*)?[\"'`]")
    for path, text in _sources(context):
        if match := quoted.search(text):
            return f"{path} speaks of {match[1]}, a development dependency"
    return None


def _sources(context: Context) -> Iterator[tuple[str, str]]:
    for path in context.under(""):
        if _CODE.fullmatch(path) and not _BESIDE.fullmatch(path) and context.size(path) < _DATA:
            yield path, context.text(path) or ""
