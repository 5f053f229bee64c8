"""Python: what runs are the packages, where their installer put them, and the project; the compiler stays behind."""

import posixpath
from collections.abc import Callable, Iterator
from itertools import pairwise

from optimizer.ecosystems._python import started
from optimizer.images.pythons import python_minor
from optimizer.model import Step
from optimizer.shell import SHELLS, Call
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._lack import Lack
from optimizer.transforms._python_projects import Wanted
from optimizer.transforms._python_wanted import wanted_by
from optimizer.transforms._scripts import text_of
from optimizer.transforms.stages import _python_places as places
from optimizer.transforms.stages._python_code import of_code, of_django, script_words
from optimizer.transforms.stages._python_tools import of_installer, of_locked
from optimizer.transforms.stages.interpreted import (
    absolute,
    folder_of,
    in_folder,
    needed_on,
    sentence,
    small_base,
    text,
    variable,
)
from optimizer.transforms.stages.nodes import NOTHING, Build, Effect, Runtime
from optimizer.transforms.stages.paths import SYSTEM

_PIP = lazy_pattern(r"pip[\d.]*")
_PYTHON = lazy_pattern(r"python[\d.]*")
_EDITABLE = lazy_pattern(r"(?:-e|--editable)[\s=]*|file:(?://)?")
_LOOKS = frozenset({"check", "list", "freeze", "show", "debug", "index", "inspect", "hash", "help", "cache", ""})
_CHECKS = frozenset("bandit black coverage flake8 isort mypy py.test pylint pytest ruff tox".split())
_WITH_IMAGE = frozenset({"pip", "setuptools", "wheel"})  # what the images bring, so that two releases would mix
_SETTLED = lazy_pattern(r"jupyter|notebook|ipykernel|ipywidgets|nbconvert|nbclassic|voila")  # with settings in etc
_CACHES = ("/root/.cache/pip/**", "/root/.config/pip/**", "/home/*/.cache/pip/**")


def effect(call: Call, step: Step, build: Build) -> Effect | None:
    """Say where pip, the managers of environments, and code of the project put their files."""
    if (start := started(call, _PIP, "pip")) is not None:
        return _of_pip([text(word, call) for word in start.arguments], call, step, build)
    if (call.program in SHELLS or _PYTHON.fullmatch(call.program)) and (found := of_installer(call, step, build)):
        return found
    if places.environment_made(call):
        return Effect(makes=(f"{places.environment_made(call)}/",))
    if call.program == "source" and text(call.words[-1], call).endswith("/bin/activate"):
        return NOTHING
    if _PYTHON.fullmatch(call.program):
        return _of_python(call, step, build)
    if call.program == "uv" and text(call.words[1], call) == "pip" if call.words[1:] else False:
        words = [text(word, call) for word in call.arguments[1:]]
        return _of_pip(words, call, step, build, uv=True)
    if call.program in {"poetry", "pipenv", "uv", "pdm"}:
        return of_locked(call, step, build)
    if call.program in {"manage.py", "django-admin"}:
        return of_django(call, step, build, [text(word, call) for word in call.arguments])
    if call.program in _CHECKS:
        return in_folder(folder_of(call), call.program)
    return None


def _of_pip(words: list[str], call: Call, step: Step, build: Build, *, uv: bool = False) -> Effect:
    verb = next((word for word in words if not word.startswith("-")), "")
    if verb in _LOOKS or (verb == "uninstall"):
        return NOTHING
    if verb == "config":
        return Effect(leaves=_CACHES)
    if verb in {"download", "wheel"}:
        named = _value(words, "-d", "--dest", "-w", "--wheel-dir") or "."
        return in_folder(absolute(named, folder_of(call) or "/"), f"pip {verb}")
    if verb not in {"install", "sync", "compile"}:
        return Effect(unknown=f"what pip {verb} of line {step.line} makes is not known")
    if verb == "compile":
        return in_folder(folder_of(call), "uv pip compile")
    return _of_install(words, call, step, build, uv=uv)


def _of_install(words: list[str], call: Call, step: Step, build: Build, *, uv: bool) -> Effect:
    place = _value(words, "-t", "--target", "--prefix")
    if place:
        return Effect(makes=(f"{absolute(place, folder_of(call) or '/')}/",), leaves=_CACHES)
    if _value(words, "--root", "--python", "-p"):
        return Effect(unknown=f"where the pip of line {step.line} puts its files is not known")
    makes = list(_goal(words, call, step, build, uv=uv) or ())
    if not makes:
        return Effect(unknown=f"where the pip of line {step.line} puts its files is not known")
    for path in _local_projects(words, call, step, build):
        if path in SYSTEM:
            return Effect(unknown=f"what the pip of line {step.line} makes of the project is not known")
        makes.append(f"{path}/")
    return Effect(makes=tuple(dict.fromkeys(makes)), leaves=_CACHES)


def _local_projects(words: list[str], call: Call, step: Step, build: Build) -> Iterator[str]:
    """Go through the folders of projects that pip builds, and those that it fetches to work in, which are kept."""
    subject, folder = build.subject, folder_of(call) or "/"
    asked = _operands(words)
    for word, following in pairwise(words):
        if word in {"-r", "--requirement"} or word.startswith("--requirement="):
            path = following if word != "--requirement=" else word.partition("=")[2]
            listed = text_of(subject.dockerfile, subject.context, step, path, folder) or ""
            asked += [line.split("#")[0].strip() for line in listed.splitlines()]
    for one in asked:
        editable = one.startswith(("-e", "--editable"))
        bare = _EDITABLE.sub("", one).partition("[")[0]
        if bare.startswith((".", "/")) and not bare.endswith((".txt", ".whl")):
            yield absolute(bare, folder)
        elif editable and "+" in bare:
            yield absolute("src", folder)
    if any("+" in word for word in _editable(words)):
        yield absolute("src", folder)


