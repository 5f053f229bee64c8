"""What is made and changed by the programs that arrange files: folders, links, copies, owners, edits in place."""

import posixpath
from collections.abc import Iterator

from optimizer.shell import Call, Word
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms.stages.nodes import NOTHING, Build, Effect
from optimizer.transforms.stages.paths import SYSTEM
from optimizer.transforms.stages.words import absolute, all_known, known_path, operands, option, unknown

_REMOVING = frozenset({"-delete", "rm", "-exec", "-execdir", "+"})
_IN_PLACE = lazy_pattern(r"-[Enrsuz]*i.*|--in-place.*")
_GLOB = lazy_pattern(r"[\w./*?+:@%~=,-]+")


def made_again(call: Call) -> Effect:
    """Return what `mkdir` and `touch` make; it is made again rather than copied."""
    words = operands(call)
    paths = all_known(call, words)
    if paths is None:
        paths = tuple(path for word in words for path in _braces(word, call))
    return Effect(paths, again=True) if paths else unknown(call)


def _braces(word: Word, call: Call) -> Iterator[str]:
    """Go through what `{a,b}` in a word stands for; in a shell without braces it is a name of that form."""
    head, opened, rest = word.text.partition("{")
    inner, closed, tail = rest.partition("}")
    if opened and closed and not any(sign in word.text for sign in "$`*?"):
        folder = absolute(head + inner.partition(",")[0] + tail, call.directory)
        yield from (folder,) if folder else ()


def owned(call: Call) -> Effect:
    """`chown` and `chmod`: the first operand says whom or what to, unless a file is named for it."""
    words = operands(call)
    if call.program in {"chown", "chmod", "chgrp"}:
        words = words[1:]
    return _on_files(call, words)


def _globbed(word: Word, call: Call) -> Iterator[str]:
    """Go through the folder of a pattern's first wildcard."""
    if _GLOB.fullmatch(word.text):
        folder = absolute(posixpath.dirname(word.text.partition("*")[0] + "x"), call.directory)
        yield from (f"{folder}/",) if folder else ()


def linked(call: Call, build: Build) -> Effect:
    """Return the link that `ln` makes: a symbolic one is made again."""
    words = operands(call)
    symbolic = any(w.text.startswith("-") and not w.text.startswith("--") and "s" in w.text for w in call.arguments)
    if len(words) != 2:  # noqa: PLR2004 - what it leads to, and its name
        return unknown(call)
    target, link = (known_path(word, call) for word in words)
    if link is None or target is None:
        return unknown(call)
    plain = any(w.text in {"-T", "--no-target-directory"} for w in call.arguments)
    inside = not plain and (words[1].text.endswith("/") or _is_folder(link, build))
    path = posixpath.join(link, posixpath.basename(target)) if inside else link
    return Effect((path,), again=symbolic or any(w.text == "--symbolic" for w in call.arguments))


def copied(call: Call, build: Build) -> Effect:
    """Return where `cp`, `mv` and `install` put files."""
    words = operands(call)
    named = option(call, "-t", "--target-directory")
    if named is not None:
        words = [*(w for w in words if w is not named), named]
    if call.program == "install" and any(w.text in {"-d", "--directory"} for w in call.arguments):
        return made_again(call)
    target = known_path(words[-1], call) if len(words) > 1 else None
    if target is None:
        return unknown(call)
    several = len(words) > 2 or words[-1].text.endswith(("/", "/.")) or words[-1].text == "."  # noqa: PLR2004
    folder = several or _is_folder(target, build)
    sources = all_known(call, words[:-1])
    removes = sources if sources is not None and call.program == "mv" else ()
    if not folder:
        return Effect((target,), removes=removes)
    if sources is None:
        return Effect((f"{target.rstrip('/')}/",)) if target not in SYSTEM else unknown(call)
    makes = tuple(
        posixpath.join(target, "" if word.text.endswith("/.") else posixpath.basename(source))
        for word, source in zip(words, sources, strict=False)
    )
    return Effect(makes, removes=removes)


def _is_folder(path: str, build: Build) -> bool:
    """Tell whether a path is known to be a folder by now."""
    return path in SYSTEM or path in build.there or any(other.startswith(f"{path}/") for other in build.copied)


def removed(call: Call) -> Effect:
    """Return what `rm` takes away."""
    found: list[str] = []
    for word in operands(call):
        path = known_path(word, call)
        if path is None and _GLOB.fullmatch(word.text):
            path = absolute(word.text, call.directory)
        if path is None:
            return Effect(unknown=f"what {word.text[:40]} removes is not known")
        found.append(path)
    return Effect(removes=tuple(found))


def edited(call: Call) -> Effect:
    """`sed -i` changes files in place."""
    if not any(_IN_PLACE.fullmatch(w.text) for w in call.arguments):
        return NOTHING
    pairs = zip(call.arguments, call.arguments[1:], strict=False)
    scripts = {id(word) for flag, word in pairs if flag.text in {"-e", "--expression", "-f", "--file"}}
    words = [word for word in operands(call) if id(word) not in scripts]
    return _on_files(call, words if scripts else words[1:])


def _on_files(call: Call, words: list[Word]) -> Effect:
    """Return a change of files, some of which a pattern may name, that is made again."""
    paths = all_known(call, [word for word in words if word.value is not None or "*" not in word.text])
    globs = tuple(path for word in words if word.value is None and "*" in word.text for path in _globbed(word, call))
    return Effect((*paths, *globs), again=True) if paths is not None and (paths or globs) else unknown(call)


def searched(call: Call) -> Effect:
    """Return what `find` removes or changes of what it finds."""
    texts = {word.text for word in call.arguments}
    if not texts & (_REMOVING - {"+"}):
        return NOTHING
    paths = all_known(call, list(call.arguments[:1]))
    harmless = {"-type", "-name"} & texts and ("-delete" in texts or "rm" in texts)
    changing = "chmod" in texts or "chown" in texts
    if not paths or not (harmless or changing):
        return Effect(unknown="what find starts is not known")
    return Effect(removes=tuple(f"{path}/**" for path in paths)) if harmless else Effect(paths, again=True)


def teed(call: Call) -> Effect:
    """Return the files that `tee` writes what it is given into."""
    paths = all_known(call, operands(call))
    return Effect(paths, again=True) if paths else NOTHING if paths == () else unknown(call)
