"""Whether a RUN can do without the files that a COPY brings: the judgement behind every change of order.

A path of the image is at stake where a program reads or writes it, or looks whether it is there.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from optimizer.model import Step, mounts
from optimizer.model.run import read_run
from optimizer.shell import Call, Command, Compound, Kind, Node, Redirect, Script
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._programs import PIP, PROGRAMS, Program
from optimizer.transforms._touching import Reading, is_below, touches

# Folders that programs of the system read and write unasked. Below these only `_PROJECTS` may be the project's.
_PYTHON = lazy_pattern(r"python[\d.]*")
_PIP_VERSION = lazy_pattern(r"^pip\d[\d.]*$")
_SYSTEM = lazy_pattern(
    r"/(?:(?:bin|boot|dev|etc|lib(?:32|64|x32|exec)?|proc|run|sbin|snap|sys|usr|var|nix|root|home|opt|srv|tmp)?(?:/|$)|\.)"
)
_PROJECTS = lazy_pattern(
    r"/usr/(?:local/)?src/[^./].*|/usr(?:/local)?/(?:app|code|project|workspace)(?:/.*)?|/var/(?:www|app|task)(?:/.*)?"
    r"|/(?:root|home/[^/]+|srv|tmp)/[^./].*"
    r"|/opt/(?!venv|\w*conda|google|java|jdk|maven|gradle|node|yarn|pipx|poetry)[^./].*"
)
_STEERING = lazy_pattern(
    r"(?:ld_|python|pip_|node_|npm_|yarn_|pnpm_|gem_|bundle_|ruby|perl|go|cargo_|rustup_|conda|uv_|git_|xdg_|dpkg_|curl_"
    r"|ssl_|composer_|virtual_env|corepack_|gnupg).*|.*(?:_ca_|_cert|_bundle|_ca$).*|path|home|tmpdir|bash_env|env"
    r"|apt_config|wgetrc",
    re.IGNORECASE,
)
# Scripts that are fetched and run to add a package repository; they do not look at the working directory.
_TRUSTED_SCRIPTS = lazy_pattern(r"https?://(?:deb|rpm)\.nodesource\.com/|https?://get\.docker\.com/?$")
_SYSTEM_PROGRAM = lazy_pattern(r"/(?:usr/(?:local/)?)?s?bin/[^/]+")
_READING_SUBSTITUTION = lazy_pattern(r"(?:\$\(|`)\s*<")
_ANYWHERE = "/project"
_ABOUT_THE_SYSTEM = frozenset({"/etc/os-release", "/etc/lsb-release", "/usr/lib/os-release"})  # variables, no more
_HIDING = lazy_pattern(r"what (?:trap|alias|coproc|eval|source|\.) reads is not known|find -exec")
_SHELLS = frozenset({"sh", "bash", "dash", "ash"})
_STDIN_OPTIONS = frozenset({"-", "-s", "-e", "-x", "-E", "-ex", "-s --"})


def why_dependent(step: Step, folders: Sequence[str]) -> str | None:
    """Say why a RUN may care for files at or below these paths of the image, None where it provably does not.

    `folders` are absolute: the folders and files that COPY instructions bring.
    """
    run = step.run
    if run is None:
        return f"{step.name} is not a RUN"
    environment = {**step.state.args, **step.state.env}
    return (
        run.script.problem
        or _why_mounted(step, folders)
        or why_steered(environment, folders)
        or why_redirected(run.script, folders)
        or next((why for c in run.calls if (why := why_call_dependent(c, folders, environment, run.script))), None)
        or (None if run.calls else "it cannot be told what the RUN starts")
    )


def why_tied(step: Step) -> str | None:
    """Say why a RUN may care for a project in its working directory, wherever that is; None where it does not."""
    if step.run is None:
        return f"{step.name} is not a RUN"
    return why_dependent(_moved_anywhere(step), [_ANYWHERE])


def why_hidden(step: Step) -> str | None:
    """Say which of the shell's own words hides whether a RUN cares for a project; None where other calls do care."""
    moved = _moved_anywhere(step)
    environment = {**step.state.args, **step.state.env}
    found = (
        (why_call_dependent(c, [_ANYWHERE], environment, moved.run.script) for c in moved.run.calls)
        if moved.run
        else ()
    )
    reasons = [reason for reason in found if reason]
    return reasons[0] if reasons and all(map(_HIDING.match, reasons)) else None


def sets_up(step: Step) -> bool:
    """Tell whether a RUN installs system packages or tools, or makes users: work that need not follow the sources."""
    calls = step.run.calls if step.run else ()
    return any((program := _program(call)) is not None and program.sets_up for call in calls)


