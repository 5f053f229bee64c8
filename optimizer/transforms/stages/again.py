"""What is done once more in the runtime stage: users, groups, folders with their owners, settings of the system."""

import posixpath
from collections.abc import Iterable, Iterator
from itertools import takewhile

from msgspec import Struct

from optimizer.images import Variant
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._copies import image_path
from optimizer.transforms.stages._reads import why_reads
from optimizer.transforms.stages._statements import Part, parts
from optimizer.transforms.stages._users import whom, why_numbered, why_strange
from optimizer.transforms.stages.nodes import Build, Effect
from optimizer.transforms.stages.paths import SYSTEM, ancestors, is_covered
from optimizer.transforms.stages.words import known_path, operands

_OWNING = frozenset({"chown", "chmod", "chgrp"})
_ON_PATHS = _OWNING | {"mkdir", "touch"}
_LATE = frozenset({"ldconfig", "update-ca-certificates", "fc-cache"})
_OF_DEBIAN = lazy_pattern(r"/(?:home|etc|root|var/www|usr/share|var/(?:log|lib|cache)/apt)/")
_RECURSIVE = frozenset({"-R", "--recursive", "-Rf", "-fR", "-Rv", "-vR"})
_ROOTS = frozenset({None, "root", "0", "root:root", "0:0", "0:root", "root:0"})


class Repeated(Struct, frozen=True):
    """Commands of the runtime stage, each one statement: before apt, before the copies, and behind them."""

    sources: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()
    programs: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()


def repeated(build: Build, base: Variant, copies: Iterable[str], leaves: Iterable[str]) -> Repeated | str:
    """Return what is done again, or a clause that says which line does it together with something else.

    `base` is what it is done on; `leaves` are patterns of what no container needs, and so need not be made.
    """
    copied, left = tuple(copies), tuple(leaves)
    sources, before, behind = list[str](), list[str](), list[str]()
    programs, variables, made, anew = set[str](), set[str](), set[str](), set[str]()
    for work in build.works:
        for part in parts(work):
            text = None if part.only_makes((*left, *_gone_behind(part, build))) else _again(part, copied, anew)
            if text is None or text in before:
                continue
            if not text:
                return f"line {work.step.line} does several things at once"
            if reason := _why_elsewhere(part, text, build, copied, (*copied, *made)):
                return f"line {work.step.line} {reason}"
            anew |= {path for _, effect in part.effects for path in effect.makes}
            made |= {f"{p}/" for call, effect in part.effects for p in effect.makes if call.program == "mkdir"}
            made |= {p for call, effect in part.effects for p in effect.makes if call.program not in _OWNING}
            if part.step.state.user not in _ROOTS:
                text = _by_user(part, copied, build)
                if text is None:
                    return f"line {work.step.line} is run by {part.step.state.user}"
                if not text:
                    continue
            if build.workdir in _places(part) and build.workdir not in SYSTEM and not text.startswith("mkdir -p "):
                before.append(f"mkdir -p {build.workdir}")
            place = behind if part.names & _LATE else sources if part.is_for_apt else before
            place.append(text)
            programs |= part.names
            variables |= {name for call, _ in part.effects for word in call.words for name in word.variables}
    owners = dict.fromkeys(text for text in _owners(build, copied) if text not in before)
    before = list(dict.fromkeys((*_folders(build, copied), *before)))
    before = [text for text in before if not any(other.startswith(f"{text} && ") for other in (*before, *owners))]
    found = Repeated(
        tuple(sources), (*before, *owners), tuple(dict.fromkeys(behind)), frozenset(programs), frozenset(variables)
    )
    texts = (*found.sources, *found.before, *found.behind)
    return why_strange(texts, build, base) or why_numbered(build, copied) or found


def _gone_behind(part: Part, build: Build) -> Iterator[str]:
    """Go through what is removed for certain behind a statement."""
    passed = False
    for work in build.works:
        for call, effect in work.effects:
            if passed and call is not None and call.certain:
                yield from (path for path in effect.removes if "*" not in path)
            passed = passed or (call is part.effects[-1][0])


def _why_elsewhere(part: Part, text: str, build: Build, copies: tuple[str, ...], there: tuple[str, ...]) -> str | None:
    """Say why a statement means something else in the runtime stage, None where nothing shows that it does."""
    if folder := _lacking(part, build, there):
        return f"works in {folder}, and what is there is not known"
    told = part.told(text)
    return f"uses {told}, which its shell alone knows" if told else why_reads(part.step, part.effects, build, copies)


