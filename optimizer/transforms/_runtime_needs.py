"""Which programs a build and its container start, as far as the Dockerfile and the build context tell.

    for need in needs_of(dockerfile, context, stages): ...

Each is a program with the place that starts it, in source order, or says what cannot be told. The instructions, the
scripts of the context that they start, and the scripts of package.json are read; `_mentioned` looks into sources.
"""

import posixpath
import shlex
from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from optimizer.context import Context
from optimizer.context.manifests import json_file, table
from optimizer.ecosystems.apt import ECOSYSTEM as APT
from optimizer.images.packages import brought_by
from optimizer.model import BASE_WORKDIR, Dockerfile, Step
from optimizer.shell import SHELLS, Call, calls, parse_script, resolve
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._scripts import program_text, script_path, text_of

STARTS = frozenset({"CMD", "ENTRYPOINT", "HEALTHCHECK"})
_DEPTH = 6
_SHEBANG = lazy_pattern(r"#!\s*(?:\S*/env\s+(?:-S\s+)?)?(\S+)")
_SHELL_NAMES = lazy_pattern(r"(?:\S*/)?(?:ba|da|a|k|z)?sh")
_GIVEN = frozenset({'"$@"', "$@", '"${@}"', "${@}", "$*", '"$*"', '"$1"', "$1"})
# Programs that start others which stand in files of their own.
_OPAQUE = frozenset(
    "circusd cron crond doit fab foreman honcho init inv invoke just monit pm2 runit runsvdir s6-svscan service "
    "supervisord systemctl task".split()
)
_BUILT_IN = frozenset(
    "[ [[ : . alias bg cd command echo eval exec exit export false fg hash jobs kill let local printf pwd read return "
    "set shift source test times trap true type ulimit umask unset wait".split()
)
_RUNNERS = frozenset({"npm", "yarn", "pnpm", "bun"})
_OWN_VERBS = frozenset("start test stop restart".split())
_LIFECYCLE = ("preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare")
_INSTALLS = frozenset({"install", "i", "ci", "add", "clean-install"})
_MANAGERS = lazy_pattern(r"pip[\d.]*|poetry|pipenv|uv|pdm|npm|pnpm|yarn|bun")
_ASKED = frozenset({"install", "i", "ci", "add", "sync"})
_BROUGHT_ALONG = {
    "ansible-playbook": {"ssh"},
    "apt-key": {"gpg"},
    "bower": {"git"},
    "cmake-js": {"make"},
    "dvc": {"git"},
    "node-gyp": {"make", "python3"},
    "node-pre-gyp": {"make", "python3"},
    "pre-commit": {"git"},
}
_SETS_VARIABLES = lazy_pattern(r".*/bin/activate|/etc/(?:os-release|environment|profile|default/locale)|.*/\.env|\.env")
_SCRIPTS = (".sh", ".bash")
_HANDS_ON = frozenset("catatonit dumb-init env gosu su-exec tini".split())
_VERSION = lazy_pattern(r"[=/:]")
_UNPACKED = ((".xz", "xz"), (".txz", "xz"), (".bz2", "bzip2"), (".tbz", "bzip2"), (".tbz2", "bzip2"), (".lzma", "xz"))


class Need(Struct, frozen=True):
    """A program that is started: its name or path as written, and the place that starts it."""

    program: str
    place: str
    stage: int
    index: int  # of the step, so that what is installed before can be told
    installs: bool = False  # whether it is a package manager of a language that is to install something

    @property
    def name(self) -> str:
        """The name without folders."""
        return posixpath.basename(self.program)


class Unknown(Struct, frozen=True):
    """What cannot be told; `reason` is a clause for a decline, `index` that of the step that it is about."""

    reason: str
    index: int


Found = Need | Unknown


def needs_of(dockerfile: Dockerfile, context: Context, stages: Iterable[int]) -> Iterator[Found]:
    """Go through what the steps of some stages start when they build, and when a container of them runs."""
    for stage in sorted(stages):
        for step in dockerfile.stages[stage].body:
            if step.name == "ONBUILD":
                yield Unknown(f"the ONBUILD of line {step.line} runs in builds that are not here", step.index)
            if step.run is not None:
                yield from _of_run(dockerfile, context, step)
            elif step.name in STARTS:
                yield from _of_start(dockerfile, context, step)


def started(dockerfile: Dockerfile, context: Context, stage: int) -> Iterator[Found]:
    """Go through what a container of a stage starts: ENTRYPOINT and CMD as one command, and HEALTHCHECK.

    A path that no COPY brings is a program that the build makes, and which starts what the caller knows of it.
    """
    lineage = dockerfile.lineage(stage)
    last = {step.name: step for step in dockerfile if step.stage in lineage and step.name in STARTS}
    entrypoint, command = last.get("ENTRYPOINT"), last.get("CMD")
    if entrypoint and command and entrypoint.instruction.json is not None:
        behind = command.instruction.json
        if behind is None:
            reason = f"what {command.name} of line {command.line} hands to the ENTRYPOINT is not understood"
            yield Unknown(reason, command.index)
            return
        words = (*entrypoint.instruction.json, *behind)
        last["ENTRYPOINT"] = replace(entrypoint, instruction=replace(entrypoint.instruction, json=words))
        if not _is_script(entrypoint.instruction.json[0] if entrypoint.instruction.json else ""):
            del last["CMD"]
    elif entrypoint:
        last.pop("CMD", None)
    for step in last.values():
        yield from _of_start(dockerfile, context, step, built=True)


