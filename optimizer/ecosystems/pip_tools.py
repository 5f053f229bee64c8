"""pip-tools: `pip-sync` installs what requirement files pin (https://pip-tools.readthedocs.io/en/stable/cli/pip-sync/)."""

from collections.abc import Mapping
from posixpath import join

from msgspec import Struct

from optimizer.context.manifests import table, toml_file
from optimizer.ecosystems._arguments import Options, folder_of, parse, removes, variables_of
from optimizer.ecosystems._files import Refused, unique, visible
from optimizer.ecosystems._python import environments
from optimizer.ecosystems._requirements import Requirements
from optimizer.ecosystems.ecosystem import Cache, Install, Project, Refusal
from optimizer.shell import Call

OPTIONS = Options.of(
    switches="-a --ask -n --dry-run --force --no-index -q --quiet -v --verbose --user -h --help --version --no-config",
    values="""-f --find-links -i --index-url --extra-index-url --trusted-host --cert --client-cert""",
)


class PipTools(Struct, frozen=True):
    """`pip-sync`; `pip-compile` writes a file of the project."""

    id: str = "pip_tools"
    title: str = "pip-tools"
    programs: frozenset[str] = frozenset({"pip-compile", "pip-sync", "pip"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say which requirement files the call reads; requirements.txt where it names none."""
        if call.program == "pip-compile":
            return Refusal("pip-compile writes a file of the project")
        if call.program != "pip-sync":
            return None
        arguments = parse(call.arguments, OPTIONS, variables_of(call, project.env))
        if isinstance(arguments, Refusal):
            return arguments
        if arguments.all("-f", "--find-links", "--cert", "--client-cert"):
            return Refusal("pip-sync names more files to read")
        try:
            folder = folder_of(call, project, arguments)
            names = [word.value for word in arguments.plain] or ["requirements.txt"]
            return _install(call, project, folder, names)
        except Refused as refused:
            return Refusal(str(refused))

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:
        """Name pip's cache, which pip-sync fills through pip."""
        if call.program != "pip-sync":
            return None
        variables = variables_of(call, env)
        names = ("PIP_NO_CACHE_DIR", "PIP_CACHE_DIR", "XDG_CACHE_HOME")
        named = next((name for name in names if variables.get(name, "") != ""), None)
        target = join(variables.get("HOME") or "/root", ".cache/pip")
        off = f"{named} is set" if named else None
        return Cache("pip's download cache", cleanup=("rm -rf ~/.cache/pip",), targets=(target,), off=off)

    def cleans(self, call: Call) -> bool:
        """`pip cache purge`, or the folder removed."""
        purged = call.program.startswith("pip") and [w.value for w in call.arguments][:2] == ["cache", "purge"]
        return purged or removes(call, ".cache/pip")


ECOSYSTEM = PipTools()


def _install(call: Call, project: Project, folder: str, names: list[str | None]) -> Install | Refusal:
    found = Requirements(project, call.directory or "")
    for name in names:
        refusal = Refusal("the requirement file is not known") if name is None else found.read(name)
        if refusal:
            return refusal
    settings = [*visible(project.context, folder, ".pip-tools.toml")]
    if table(toml_file(project.context, join(folder, "pyproject.toml")), "tool", "pip-tools"):
        settings.append(join(folder, "pyproject.toml"))
    places = environments(call, project, call.words[0])
    return (
        places
        if isinstance(places, Refusal)
        else Install(unique([*found.manifests, *settings]), unique([*places, *found.outputs]))
    )
