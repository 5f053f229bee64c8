"""What Python and Node.js have in common: the slim variant that a container runs on, and the folder of a call."""

import posixpath
from itertools import pairwise

from optimizer.images import Variant, sibling
from optimizer.model import BASE_WORKDIR, Step
from optimizer.shell import Call, Word, resolve
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._lack import Lack
from optimizer.transforms._slim_needs import Change, lacks
from optimizer.transforms._slim_packages import ARCHIVED
from optimizer.transforms.stages.nodes import Build, Effect
from optimizer.transforms.stages.paths import SYSTEM

# What a slim image is given so that something can be compiled on it.
_BUILDING = lazy_pattern(
    r"build-essential|(?:gcc|g\+\+|clang|make|cmake|cargo|rustc|gfortran|swig|pkg-config|pkgconf|automake|autoconf)(?:-[\d.]+)?"
    r"|[\w.+-]+-dev"
)


def small_base(build: Build) -> Variant | None:
    """Return the variant that runs: the slim one, or the base itself where it is slim and was given a compiler."""
    if "slim" not in build.full.words:
        return sibling(build.full, add="slim")
    return build.full if any(_BUILDING.fullmatch(name) for name in build.packages) else None


def needed_on(build: Build, base: Variant) -> tuple[Lack, ...] | str:
    """Return what the base lacks of what the build or the container needs; a clause where a container misses it."""
    change = Change(build.full, base, frozenset({build.stage.index}), split=True)
    found = tuple(dict.fromkeys(lacks(build.subject.dockerfile, build.subject.context, change)))
    if hard := next((lack for lack in found if not (lack.built or lack.packages)), None):
        return hard.reason
    if build.release in ARCHIVED and (lack := next((lack for lack in found if lack.packages), None)):
        return f"{lack.reason}, and {lack.packages[0]} can no longer be installed on {build.release}"
    return found


def sentence(found: tuple[Lack, ...], otherwise: str) -> str:
    """Return why there are two stages, for the reader of the diff."""
    reason = next((lack.reason for lack in found if lack.built), "") or next((lack.reason for lack in found), otherwise)
    return f"The image gets what runs, and the stage that builds keeps its tools: {reason}."


def folder_of(call: Call) -> str | None:
    """Return the absolute folder that a call runs in; these images start in `/`."""
    return None if call.directory is None else absolute(call.directory, "/")


def absolute(path: str, folder: str) -> str:
    """Return a path of the image as seen from a folder."""
    if path.startswith(BASE_WORKDIR):
        path = f"/{path.removeprefix(BASE_WORKDIR).lstrip('/')}"
    return posixpath.normpath(posixpath.join(folder, path))


def in_folder(folder: str | None, what: str) -> Effect:
    """Return the effect of what writes to the folder of a project, wherever in it."""
    if folder is None or folder in SYSTEM:
        return Effect(unknown=f"what {what} makes in {folder or 'its folder'} is not known")
    return Effect(makes=(f"{folder}/",))


def text(word: Word, call: Call) -> str:
    """Return what a word of a call stands for, as it is written where a running shell alone can tell."""
    found = word.value if word.value is not None else resolve(word, call.variables)
    return word.text if found is None else found


def variable(name: str, call: Call, step: Step) -> str | None:
    """Return a variable as a call finds it, None where it is not set or not known."""
    return call.variables[name] if name in call.variables else step.state.value(name)


def home_of(call: Call, step: Step, build: Build) -> str:
    """Return the home of the user who runs a call: HOME, what useradd was told, or what it takes by itself."""
    user = (call.user or step.state.user or "root").partition(":")[0]
    if known := variable("HOME", call, step):
        return known.rstrip("/")
    if user in {"root", "0"}:
        return "/root"
    for other in build.stage.body:
        for made in other.run.calls if other.run else ():
            words = [text(word, made) for word in made.arguments]
            if made.program in {"useradd", "adduser", "usermod"} and user in words:
                for name, value in pairwise(words):
                    if name in {"-d", "--home", "--home-dir"}:
                        return value.rstrip("/")
    return f"/home/{user}"
