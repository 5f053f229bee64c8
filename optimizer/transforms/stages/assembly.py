"""From what a language says of its runtime to the rewrite, with the proof that nothing is lost."""

import re
from collections.abc import Mapping

from msgspec.structs import replace

from optimizer.images import Variant
from optimizer.syntax import variables_in
from optimizer.transforms._finding import Rewrite
from optimizer.transforms._slim_packages import fixed, moving
from optimizer.transforms.stages.again import repeated
from optimizer.transforms.stages.brought import brought
from optimizer.transforms.stages.nodes import Build, Runtime
from optimizer.transforms.stages.packages import program_packages, sort_packages, why_not_installed
from optimizer.transforms.stages.proof import all_copies, left_by_build, lost_programs, why_not_smaller
from optimizer.transforms.stages.writing import Plan, write

_OPAQUE = frozenset({"gmake", "make", "ninja", "rake", "scons"})  # that start what a file of their own says


def assembled(build: Build, runtime: Runtime) -> Rewrite | str:
    """Return the rewrite of a stage to two, a clause where something of it cannot be proven."""
    if make := next((need for need in build.needs if need.name in _OPAQUE), None):
        return f"what {make.name} starts is not known ({make.place})"
    runtime = _with_variables(build, runtime)
    copies = all_copies(build, runtime)
    taken = copies if isinstance(copies, str) else brought(build, copies)
    if isinstance(copies, str) or isinstance(taken, str):
        return str(taken)
    leaves = tuple(dict.fromkeys((*runtime.leaves_out, *left_by_build(build, copies))))
    again = repeated(build, runtime.base, copies, leaves)
    if isinstance(again, str):
        return again
    lost = lost_programs(build, runtime)
    if isinstance(lost, str):
        return lost
    extra = program_packages(lost, (*(need.name for need in build.needs), *again.programs))
    if isinstance(extra, str):
        return extra
    installed = sort_packages(build, runtime, extra)
    if isinstance(installed, str):
        return installed
    fixing = _fixing(build, runtime, installed.words)
    if isinstance(fixing, str):
        return fixing
    if reason := why_not_installed(build, installed):
        return reason
    if reason := why_not_smaller(build, runtime, installed.dropped):
        return reason
    full, base = fixing or (None, runtime.base)
    return write(Plan(build, replace(runtime, base=base), taken, installed, again, leaves, full))


def _fixing(build: Build, runtime: Runtime, words: tuple[str, ...]) -> tuple[Variant, Variant] | str | None:
    """Return the tags of both stages that name the release, where a package has its name on this release alone.

    None where no tag of the runtime stage may move, a clause where there are no such tags.
    """
    if runtime.base.image != build.full.image:
        return None
    package = moving(runtime.base, build.release, (word for word in words if word not in build.packages))
    if package is None:
        return None
    full, base = fixed(build.full, build.release), fixed(runtime.base, build.release)
    reason = f"{build.full.name} may move to another release of Debian, which need not have {package}"
    return (full, base) if full and base else reason


def _with_variables(build: Build, runtime: Runtime) -> Runtime:
    """Add the variables that the full image sets and the small one does not, but for those of its build tools."""
    own = build.full.facts.env if build.full.facts else {}
    there = runtime.base.facts.env if runtime.base.facts else {}
    given = {name for name, _ in runtime.variables}
    given |= {
        word.partition("=")[0]
        for step in build.stage.body
        for word in (step.instruction.arguments if step.name == "ENV" else ())
        if word.partition("=")[0] not in variables_in(step.instruction.body.text)
    } - {"PATH"}
    spoken = {name for step in build.stage.body for name in variables_in(step.instruction.body.text)}
    missing = [
        (name, _expanded(value, own))
        for name, value in own.items()
        if there.get(name) != value and name not in given and name not in runtime.left_variables - (spoken - {"PATH"})
    ]
    return replace(runtime, variables=(*runtime.variables, *missing)) if missing else runtime


def _expanded(value: str, known: Mapping[str, str]) -> str:
    """Return a value with the other variables of the image put in, but for its own PATH."""
    for name, text in known.items():
        if "$" not in text:
            value = re.sub(rf"\$(?:{name}\b|\{{{name}\}})", lambda _, text=text: text, value)  # type: ignore[misc]
    return value