def _is_script(program: str) -> bool:
    """Tell whether a program is one that may start the words that it is given."""
    return program.endswith(_SCRIPTS) or "entrypoint" in program or posixpath.basename(program) in _HANDS_ON


def installed(dockerfile: Dockerfile, stage: int, release: str, until: int | None = None) -> frozenset[str]:
    """Return the Debian packages that a stage and those it stands on install, with what is known to come along.

    With `until`, those of the steps up to that one.
    """
    lineage = dockerfile.lineage(stage)
    found: set[str] = set()
    for step in dockerfile.steps if until is None else dockerfile.steps[: until + 1]:
        for call in step.run.calls if step.run and step.stage in lineage else ():
            names = _packages(call)
            if APT.installs(call) and call.certain:
                found = found.union(*(brought_by(name, release) for name in names))
            elif call.program in APT.programs and {"remove", "purge"} & names:
                found = found.difference(*(brought_by(name, release) for name in names))
    return frozenset(found)


def _packages(call: Call) -> frozenset[str]:
    """Return the words of a call of apt that may be packages, without versions and architectures."""
    return frozenset(_VERSION.split(word.value, maxsplit=1)[0] for word in call.arguments if word.value)


def _of_run(dockerfile: Dockerfile, context: Context, step: Step) -> Iterator[Found]:
    run = step.run
    if run is None or run.script.problem or run.form == "stdin" or not step.state.is_posix:
        yield Unknown(f"the RUN of line {step.line} is not understood", step.index)
        return
    reader = _Reader(dockerfile, context, step, f"the RUN of line {step.line}")
    for call in run.calls:
        yield from reader.of_call(call, _DEPTH)


def _of_start(dockerfile: Dockerfile, context: Context, step: Step, *, built: bool = False) -> Iterator[Found]:
    text = _started_text(step)
    if not text:
        return
    script = parse_script(text)
    found = () if script.problem else calls(script, step.state.workdir or BASE_WORKDIR, {**step.state.env})
    place = f"the {step.name} of line {step.line}"
    if not found:
        yield Unknown(f"what {place} starts is not understood", step.index)
    reader = _Reader(dockerfile, context, step, place, built)
    for call in found:
        yield from reader.of_call(call, _DEPTH)
    words = step.instruction.json
    if words and posixpath.basename(words[0]) in {"tini", "dumb-init", "catatonit"}:
        behind = [word for word in words[1:] if not word.startswith("-")]
        for call in calls(parse_script(shlex.join(behind)), step.state.workdir, {}) if behind else ():
            yield from reader.of_call(call, _DEPTH)


def _started_text(step: Step) -> str:
    listed = step.instruction.json
    if listed is not None:
        return shlex.join(listed)
    text = step.instruction.value.text.strip()
    if step.name == "HEALTHCHECK":
        text = "" if text.upper() == "NONE" else text.removeprefix("CMD").strip()
    return text


def _installs(call: Call) -> bool:
    words = [call.program, *(word.value or "" for word in call.arguments if not word.text.startswith("-"))]
    if words[0].startswith("python") and "-m" in {word.text for word in call.arguments[:1]}:
        words = words[1:]
    verb = "".join(words[1:2])
    return bool(words) and bool(_MANAGERS.fullmatch(words[0])) and (verb in _ASKED or (words[0] == "yarn" and not verb))