def _lacking(part: Part, build: Build, there: tuple[str, ...]) -> str | None:
    """Name a folder that a statement works in, and of which nothing shows that it is there in the runtime stage."""
    for place in _places(part):
        known = place in SYSTEM or place == build.workdir or _OF_DEBIAN.match(f"{place}/") or build.packages
        if not (known or is_covered(place, there) or copies_below(place, there)):
            return place
    return None


def _places(part: Part) -> Iterator[str]:
    """Go through what has to be there before a statement: what it changes, and the folders of what it makes."""
    for call, effect in part.effects:
        for path in effect.makes if effect.again and call.program not in {"mkdir", "install"} else ():
            yield path.rstrip("/") if call.program in _OWNING else posixpath.dirname(path.rstrip("/"))


def _by_user(part: Part, copies: tuple[str, ...], build: Build) -> str | None:
    """Return how root does what another user did: folders of that user; "" for nothing, None where it is more."""
    user = part.step.state.user or ""
    if part.names - {"mkdir", "chown"}:
        return None
    makes = [path for call, effect in part.effects for path in effect.makes if call.program == "mkdir"]
    new = [one for path in makes if not is_covered(path, copies) for one in (*_new_above(path, build), path)]
    paths = " ".join(dict.fromkeys(new))
    return f"mkdir -p {paths} && chown {whom(user)} {paths}" if paths else ""


def _new_above(path: str, build: Build) -> list[str]:
    """Return the folders that `mkdir -p` makes on its way to a path, the outermost first."""
    there = SYSTEM | {*build.there}
    new = takewhile(lambda folder: folder not in there and posixpath.dirname(folder) != "/home", ancestors(path))
    return sorted(new)


def _again(part: Part, copies: tuple[str, ...], anew: set[str]) -> str | None:
    """Return how a statement is repeated: None where it need not be, "" where it cannot."""
    again = [(call, effect) for call, effect in part.effects if effect.again]
    if not again or all(
        effect.makes and all(_is_done(call, p, copies) for p in effect.makes) for call, effect in again
    ):
        return None
    if len(part.effects) == 1 and part.effects[0][0].program in _ON_PATHS:
        return _on_paths(part.effects[0][0], copies, anew)
    others = [effect for _, effect in part.effects if not effect.again]
    if any(effect.makes or effect.packages or effect.removes for effect in others):
        return ""
    return part.text.strip() if all(_is_literal(call, effect) for call, effect in again) else ""


def _is_literal(call: Call, effect: Effect) -> bool:
    """Tell whether a call names the paths that it makes in full, so that it means the same in any folder."""
    if call.program == "ln" and call.words[-1].text.startswith("/"):
        return True
    return all(path in str(call.command) for path in effect.makes)


def _is_done(call: Call, path: str, copies: tuple[str, ...]) -> bool:
    """Tell whether what a call does to a path comes along with a copy: owner and mode only below its top folder."""
    return _is_inside(path, copies) if call.program in _ON_PATHS else is_covered(path, copies)


def _is_inside(path: str, copies: tuple[str, ...]) -> bool:
    """Tell whether a path is copied with its owner and mode, which the top folder of a copy is not."""
    return is_covered(path, copies) and f"{path.rstrip('/')}/" not in copies


def _on_paths(call: Call, copies: tuple[str, ...], anew: set[str]) -> str | None:
    """Return a call on paths for those that are not copied; what lies in a copied folder has its owner and mode.

    `anew` are the paths that the runtime stage has made so far.
    """
    words = operands(call)
    skipped = 1 if call.program in _OWNING else 0
    paths = [(word, known_path(word, call)) for word in words[skipped:]]
    if any(path is None for _, path in paths):
        plain = all(word.text.startswith("/") for word, _ in paths)
        return str(call.command) if plain and not copies_below(paths[0][0].text.partition("{")[0], copies) else ""
    wanted = [path for _, path in paths if path and not _is_inside(path, copies)]
    if call.program == "mkdir" and not _has_mode(call):
        wanted = [path for path in wanted if not copies_below(path, copies) and f"{path}/" not in copies]
    if not wanted:
        return None
    operand = {id(word) for word, _ in paths}
    kept = [word.text for word in call.words if id(word) not in operand]
    above = [path for path in wanted if call.program in _OWNING and copies_below(path, copies)]
    others = [path for path in wanted if path not in above]
    texts = [_on_tops(kept, above, copies, tuple(anew))] if above else []
    if others:
        texts.append(" ".join((*kept, *others)))
    return " && ".join(texts)


