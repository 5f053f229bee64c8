"""conda, mamba and micromamba: environment files with their `pip:` part, and lists of specs.

Sources: https://docs.conda.io/projects/conda/en/stable/commands/index.html,
https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html,
https://mamba.readthedocs.io/en/latest/user_guide/micromamba.html.
"""

from collections.abc import Iterator, Mapping
from posixpath import dirname, join

from msgspec import Struct

from optimizer.context.manifests import table, yaml_file
from optimizer.ecosystems._arguments import Arguments, Options, command_of, parse, removes, variables_of
from optimizer.ecosystems._files import Refused, missing, need, unique
from optimizer.ecosystems._requirements import Requirements
from optimizer.ecosystems.ecosystem import Cache, Install, Project, Refusal
from optimizer.shell import Call

OPTIONS = Options.of(
    switches="""-y --yes -q --quiet -v -vv -vvv --verbose --json -d --dry-run --prune --force --override-channels
        --offline --no-deps --only-deps --freeze-installed --no-update-deps --update-deps -S
        --satisfied-skip-solve --update-all --all -a --update-specs --copy --no-pin
        --strict-channel-priority --no-channel-priority --force-reinstall --no-default-packages
        --download-only -k --insecure --use-index-cache -C --experimental --debug --use-local --dev -m
        --mkdir --clobber --no-shortcuts --no-rc --no-env --revision --use-uv --no-capture-output --system""",
    values="""-f --file -n --name -p --prefix -c --channel --solver --repodata-fn --platform --subdir --clone
        --channel-priority -r --root-prefix --rc-file --default-packages --set --add --append --prepend --remove
        --category --pyc""",
)
_PROGRAMS = frozenset({"conda", "mamba", "micromamba"})
_FILLS_CACHE = frozenset({"install", "create", "update", "upgrade", "env"})
_INDEPENDENT = frozenset({"clean", "config", "info", "init", "list", "activate", "search"})
_LOCAL_SPEC = (".conda", ".tar.bz2")


class Conda(Struct, frozen=True):
    """`conda env create -f`, `conda install --file`, and the same of mamba and micromamba."""

    id: str = "conda"
    title: str = "conda"
    programs: frozenset[str] = frozenset({"conda", "mamba", "micromamba"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say what the call reads; one that names packages only gives an `Install` without manifests."""
        command = command_of(call.arguments, OPTIONS) if call.program in _PROGRAMS else None
        if command is None:
            return None
        if command.value in _INDEPENDENT:
            return Install(())
        if command.value not in _FILLS_CACHE | {"remove", "uninstall"}:
            return None
        arguments = parse(call.arguments, OPTIONS, variables_of(call, project.env))
        if isinstance(arguments, Refusal):
            return arguments
        try:
            return _install(call, project, arguments)
        except Refused as refused:
            return Refusal(str(refused))

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:
        """Name the downloaded packages and indexes (https://docs.conda.io/projects/conda/en/stable/commands/clean.html)."""
        command = command_of(call.arguments, OPTIONS) if call.program in _PROGRAMS else None
        if command is None or command.value not in _FILLS_CACHE:
            return None
        arguments = parse(call.arguments, OPTIONS, {})
        words = [] if isinstance(arguments, Refusal) else [argument.value for argument in arguments.plain]
        if command.value == "env" and not {"create", "update"} & set(words):
            return None
        soft = {**env, **call.variables}.get("CONDA_ALWAYS_SOFTLINK", "") != ""
        return Cache(
            "conda's package cache",
            cleanup=(f"{call.words[0].text} clean -afy",),
            targets=("/opt/conda/pkgs",),
            off="the environments are links into the package cache" if soft else None,
        )

    def cleans(self, call: Call) -> bool:
        """`conda clean` with --all or the packages, or the folder removed."""
        texts = [word.text for word in call.arguments]
        cleaned = call.program in _PROGRAMS and "clean" in texts
        return cleaned or removes(call, "conda/pkgs", "conda3/pkgs", "mamba/pkgs")


ECOSYSTEM = Conda()


def _install(call: Call, project: Project, arguments: Arguments) -> Install:
    words = [argument.text for argument in arguments.plain]
    is_env = words[0] == "env"
    if is_env and not {"create", "update"} & set(words[1:2]):
        return Install(())
    if local := next((w for w in words[1:] if w.endswith(_LOCAL_SPEC) or w.startswith((".", "/", "file:"))), None):
        raise Refused(f"{call.program} installs {local} from the project")
    files = [*arguments.all("-f", "--file")]
    if is_env and not files:
        files = ["environment.yml"]
    found: list[str] = []
    outputs: list[str] = []
    for name in files:
        if name is None or (call.directory is None and not name.startswith("/")):
            raise Refused("the environment file is not known before the command runs")
        found += _file(project, name, call.directory or "/", outputs)
    return Install(unique(found), unique([*_prefix(call, project, arguments), *outputs]))


def _prefix(call: Call, project: Project, arguments: Arguments) -> Iterator[str]:
    for value in arguments.all("-p", "--prefix"):
        place = None if value is None else project.locate(value, call.directory or "/")
        if value is None or place == "":
            raise Refused("the folder of the environment is not known")
        yield from (place,) if place else ()


def _file(project: Project, name: str, directory: str, outputs: list[str]) -> tuple[str, ...]:
    """Return an environment file with what it leads to; pip works in its folder for the `pip:` part."""
    if "://" in name:
        return ()
    path = project.locate(name, directory)
    if path is None:
        raise Refused(f"{name} is outside of the copied files")
    need(project.context, path)
    if not path.endswith((".yml", ".yaml")):
        return (path,)
    content = yaml_file(project.context, path)
    if not isinstance(content, dict):
        raise Refused(
            f"{path} cannot be read" if project.context.exists(path) else missing(project.context, path).reason
        )
    channels = content.get("channels")
    if (
        local := next((c for c in channels or () if str(c).startswith((".", "/", "file:"))), None)
        if isinstance(channels, list)
        else None
    ):
        raise Refused(f"the channel {local} is a folder")
    requirements = Requirements(project, dirname(join(directory, name)))
    if refusal := requirements.lines(_pip_lines(content), dirname(path)):
        raise Refused(f"{refusal.reason} ({path})")
    outputs += requirements.outputs
    return (path, *requirements.manifests)


def _pip_lines(content: Mapping[str, object]) -> Iterator[str]:
    listed = content.get("dependencies")
    for entry in listed if isinstance(listed, list) else ():
        lines = table(entry).get("pip")
        yield from (str(line) for line in (lines if isinstance(lines, list) else ()))
