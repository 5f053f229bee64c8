"""Which of the things that no program needs may be left out of a build, and why others may not."""

import re
from collections.abc import Iterator, Sequence
from posixpath import basename, dirname, join

from msgspec import Struct

from optimizer.context import IGNORE_FILE, Context
from optimizer.model import Dockerfile, Step
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._copies import brings_context
from optimizer.transforms._finding import Decline
from optimizer.transforms._node_modules import NAME as NODE_MODULES
from optimizer.transforms._node_modules import has_its_own, installed, node_modules, within
from optimizer.transforms._unneeded import Unneeded, spoken, unneeded

_DOCKERFILES = lazy_pattern(r"(.*/)?((Dockerfile|Containerfile)(\.[^/]*)?|[^/]*\.[Dd]ockerfile)")
_NODE_INSTALL = lazy_pattern(r"\b(npm|yarn|pnpm|bun)\b")
_COPIED = lazy_pattern(r"^[ \t]*(?:COPY|ADD)\s+((?:--\S+\s+)*)(\S.*)[ \t]\S+[ \t]*$", re.MULTILINE | re.IGNORECASE)
_WHOLE_COPY = lazy_pattern(r"^[ \t]*(COPY|ADD)\s+(--\S+\s+)*\[?\"?\./?\"?[\s,]", re.MULTILINE | re.IGNORECASE)
_GIT_FILES = (".gitignore", ".gitattributes")  # build tools read them: hatchling, Tailwind, formatters


class Build(Struct, frozen=True):
    """A Dockerfile in its context, with the COPYs that bring whole folders."""

    dockerfile: Dockerfile
    context: Context
    broad: tuple[tuple[Step, str], ...]
    patterns: tuple[tuple[int, str], ...]  # all other sources of COPY and ADD, with their lines

    @classmethod
    def of(cls, dockerfile: Dockerfile, context: Context) -> "Build | Decline":
        """Read the COPYs; a decline where one cannot be read."""
        broad: list[tuple[Step, str]] = []
        patterns: list[tuple[int, str]] = []
        for step in dockerfile.steps:
            for source in _sources(step, dockerfile.document.escape) if brings_context(step) else ():
                if source is None:
                    return Decline(step.line, f"what the {step.name} brings depends on variables that are not known")
                folders = [path for path in context.match(source) if context.is_dir(path)]
                if folders and not re.search(r"[*?\[]", source):
                    broad.append((step, folders[0]))
                else:
                    patterns.append((step.line, source))
        return cls(dockerfile, context, tuple(broad), tuple(patterns))

    @property
    def folders(self) -> tuple[str, ...]:
        """The outermost folders that are brought whole."""
        found = {folder for _, folder in self.broad}
        return tuple(sorted(f for f in found if not any(f != o and (not o or f.startswith(o + "/")) for o in found)))

    def findings(self) -> list[Unneeded | Decline]:
        """Return what to leave out (nothing where that is not worth a change), and why other things stay."""
        found = [*self._git(), *self._modules(), *self._candidates()]
        free = [one for one in found if isinstance(one, Unneeded)]
        declines = [one for one in found if isinstance(one, Decline)]
        if not any(one.settles and one.paths for one in free):
            return [*declines]
        speakers = _speakers(self.context, tuple(sorted({(one.name, one.speech) for one in free if one.speech})))
        spoken_of = (one for one in free if one.settles and one.speech in speakers)
        declines += [self._stays(one.name, f"{speakers[one.speech]} names it") for one in spoken_of]
        return [*declines, *(one for one in free if one.speech not in speakers)]

    @property
    def is_fresh(self) -> bool:
        """Whether there is no ignore file yet; one that is there gets only what matters."""
        return self.context.read_bytes(self.context.ignore_path) is None

    def why_kept(self, path: str, made_in: int) -> str | None:
        """Say who takes a path from the build context that an install of the stage `made_in` makes anew."""
        name = basename(path)
        makers = {made_in, *(stage for stage, at in installed(self.dockerfile, self.context) if join(at, name) == path)}
        for line, pattern in self.patterns:
            if name in pattern.split("/"):
                return f"line {line} copies it"
        for step, folder in self.broad:
            if folder and f"{folder}/".startswith(f"{path}/"):
                return f"line {step.line} copies it"
            if within(path, folder) and not has_its_own(step, self.dockerfile, makers, name):
                return f"line {step.line} copies it, and nothing in its stage makes it"
        other = _taker(self.context, name)
        return other and f"{other} copies it"

    def _git(self) -> Iterator[Unneeded | Decline]:
        if "" not in self.folders or not self.context.exists(".git"):
            return
        from optimizer.transforms._git_uses import reader_of_git

        git = Unneeded(".git", (".git",), ".git", made=False)
        reader = reader_of_git(self.dockerfile, self.context)
        if reader:
            yield Decline(self.broad[0][0].line, f".git stays in the build context, for {reader}")
        else:
            yield self._needed(git) or git

    def _candidates(self) -> Iterator[Unneeded | Decline]:
        for one in self._recognised():
            reason = self._needed(one) if one.settles or self.is_fresh else None
            if reason is None and (one.settles or self.is_fresh):
                yield one
            elif reason and one.settles and one.paths:
                yield reason

    def _recognised(self) -> Iterator[Unneeded]:
        if "" in self.folders and not self._runs_behind():
            for name in filter(self.context.is_file, _GIT_FILES):
                yield Unneeded(name, (name,), name, made=False, settles=False, speech=spoken(name))
        for folder in self.folders:
            yield from unneeded(self.context, folder)

    def _modules(self) -> Iterator[Unneeded | Decline]:
        found = node_modules(self.dockerfile, self.context, self.broad)
        if isinstance(found, tuple):
            yield Decline(*found)
        elif found is not None:
            reason = self._kept_by_copy(found) or self._tracked(found) or self._excepted(found)
            yield reason or self._modules_elsewhere() or found

    def _modules_elsewhere(self) -> Decline | None:
        taker = _taker(self.context, NODE_MODULES)
        return self._stays(NODE_MODULES, f"{taker} copies it") if taker else None

    def _runs_behind(self) -> bool:
        steps = (other for step, _ in self.broad for other in self.dockerfile.after(step))
        children = {child for step, _ in self.broad for child in self.dockerfile.children(step.stage)}
        return any(step.name == "RUN" for step in steps) or bool(children)

    def _needed(self, one: Unneeded) -> Decline | None:
        return self._kept_by_copy(one) or self._tracked(one) or self._excepted(one) or self._spoken_of(one)

    def _kept_by_copy(self, one: Unneeded) -> Decline | None:
        for line, pattern in self.patterns:
            if one.name in pattern or any(_meets(path, one.paths) for path in self.context.match(pattern)):
                return self._stays(one.name, f"line {line} copies it")
        for step, folder in self.broad:
            if folder and any(folder == path or folder.startswith(path + "/") for path in one.paths):
                return self._stays(one.name, f"line {step.line} copies it")
        return None

    def _tracked(self, one: Unneeded) -> Decline | None:
        held = next((path for path in one.paths if one.made and self.context.tracked(path)), None)
        return self._stays(held, "version control holds it") if held else None

    def _excepted(self, one: Unneeded) -> Decline | None:
        rule = next((p for p in self.context.ignore.patterns if p.startswith("!") and one.name in p), None)
        return self._stays(one.name, f"{self.context.ignore_path} says {rule}") if rule else None

    def _spoken_of(self, one: Unneeded) -> Decline | None:
        named = re.compile(spoken(one.name))
        for step in self.dockerfile.steps:
            if step.name != "FROM" and named.search(step.instruction.text):
                return self._stays(one.name, f"line {step.line} names it")
        for path, text in _other_dockerfiles(self.context):
            if named.search(text):
                return self._stays(one.name, f"{path} names it")
        return None

    def _stays(self, what: str, why: str) -> Decline:
        return Decline(self.broad[0][0].line, f"{what} stays in the build context, for {why}")