def _goal(words: list[str], call: Call, step: Step, build: Build, *, uv: bool) -> tuple[str, ...] | None:
    if environment := places.environment_of(call, step, build):
        return (f"{environment}/",)
    user = (call.user or step.state.user or "root").partition(":")[0]
    if "--user" in words or variable("PIP_USER", call, step) or user not in {"root", "0"}:
        return None if uv else (places.of_user(call, step, build),)
    if uv and not ("--system" in words or variable("UV_SYSTEM_PYTHON", call, step)):
        return None
    return places.of_interpreter(build) if uv or "/" not in call.words[0].text or _is_own(call) else None


def _is_own(call: Call) -> bool:
    return posixpath.dirname(text(call.words[0], call)) == "/usr/local/bin"


def _value(words: list[str], *names: str) -> str | None:
    for word, following in pairwise((*words, "")):
        if word in names:
            return following
        name, equals, value = word.partition("=")
        if equals and name in names:
            return value
    return None


def _operands(words: list[str]) -> list[str]:
    """Return the words that name what is installed, with those behind -e."""
    valued = {
        "-r",
        "-c",
        "-i",
        "-f",
        "--requirement",
        "--constraint",
        "--index-url",
        "--extra-index-url",
        "--find-links",
    }
    behind = {index for index, word in enumerate(words, 1) if word in valued}
    return [word for index, word in enumerate(words) if index and index not in behind and not word.startswith("-")]


def _editable(words: list[str]) -> list[str]:
    return [following for word, following in pairwise(words) if word in {"-e", "--editable"}]


def _of_python(call: Call, step: Step, build: Build) -> Effect:
    words = script_words(call)
    if not words or words[0] in {"-V", "--version", "-VV"}:
        return NOTHING
    module = words[1] if words[0] == "-m" and words[1:] else ""
    if module in {"poetry", "pipenv", "pdm", "uv"}:
        return of_locked(call, step, build)
    if rule := _MODULES.get(module):
        return rule(call, step, build)
    if module:
        return Effect(unknown=f"what python -m {module} of line {step.line} makes is not known")
    if posixpath.basename(words[0]) == "setup.py":
        return _of_setup(words, call, step, build)
    return of_code(call, step, build, words)


def _of_setup(words: list[str], call: Call, step: Step, build: Build) -> Effect:
    folder = absolute(posixpath.dirname(words[0]), folder_of(call) or "/")
    built = in_folder(folder, "setup.py")
    if built.unknown or not {"install", "develop"} & set(words):
        return built
    goal = _goal(["install"], call, step, build, uv=False)
    return Effect(makes=(*built.makes, *goal)) if goal else Effect(unknown="where setup.py puts its files is not known")


def _of_site(call: Call, step: Step, build: Build) -> Effect:
    goal = _goal(["install"], call, step, build, uv=False)
    return Effect(makes=goal) if goal else Effect(unknown=f"where line {step.line} puts its files is not known")


def _of_project(call: Call, step: Step, build: Build) -> Effect:  # noqa: ARG001 - one of the rules
    return in_folder(folder_of(call), call.program)


def _of_nothing(call: Call, step: Step, build: Build) -> Effect:  # noqa: ARG001 - one of the rules
    return NOTHING


_MODULES: dict[str, Callable[[Call, Step, Build], Effect]] = {
    "compileall": _of_nothing,
    "ensurepip": _of_site,
    "flake8": _of_project,
    "mypy": _of_project,
    "pytest": _of_project,
    "spacy": _of_site,
    "unittest": _of_project,
}


def runtime(build: Build) -> Runtime | str | None:
    """Say what of the interpreter's folders is copied, and which libraries the compiled packages load."""
    if build.full.image != "python":
        return None
    base = small_base(build)
    if base is None:
        return None if "slim" in build.full.words else f"{build.full.name} has no slim variant on the same release"
    if python_minor(build.full) is None:
        return f"which Python {build.full.name} holds is not known"
    found = needed_on(build, base)
    if isinstance(found, str):
        return found
    if base is not build.full and not any(lack.built for lack in found):
        return None  # the slim image alone does, given the packages that it lacks
    packages = tuple(dict.fromkeys(package for lack in found for package in lack.packages))
    own = places.of_interpreter(build) or ()
    copies = own if own and own[0] in build.made else ()
    if copies and any(_SETTLED.match(one.name) for one in _wanted(build)):
        copies = (*copies, "/usr/local/etc/")
    return Runtime(
        base,
        copies,
        sentence(found, _WHY),
        packages,
        clears=(places.cleared(build),) if copies and _mixes(build) else (),
    )


_WHY = "compilers and headers are installed that no container needs"


def _mixes(build: Build) -> bool:
    """Tell whether the build installs another release of what the small image brings too."""
    return any(one.name in _WITH_IMAGE for one in _wanted(build))


def _wanted(build: Build) -> Iterator[Wanted]:
    """Go through the projects that the build installs."""
    subject = build.subject
    for work in build.works:
        for call, _ in work.effects:
            if call is not None:
                found = wanted_by(subject.dockerfile, subject.context, work.step, call)
                yield from (one for one in found if not isinstance(one, Lack))