def is_system(path: str) -> bool:
    """Tell whether programs of the system may read or write at an image path without being told to."""
    return not path.startswith("/") or bool(_SYSTEM.match(path) and not _PROJECTS.fullmatch(path))


def why_call_dependent(
    call: Call,
    folders: Sequence[str],
    environment: Mapping[str, str | None] | None = None,
    script: Script | None = None,
) -> str | None:
    """Say why a program that a RUN starts may care for files at or below these paths, None where it does not.

    `environment` are ENV and ARG in force; `script` is the RUN's, in which a `curl … | sh` can be seen as a whole.
    """
    unsafe = next((folder for folder in folders if is_system(folder)), None)
    if unsafe is not None:
        return f"programs of the system may use {unsafe}"
    if script is not None and _runs_trusted_script(call, script.root):
        return None
    if call.own or (call.program == "source" and call.words[1:] and call.words[1].value in _ABOUT_THE_SYSTEM):
        return None  # what it starts is looked at where it is defined
    program, started = _program(call), call.words[0].value or ""
    if program is None or ("/" in started and not _SYSTEM_PROGRAM.fullmatch(started)):
        return f"what {started or call.program} reads is not known"
    redirected = _why_redirected(call.command.redirects, folders) if call.nested else None
    return redirected or Reading(call, program, folders, {**(environment or {}), **call.variables}).why()


def why_redirected(script: Script, folders: Sequence[str]) -> str | None:
    """Say why the redirections of a script may touch these paths, None where they do not."""
    if _READING_SUBSTITUTION.search(script.text):
        return "a substitution reads a file"
    return _why_redirected(_redirects(script.root), folders)


def why_steered(environment: Mapping[str, str | None], folders: Sequence[str]) -> str | None:
    """Say which variable leads programs to these paths (a PATH, a configuration file), None where none does."""
    for name, value in environment.items():
        if not _STEERING.fullmatch(name):
            continue
        pieces = re.split(r"[:;,=\s]", value or "")
        if name == "PATH" and any(piece and not piece.startswith("/") for piece in pieces):
            return "PATH names a folder that is relative to the working directory"
        if any(
            is_below(piece.rstrip("/") or "/", folder) for piece in pieces if piece[:1] == "/" for folder in folders
        ):
            return f"{name} leads programs to the copied files"
    return None


def _moved_anywhere(step: Step) -> Step:
    """Return a RUN as it would be in a working directory within the project."""
    state = replace(step.state, workdir=f"{_ANYWHERE}/folder")
    return replace(step, state=state, run=read_run(step.instruction, state))


def _why_redirected(redirects: Iterable[Redirect], folders: Sequence[str]) -> str | None:
    for redirect in redirects:
        target = redirect.target
        if (
            target is None
            or redirect.operator == "<<<"
            or (redirect.operator.endswith("&") and (target.value or "").isdigit())
        ):
            continue
        if target.value is None or not target.value.startswith("/") or touches(target.value, folders):
            return f"a redirection to {target} may touch the copied files"
    return None


def _program(call: Call) -> Program | None:
    if call.program.startswith("python") and _PYTHON.fullmatch(call.program):
        is_pip = [w.value for w in call.arguments[:2]] == ["-m", "pip"]
        return replace(PIP, at_home=True) if is_pip else None  # `-m` looks for modules in the working directory
    return PROGRAMS.get(_PIP_VERSION.sub("pip", call.program) if call.program.startswith("pip") else call.program)


def _why_mounted(step: Step, folders: Sequence[str]) -> str | None:
    for mount in mounts(step):
        if mount.is_context:
            return "the RUN mounts the build context"
        target = mount.target or "a place that is not known"
        if not target.startswith("/") or touches(target, folders):
            return f"the RUN mounts something at {target}"
    return None


def _redirects(node: Node) -> Iterator[Redirect]:
    yield from node.redirects
    for part in node.parts if isinstance(node, Compound) else ():
        yield from _redirects(part)


def _runs_trusted_script(call: Call, node: Node) -> bool:
    """Tell whether a call is the shell in `curl URL | sh` with a script that is known."""
    if call.program not in _SHELLS or any(w.text not in _STDIN_OPTIONS for w in call.arguments):
        return False
    return any(_fetches_trusted(p.parts[0]) for p in _pipelines(node) if call.command in p.parts[1:])


def _pipelines(node: Node) -> Iterator[Compound]:
    if isinstance(node, Compound):
        if node.kind is Kind.PIPELINE:
            yield node
        for part in node.parts:
            yield from _pipelines(part)


def _fetches_trusted(node: Node) -> bool:
    if not isinstance(node, Command) or node.name not in {"curl", "wget"}:
        return False
    urls = [w.text.strip("\"'") for w in node.words if "://" in w.text]
    return bool(urls) and all(_TRUSTED_SCRIPTS.match(url) for url in urls)
