"""What is run of an image: what its configuration says of itself, or what the user asks for."""

from collections.abc import Iterator, Mapping, Sequence
from shlex import join

from msgspec import Struct

_MOST_PORTS = 5


class Http(Struct, frozen=True):
    """A GET to a port of the default command."""

    port: int
    path: str = "/"

    @property
    def subject(self) -> str:
        """How reports name it."""
        return f"GET :{self.port}{self.path}"


class Checks(Struct, frozen=True):
    """What the user wants run: `commands` as they would stand behind `docker run IMAGE`; none: what is found.

    `watch` is how long a container must stay up to count as one that does, `patience` how long a port or a health
    check may take to answer, in seconds.
    """

    commands: tuple[tuple[str, ...], ...] = ()
    http: tuple[Http, ...] = ()
    network: bool = False
    watch: float = 5.0
    patience: float = 30.0


class Trial(Struct, frozen=True):
    """A container to run, and what to ask it. `command` None is the default command."""

    subject: str
    command: tuple[str, ...] | None = None
    http: tuple[Http, ...] = ()
    health: tuple[str, ...] = ()


def trials(config: Mapping[str, object], checks: Checks) -> tuple[Trial, ...]:
    """Return what is run of an image with this configuration."""
    asked = tuple(Trial(f"command {join(command)}", command) for command in checks.commands)
    if asked and not checks.http:
        return asked
    if not (config.get("Cmd") or config.get("Entrypoint")):
        return asked
    http = checks.http or tuple(map(Http, _exposed(config)))
    return (*asked, Trial("default command", None, http, _health_check(config)))


def _exposed(config: Mapping[str, object]) -> Iterator[int]:
    """Go through the TCP ports that the image exposes, the first few."""
    exposed = config.get("ExposedPorts")
    names = sorted(exposed) if isinstance(exposed, Mapping) else []
    ports = [int(number) for number, _, kind in (name.partition("/") for name in names) if kind in {"", "tcp"}]
    yield from sorted(ports)[:_MOST_PORTS]


def _health_check(config: Mapping[str, object]) -> tuple[str, ...]:
    """Return the command of the HEALTHCHECK, if there is one."""
    check = config.get("Healthcheck")
    test = check.get("Test") if isinstance(check, Mapping) else None
    match list(test) if isinstance(test, Sequence) and not isinstance(test, str) else []:
        case ["CMD", *words] if words:
            return tuple(map(str, words))
        case ["CMD-SHELL", str(text)]:
            return (*_shell(config), text)
    return ()


def _shell(config: Mapping[str, object]) -> tuple[str, ...]:
    shell = config.get("Shell")
    return tuple(map(str, shell)) if isinstance(shell, Sequence) and shell else ("/bin/sh", "-c")