def _sources(step: Step, escape: str) -> Sequence[str | None]:
    words = [step.state.word(word, escape) for word in step.instruction.arguments[:-1]]
    return [word for word in words if word is None or "://" not in word]


def _meets(path: str, entries: Sequence[str]) -> bool:
    return any(path == entry or path.startswith(entry + "/") for entry in entries)


def _other_dockerfiles(context: Context) -> tuple[tuple[str, str], ...]:
    """Return the other Dockerfiles that the same ignore file serves."""
    if context.ignore_path == context.dockerfile + IGNORE_FILE:
        return ()
    return context.once("other dockerfiles", lambda seen: tuple(_find_dockerfiles(seen)))


def _find_dockerfiles(context: Context) -> Iterator[tuple[str, str]]:
    for path in context.under(""):
        if ("ockerfile" not in path and "ontainerfile" not in path) or "node_modules/" in path:
            continue
        if path == context.dockerfile or path + IGNORE_FILE in context.files or path.endswith(IGNORE_FILE):
            continue
        text = (context.text(path) or "") if _DOCKERFILES.fullmatch(path) else ""
        if text and not _is_apart(path, text, context):
            yield path, text


def _is_apart(path: str, text: str, context: Context) -> bool:
    """Tell whether a Dockerfile is built from its own folder: there lie files that it copies, and not in the root."""
    sources = [
        word for flags, words in _COPIED.findall(text) if "--from" not in flags.lower() for word in words.split()
    ]
    named = (word.removeprefix("./") for word in sources if re.fullmatch(r"[\w./-]+", word))
    return any(join(dirname(path), name) in context.files and not _is_there(name, context) for name in named)


def _is_there(name: str, context: Context) -> bool:
    return name in context.files or context.is_dir(name)


def _taker(context: Context, name: str) -> str | None:
    """Return another Dockerfile that takes a file or folder of that name from the same build context."""
    copied = re.compile(rf"^[ \t]*(COPY|ADD)\s+(?!--from)[^\n]*{spoken(name)}", re.MULTILINE | re.IGNORECASE)
    for path, text in _other_dockerfiles(context):
        whole = name == NODE_MODULES and _WHOLE_COPY.search(text) and not _NODE_INSTALL.search(text)
        if whole or copied.search(text):
            return path
    return None


def _speakers(context: Context, speeches: tuple[tuple[str, str], ...]) -> dict[str | None, str]:
    """Return, by expression, a script or source that holds it; `speeches` are names with their expressions."""
    return context.once(f"speakers of {speeches}", lambda seen: _look_for(seen, speeches)) if speeches else {}


def _look_for(context: Context, speeches: tuple[tuple[str, str], ...]) -> dict[str | None, str]:
    from optimizer.transforms._git_uses import LARGEST, MOST_FILES, files_to_look_through

    wanted = [(name.encode(), re.compile(speech.encode()), speech) for name, speech in speeches]
    found: dict[str | None, str] = {}
    for number, (path, _) in enumerate(files_to_look_through(context)):
        if number >= MOST_FILES:
            return {speech: "one of very many files perhaps" for _, speech in speeches}
        data = context.read_bytes(path) or b""
        if len(data) <= LARGEST and not _DOCKERFILES.fullmatch(basename(path)):
            found |= {s: path for name, pattern, s in wanted if name in data and pattern.search(data)}
    return found
