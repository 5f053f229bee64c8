"""What a stage on a full image makes, step by step, and what its container starts."""

import posixpath
from collections.abc import Iterator

from msgspec import Struct, field
from msgspec.structs import replace

from optimizer.images import Variant, suite
from optimizer.model import BASE_WORKDIR, Stage, Step, mounts
from optimizer.shell import calls, parse_script
from optimizer.syntax import expand, variables_in
from optimizer.transforms._copies import brings_context, image_path, read_copy
from optimizer.transforms._runtime_needs import Need, started
from optimizer.transforms._transform import Subject
from optimizer.transforms.stages.effects import effect_of
from optimizer.transforms.stages.languages import languages_for
from optimizer.transforms.stages.nodes import Build, Effect, Language, Work
from optimizer.transforms.stages.paths import covers, is_left

_UNPACKED = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst")


_PLAIN_WORDS = frozenset({"", "root", "0"})


class _Files(Struct):
    """What is in the image so far, beyond what the base image brought."""

    copied: dict[str, str] = field(default_factory=dict)
    made: dict[str, bool] = field(default_factory=dict)  # whether it is certain to be there
    packages: dict[str, None] = field(default_factory=dict)

    def make(self, path: str, *, certain: bool) -> None:
        """Note a path; what was certain to be there stays so."""
        self.made[path] = certain or self.made.get(path, False)

    def remove(self, pattern: str, *, certain: bool) -> None:
        """Drop what is gone; what may be gone is no longer certain."""
        for path in [path for path in self.made if is_left(path, (pattern,))]:
            if certain and "*" not in pattern:
                del self.made[path]
            else:
                self.made[path] = False
        for path in [path for path in self.copied if is_left(path, (pattern,))]:
            del self.copied[path]
            if not certain or "*" in pattern:
                self.made[path] = False


def read_build(subject: Subject, stage: Stage, full: Variant) -> Build | str:
    """Return what a stage makes, or a clause that says what of it cannot be told."""
    last = stage.steps[-1].state
    if unsure := next((step for step in stage.body if _is_unsure(step)), None):
        return f"line {unsure.line} names a path by a build argument"
    workdir = _final_workdir(stage, full)
    if workdir is None:
        return "the working directory is not known"
    start = _start(stage)
    start = _server_of(full) if start is None else start
    if start is None:
        return "no CMD or ENTRYPOINT says what a container of this image starts"
    needs: list[Need] = []
    for found in started(subject.dockerfile, subject.context, stage.index):
        if not isinstance(found, Need):
            return found.reason
        needs.append(found)
    release = suite(full) or next(reversed(full.words), "")
    env = {**last.inherited, **last.env}
    build = Build(subject, stage, full, release, workdir, env, {}, (), tuple(needs), start)
    return _with_works(build, languages_for(full.image))


def _is_unsure(step: Step) -> bool:
    """Tell whether where a step works, or copies to, hangs on what the build is given."""
    words = step.instruction.arguments if step.name in {"WORKDIR", "COPY", "ADD"} else ()
    names = variables_in(words[-1], step.instruction.escape) if words else frozenset[str]()
    return any(name not in step.state.inherited and step.state.sure.get(name) is None for name in names)


def _final_workdir(stage: Stage, full: Variant) -> str | None:
    last = stage.steps[-1]
    found = last.state.workdir
    if last.name == "WORKDIR":
        word = last.state.word(last.instruction.value.text.strip())
        found = None if word is None else image_path(word, found)
    if found is None or found.startswith(BASE_WORKDIR):
        base = expand(full.facts.workdir, full.facts.env) if full.facts and full.facts.workdir else None
        if base is None:
            return "/" if full.facts and found is None else None
        return posixpath.normpath(posixpath.join(base, (found or "").removeprefix(BASE_WORKDIR).lstrip("/")))
    return found


def _server_of(full: Variant) -> tuple[str, ...] | None:
    """Return the server that an image of PHP starts by itself; those of other languages talk to whoever starts them."""
    command = full.facts.command if full.image == "php" and full.facts else ()
    return command if command and "-a" not in command else None


def _start(stage: Stage) -> tuple[str, ...] | None:
    """Return the words of ENTRYPOINT and CMD, `()` where a shell works them out, None where there is neither."""
    last = {step.name: step for step in stage.body if step.name in {"CMD", "ENTRYPOINT"}}
    if not last:
        return None
    entrypoint, command = last.get("ENTRYPOINT"), last.get("CMD")
    if entrypoint is not None and entrypoint.instruction.json is None:
        return _words(entrypoint)
    if entrypoint is None and command is not None:
        return _words(command)
    behind = () if command is None else command.instruction.json
    return () if behind is None or entrypoint is None else (*(entrypoint.instruction.json or ()), *behind)


def _words(step: Step) -> tuple[str, ...]:
    if step.instruction.json is not None:
        return step.instruction.json
    found = calls(parse_script(step.instruction.value.text), step.state.workdir, {**step.state.sure})
    values = [word.value for word in found[0].words] if len(found) == 1 else []
    return tuple(value for value in values if value is not None) if values and None not in values else ()


