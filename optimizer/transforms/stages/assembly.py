"""From what a language says of its runtime to the rewrite, with the proof that nothing is lost."""

import re
from collections.abc import Mapping

from msgspec.structs import replace

from optimizer.images.packages import brought_by
from optimizer.transforms._finding import Rewrite
from optimizer.transforms.stages.again import repeated
from optimizer.transforms.stages.brought import brought
from optimizer.transforms.stages.nodes import Build, Runtime
from optimizer.transforms.stages.packages import program_packages, sort_packages
from optimizer.transforms.stages.proof import all_copies, left_by_build, lost_programs, why_not_smaller
from optimizer.transforms.stages.writing import Plan, write


def assembled(build: Build, runtime: Runtime) -> Rewrite | str:
    """Return the rewrite of a stage to two, a clause where something of it cannot be proven."""
    runtime = _with_variables(build, runtime)
    copies = all_copies(build, runtime)
    taken = copies if isinstance(copies, str) else brought(build, copies)
    if isinstance(copies, str) or isinstance(taken, str):
        return str(taken)
    leaves = tuple(dict.fromkeys((*runtime.leaves_out, *left_by_build(build, copies))))
    again = repeated(build, copies, leaves)
    if isinstance(again, str):
        return again
    lost = lost_programs(build, runtime)
    if isinstance(lost, str):
        return lost
    extra = program_packages(lost, build.needs)
    if isinstance(extra, str):
        return extra
    installed = sort_packages(build, runtime, extra)
    if isinstance(installed, str):
        return installed
    has = frozenset[str]().union(*(brought_by(word, build.release) for word in installed.words))
    if missing := next((name for name in sorted(again.programs & lost.keys()) if not lost[name] & has), None):
        return f"{missing} is needed to set up the container, and {runtime.base.name} lacks it"
    if reason := why_not_smaller(build, runtime, installed.dropped):
        return reason
    return write(Plan(build, runtime, taken, installed, again, leaves))


def _with_variables(build: Build, runtime: Runtime) -> Runtime:
    """Add the variables that the full image sets and the small one does not, but for those of its build tools."""
    own = build.full.facts.env if build.full.facts else {}
    there = runtime.base.facts.env if runtime.base.facts else {}
    given = {name for name, _ in runtime.variables}
    missing = [
        (name, _expanded(value, own))
        for name, value in own.items()
        if there.get(name) != value and name not in given | runtime.left_variables
    ]
    return replace(runtime, variables=(*runtime.variables, *missing)) if missing else runtime


def _expanded(value: str, known: Mapping[str, str]) -> str:
    """Return a value with the other variables of the image put in, but for its own PATH."""
    for name, text in known.items():
        if "$" not in text:
            value = re.sub(rf"\$(?:{name}\b|\{{{name}\}})", lambda _, text=text: text, value)  # type: ignore[misc]
    return value
