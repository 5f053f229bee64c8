"""Where Python's installers put packages: the folders of the interpreter, of an environment, of a user."""

import posixpath
from collections.abc import Iterator

from msgspec.structs import replace

from optimizer.images.pythons import python_minor
from optimizer.model import Step
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms.stages.interpreted import absolute, folder_of, home_of, text, variable
from optimizer.transforms.stages.nodes import Build
from optimizer.transforms.stages.paths import is_covered

_FIXED = lazy_pattern(r"3\.\d")
SHARED = ("/usr/local/bin/", "/usr/local/share/")


def site_packages(build: Build) -> str | None:
    """Return the folder of the image's own packages, None for an image whose Python is not known.

    It has the version of Python in its name. Where that changes under the same tag, it is the folder above.
    """
    minor = python_minor(build.full)
    if minor is None:
        return None
    return f"/usr/local/lib/python3.{minor}/site-packages/" if _FIXED.match(build.full.version) else "/usr/local/lib/"


def of_interpreter(build: Build) -> tuple[str, ...] | None:
    """Return the folders that packages of the image's own interpreter fill."""
    site = site_packages(build)
    return None if site is None else (site, *SHARED)


def cleared(build: Build) -> str:
    """Return the packages that the small image brings, as the shell finds them."""
    site = site_packages(build) or ""
    return site if "site-packages" in site else "/usr/local/lib/python3*/site-packages"


def environment_of(call: Call, step: Step, build: Build) -> str | None:
    """Return the virtual environment that a program belongs to: by its own path, VIRTUAL_ENV, or the head of PATH."""
    folder = folder_of(call) or "/"
    program = text(call.words[0], call)
    candidates = [absolute(program, folder)] if "/" in program else []
    if active := variable("VIRTUAL_ENV", call, step):
        candidates.append(f"{absolute(active, '/')}/bin/python")
    candidates += [f"{absolute(entry, '/')}/python" for entry in _entries(call, step)]
    made = tuple(environments_before(step, call, build))
    for path in candidates:
        root = posixpath.dirname(posixpath.dirname(path))
        if posixpath.basename(posixpath.dirname(path)) == "bin" and is_covered(root, made):
            return root
    return _activated(step, call, made)


def _entries(call: Call, step: Step) -> list[str]:
    """Return the folders of PATH before those of the image."""
    value = variable("PATH", call, step) or ""
    heads = [
        part for part in value.split(":") if part.startswith("/") and not part.startswith(("/usr", "/bin", "/sbin"))
    ]
    for other in step.run.calls if step.run else ():
        if other.program == "export":
            heads += [
                w.text.partition("=")[2].strip("\"'").partition(":")[0] for w in other.arguments if "PATH=" in w.text
            ]
    return [head for head in heads if head.startswith("/")]


def _activated(step: Step, call: Call, made: tuple[str, ...]) -> str | None:
    """Return the environment whose `activate` the same RUN has read."""
    for other in step.run.calls if step.run else ():
        if other.command is call.command:
            return None
        if other.program == "source" and len(other.words) > 1:
            path = absolute(text(other.words[1], other), folder_of(other) or "/")
            if path.endswith("/bin/activate") and is_covered(path, made):
                return posixpath.dirname(posixpath.dirname(path))
    return None


def environments_before(step: Step, call: Call, build: Build) -> Iterator[str]:
    """Go through the virtual environments that are made before a call, as folders."""
    for other in build.stage.body:
        for one in other.run.calls if other.run else ():
            if one.command is call.command:
                return
            seen = replace(one, variables={**other.state.sure, **one.variables})
            if (made := environment_made(seen)) is not None:
                yield f"{made}/"
        if other.index >= step.index:
            return


def environment_made(call: Call) -> str | None:
    """Return the folder of the virtual environment that a call makes, None where it makes none."""
    words = [text(word, call) for word in call.arguments]
    if call.program == "uv" and words[:1] == ["venv"]:
        words = words[1:] or [".venv"]
    elif call.program.startswith("python") and words[:2] in (["-m", "venv"], ["-m", "virtualenv"]):
        words = words[2:]
    elif call.program not in {"virtualenv", "pyvenv"}:
        return None
    folder, skip = folder_of(call), False
    for word in words:
        if skip or word.startswith("-"):
            skip = word in {"-p", "--python", "--prompt", "--seed-packages"}
            continue
        return absolute(word, folder) if folder else None
    return absolute(".venv", folder) if folder and call.program == "uv" else None


def of_user(call: Call, step: Step, build: Build) -> str:
    """Return the folder of the packages of the user who runs a call."""
    return f"{variable('PYTHONUSERBASE', call, step) or home_of(call, step, build) + '/.local'}/"
