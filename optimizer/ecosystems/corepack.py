"""Corepack, which brings the yarn or pnpm that package.json asks for (https://github.com/nodejs/corepack#readme)."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from optimizer.context.manifests import json_file, table
from optimizer.ecosystems._arguments import Options, folder_of, parse, variables_of
from optimizer.ecosystems._files import Refused, upwards, visible
from optimizer.ecosystems._javascript import string
from optimizer.ecosystems.ecosystem import Cache, Install, Project, Refusal
from optimizer.shell import Call

OPTIONS = Options.of(
    switches="--activate --all --json -g --global --cache-only --version -v --help -h",
    values="--install-directory -o --output",
)


class Corepack(Struct, frozen=True):
    """`corepack enable`, `corepack prepare`, `corepack install`."""

    id: str = "corepack"
    title: str = "Corepack"
    programs: frozenset[str] = frozenset({"corepack"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say whether the call takes the version from package.json; `enable` and named versions read nothing."""
        if call.program != "corepack":
            return None
        arguments = parse(call.arguments, OPTIONS, variables_of(call, project.env))
        if isinstance(arguments, Refusal):
            return arguments
        command, *named = [argument.text for argument in arguments.plain] or ["help"]
        if command in {"enable", "disable", "help", "cache"} or named:
            return Install(()) if command != "use" else Refusal("corepack use changes package.json")
        if command not in {"prepare", "install"}:
            return Refusal(f"corepack {command} changes package.json")
        try:
            folder = folder_of(call, project, arguments)
        except Refused as refused:
            return Refusal(str(refused))
        found = tuple(_asked(project, folder))
        return Install(found) if found else Refusal("package.json is not in the build context")

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:  # noqa: ARG002 - part of the protocol
        """Answer none: what Corepack keeps is the package manager itself."""
        return None

    def cleans(self, call: Call) -> bool:  # noqa: ARG002 - part of the protocol
        """Answer no, for there is no cache."""
        return False


ECOSYSTEM = Corepack()


def _asked(project: Project, folder: str) -> Iterator[str]:
    """Go through the package.json files from a folder upwards, to the first that names its package manager."""
    for at in upwards(project, folder):
        for path in visible(project.context, at, "package.json"):
            yield path
            if string(table(json_file(project.context, path)), "packageManager"):
                return