class _Reader(Struct, frozen=True):
    """Follows the calls of one step through the scripts of the build context."""

    dockerfile: Dockerfile
    context: Context
    step: Step
    place: str
    built: bool = False  # whether a path that is not in the context is what the build makes

    def _unknown(self, reason: str) -> Unknown:
        return Unknown(reason, self.step.index)

    def of_call(self, call: Call, depth: int, place: str | None = None) -> Iterator[Found]:
        """Go through what a call starts."""
        place = place or self.place
        word = call.words[0]
        if call.own or word.text in _GIVEN or call.program in {"set", ""}:
            return
        program = word.value if word.value is not None else resolve(word, call.variables)
        if program is None:
            yield self._unknown(f"{place} starts {word.text[:40]}, which is not known")
            return
        if depth == 0 or posixpath.basename(program) in _OPAQUE:
            yield self._unknown(f"what {program} starts is not known ({place})")
            return
        if call.program not in _BUILT_IN:
            yield Need(program, place, self.step.stage, self.step.index, _installs(call))
        yield from self._implied(call, place)
        yield from self._scripts(call, program, depth, place)

    def _implied(self, call: Call, place: str) -> Iterator[Found]:
        """Go through the programs that a known program starts in turn."""
        texts = [word.value if word.value is not None else word.text for word in call.arguments]
        names: set[str] = set()
        if call.program in {"command", "which", "type", "hash"}:
            names |= {text for text in texts if not text.startswith("-")}
        if call.program == "tar":
            clusters = "".join(text for text in texts[:1] if not text.startswith("--")) + "".join(
                text for text in texts[1:] if text.startswith("-") and not text.startswith("--")
            )
            names |= {"xz"} if "J" in clusters else set()
            names |= {"bzip2"} if "j" in clusters else set()
            names |= {program for end, program in _UNPACKED for text in texts if text.endswith(end)}
        names |= _BROUGHT_ALONG.get(call.program, set())
        if any(text.startswith(("git+", "git://")) or "@ git+" in text for text in texts):
            names.add("git")
        if any(text.startswith("hg+") for text in texts):
            names.add("hg")
        yield from (Need(name, place, self.step.stage, self.step.index) for name in sorted(names))

    def _scripts(self, call: Call, program: str, depth: int, place: str) -> Iterator[Found]:
        path = script_path(call)
        if call.program == "source":
            yield from self._sourced(call, depth, place)
        elif path == "" and call.program in SHELLS:
            yield self._unknown(f"{place} runs a script that is not known")
        elif path:
            yield from self._of_script(path, call, depth, place)
        elif call.program in _RUNNERS:
            yield from self._of_manifest(call, depth, place)
        elif (text := program_text(self.dockerfile, self.context, self.step, program)) is not None:
            yield from self._of_text(program, text, depth, place)

    def _sourced(self, call: Call, depth: int, place: str) -> Iterator[Found]:
        """Go through what a file that the shell reads starts; those of the system and of environments set variables."""
        path = resolve(call.words[1], call.variables) if len(call.words) > 1 else None
        if path is None:
            yield self._unknown(f"{place} reads a script that is not known")
        elif not _SETS_VARIABLES.fullmatch(path):
            yield from self._of_script(path, call, depth, place)

    def _of_script(self, path: str, call: Call, depth: int, place: str) -> Iterator[Found]:
        text = text_of(self.dockerfile, self.context, self.step, path, call.directory)
        if text is None:
            text = program_text(self.dockerfile, self.context, self.step, path)
        if text is None:
            # Scripts that the image itself brings are the same in its variants.
            if not self.built and not path.startswith("/usr/local/bin/docker-"):
                yield self._unknown(f"{place} runs {path}, which is not in the build context")
            return
        yield from self._of_text(path, text, depth, place)

    def _of_text(self, path: str, text: str, depth: int, place: str) -> Iterator[Found]:
        shebang = _SHEBANG.match(text)
        if shebang:
            yield Need(shebang[1], f"the script {path}", self.step.stage, self.step.index)
        elif not path.endswith((".sh", ".bash")):
            if "/" in path or "\0" in text:
                yield self._unknown(f"what {path} is cannot be told ({place})")
            return
        if shebang and not _SHELL_NAMES.fullmatch(shebang[1]):
            return
        script = parse_script(text)
        if script.problem:
            yield self._unknown(f"the script {path} is not understood")
            return
        for call in calls(script, self.step.state.workdir, {}):
            yield from self.of_call(call, depth - 1, f"the script {path}")

    def _of_manifest(self, call: Call, depth: int, place: str) -> Iterator[Found]:
        """Go through the scripts of package.json that npm and its kin run."""
        words = [word.value or "" for word in call.arguments]
        names = [word for word in words if not word.startswith("-")]
        manifest = self._manifest(call)
        if not names and call.program == "yarn":
            names = ["install"]
        if not names or ("-g" in words or "--global" in words or names[0] == "global"):
            return
        scripts = table(manifest, "scripts")
        if names[0] in _INSTALLS:
            wanted: tuple[str, ...] = () if "--ignore-scripts" in words or names[1:] else _LIFECYCLE
        else:
            name = names[1] if names[0] in {"run", "run-script"} and names[1:] else names[0]
            wanted = (f"pre{name}", name, f"post{name}")
            if manifest is None:
                yield self._unknown(f"{place} runs a script of a package.json that is not known")
                return
            if name not in scripts and name not in _OWN_VERBS:
                return
        for name in wanted:
            yield from self._of_npm_script(name, scripts.get(name), depth)

    def _of_npm_script(self, name: str, text: object, depth: int) -> Iterator[Found]:
        if not isinstance(text, str) or not text:
            return
        script = parse_script(text)
        if script.problem:
            yield self._unknown(f"the script {name} of package.json is not understood")
            return
        for call in calls(script, self.step.state.workdir, {}):
            yield from self.of_call(call, depth - 1, f"the script {name} of package.json")

    def _manifest(self, call: Call) -> object | None:
        text = text_of(self.dockerfile, self.context, self.step, "package.json", call.directory)
        if text is None and self.step.run is None:
            text = text_of(self.dockerfile, self.context, self.step, "package.json", self.step.state.workdir)
        if text is None:
            return json_file(self.context, "package.json")
        from json import JSONDecodeError, loads

        try:
            return table(loads(text))
        except JSONDecodeError:
            return None
