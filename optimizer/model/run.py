"""The command of a RUN as shell text."""

import shlex
from collections.abc import Mapping
from functools import lru_cache

from msgspec.structs import replace

from optimizer.model.nodes import Run, State
from optimizer.shell import Call, Script, calls, parse_script
from optimizer.syntax import Instruction, Joined

# Where a build starts when the base image's WORKDIR is not known: a relative name that no real path begins with,
# so that paths below it compare with each other and with nothing else.
BASE_WORKDIR = "<working directory of the base image>"


def read_run(instruction: Instruction, state: State) -> Run:
    """Return the parsed command of a RUN (also one under ONBUILD) with the programs that it starts."""
    form, text = _form(instruction)
    script = _script(form, text.text, instruction)
    if not script.problem and not state.is_posix and form != "exec":
        script = replace(script, problem=f"the shell is {state.shell[0] if state.shell else 'unknown'}")
    return Run(text, script, _calls(script, state.workdir or BASE_WORKDIR, tuple(state.sure.items())), form)


def _form(instruction: Instruction) -> tuple[str, Joined]:
    if instruction.json is not None:
        return "exec", instruction.value
    if not instruction.heredocs:
        return "shell", instruction.value
    heredoc = instruction.heredocs[0]
    if len(instruction.heredocs) == 1 and instruction.value.text.strip().startswith("<<"):
        return "heredoc", Joined(heredoc.body, ((0, heredoc.span.start, len(heredoc.body)),))
    return "stdin", instruction.value


def _script(form: str, text: str, instruction: Instruction) -> Script:
    if form == "exec":
        return parse_script(shlex.join(instruction.json or ()))
    script = parse_script(text)
    if form == "heredoc" and text.startswith("#!"):
        return replace(script, problem="the here-document names its own interpreter")
    if form == "stdin" and not script.problem:
        return replace(script, problem="a here-document feeds the command")
    return script


def _calls(script: Script, directory: str, variables: tuple[tuple[str, str | None], ...]) -> tuple[Call, ...]:
    return () if script.problem else _calls_of(script.text, directory, variables)


@lru_cache(maxsize=4096)
def _calls_of(text: str, directory: str, variables: tuple[tuple[str, str | None], ...]) -> tuple[Call, ...]:
    known: Mapping[str, str | None] = dict(variables)
    return calls(parse_script(text), directory, known)
