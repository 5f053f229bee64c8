"""pip: requirement and constraint files, and the cache of downloaded wheels.

Sources: https://pip.pypa.io/en/stable/cli/pip_install/, https://pip.pypa.io/en/stable/topics/configuration/ and
https://pip.pypa.io/en/stable/topics/caching/.
"""

from collections.abc import Mapping
from posixpath import join

from msgspec import Struct

from optimizer.ecosystems._arguments import Arguments, Options, command_of, parse, removes, variables_of
from optimizer.ecosystems._files import beside, missing, unique
from optimizer.ecosystems._python import Start, environments, local_requirement, pyproject, requirement_lists, started
from optimizer.ecosystems._requirements import Requirements
from optimizer.ecosystems._wanted import is_path, read_words
from optimizer.ecosystems.ecosystem import Cache, Install, Project, Refusal
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern

OPTIONS = Options.of(
    switches="""-U --upgrade -q --quiet -v --verbose --no-deps --pre --user --force-reinstall --ignore-installed -I
        --ignore-requires-python --no-build-isolation --use-pep517 --no-use-pep517 --check-build-dependencies
        --break-system-packages --compile --no-compile --no-warn-script-location --no-warn-conflicts --prefer-binary
        --require-hashes --no-clean --no-index --isolated --require-virtualenv --no-input --no-cache-dir --no-cache
        --disable-pip-version-check --no-color --no-python-version-warning --debug --dry-run -h --help -V --version
        --process-dependency-links --no-verify --use-wheel --no-use-wheel --egg -y --yes""",
    values="""--no-binary --only-binary --upgrade-strategy --root-user-action --progress-bar --src --source --source-dir
        --source-directory --cache-dir --cert --client-cert --proxy --timeout --default-timeout --retries
        --resume-retries --exists-action --trusted-host --log --log-file --use-feature --use-deprecated
        --keyring-provider --global-option --install-option --build-option --config-settings --config-setting -C
        -i --index-url --pypi-url --extra-index-url -f --find-links --platform --python-version --implementation --abi
        -t --target --prefix --root -r --requirement -c --constraint --build-constraint -e --editable --group
        -w --wheel-dir -d --dest --destination-dir --destination-directory""",
)
_PIP = lazy_pattern(r"pip(?:\d+(?:\.\d+)*)?")
_INSTALLS = frozenset({"install", "wheel", "download", "uninstall"})
_INDEPENDENT = frozenset({"cache", "check", "config", "debug", "help", "index", "inspect", "list", "show"})
_FILLS_CACHE = frozenset({"install", "wheel", "download"})
_DESTINATIONS = ("-w", "--wheel-dir", "-d", "--dest", "--destination-dir", "--destination-directory")
_OUTPUTS = ("-t", "--target", "--prefix", "--root", "--src", "--source", "--source-dir", "--source-directory",
            "--cache-dir", *_DESTINATIONS)  # fmt: skip
_OUTPUT_VARIABLES = ("PIP_TARGET", "PIP_PREFIX", "PIP_SRC", "PIP_CACHE_DIR", "PYTHONUSERBASE")
_FILES = ("-r", "--requirement", "-c", "--constraint", "--build-constraint")


