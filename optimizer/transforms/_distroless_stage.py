"""What of a stage on Debian an image without a shell cannot do, and which steps it needs no more."""

import posixpath
from collections.abc import Iterator

from optimizer.ecosystems._system import invocation
from optimizer.ecosystems.apt import ECOSYSTEM as APT
from optimizer.images.distroless import USERS
from optimizer.model import Dockerfile, Stage, Step
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._copies import image_path

_HELD = frozenset({"base-files", "ca-certificates", "media-types", "netbase", "tzdata"})
_PLAIN = frozenset(
    "ARG CMD COPY ADD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL MAINTAINER STOPSIGNAL USER VOLUME WORKDIR".split()
)
_STARTS = frozenset({"CMD", "ENTRYPOINT", "HEALTHCHECK"})
_LISTS = lazy_pattern(r"(?:/var/lib/apt/lists|/var/cache/apt)(?:/[\w.*]+)*/?|/tmp/\*|/var/tmp/\*")
# Folders that Debian's images have and a COPY may mean without a slash at its end.
_FOLDERS = frozenset(
    "/bin /boot /etc /home /lib /media /mnt /opt /root /sbin /srv /tmp /usr /usr/bin /usr/games /usr/include /usr/lib "
    "/usr/local /usr/local/bin /usr/local/etc /usr/local/lib /usr/local/sbin /usr/local/share /usr/sbin /usr/share "
    "/usr/src /var /var/cache /var/lib /var/local /var/log /var/mail /var/opt /var/spool /var/tmp".split()
)
_DATA = lazy_pattern(r"/etc/ssl/.*|/usr/share/zoneinfo(?:/.*)?|/etc/(?:passwd|group)")


def why_shell(dockerfile: Dockerfile, stage: Stage) -> Iterator[str]:
    """Go through what needs a shell, a package, a user or a folder that is not there without Debian's packages."""
    if dockerfile.children(stage.index):
        yield "other stages start from this one"
    if stage.steps[-1].state.shell != ("/bin/sh", "-c"):
        yield "SHELL names a shell, and there is none"
    if stage.steps[-1].run is not None:
        yield f"the RUN of line {stage.steps[-1].line} is the last step"
    for step in stage.body:
        yield from _why_copy(dockerfile, step) if step.name in {"COPY", "ADD"} else _why_step(step)
    for step in dockerfile:
        if step.name == "COPY" and step.stage != stage.index and _names(step, stage):
            yield f"line {step.line} copies from this stage"


def _why_step(step: Step) -> Iterator[str]:
    text = step.instruction.value.text.strip()
    if step.run is not None:
        if not is_needless(step):
            yield f"the RUN of line {step.line} needs a shell"
    elif step.name not in _PLAIN:
        yield f"the {step.name} of line {step.line} is for images with a shell"
    elif step.name == "USER" and not _is_known(text):
        yield f"the user of line {step.line} would not be there"
    elif step.name in _STARTS and step.instruction.json is None and text.upper() != "NONE":
        yield f"the {step.name} of line {step.line} is started by a shell"


def _is_known(owner: str) -> bool:
    """Tell whether a user, and the group behind it, is a number or one that is there without Debian's packages."""
    user, _, group = owner.partition(":")
    return (user in USERS or user.isdigit()) and (group in {"", "root"} or group.isdigit())


def _names(step: Step, stage: Stage) -> bool:
    return str(step.instruction.flag("from")).lower() in {stage.name, str(stage.index)}


def _why_copy(dockerfile: Dockerfile, step: Step) -> Iterator[str]:
    words = [step.state.word(word) for word in step.instruction.arguments]
    if step.instruction.problem or None in words or len(words) < 2:  # noqa: PLR2004 - a source and a destination
        yield f"what line {step.line} copies is not known"
        return
    *sources, target = (word for word in words if word is not None)
    if (owner := step.instruction.flag("chown")) and not _is_known(str(owner)):
        yield f"the owner of line {step.line} would not be there"
    if image_path(target, step.state.workdir) in _FOLDERS and not target.endswith("/"):
        yield f"{target} of line {step.line} is a folder by Debian's packages alone: write {target}/"
    origin = step.instruction.flag("from")
    own = {name for s in dockerfile.stages[: step.stage] for name in (s.name, str(s.index))}
    if origin and origin.lower() not in own and not all(_DATA.fullmatch(source) for source in sources):
        yield f"what line {step.line} takes from {origin} may need more of Debian"
    if target.startswith("/usr/local/share/ca-certificates"):
        yield f"the certificates of line {step.line} are taken in by a program that is not there"


def is_needless(step: Step) -> bool:
    """Tell whether a RUN only installs with apt what an image without packages has as well."""
    run = step.run
    if run is None or not run.editable or step.instruction.comments or step.instruction.heredocs:
        return False
    if any(operator not in {"&&", ""} for operator in run.script.root.operators):
        return False
    return bool(run.calls) and all(call.certain and not call.nested and _is_held(call) for call in run.calls)


def _is_held(call: Call) -> bool:
    if call.program == "set":
        return True
    texts = [word.text for word in call.arguments]
    if call.program == "rm":
        return all(text.startswith("-") or _LISTS.fullmatch(text) for text in texts)
    if call.program not in APT.programs:
        return call.program == "update-ca-certificates" and not texts
    asked = invocation(call, APT.grammar)
    if asked.action in {"update", "clean", "autoclean", "upgrade"}:
        return asked.action != "upgrade"
    return asked.action == "install" and all(word.value in _HELD for word in asked.operands)


def started(stage: Stage) -> tuple[Step, str] | None:
    """Return the step that says what a container starts, and its program; None where none does in exec form."""
    found = {step.name: step for step in stage.body if step.name in {"CMD", "ENTRYPOINT"}}
    step = found.get("ENTRYPOINT") or found.get("CMD")
    words = step.instruction.json if step else None
    return (step, words[0]) if step and words and words[0] else None


def checked(stage: Stage) -> Iterator[tuple[Step, str]]:
    """Go through the programs of health checks."""
    for step in stage.body:
        if step.name == "HEALTHCHECK" and step.instruction.json:
            yield step, step.instruction.json[0]


def brought_from(stage: Stage, program: str) -> tuple[str, str] | None:
    """Return the stage or image and the path there that a program of the image is copied from."""
    folders = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
    for step in reversed(stage.body):
        origin = step.instruction.flag("from") if step.name == "COPY" else None
        words = [step.state.word(word) for word in step.instruction.arguments] if origin else []
        if origin is None or None in words or len(words) < 2:  # noqa: PLR2004
            continue
        *sources, target = (word for word in words if word is not None)
        destination = image_path(target, step.state.workdir)
        bare = "/" not in program
        places = [f"{folder}/{program}" for folder in folders] if bare else [image_path(program, _workdir(stage))]
        for source in sources:
            for place in places:
                if found := _source(source, target, destination, place):
                    return origin.lower(), found
    return None


def _workdir(stage: Stage) -> str | None:
    return stage.steps[-1].state.workdir


def _source(source: str, target: str, destination: str, place: str) -> str | None:
    """Return the path that a COPY puts at a place, as a file of its own or within a folder."""
    whole = image_path(source, "/")
    if place == destination:
        return whole
    if place == posixpath.join(destination, posixpath.basename(whole)) and target.endswith(("/", ".")):
        return whole
    if place.startswith(destination.rstrip("/") + "/"):
        return posixpath.join(whole, place[len(destination.rstrip("/")) + 1 :])
    return None
