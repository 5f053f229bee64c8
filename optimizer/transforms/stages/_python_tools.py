"""Poetry, Pipenv, uv and PDM: whether they install into the image's interpreter or into an environment, and which."""

from collections.abc import Iterator

from optimizer.context.manifests import table, toml_file
from optimizer.images.pythons import python_minor
from optimizer.model import Step
from optimizer.shell import Call
from optimizer.transforms.stages import _python_places as places
from optimizer.transforms.stages.interpreted import absolute, folder_of, home_of, in_folder, text, variable
from optimizer.transforms.stages.nodes import NOTHING, Build, Effect
from optimizer.transforms.stages.paths import SYSTEM

_INSTALLS = frozenset({"install", "sync", "add", "update"})
_LOOKS = frozenset({"check", "show", "env", "version", "about", "--version", "cache", "graph", "tree", "self", ""})
_WRITES = frozenset({"lock", "export", "build", "requirements"})
_SURE = frozenset({"true", "1"})


def of_locked(call: Call, step: Step, build: Build) -> Effect:
    """Return what a call of one of these tools leaves behind."""
    words = [text(word, call) for word in call.arguments]
    name = call.program
    if words[:1] == ["-m"]:
        name, words = words[1], words[2:]
    verb = next((word for word in words if not word.startswith("-")), "")
    if verb in _LOOKS:
        return NOTHING
    if verb == "config":
        return Effect(makes=(f"{home_of(call, step, build)}/.config/pypoetry/",)) if name == "poetry" else NOTHING
    if verb in _WRITES:
        return in_folder(folder_of(call), f"{name} {verb}")
    if verb not in _INSTALLS:
        return Effect(unknown=f"what {name} {verb} of line {step.line} makes is not known")
    goal = _GOALS[name](call, step, build, words)
    if goal is None:
        return Effect(unknown=f"where {name} puts its packages in line {step.line} is not known")
    folder = folder_of(call)
    own = (f"{folder}/",) if folder and folder not in SYSTEM else ()
    return Effect(makes=tuple(dict.fromkeys((*goal, *own))), leaves=tuple(_caches(home_of(call, step, build))))


def of_installer(call: Call, step: Step, build: Build) -> Effect | None:
    """Return what the installers of Poetry and uv leave, handed to a shell or to Python; None for another script."""
    if any(not word.text.startswith("-") for word in call.arguments[:1]):
        return None
    fetched = " ".join(word.text for other in (step.run.calls if step.run else ()) for word in other.arguments)
    home = home_of(call, step, build)
    if "install.python-poetry.org" in fetched:
        own = variable("POETRY_HOME", call, step)
        return Effect((f"{own}/",) if own else (f"{home}/.local/share/pypoetry/", f"{home}/.local/bin/"))
    if "astral.sh/uv/install.sh" in fetched:
        place = variable("UV_INSTALL_DIR", call, step) or f"{home}/.local/bin"
        return Effect((f"{place}/",), (f"{home}/.profile", f"{home}/.bashrc", f"{home}/.config/uv/**"))
    return None


def _caches(home: str) -> Iterator[str]:
    yield from (f"{home}/.cache/{name}/**" for name in ("pip", "pipenv", "uv", "pdm"))
    yield from (f"{home}/.cache/pypoetry/{name}/**" for name in ("cache", "artifacts"))


def _poetry(call: Call, step: Step, build: Build, words: list[str]) -> tuple[str, ...] | None:  # noqa: ARG001
    if environment := places.environment_of(call, step, build):
        return (f"{environment}/",)
    folder = folder_of(call) or "/"
    if _setting("virtualenvs.create", "POETRY_VIRTUALENVS_CREATE", call, step, build) == "false":
        return places.of_interpreter(build)
    if _setting("virtualenvs.in-project", "POETRY_VIRTUALENVS_IN_PROJECT", call, step, build) in _SURE:
        return (f"{absolute('.venv', folder)}/",)
    path = _setting("virtualenvs.path", "POETRY_VIRTUALENVS_PATH", call, step, build)
    return (f"{path or home_of(call, step, build) + '/.cache/pypoetry/virtualenvs'}/",)


def _setting(key: str, name: str, call: Call, step: Step, build: Build) -> str | None:
    """Return a setting of Poetry: of a variable, of `poetry config` before the call, or of poetry.toml."""
    if (given := variable(name, call, step)) is not None:
        return given.lower() if given.lower() in {"true", "false"} else given
    found = None
    for other in build.stage.body:
        for one in other.run.calls if other.run and other.index <= step.index else ():
            words = [text(word, one) for word in one.arguments if not word.text.startswith("-")]
            if one.program == "poetry" and words[:2] == ["config", key] and words[2:]:
                found = words[2]
    if found is not None:
        return found
    section, _, option = key.partition(".")
    value = table(toml_file(build.subject.context, "poetry.toml"), section).get(option)
    return str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else None


def _pipenv(call: Call, step: Step, build: Build, words: list[str]) -> tuple[str, ...] | None:
    if environment := places.environment_of(call, step, build):
        return (f"{environment}/",)
    if "--system" in words or variable("PIPENV_SYSTEM", call, step):
        return places.of_interpreter(build)
    if variable("PIPENV_VENV_IN_PROJECT", call, step):
        return (f"{absolute('.venv', folder_of(call) or '/')}/",)
    return (f"{variable('WORKON_HOME', call, step) or home_of(call, step, build) + '/.local/share/virtualenvs'}/",)


def _uv(call: Call, step: Step, build: Build, words: list[str]) -> tuple[str, ...] | None:
    if "--system" in words or words[:1] == ["tool"] or not _has_fitting_python(build):
        return None
    place = variable("UV_PROJECT_ENVIRONMENT", call, step) or ".venv"
    if place == "/usr/local":
        return places.of_interpreter(build)
    return (f"{absolute(place, folder_of(call) or '/')}/",)


def _has_fitting_python(build: Build) -> bool:
    """Tell whether uv finds the Python that the project asks for in the image, so that it fetches none."""
    asked = (build.subject.context.text(".python-version") or "").strip()
    return not asked or asked.split(".")[:2] == ["3", str(python_minor(build.full))]


def _pdm(call: Call, step: Step, build: Build, words: list[str]) -> tuple[str, ...] | None:  # noqa: ARG001
    return (f"{absolute('.venv', folder_of(call) or '/')}/",)


_GOALS = {"pdm": _pdm, "pipenv": _pipenv, "poetry": _poetry, "uv": _uv}
