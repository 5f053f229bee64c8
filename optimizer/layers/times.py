"""How long a step takes, by a coarse rule: what kind of work it does, never what that work holds.

The seconds are round numbers for one install, one build or one download on an ordinary machine. They weigh steps
against each other; `dfopt verify` measures them.
"""

from optimizer.layers.nodes import Outcome
from optimizer.model import Step
from optimizer.shell import Call

INSTALL_SYSTEM, INSTALL_PROJECT, BUILD, DOWNLOAD, COMMAND, COPY, FOLDER = 20.0, 30.0, 40.0, 5.0, 1.0, 0.5, 0.1
UNKNOWN = 10.0  # a command that is not understood

_SYSTEM = frozenset("apk apt apt-get dnf microdnf pacman tdnf yum zypper".split())
_SYSTEM_WORDS = frozenset({"-S", "-Sy", "-Syu", "add", "dist-upgrade", "install", "upgrade"})
# Programs with the words that make them install what a project needs.
_PROJECT: dict[str, frozenset[str]] = {
    **dict.fromkeys(("bun", "npm", "pnpm", "yarn"), frozenset({"add", "ci", "i", "install"})),
    **dict.fromkeys(("pip", "pip3", "pipenv", "pipx"), frozenset({"install", "sync"})),
    **dict.fromkeys(("conda", "mamba", "micromamba"), frozenset({"create", "install", "update"})),
    **dict.fromkeys(("bundle", "bundler", "gem"), frozenset({"install"})),
    "cargo": frozenset({"fetch", "install"}),
    "composer": frozenset({"create-project", "install", "require", "update"}),
    "dotnet": frozenset({"restore"}),
    "go": frozenset({"download", "get", "install"}),
    "mix": frozenset({"deps.get"}),
    "poetry": frozenset({"add", "install"}),
    "python": frozenset({"pip"}),
    "python3": frozenset({"pip"}),
    "uv": frozenset({"install", "sync"}),
}
_BUILDERS = frozenset(
    "ant cargo cc clang cmake dotnet esbuild g++ gcc go gradle gradlew hugo lein make mix mvn mvnw ninja sbt tsc vite "
    "webpack".split()
)
_SCRIPTS = frozenset({"build", "compile", "run"})  # of npm and its kin
_DOWNLOADS = frozenset({"aria2c", "curl", "git", "wget"})


def seconds(step: Step) -> float:
    """Return how long a step takes by the rule."""
    if step.name in {"COPY", "ADD"}:
        remote = step.name == "ADD" and "://" in step.instruction.value.text
        return DOWNLOAD if remote else COPY
    if step.name == "WORKDIR":
        return FOLDER
    if step.run is None:
        return 0.0
    if step.run.script.problem:
        return UNKNOWN
    return max(COMMAND, sum(map(_of_call, step.run.calls)))


def seconds_again(outcomes: tuple[Outcome, ...]) -> float:
    """Return how long the steps of a simulation take together."""
    return sum(seconds(outcome.step) for outcome in outcomes)


def _of_call(call: Call) -> float:
    words = {word.value for word in call.arguments if word.value}
    program = call.program
    if program in _SYSTEM:
        return INSTALL_SYSTEM if words & _SYSTEM_WORDS else 0.0
    if words & _PROJECT.get(program, frozenset()) or (program == "yarn" and not words):
        return INSTALL_PROJECT
    if program in _BUILDERS or (program in {"bun", "npm", "npx", "pnpm", "yarn"} and words & _SCRIPTS):
        return BUILD
    return DOWNLOAD if program in _DOWNLOADS else 0.0
