"""How long a step takes, by a coarse rule: what kind of work it does, never what that work holds.

The seconds are round numbers for one install, one build or one download on an ordinary machine. They weigh steps
against each other; `dfopt verify` measures them. Programs that fetch what they need by themselves, such as `go build`,
do so where nothing above has done it, and what was installed above is not installed anew.
"""

from collections.abc import Mapping

from optimizer.model import Dockerfile, Step
from optimizer.shell import Call

INSTALL_SYSTEM, INSTALL_PROJECT, BUILD, DOWNLOAD, COMMAND, COPY, FOLDER = 20.0, 30.0, 40.0, 5.0, 1.0, 0.5, 0.1
INSTALL_AGAIN = 5.0  # of what a step above has installed already
UNKNOWN = 10.0  # a command that is not understood

_SYSTEM = frozenset("apk apt apt-get dnf microdnf pacman tdnf yum zypper".split())
_SYSTEM_WORDS = frozenset({"-S", "-Sy", "-Syu", "add", "dist-upgrade", "install", "upgrade"})
# Programs with the words that make them install what a project needs.
_PROJECT: dict[str, frozenset[str]] = {
    **dict.fromkeys(("bun", "npm", "pnpm", "yarn"), frozenset({"add", "ci", "i", "install"})),
    **dict.fromkeys(("pip", "pip3", "pipenv", "pipx"), frozenset({"install", "sync"})),
    **dict.fromkeys(("conda", "mamba", "micromamba"), frozenset({"create", "install", "update"})),
    **dict.fromkeys(("bundle", "bundler", "gem"), frozenset({"install"})),
    "cargo": frozenset({"fetch"}),
    "composer": frozenset({"create-project", "install", "require", "update"}),
    "dotnet": frozenset({"restore"}),
    "go": frozenset({"download", "get"}),
    "gradle": frozenset({"dependencies"}),
    "gradlew": frozenset({"dependencies"}),
    "lein": frozenset({"deps"}),
    "mix": frozenset({"deps.get"}),
    "mvn": frozenset({"dependency:go-offline", "dependency:resolve"}),
    "mvnw": frozenset({"dependency:go-offline", "dependency:resolve"}),
    "poetry": frozenset({"add", "install"}),
    "python": frozenset({"pip"}),
    "python3": frozenset({"pip"}),
    "uv": frozenset({"install", "sync"}),
}
_BY_NAME = frozenset("conda gem mamba micromamba pip pip3 pipx python python3".split())
_BUILDERS = frozenset("ant cc clang cmake esbuild g++ gcc hugo make mix ninja tsc vite webpack".split())
# Programs that build, and fetch before that what they need, by the words that make them do so.
_FETCHING: dict[str, frozenset[str | None]] = {
    "cargo": frozenset({"build", "chef", "fetch", "install", "rustc", "test"}),
    "dotnet": frozenset({"build", "pack", "publish", "restore", "test"}),
    "go": frozenset({"build", "download", "generate", "get", "install", "run", "test", "vet"}),
    "gradle": frozenset({"assemble", "bootJar", "build", "dependencies", "installDist", "jar", "shadowJar", "test"}),
    "lein": frozenset({"compile", "deps", "uberjar"}),
    "mvn": frozenset({"compile", "deploy", "dependency:go-offline", "install", "package", "test", "verify"}),
    "sbt": frozenset({"assembly", "compile", "dist", "package", "stage", "update"}),
    "swift": frozenset({"build", "resolve"}),
}
_SCRIPTS = frozenset({"build", "compile", "run"})  # of npm and its kin
_DOWNLOADS = frozenset({"aria2c", "curl", "git", "wget"})


def seconds(dockerfile: Dockerfile) -> Mapping[int, float]:
    """Return how long each step takes by the rule, by its index."""
    found: dict[int, float] = {}
    fetched: dict[int | None, frozenset[str]] = {None: frozenset()}  # by stage: the programs that have what they need
    for stage in dockerfile.stages:
        there = fetched[stage.parent]
        for step in stage.steps:
            found[step.index], there = _of_step(step, there)
        fetched[stage.index] = there
    return found


def _of_step(step: Step, there: frozenset[str]) -> tuple[float, frozenset[str]]:
    """Return the seconds of a step, and which programs have fetched what they need behind it."""
    if step.name in {"COPY", "ADD"}:
        remote = step.name == "ADD" and "://" in step.instruction.value.text
        return (DOWNLOAD if remote else COPY), there
    if step.run is None:
        return (FOLDER if step.name == "WORKDIR" else 0.0), there
    if step.run.script.problem:
        return UNKNOWN, there
    spent = 0.0
    for call in step.run.calls:
        program = call.program.removesuffix("w")
        installs = _is_install(call)
        if installs and program in there and not _names_others(call):
            spent += INSTALL_AGAIN
            continue
        spent += _of_call(call)
        fetches = program in _FETCHING and bool({word.value for word in call.arguments} & _FETCHING[program])
        spent += INSTALL_PROJECT if fetches and not installs and program not in there else 0.0
        there |= {program} if fetches or installs else frozenset()
    return max(COMMAND, spent), there


def _of_call(call: Call) -> float:
    words = {word.value for word in call.arguments if word.value}
    program = call.program
    if program in _SYSTEM:
        return INSTALL_SYSTEM if words & _SYSTEM_WORDS else 0.0
    if _is_install(call):
        return INSTALL_PROJECT
    if program.removesuffix("w") in _FETCHING:
        return BUILD if words & _FETCHING[program.removesuffix("w")] else 0.0
    if program in _BUILDERS or (program in {"bun", "npm", "npx", "pnpm", "yarn"} and words & _SCRIPTS):
        return BUILD
    return DOWNLOAD if program in _DOWNLOADS else 0.0


def _names_others(call: Call) -> bool:
    """Tell whether an install is of what it names, and not of the project, whose parts are there."""
    if call.program not in _BY_NAME:
        return False
    return not any(word.value in {".", "-e"} or (word.value or "").startswith("./") for word in call.arguments)


def _is_install(call: Call) -> bool:
    words = {word.value for word in call.arguments if word.value}
    return bool(words & _PROJECT.get(call.program, frozenset())) or (call.program == "yarn" and not words)
