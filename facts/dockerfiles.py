"""What the Dockerfile of an official image says of it, read with dfopt's own model."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace

from optimizer.images import Facts
from optimizer.model import Dockerfile, Step, read
from optimizer.shell import Word
from optimizer.syntax import parse
from optimizer.syntax.pairs import pairs

_VERBS = {"apt-get": {"install"}, "apt": {"install"}, "apk": {"add"}}
_TAKEN = {"remove", "purge", "autoremove", "del"}
_CHANGING = re.compile(r"VERSION|SHA|_URL|GPG|KEY|DOWNLOAD")
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")


def facts(clones: Path, repository: str, commit: str, folder: str) -> Facts | None:
    """Read the Dockerfile that an image was built from; None where the clone does not have it."""
    clone = clones / (repository.removesuffix(".git").partition("github.com/")[2].replace("/", "+") + ".git")
    for revision in (commit, "HEAD"):  # a clone that is older than the library file has the Dockerfile of before
        words = ("git", "-C", clone, "show", f"{revision}:{folder.strip('/')}/Dockerfile")
        done = subprocess.run(words, check=False, capture_output=True, text=True) if clone.is_dir() else None
        if done and not done.returncode:
            return _facts(read(parse(done.stdout)))
    return None


def _facts(dockerfile: Dockerfile) -> Facts | None:
    stage = dockerfile.stages[dockerfile.target]
    if stage.base is None or stage.parent is not None:
        return None
    found = Facts(parent=stage.base)
    packages: list[str] = []
    for step in stage.body:
        found = _with(found, step)
        packages += _kept(step)
    return replace(found, packages=tuple(sorted(set(packages))))


def _with(found: Facts, step: Step) -> Facts:
    words = step.instruction.json
    match step.name:
        case "ENV":
            return replace(found, env={**found.env, **_pairs(step)})
        case "CMD":
            return replace(found, command=tuple(words or ("/bin/sh", "-c", step.instruction.value.text.strip())))
        case "ENTRYPOINT":
            return replace(found, entrypoint=tuple(words or ("/bin/sh", "-c", step.instruction.value.text.strip())))
        case "USER":
            return replace(found, user=step.instruction.value.text.strip())
        case "WORKDIR":
            return replace(found, workdir=step.instruction.value.text.strip())
        case "EXPOSE":
            return replace(found, expose=(*found.expose, *step.instruction.value.text.split()))
    return found


def _pairs(step: Step) -> dict[str, str]:
    """Return what an ENV sets, as written; versions and check sums change too often to be worth a place."""
    found = pairs(step.instruction)
    return {name: (value or "").strip("\"'") for name, value in found if not _CHANGING.search(name)}


def _kept(step: Step) -> Iterator[str]:
    """Yield the packages that a RUN installs and leaves installed."""
    if step.run is None:
        return
    text = step.run.text.text
    # What stands behind the saved marks goes again, or all that is installed where no marks are saved.
    saved = max(text.find("apt-mark showmanual"), 0) if "apt-mark auto" in text else len(text)
    installed: set[str] = set()
    for call in step.run.calls:
        if call.nested or call.program not in _VERBS or call.command.span.start >= saved:
            continue
        words = [_value(word, step.state.env) for word in call.arguments]
        names = {name for word in words for name in word.split() if _NAME.fullmatch(name)}
        if "--virtual" in words or "-t" in words or ".build-deps" in words:
            continue
        if not names.isdisjoint(_TAKEN):
            installed -= names
        elif not names.isdisjoint(_VERBS[call.program]):
            installed |= names - _VERBS[call.program]
    yield from installed


def _value(word: Word, env: Mapping[str, str | None]) -> str:
    """Return what a word becomes, as the images have lists of packages in variables."""
    if word.value is not None:
        return word.value
    name = word.text.strip('"${}')
    return env.get(name) or ""
