"""The command of a RUN as shell text."""

import shlex
from collections.abc import Mapping
from functools import lru_cache

from msgspec.structs import replace

from optimizer.model.nodes import POSIX_SHELLS, Run, State
from optimizer.shell import Call, Script, calls, parse_script
from optimizer.syntax import Heredoc, Instruction, Joined, Span
from optimizer.syntax.lazy_pattern import lazy_pattern

# Where a build starts when the base image's WORKDIR is not known: a relative name that no real path begins with,
# so that paths below it compare with each other and with nothing else.
BASE_WORKDIR = "<working directory of the base image>"

# The interpreter that a script's first line names, directly or through env.
_INTERPRETER = lazy_pattern(r"#!\s*(?:\S*/env\s+)?(?:\S*/)?([\w.-]+)(?:[ \t]|\n|\r|$)")
_ONLY_HEREDOC = lazy_pattern(r"\d*<<-?\s*(?:'[^']*'|\"[^\"]*\"|[^\s<>|&;'\"]+)+")  # parser.go: MustParseHeredoc
# An instruction that became a command, for a line before it ends in a backslash.
_INSTRUCTIONS = lazy_pattern(
    r"(?:[;&|]\s*)(ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|RUN|SHELL|USER|VOLUME|WORKDIR)\s"
)
_OPTIONS = lazy_pattern(r"-[sexu]+|-")


def read_run(instruction: Instruction, state: State) -> Run:
    """Return the parsed command of a RUN (also one under ONBUILD) with the programs that it starts."""
    form, text = _form(instruction)
    script = _script(form, text, instruction)
    if not script.problem and not state.is_posix and form != "exec" and not _names_shell(form, text.text):
        script = replace(script, problem=f"the shell is {state.shell[0] if state.shell else 'unknown'}")
    found = _calls(script, state.workdir or BASE_WORKDIR, tuple(state.sure.items()))
    if form == "stdin" and not script.problem:
        return _fed(Run(text, script, found, form), instruction.heredocs)
    return Run(text, script, found, form)


def _form(instruction: Instruction) -> tuple[str, Joined]:
    if instruction.json is not None:
        return "exec", instruction.value
    if not instruction.heredocs:
        return "shell", instruction.value
    heredoc = instruction.heredocs[0]
    if len(instruction.heredocs) == 1 and _ONLY_HEREDOC.fullmatch(instruction.value.text.strip()):
        return "heredoc", Joined(heredoc.body, ((0, heredoc.span.start, len(heredoc.body)),))
    return "stdin", instruction.value


def _script(form: str, text: Joined, instruction: Instruction) -> Script:
    if form == "exec":
        return parse_script(shlex.join(instruction.json or ()))
    if form == "stdin":  # the shell reads the bodies behind the line, as the builder found them there
        return parse_script("\n".join([text.text, *(f"{h.body}{h.name}" for h in instruction.heredocs)]))
    script = parse_script(text.text)
    if form == "heredoc" and text.text.startswith("#!") and not _names_shell(form, text.text):
        return replace(script, problem="the here-document names its own interpreter")
    swallowed = _INSTRUCTIONS.search(text.text) if form == "shell" and not script.problem else None
    if swallowed and any(command.name == swallowed[1] for command in script.commands()):
        return replace(script, problem=f"the RUN swallows the {swallowed[1]} behind it")
    if script.comment and form == "shell":
        return _commented(script, text, script.comment)
    return script


def _commented(script: Script, text: Joined, comment: Span) -> Script:
    """Refuse a comment that swallows lines which were meant to be read, or all there is."""
    first, last = text.at(comment.start), text.end_at(comment.end)
    if not script.root.parts or last - first != comment.end - comment.start:
        return replace(script, problem="a comment swallows the rest of the RUN")
    return script


def _names_shell(form: str, text: str) -> bool:
    """Tell whether a here-document is a script of a Bourne-like shell by its first line, whatever SHELL says."""
    match = _INTERPRETER.match(text) if form == "heredoc" else None
    return match is not None and match[1] in POSIX_SHELLS


def _fed(run: Run, heredocs: tuple[Heredoc, ...]) -> Run:
    """Put the programs of a here-document in the place of the plain shell that it feeds."""
    fed = [c for c in run.calls if any(r.operator.endswith(("<<", "<<-")) for r in c.command.redirects)]
    shells = [c for c in fed if c.program in POSIX_SHELLS]
    if not shells:
        return run
    plain = all(_OPTIONS.fullmatch(word.text) for call in shells for word in call.arguments)
    body = parse_script(heredocs[0].body)
    if len(heredocs) > 1 or len(shells) > 1 or not plain or body.problem or not _is_verbatim(heredocs[0]):
        return replace(run, script=replace(run.script, problem="a here-document feeds a shell"), calls=())
    at, shell = run.calls.index(shells[0]), shells[0]
    inner = calls(body, shell.directory, shell.variables)
    put = [replace(c, step=shell.step, nested=True, certain=False, user=c.user or shell.user) for c in inner]
    return replace(run, calls=(*run.calls[:at], *put, *run.calls[at + 1 :]))


def _is_verbatim(heredoc: Heredoc) -> bool:
    """Tell whether the shell hands the body on as it is: it replaces variables unless the name is quoted."""
    return not heredoc.expand or not ("$" in heredoc.body or "`" in heredoc.body or "\\" in heredoc.body)


def _calls(script: Script, directory: str, variables: tuple[tuple[str, str | None], ...]) -> tuple[Call, ...]:
    return () if script.problem else _calls_of(script.text, directory, variables)


@lru_cache(maxsize=4096)
def _calls_of(text: str, directory: str, variables: tuple[tuple[str, str | None], ...]) -> tuple[Call, ...]:
    known: Mapping[str, str | None] = dict(variables)
    return calls(parse_script(text), directory, known)
