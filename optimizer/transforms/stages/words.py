"""The words of a call as paths: what its options name, and what is left of it without them."""

import posixpath

from optimizer.shell import Call, Word, resolve
from optimizer.transforms.stages.nodes import Effect

_VALUED = {
    "chown": frozenset({"--reference", "--from"}),
    "curl": frozenset(
        "-H --header -A --user-agent -e --referer -X --request -u --user -m --max-time --retry --retry-delay "
        "--retry-max-time --connect-timeout --proto --ciphers -x --proxy -d --data".split()
    ),
    "install": frozenset("-m --mode -o --owner -g --group -t --target-directory".split()),
    "mkdir": frozenset({"-m", "--mode"}),
    "wget": frozenset("--header -U --user-agent -t --tries -T --timeout -w --wait --waitretry".split()),
}


def known_path(word: Word, call: Call) -> str | None:
    """Return the absolute path that a word of a call stands for, None where it takes a running shell to tell."""
    text = resolve(word, call.variables)
    if text is None and word.text.startswith("~/"):
        text = f"/root/{word.text[2:]}" if call.user in {None, "root"} else None
    return absolute(text, call.directory) if text else None


def operands(call: Call) -> list[Word]:
    """Return the words of a call that are neither options nor the values of options."""
    valued = _VALUED.get(call.program, frozenset())
    found: list[Word] = []
    words = iter(call.arguments)
    for word in words:
        if word.text == "--":
            return found + list(words)
        if word.text in valued:
            next(words, None)
        elif not word.text.startswith("-") or word.text == "-":
            found.append(word)
    return found


def option(call: Call, *names: str) -> Word | None:
    """Return the word behind an option; a single letter also stands at the end of a cluster (`-sSLo`)."""
    letters = {name[1] for name in names if len(name) == 2}  # noqa: PLR2004 - a dash and a letter
    for before, word in zip(call.arguments, call.arguments[1:], strict=False):
        text = before.text
        if text in names or (text[:1] == "-" and text[1:2] != "-" and text[-1:] in letters):
            return word
    return None


def all_known(call: Call, words: list[Word]) -> tuple[str, ...] | None:
    """Return the paths that words stand for, None where one of them is not known."""
    paths = [known_path(word, call) for word in words]
    return None if None in paths else tuple(path for path in paths if path)


def absolute(path: str, directory: str | None) -> str | None:
    """Return a path as an absolute one, None where the directory is not known."""
    if path.startswith("/"):
        return posixpath.normpath(path)
    return posixpath.normpath(posixpath.join(directory, path)) if directory and directory.startswith("/") else None


def unknown(call: Call) -> Effect:
    """Return the effect of a call whose files may be anywhere."""
    return Effect(unknown=f"where {call.program} puts its files is not known")
