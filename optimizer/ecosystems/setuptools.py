"""Builds of the project itself: `python setup.py install`, `python -m build` and the like always need the sources.

Source: https://setuptools.pypa.io/en/latest/userguide/commands.html.
"""

from collections.abc import Mapping

from msgspec import Struct

from optimizer.ecosystems._python import module_of, script_of
from optimizer.ecosystems.ecosystem import Cache, Install, Project, Refusal
from optimizer.shell import Call

_BUILDERS = frozenset({"build", "flit", "hatch", "hatchling"})


class Setuptools(Struct, frozen=True):
    """`python setup.py` with any command."""

    id: str = "setuptools"
    title: str = "setuptools"
    programs: frozenset[str] = frozenset({"setup.py", "flit", "hatch", "python", "pypy"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:  # noqa: ARG002 - part of the protocol
        """Refuse: the commands of setup.py read what they package."""
        script = script_of(call)
        direct = call.words[0] if call.program == "setup.py" else None
        if direct is not None or (script is not None and (script.program.value or "").rpartition("/")[2] == "setup.py"):
            arguments = call.arguments if direct is not None else script.arguments if script else ()
            command = next((w.text for w in arguments if not w.text.startswith("-")), "")
            return Refusal(f"setup.py {command} builds the project from its sources".replace("  ", " "))
        module = module_of(call)
        if module in _BUILDERS or call.program in {"flit", "hatch"}:
            started = call.program if module is None else f"python -m {module}"
            return Refusal(f"{started} builds the project from its sources")
        return None

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:  # noqa: ARG002 - part of the protocol
        """Answer none: easy_install keeps nothing."""
        return None

    def cleans(self, call: Call) -> bool:  # noqa: ARG002 - part of the protocol
        """Answer no, for there is no cache."""
        return False


ECOSYSTEM = Setuptools()
