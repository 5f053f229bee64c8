"""Virtual environments: `python -m venv` and `virtualenv` read nothing of the project and make one folder.

Sources: https://docs.python.org/3/library/venv.html, https://virtualenv.pypa.io/en/latest/cli_interface.html.
"""

from collections.abc import Mapping

from msgspec import Struct

from optimizer.ecosystems._arguments import Options, parse, variables_of
from optimizer.ecosystems._python import module_of
from optimizer.ecosystems.ecosystem import Cache, Install, Project, Refusal
from optimizer.shell import Call

OPTIONS = Options.of(
    switches="""--system-site-packages --symlinks --copies --clear --upgrade --without-pip --upgrade-deps
        --always-copy --no-setuptools --no-wheel --no-pip --no-download --never-download --download --seeder -v -q
        --without-scm-ignore-files --no-periodic-update -u""",
    values="--prompt -p --python --creator --pip --setuptools --wheel --app-data --system",
)


class Virtualenv(Struct, frozen=True):
    """`python -m venv FOLDER`, `virtualenv FOLDER`."""

    id: str = "virtualenv"
    title: str = "venv"
    programs: frozenset[str] = frozenset({"virtualenv", "python", "pypy"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say where the environment stands, where that is below the project."""
        is_module = module_of(call) in {"venv", "virtualenv"}
        if not is_module and call.program != "virtualenv":
            return None
        words = call.arguments
        if is_module:
            at = next(i for i, word in enumerate(words) if word.value == "-m")
            words = words[at + 2 :]
        arguments = parse(words, OPTIONS, variables_of(call, project.env))
        if isinstance(arguments, Refusal):
            return arguments
        outputs = []
        for folder in arguments.plain:
            if folder.value is None or (call.directory is None and not folder.value.startswith("/")):
                return Refusal("the folder of the environment is not known")
            place = project.locate(folder.value, call.directory or "/")
            if place in {"", project.source} and place is not None:
                return Refusal("the environment is made in the folder of the sources")
            outputs += [place] if place else []
        return Install((), tuple(outputs))

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:  # noqa: ARG002 - part of the protocol
        """Answer none: what is put into an environment comes with Python."""
        return None

    def cleans(self, call: Call) -> bool:  # noqa: ARG002 - part of the protocol
        """Answer no, for there is no cache."""
        return False


ECOSYSTEM = Virtualenv()