def _with_works(build: Build, languages: tuple[Language, ...]) -> Build | str:
    files, works, folders = _Files(), list[Work](), list[str]()
    there = set[str]()
    build = replace(build, copied=files.copied, there=there)  # as they grow
    for step in build.stage.body:
        there.add(step.state.workdir or "/")
        if step.instruction.problem:
            return step.instruction.problem
        if step.run is not None:
            work = _work(step, build, languages, there)
            if isinstance(work, str):
                return work
            works.append(work)
            _apply(work, files)
        elif step.name in {"COPY", "ADD"}:
            copied = _copy(step, build, files, folders)
            if isinstance(copied, str):
                return copied
            works += copied
    made = tuple(path for path, certain in files.made.items() if certain)
    perhaps = tuple(path for path, certain in files.made.items() if not certain)
    return replace(
        build,
        copied=files.copied,
        folders=tuple(dict.fromkeys(folders)),
        works=tuple(works),
        made=made,
        perhaps=perhaps,
        packages=frozenset(files.packages),
    )


def _work(step: Step, build: Build, languages: tuple[Language, ...], there: set[str]) -> Work | str:
    run = step.run
    if run is None or run.script.problem or not step.state.is_posix:
        reason = run.script.problem if run else None
        return reason or f"the RUN of line {step.line} is not understood"
    hidden = [mount.target for mount in mounts(step) if mount.target]
    effects = []
    for bare in run.calls:
        call = replace(bare, variables={**step.state.inherited, **step.state.sure, **bare.variables})
        found = next((e for one in languages if (e := one.effect(call, step, build)) is not None), None)
        effect = effect_of(call, step, build) if found is None else found
        if effect.unknown:
            return effect.unknown
        there.update(effect.makes if call.program == "mkdir" and call.certain else ())
        seen = tuple(p for p in effect.makes if not any(covers(f"{target}/", p) for target in hidden))
        effects.append((call, replace(effect, makes=seen) if seen != effect.makes else effect))
    return Work(step, tuple(effects))


def _apply(work: Work, files: _Files) -> None:
    for call, effect in work.effects:
        certain = call is None or call.certain
        for pattern in effect.removes:
            files.remove(pattern, certain=certain)
        if not effect.again:
            for path in effect.makes:
                files.make(path, certain=certain)
        for name in effect.packages:
            if name.endswith("-"):
                files.packages.pop(name.removesuffix("-"), None)
            else:
                files.packages[name] = None


def _copy(step: Step, build: Build, files: _Files, folders: list[str]) -> list[Work] | str:
    """Note what a COPY or ADD brings; one from another image is a work of its own."""
    if not brings_context(step):
        return _from_elsewhere(step, files)
    copied = read_copy(step, build.subject.context)
    if isinstance(copied, str) and (path := _one_file(step, build)):
        files.make(path, certain=True)  # or a folder that has the file: copied by this name, it is the same
        return [Work(step, ((None, Effect(makes=(path,))),))]
    if isinstance(copied, str):
        return _downloaded(step, files) if step.name == "ADD" and "://" in step.instruction.value.text else copied
    if any(one.destination.startswith(BASE_WORKDIR) for one in copied.placed):
        return "the working directory is not known"
    folders += [one.destination for one in copied.placed if one.folder]
    for source, path in copied.pairs(build.subject.context):
        if step.name == "ADD" and source.endswith(_UNPACKED):
            return f"what the ADD of line {step.line} unpacks is not known"
        files.copied[path] = source
        files.made.pop(path, None)
    return []


def _one_file(step: Step, build: Build) -> str | None:
    """Return where a COPY of one file goes, whatever name that is; None for any other COPY."""
    words = [step.state.word(word) for word in step.instruction.arguments]
    if step.name != "COPY" or len(words) != 2 or None in words or step.instruction.flags:  # noqa: PLR2004
        return None
    source, target = (word or "" for word in words)
    context = build.subject.context
    path = image_path(target, step.state.workdir)
    single = len(context.match(source)) == 1 and context.is_file(context.match(source)[0])
    return path if single and not path.startswith(BASE_WORKDIR) else None


def _from_elsewhere(step: Step, files: _Files) -> list[Work] | str:
    words = [step.state.word(word) for word in step.instruction.arguments]
    if step.instruction.heredocs or len(words) != 2 or None in words:  # noqa: PLR2004 - a source and its destination
        return f"what the {step.name} of line {step.line} brings is not known"
    source, target = (word or "" for word in words)
    path = image_path(target, step.state.workdir)
    if target.endswith("/") or path == step.state.workdir:
        path = posixpath.join(path, posixpath.basename(source))
    if path.startswith(BASE_WORKDIR) or source.endswith("/") or source == ".":
        return f"what the {step.name} of line {step.line} brings is not known"
    files.make(path, certain=True)
    return [Work(step, ((None, Effect(makes=(path,))),))]


def _downloaded(step: Step, files: _Files) -> list[Work] | str:
    words = [step.state.word(word) for word in step.instruction.arguments]
    if len(words) != 2 or None in words:  # noqa: PLR2004 - a source and its destination
        return f"what the ADD of line {step.line} brings is not known"
    source, target = (word or "" for word in words)
    path = image_path(target, step.state.workdir)
    if target.endswith("/") or path == step.state.workdir:
        path = posixpath.join(path, posixpath.basename(source.partition("?")[0]))
    files.make(path, certain=True)
    return [Work(step, ((None, Effect(makes=(path,))),))]


def users(stage: Stage) -> Iterator[Step]:
    """Go through the USERs of a stage that name another user than root."""
    return (step for step in stage.body if step.name == "USER" and step.instruction.value.text not in _PLAIN_WORDS)
