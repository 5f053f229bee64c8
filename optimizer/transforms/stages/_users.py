"""Users whom the small image may lack, or whose numbers hang on who else is there."""

import posixpath
from collections.abc import Iterable, Iterator

from optimizer.images import Variant
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._copies import image_path
from optimizer.transforms.stages.nodes import Build
from optimizer.transforms.stages.paths import is_covered
from optimizer.transforms.stages.words import operands

_MAKING_USERS = lazy_pattern(r"\b(?:user|group)add\b|\badd(?:user|group)\b")
_OWNER = lazy_pattern(r"\bchown (?:-\S+ )*([\w.:-]+)")
_USERS_OF_DEBIAN = frozenset(
    "_apt adm audio backup bin daemon disk dialout games irc list lp mail man news nobody nogroup operator proxy root "
    "shadow src staff sudo sync sys tty users utmp uucp video voice www-data".split()
)


def whom(user: str) -> str:
    """Return a user with the group, as chown takes it: that of the user where none is named."""
    return user if ":" in user else f"{user}:"


def why_strange(texts: Iterable[str], build: Build, base: Variant) -> str | None:
    """Name a user who may be one of the full image alone: who owns something, or whom the container runs as.

    `texts` are the commands that the runtime stage runs, on `base`.
    """
    if build.full.image == base.image or build.packages:
        return None
    lines = tuple(texts)
    made = {word for text in lines if _MAKING_USERS.search(text) for word in text.split()}
    users = [step.instruction.value.text.strip() for step in build.stage.body if step.name == "USER"][-1:]
    owners = [match[1] for text in lines for match in _OWNER.finditer(text)]
    names = (name for words in (*users, *owners) for name in words.split(":") if name and "$" not in name)
    strange = (name for name in names if not (name.isdigit() or name in made or name in _USERS_OF_DEBIAN))
    user = next(strange, None)
    return user and f"whether {base.name} has the user {user} is not known"


def why_numbered(build: Build, copies: tuple[str, ...]) -> str | None:
    """Name an owner of copied files whose number need not be the same in the runtime stage.

    `adduser --system --group` and `addgroup --system` take the first number that no group has, and packages of the
    full image bring groups of their own (openssh-client: _ssh). Files are copied with the number of the build.
    """
    numbered = frozenset(_numbered(build))
    owners = (name for words in _owners(build, copies) for name in words.split(":")) if numbered else ()
    found = next((name for name in owners if name in numbered), None)
    return found and f"the number of {found}, who owns files, hangs on the groups that the image has"


def _numbered(build: Build) -> Iterator[str]:
    for work in build.works:
        for call, _ in work.effects:
            words = [word.text for word in call.arguments] if call is not None else []
            grouped = call is not None and (call.program == "addgroup" or "--group" in words)
            if grouped and "--system" in words and not any(w.startswith(("--gid", "--uid")) for w in words):
                yield next((word for word in reversed(words) if not word.startswith("-")), "")


def _owners(build: Build, copies: tuple[str, ...]) -> Iterator[str]:
    """Go through the owners that chown, COPY and ADD give to something that is copied."""
    for work in build.works:
        for call, effect in work.effects:
            words = operands(call) if call is not None and call.program in {"chown", "chgrp"} else []
            if words and any(_is_copied(path, copies) for path in effect.makes):
                yield words[0].text
    for step in build.stage.body:
        owner = step.instruction.flag("chown") if step.name in {"COPY", "ADD"} else None
        word = step.state.word(step.instruction.arguments[-1]) if owner else None
        if owner and word and _is_copied(posixpath.normpath(image_path(word, step.state.workdir)), copies):
            yield owner


def _is_copied(path: str, copies: tuple[str, ...]) -> bool:
    folder = f"{path.rstrip('/')}/"
    return is_covered(path, copies) or any(copy.startswith(folder) for copy in copies)
