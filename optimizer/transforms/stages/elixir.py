"""Elixir: a release holds the virtual machine and all code, and needs a few libraries of Debian to run.

Where the tag may move to another release of Debian, the slim image of the same tag moves along with it.

Sources: https://hexdocs.pm/mix/Mix.Tasks.Release.html (requirements, `include_erts`), https://hexdocs.pm/phoenix/releases.html
and the libraries that github.com/erlang/docker-erlang-otp keeps in its slim images.
"""

import posixpath
import re
from collections.abc import Iterator

from optimizer.images import packages, sibling
from optimizer.model import Step
from optimizer.shell import Call, resolve
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._slim_packages import ARCHIVED
from optimizer.transforms.stages import compiled
from optimizer.transforms.stages._built_sources import left_of_project
from optimizer.transforms.stages._floating import may_move
from optimizer.transforms.stages.interpreted import absolute, folder_of, home_of
from optimizer.transforms.stages.nodes import NOTHING, Build, Effect, Runtime
from optimizer.transforms.stages.paths import SYSTEM, is_covered

_TASKS = lazy_pattern(
    r"local\.(?:hex|rebar)|archive\.install|deps\.(?:get|compile|clean|tree)|compile|clean|phx\.digest|release|test|format"
    r"|assets\.(?:deploy|build|setup)|sentry\.package_source_code|esbuild(?:\.install)?|tailwind(?:\.install)?|sass\.default"
    r"|do|hex\.info|phx\.gen\.release|gettext\.\w+"
)
_VM = lazy_pattern(r"libssl[\d.]+(?:t64)?|libncurses6|libodbc[\d.]*|libodbc2|libsctp1")
_RELEASE = lazy_pattern(r"(/.*/rel/[^/]+)/(?:bin|releases)/.*")
_MADE = ("_build", "deps", "**/_build", "**/node_modules", "priv/static", "**/priv/static")
_OF_IMAGE = (
    "/usr/local/lib/elixir", "/usr/local/lib/erlang", "/usr/local/src/elixir",
    *(f"/usr/local/bin/{name}" for name in (
        "ct_run", "dialyzer", "elixir", "elixirc", "epmd", "erl", "erlc", "escript", "iex", "mix", "rebar", "rebar3",
        "run_erl", "to_erl", "typer",
    )),
)  # fmt: skip
_PROJECT = compiled.Sources(
    files=re.compile(
        r"(?:.*/)?(?:_build|apps|assets|config|deps|lib|priv|rel|test|src|web)/.*|(?:.*/)?[^/]+\.(?:erl|exs?|heex|eex|hrl)"
        r"|(?:.*/)?mix\.lock|\.(?:formatter|credo)\.exs"
    ),
    looks_back=re.compile(r"\bMix\.(?!env|target|install|Project|Config|Task|shell)\w+\.run"),
    builders=frozenset({"elixir", "elixirc", "erl", "iex", "mix", "rebar3"}),
)


def effect(call: Call, step: Step, build: Build) -> Effect | None:
    """Say where mix puts what it builds; a release is all of it that runs."""
    if call.program != "mix":
        return None
    words = [resolve(word, call.variables) or word.text for word in call.arguments]
    tasks = [word for word in words if not word.startswith("-")]
    folder = folder_of(call)
    if not tasks or folder is None or not _TASKS.fullmatch(tasks[0].rstrip(",")):
        return NOTHING if not tasks else Effect(unknown=f"what mix {tasks[0]} of line {step.line} makes is not known")
    home = home_of(call, step, build)
    inside = (
        () if folder in SYSTEM else ("_build", "deps", "**/_build", "**/node_modules", "priv/static", "**/priv/static")
    )
    leaves = (*(f"{folder}/{name}" for name in inside), *(f"{home}/{name}" for name in (".mix", ".hex", ".cache")))
    if tasks[0] == "release" and "--path" in words[:-1]:
        return Effect((f"{absolute(words[words.index('--path') + 1], folder)}/",), leaves)
    return Effect(leaves=leaves)


def runtime(build: Build) -> Runtime | str | None:
    """Take the release that is started to Debian's slim image, with the libraries of the virtual machine."""
    if reason := compiled.why_builds(build, _PROJECT):
        return reason
    base = sibling(build.full, add="slim") if may_move(build) else compiled.slim_debian(build)
    if base is None or isinstance(base, str):
        return base or f"{build.full.name} has no slim variant on the same release"
    if build.release in ARCHIVED:
        return f"packages can no longer be installed on {build.release}"
    started = _started(build)
    if not started:
        return "what is started is no release that the build makes"
    programs = compiled.started_by_code(build, base)
    if isinstance(programs, str):
        return programs
    own = base.image == build.full.image  # whose virtual machine has its libraries
    libraries = [] if own else sorted(name for name in packages(build.full) or () if _VM.fullmatch(name))
    leaves = (*left_of_project(build, _PROJECT, started), *_OF_IMAGE)
    why = "Elixir, Erlang and the sources stay in the build stage: the release brings its own virtual machine."
    wanted = ("ca-certificates", *libraries, *programs)
    return Runtime(base, started, why, packages=wanted, leaves_out=leaves)


def _started(build: Build) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_releases(build)))


def _releases(build: Build) -> Iterator[str]:
    """Go through the folders of the releases that programs are started from."""
    makes = any(
        call is not None and call.program == "mix" and call.certain and "release" in {w.value for w in call.arguments}
        for work in build.works
        for call, _ in work.effects
    )
    for need in build.needs:
        path = posixpath.normpath(posixpath.join(build.workdir, need.program))
        if made := next((made for made in build.made if is_covered(path, (made,))), None):
            yield made
        elif makes and (match := _RELEASE.fullmatch(path)):
            yield f"{match[1]}/"
