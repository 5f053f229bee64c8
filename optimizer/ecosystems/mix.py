"""Mix: the dependencies of an Elixir project, fetched and compiled with mix.exs, mix.lock and config/ alone.

Sources: https://hexdocs.pm/mix/Mix.Tasks.Deps.Get.html, https://hexdocs.pm/mix/Mix.Tasks.Deps.Compile.html,
https://hexdocs.pm/mix/Mix.html#module-environment-variables. Tried with a project without dependencies: that the tasks
read no sources; what Hex adds is read.
"""

from collections.abc import Mapping
from posixpath import join

from msgspec import Struct

from optimizer.ecosystems._arguments import Options, parse, variables_of
from optimizer.ecosystems._files import Refused
from optimizer.ecosystems._mix_project import read_applications
from optimizer.ecosystems.ecosystem import Cache, Install, Project, Refusal
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern

OPTIONS = Options.of(
    switches="--check-locked --no-archives-check --force --skip-umbrella-children --skip-local-deps --if-missing",
    values="--only",
)
_FETCH, _COMPILE = "deps.get", "deps.compile"
_TOOLS = frozenset({"local.hex", "local.rebar"})
_ELSEWHERE = lazy_pattern(
    r"MIX_(?:EXS|DEPS_PATH|BUILD_PATH|BUILD_ROOT|PATH|QUIET_PATH)|ERL_(?:LIBS|AFLAGS|FLAGS)|ELIXIR_ERL_OPTIONS"
)


class Mix(Struct, frozen=True):
    """`mix deps.get` and `mix deps.compile`, and what installs Hex and Rebar."""

    id: str = "mix"
    title: str = "Mix"
    programs: frozenset[str] = frozenset({"mix"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say what the call reads."""
        words = [word.value for word in call.arguments]
        start = None if call.directory is None else project.locate(".", call.directory)
        if call.program != "mix" or start is None or not words or words[0] not in {_FETCH, _COMPILE, *_TOOLS}:
            return None
        try:
            return _install(call, project, start, str(words[0]))
        except Refused as refused:
            return Refusal(str(refused))

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:
        """Name Hex's packages, which stay: Hex has no command that removes them all."""
        if call.program != "mix" or [word.value for word in call.arguments[:1]] != [_FETCH]:
            return None
        variables = variables_of(call, env)
        home = variables.get("HEX_HOME") or join(variables.get("HOME") or "/root", ".hex")
        return Cache(
            "Hex's packages",
            targets=(join(home, "packages"),),
            off="Hex has no command that removes what it downloads: leave it in a build stage",
        )

    def cleans(self, call: Call) -> bool:
        """Tell whether the packages are removed."""
        return call.program == "rm" and any(".hex" in word.text for word in call.arguments)


ECOSYSTEM = Mix()


def _install(call: Call, project: Project, start: str, task: str) -> Install:
    variables = variables_of(call, project.env)
    if name := next((name for name in variables if _ELSEWHERE.fullmatch(name)), None):
        raise Refused(f"{name} may name a place in the project")
    arguments = parse(call.arguments, OPTIONS, variables)
    if isinstance(arguments, Refusal):
        raise Refused(arguments.reason)
    if task in _TOOLS:
        if len(arguments.plain) > 1:
            raise Refused(f"mix {task} may take a file of the project")
        if project.context.is_file(join(start, "mix.exs")):
            read_applications(project.context, start)  # it is loaded before any task, and may have an alias
        return Install(())
    applications = read_applications(project.context, start)
    if task == _FETCH and len(arguments.plain) > 1:
        raise Refused("mix deps.get knows no names of dependencies")
    if applications.is_umbrella and task == _COMPILE and not arguments.has("--skip-umbrella-children"):
        raise Refused("mix deps.compile compiles the applications of the umbrella too")
    if applications.stale and not arguments.has("--check-locked"):
        raise Refused(applications.stale)
    return Install(applications.manifests, (join(start, "deps"), join(start, "_build")))