def _on_tops(words: list[str], folders: list[str], copies: tuple[str, ...], anew: tuple[str, ...]) -> str:
    """Return a change of owner or mode for folders into which is copied: what is copied has it already."""
    whole = any(copies_below(folder, anew) for folder in folders)
    tops = [*folders, *(_tops_below(folders, copies) if _RECURSIVE & set(words) else [])]
    new = [path for path in tops if path not in SYSTEM]
    made = f"mkdir -p {' '.join(new)} && " if new else ""
    return f"{made}{' '.join([*(word for word in words if whole or word not in _RECURSIVE), *tops])}"


def _tops_below(folders: list[str], copies: tuple[str, ...]) -> list[str]:
    """Return the top folders of copies that lie below some folders."""
    tops = (copy.rstrip("/") for copy in copies if copy.endswith("/"))
    return [top for top in tops if any(top.startswith(f"{folder.rstrip('/')}/") for folder in folders)]


def _has_mode(call: Call) -> bool:
    return any(word.text.startswith(("-m", "--mode")) for word in call.arguments)


def copies_below(path: str, copies: tuple[str, ...]) -> bool:
    """Tell whether something is copied to a folder, or below it."""
    return any(copy.startswith(f"{path.rstrip('/')}/") for copy in copies)


def _folders(build: Build, copies: tuple[str, ...]) -> Iterator[str]:
    """Go through the commands that make the folders again that a WORKDIR makes and no step works in."""
    files = [step for step in build.stage.body if step.name in {"RUN", "COPY", "ADD"}]
    used = {above for step in files for above in (step.state.workdir or "/", *ancestors(step.state.workdir or "/"))}
    used |= {build.workdir, *ancestors(build.workdir), *SYSTEM}
    for step in build.stage.body:
        word = step.state.word(step.instruction.arguments[-1]) if step.name == "WORKDIR" else None
        folder = image_path(word, step.state.workdir) if word and step.index < files[-1].index else None
        if folder is None or folder in used or is_covered(folder, copies) or copies_below(folder, copies):
            continue
        owner = step.state.user
        yield f"mkdir -p {folder}" + (f" && chown {whom(owner)} {folder}" if owner and owner not in _ROOTS else "")


def _owners(build: Build, copies: tuple[str, ...]) -> Iterator[str]:
    """Go through the commands that give the top folder of a copy the owner whom it has in the build.

    WORKDIR and RUN make a folder for the user of the moment, and a COPY with `--chown` for the one that it names.
    """
    made: set[str] = set()
    for step in build.stage.body:
        if step.name not in {"WORKDIR", "COPY", "ADD"} or not step.instruction.arguments:
            continue
        word = step.state.word(step.instruction.arguments[-1])
        folder = image_path(word, step.state.workdir) if word else None
        owner = step.state.user if step.name == "WORKDIR" else step.instruction.flag("chown")
        if folder is None:
            continue
        is_new = folder not in made | SYSTEM
        is_there = copies_below(folder, copies) or f"{folder}/" in copies or folder == build.workdir
        own = [folder] if is_new and is_there else []
        own += [top for top in _tops_below([folder], copies) if step.name != "WORKDIR" and _brought(top, build)]
        if owner is not None and owner not in _ROOTS and own:
            given = owner if step.name != "WORKDIR" else whom(owner)
            yield f"mkdir -p {' '.join(own)} && chown {given} {' '.join(own)}"
        if not is_new:
            continue
        made.add(folder)
        made.update(ancestors(folder))
    for work in build.works:
        owner = work.step.state.user
        paths = (path for call, effect in work.effects for path in effect.makes if call is not None and path in copies)
        folders = (path.rstrip("/") for path in paths if path.endswith("/") and owner not in _ROOTS)
        for folder in folders:
            if folder not in made | SYSTEM:
                made.update((folder, *ancestors(folder)))
                yield f"mkdir -p {folder} && chown {whom(owner or '')} {folder}"


def _brought(folder: str, build: Build) -> bool:
    """Tell whether a folder came with files of the build context."""
    return any(path.startswith(f"{folder}/") for path in build.copied)