class Pip(Struct, frozen=True):
    """`pip install` and its kin, as `pip`, `pip3.12` or `python -m pip`."""

    id: str = "pip"
    title: str = "pip"
    programs: frozenset[str] = frozenset({"pip", "python", "pypy"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say what the call reads; one that names packages only gives an `Install` without manifests."""
        start = started(call, _PIP, "pip")
        if start is None:
            return None
        arguments = parse(start.arguments, OPTIONS, variables_of(call, project.env))
        if isinstance(arguments, Refusal):
            return arguments
        command = arguments.plain[0].value if arguments.plain else "help"
        if command in _INDEPENDENT:
            return Install(())
        return _install(call, project, start, arguments) if command in _INSTALLS else None

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:
        """Wheels and web pages; `--no-cache-dir` keeps them out."""
        start = started(call, _PIP, "pip")
        if start is None:
            return None
        variables = variables_of(call, env)
        command = command_of(start.arguments, OPTIONS)
        if command is None or command.value not in _FILLS_CACHE:
            return None
        return Cache(
            "pip's download cache",
            flag="--no-cache-dir",
            after=command,
            targets=(cache_folder(variables, "PIP_CACHE_DIR", "pip"),),
            off=_why_no_cache(start, variables),
        )

    def cleans(self, call: Call) -> bool:
        """`pip cache purge`, or the folder removed."""
        start = started(call, _PIP, "pip")
        words = [w.value for w in start.arguments] if start else []
        return ("cache" in words and "purge" in words) or removes(call, ".cache/pip")


ECOSYSTEM = Pip()


def cache_folder(variables: Mapping[str, str | None], variable: str, name: str) -> str:
    """Return the folder of a cache that follows the XDG rules: the tool's own variable, XDG_CACHE_HOME, or HOME."""
    if own := variables.get(variable):
        return own
    caches = variables.get("XDG_CACHE_HOME") or join(variables.get("HOME") or "/root", ".cache")
    return join(caches, name)


def _why_no_cache(start: Start, variables: Mapping[str, str | None]) -> str | None:
    words = [word.text.partition("=")[0] for word in start.arguments]
    if {"--no-cache-dir", "--no-cache"} & {*words}:  # optparse takes any beginning that is clear
        return "pip runs with --no-cache-dir already"
    # Any value that is not empty counts, "false" included (pip's cmdoptions.py, _handle_no_cache_dir).
    if variables.get("PIP_NO_CACHE_DIR", "") != "":
        return "PIP_NO_CACHE_DIR is set already"
    if "--cache-dir" in words:
        return "the call names a cache folder of its own"
    return "the call is a dry run" if "--dry-run" in words else None


def _install(call: Call, project: Project, start: Start, arguments: Arguments) -> Install | Refusal:
    found = Requirements(project, call.directory or "")
    if call.directory is None and _reads_relative(arguments):
        return Refusal("the directory of the install is not known")
    refusal = (
        _read_options(found, arguments)
        or _read_variables(found, call)
        or read_words(found, "pip", arguments.plain[1:])
        or _read_groups(found, arguments)
    )
    if refusal:
        return refusal
    places = environments(call, project, start.program)
    outputs = _outputs(call, arguments, found)
    if isinstance(places, Refusal) or isinstance(outputs, Refusal):
        return places if isinstance(places, Refusal) else outputs  # type: ignore[return-value]  # one of them is
    return Install(found.manifests, unique([*outputs, *places, *found.outputs]))


def _reads_relative(arguments: Arguments) -> bool:
    named = [value for value in arguments.all(*_FILES, "-f", "--find-links", "--cert", *_OUTPUTS) if value]
    return any(not v.startswith("/") for v in named) or any(is_path(a.text) for a in arguments.plain[1:])


def _read_options(found: Requirements, arguments: Arguments) -> Refusal | None:
    for name, value in arguments.options:
        if name in _FILES or name in {"-f", "--find-links", "-e", "--editable", "--cert", "--client-cert"}:
            if value is None and name in {"-e", "--editable"}:
                return Refusal("pip install -e builds the project from its sources")
            if value is None:
                return Refusal(f"the value of {name} is not known before the command runs")
            if refusal := _read_option(found, name, value):
                return refusal
    return None


def _read_option(found: Requirements, name: str, value: str) -> Refusal | None:
    if name in _FILES:
        return found.read(value)
    if name in {"-f", "--find-links"}:
        return found.links(value)
    if name in {"-e", "--editable"}:
        refusal = found.line(f"-e {value}")
        return refusal and Refusal(f"pip install -e {value} builds the project from its sources")
    place = found.project.locate(value, found.directory)
    if place is None:
        return None
    found.files.append(place)
    return None if found.project.context.is_file(place) else missing(found.project.context, place)


def _read_variables(found: Requirements, call: Call) -> Refusal | None:
    """Every option may come from a variable `PIP_<OPTION>`; several values are separated by white space."""
    variables = variables_of(call, found.project.env)
    for name in (
        "PIP_REQUIREMENT",
        "PIP_CONSTRAINT",
        "PIP_BUILD_CONSTRAINT",
        "PIP_FIND_LINKS",
        "PIP_EDITABLE",
        "PIP_CONFIG_FILE",
    ):
        value = variables.get(name, "")
        if value is None:
            return Refusal(f"the value of {name} is not known")
        for part in value.split():
            if refusal := _read_variable(found, name, part):
                return refusal
    return None


def _read_variable(found: Requirements, name: str, value: str) -> Refusal | None:
    if name == "PIP_FIND_LINKS":
        return found.links(value)
    if name == "PIP_EDITABLE":
        return Refusal("PIP_EDITABLE names a project to build")
    if name == "PIP_CONFIG_FILE":
        inside = found.project.locate(value, found.directory or "/")
        return None if inside is None else Refusal("PIP_CONFIG_FILE names a file of the project")
    return found.read(value)


def _read_groups(found: Requirements, arguments: Arguments) -> Refusal | None:
    """`--group [path:]name` takes a group of a pyproject.toml."""
    for value in arguments.all("--group"):
        path = (value or "").rpartition(":")[0] or "pyproject.toml"
        place = found.project.locate(path, found.directory) if value else None
        if place is None or not found.project.context.is_file(place):
            return Refusal(f"the pyproject.toml of the group {value} is not in the copied files")
        content = pyproject(found.project.context, beside(place, "..") or "")
        refusal = content if isinstance(content, Refusal) else local_requirement(requirement_lists(content))
        if refusal:
            return refusal
        found.files.append(place)
    return None


def _outputs(call: Call, arguments: Arguments, found: Requirements) -> tuple[str, ...] | Refusal:
    places: list[str] = []
    for value in arguments.all(*_OUTPUTS):
        if value is None:
            return Refusal("the folder that the packages go to is not known")
        place = found.project.locate(value, found.directory or "/")
        if place in {"", found.project.source}:
            return Refusal("the packages go to the folder of the sources")
        places += [place] if place else []
    variables = variables_of(call, found.project.env)
    folders = [variables.get(name) or "" for name in _OUTPUT_VARIABLES if variables.get(name)]
    places += [place for folder in folders if (place := found.project.locate(folder, found.directory or "/"))]
    command = arguments.plain[0].value
    if (
        command in {"wheel", "download"}
        and not arguments.all(*_DESTINATIONS)
        and found.project.locate(".", found.directory or "/") is not None
    ):
        return Refusal(f"pip {command} puts its files among the sources")
    return tuple(places)
