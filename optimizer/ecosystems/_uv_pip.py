"""`uv pip`: requirement files as pip reads them, and uv's own settings (https://docs.astral.sh/uv/pip/packages/)."""

from collections.abc import Mapping
from posixpath import basename, dirname, join

from optimizer.context.manifests import table
from optimizer.ecosystems._arguments import Arguments
from optimizer.ecosystems._files import Refused, nearest, unique
from optimizer.ecosystems._python import environments, local_requirement, pyproject, requirement_lists
from optimizer.ecosystems._requirements import Requirements
from optimizer.ecosystems._uv_project import settings_files
from optimizer.ecosystems._wanted import is_path, read_words
from optimizer.ecosystems.ecosystem import Install, Project, Refusal
from optimizer.shell import Call, Word

_FILES = frozenset(
    {"-r", "--requirement", "--requirements", "-c", "--constraint", "--constraints", "-b", "--build-constraint",
     "--build-constraints", "--override", "--overrides", "--exclude", "--excludes"}
)  # fmt: skip
_BUILT = frozenset({"setup.py", "setup.cfg"})
_VARIABLES = ("UV_CONSTRAINT", "UV_OVERRIDE", "UV_BUILD_CONSTRAINT", "UV_EXCLUDE", "UV_FIND_LINKS")
_ON_SYSTEM = ("--system", "-t", "--target", "--prefix", "-p", "--python")


def install_pip(
    call: Call, project: Project, program: Word, arguments: Arguments, variables: Mapping[str, str | None]
) -> Install:
    """Answer for `uv pip install`, `uv pip sync` and `uv pip uninstall`; raises `Refused`."""
    found = Requirements(project, call.directory or "")
    words = arguments.plain[2:]
    is_sync = arguments.plain[1].value == "sync"
    named = [
        value
        for name, value in arguments.options
        if name in _FILES or name in {"-e", "--editable", "--find-links", "-f"}
    ]
    if call.directory is None and (is_sync or named or any(is_path(word.text) for word in words)):
        raise Refused("the directory of the install is not known")
    if set_one := next((name for name in _VARIABLES if variables.get(name, "") != ""), None):
        raise Refused(f"{set_one} names more to read")
    for name, value in arguments.options:
        _check(_read_option(found, name, value))
    for word in words if is_sync else ():
        _check(_read_file(found, word.value))
    _check(None if is_sync else read_words(found, "uv pip", words))
    return Install(_with_settings(found, call), _outputs(call, found, program, arguments, variables))


def _read_option(found: Requirements, name: str, value: str | None) -> Refusal | None:
    if name in _FILES:
        return _read_file(found, value)
    if name in {"-e", "--editable"}:
        refusal = found.line(f"-e {value}") if value else Refusal("")
        return refusal and Refusal(f"uv pip install -e {value or ''} builds the project from its sources")
    if name in {"-f", "--find-links"}:
        return found.links(value) if value else Refusal(f"the value of {name} is not known before the command runs")
    if name == "--group":
        return Refusal("--group reads pyproject.toml in a way that is not followed")
    return None


def _read_file(found: Requirements, path: str | None) -> Refusal | None:
    if path is None:
        return Refusal("the requirement file is not known before the command runs")
    if basename(path) in _BUILT:
        return Refusal(f"uv builds the project to learn what {path} requires")
    return _read_pyproject(found, path) if path.endswith(".toml") else found.read(path)


def _read_pyproject(found: Requirements, path: str) -> Refusal | None:
    """Take in the dependencies of a pyproject.toml, which uv reads without building where they are static."""
    place = found.project.locate(path, found.directory)
    if place is None or basename(place) != "pyproject.toml":
        return Refusal(f"{path} is outside of the copied files")
    content = pyproject(found.project.context, dirname(place))
    if isinstance(content, Refusal):
        return content
    dynamic = table(content, "project").get("dynamic")
    if "project" not in content or (
        isinstance(dynamic, list) and {"dependencies", "optional-dependencies"} & {*dynamic}
    ):
        return Refusal(f"uv builds the project to learn what {path} requires")
    found.files.append(place)
    if any(
        "path" in table(source) or isinstance(source, list)
        for source in table(content, "tool", "uv", "sources").values()
    ):
        return Refusal(f"{path} takes dependencies from folders")
    return local_requirement(requirement_lists(content))


def _with_settings(found: Requirements, call: Call) -> tuple[str, ...]:
    """Add uv's settings where a file of the project gives them; an install that reads none stays without."""
    start = found.project.locate(".", call.directory) if call.directory else None
    if start is None:
        return found.manifests
    folder = nearest(found.project, start, "pyproject.toml")
    content = pyproject(found.project.context, folder) if folder is not None else {}
    own = (
        [join(folder or "", "pyproject.toml")]
        if not isinstance(content, Refusal) and table(content, "tool", "uv")
        else []
    )
    return unique([*found.manifests, *own, *settings_files(found.project, start)])


def _outputs(
    call: Call, found: Requirements, program: Word, arguments: Arguments, variables: Mapping[str, str | None]
) -> tuple[str, ...]:
    places = environments(call, found.project, program)
    if isinstance(places, Refusal):
        raise Refused(places.reason)
    outputs = [*places, *found.outputs]
    for value in arguments.all("-t", "--target", "--prefix", "-p", "--python"):
        if value is None:
            raise Refused("the folder that the packages go to is not known")
        place = (
            found.project.locate(value, call.directory or "/")
            if "/" in value or value in arguments.all("-t", "--target", "--prefix")
            else None
        )
        if place in {"", found.project.source} and place is not None:
            raise Refused("the packages go to the folder of the sources")
        outputs += [dirname(dirname(place)) if "/bin/" in f"/{place}" else place] if place else []
    if not arguments.has(*_ON_SYSTEM) and variables.get("UV_SYSTEM_PYTHON") is None and call.directory is not None:
        place = found.project.locate(".venv", call.directory)
        outputs += [place] if place and not places else []
    return unique(outputs)


def _check(refusal: Refusal | None) -> None:
    if refusal:
        raise Refused(refusal.reason)
