"""What downloads and archives leave: files by the names that they are given or bring, folders that are filled."""

import posixpath
from collections.abc import Iterator

from optimizer.shell import Call, Word, resolve
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms.stages.nodes import NOTHING, Effect
from optimizer.transforms.stages.words import absolute, known_path, operands, option, unknown

_NOWHERE = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr"})
_NAMED_ELSEWHERE = frozenset(
    {"--output-dir", "--remote-header-name", "--content-disposition", "--input-file", "--recursive", "--mirror"}
)
_FLAGS = lazy_pattern(r"-[A-Za-z#]*")
_CLUSTER = lazy_pattern(r"-?[A-Za-z]+")


def fetched(call: Call) -> Effect:
    """`curl` and `wget`: a file where they are told to, by its own name, or what a pipe hands on."""
    curl = call.program == "curl"
    texts = {word.text.partition("=")[0] for word in call.arguments}
    if texts & _NAMED_ELSEWHERE or any(_is_cluster_with(text, "J") for text in texts if curl):
        return unknown(call)
    named = list(_outputs(call, *(("o", "--output") if curl else ("O", "--output-document"))))
    if named:
        paths = [text if text in _NOWHERE or text == "-" else text and absolute(text, call.directory) for text in named]
        known = tuple(path for path in paths if path and path not in _NOWHERE and path != "-")
        return unknown(call) if None in paths else Effect(known)
    by_name = not curl or any(_is_cluster_with(text, "O") or text.startswith("--remote-name") for text in texts)
    if not by_name:
        return NOTHING
    folder = option(call, "-P", "--directory-prefix") if not curl else None
    into = known_path(folder, call) if folder else call.directory
    words = [word for word in operands(call) if word is not folder]
    names = [posixpath.basename(resolve(word, call.variables) or "") for word in words]
    if not into or not into.startswith("/") or not all(names) or any("?" in name for name in names):
        return unknown(call)
    return Effect(tuple(posixpath.join(into, name) for name in names))


def _outputs(call: Call, letter: str, long: str) -> Iterator[str | None]:
    """Go through the files that an option names: behind it, glued to it (`-qO/bin/x`), or behind `=`."""
    words = iter(call.arguments)
    for word in words:
        text = resolve(word, call.variables) or word.text
        head, _, tail = text.partition(letter)
        if text == long:
            yield _resolved(next(words, None), call)
        elif text.startswith(f"{long}="):
            yield text.partition("=")[2]
        elif text.startswith("-") and not text.startswith("--") and _FLAGS.fullmatch(head) and head != text:
            if not tail:
                yield _resolved(next(words, None), call)
            elif tail[0] in "/.-" or call.program == "wget":
                yield tail


def _resolved(word: Word | None, call: Call) -> str | None:
    return resolve(word, call.variables) if word else None


def _is_cluster_with(text: str, letter: str) -> bool:
    return bool(_CLUSTER.fullmatch(text)) and text.startswith("-") and letter in text


def unpacked(call: Call) -> Effect:
    """Return the folder that `tar` or `unzip` fills."""
    if call.program == "tar" and _reads_or_packs(call):
        return unknown(call)
    named = option(call, "-d") if call.program == "unzip" else option(call, "-C", "--directory")
    folder = known_path(named, call) if named else call.directory
    return Effect((f"{folder.rstrip('/')}/",)) if folder and folder.startswith("/") else unknown(call)


def _reads_or_packs(call: Call) -> bool:
    first = call.arguments[0].text if call.arguments else ""
    return "x" not in first and "--extract" not in {w.text for w in call.arguments} and not any(
        _is_cluster_with(w.text, "x") for w in call.arguments
    )  # fmt: skip


def cloned(call: Call) -> Effect:
    """Return the folder that `git clone` fills; of git's other commands, those that change nothing outside of one."""
    words = [word.text for word in call.arguments if not word.text.startswith("-")]
    if words[:1] != ["clone"]:
        verb = words[0] if words else ""
        return (
            NOTHING
            if verb in {"checkout", "describe", "log", "rev-parse", "submodule", "fetch", "status"}
            else _config(call)
        )
    last = call.arguments[-1]
    text = resolve(last, call.variables)
    if text is None:
        return unknown(call)
    is_url = "://" in text or text.startswith("git@")
    path = absolute(posixpath.basename(text.rstrip("/")).removesuffix(".git") if is_url else text, call.directory)
    return Effect((f"{path}/",)) if path else unknown(call)


def _config(call: Call) -> Effect:
    """Know the settings of git, which only git reads."""
    words = [word.text for word in call.arguments]
    if "config" in words and "--global" in words:
        return Effect(leaves=("/root/.gitconfig", "/home/*/.gitconfig"))
    return Effect(unknown=f"what git {' '.join(words[:1])} makes is not known")
