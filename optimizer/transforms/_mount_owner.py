"""Whose home folder a RUN works in, and who has to own a cache mount there."""

import re
from collections.abc import Iterator, Mapping
from posixpath import join

from msgspec import Struct

from optimizer.model import Dockerfile, Step, base_images
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern

# Images whose build starts as root, with what they set of the variables that say where caches are. Sources: the
# Dockerfiles of github.com/docker-library and of the vendors.
_PLAIN = """almalinux alpine amazoncorretto amazonlinux archlinux buildpack-deps centos debian eclipse-temurin elixir
    erlang fedora maven node nvidia/cuda openjdk oraclelinux perl php pypy python rockylinux ruby ubuntu
    ghcr.io/astral-sh/uv mcr.microsoft.com/dotnet/aspnet mcr.microsoft.com/dotnet/sdk oven/bun"""
_BASES: Mapping[str, Mapping[str, str]] = {
    **{name: {} for name in _PLAIN.split()},
    "composer": {"COMPOSER_HOME": "/tmp"},  # noqa: S108 the image's own value
    "golang": {"GOPATH": "/go"},
    "rust": {"CARGO_HOME": "/usr/local/cargo"},
}
_USERS = {"node": {"node": (1000, 1000, "/home/node")}}
# Variables that say where caches are.
_PLACES = lazy_pattern(
    r"\w*CACHE\w*|npm_config_cache|(?:(?:PNPM|CARGO|COMPOSER|HEX)_)?HOME|XDG_\w+|GOPATH|NUGET_PACKAGES"
)
_MAKERS = {"useradd": ("-u", "--uid", "-d", "--home-dir", "--home"), "adduser": ("-u", "--uid", "-h", "--home")}
_SWITCHES = re.compile(
    r"-[DSHmMrlNoU]+|--(?:create-home|no-create-home|system|disabled-\w+|no-log-init|home-dir|gecos=.*)"
)


class Owner(Struct, frozen=True):
    """The user of a RUN; root has number 0. `env` are the variables that a tool finds, as far as they are known."""

    number: int
    group: int
    home: str
    env: Mapping[str, str | None]

    @property
    def options(self) -> str:
        """What a mount says of its owner: nothing for root."""
        return f",uid={self.number},gid={self.group}" if self.number else ""


def owner_of(dockerfile: Dockerfile, step: Step) -> Owner | str:
    """Return the user of a RUN, or a clause that says why it is not known."""
    base = base_of(dockerfile, step)
    facts = _BASES.get(base_images.repository(base)) if base and "onbuild" not in base else None
    if facts is None:
        return f"what {base or 'the base image'} says of users and caches is not known"
    sure = step.state.sure
    env = {**facts, **sure}
    if hidden := next((name for name, value in sure.items() if value is None and _PLACES.fullmatch(name)), None):
        return f"the value of {hidden} is not known"
    found = _user(dockerfile, step, base_images.repository(base or ""))
    if isinstance(found, str):
        return found
    number, group, own = found
    home = sure.get("HOME", own)
    if not home:
        return "the home folder is not known"
    plain = {"GOPATH": join(home, "go"), "CARGO_HOME": join(home, ".cargo")}
    return Owner(number, group, home, {**plain, **env, "HOME": home})


def base_of(dockerfile: Dockerfile, step: Step) -> str | None:
    """Return the image that a step's stage is built on, through other stages."""
    return dockerfile.stages[min(dockerfile.lineage(step.stage))].base


def _user(dockerfile: Dockerfile, step: Step, base: str) -> tuple[int, int, str] | str:
    user = step.state.user
    if user is None and _names_user(dockerfile, step):
        return "the user is not known"
    if user in {None, "root", "0", "root:root", "0:0"}:
        return 0, 0, "/root"
    name, _, group = (user or "").partition(":")
    known = {**_USERS.get(base, {}), **dict(_made(dockerfile, step))}
    found = known.get(name) or next((k for k in known.values() if str(k[0]) == name), None)
    if found is None or (group and group not in {name, str(found[1])}):
        return f"number and home folder of the user {user} are not known"
    return found


def _names_user(dockerfile: Dockerfile, step: Step) -> bool:
    """Tell whether a USER above has a value that only the build knows."""
    lineage = dockerfile.lineage(step.stage)
    return any(s.name == "USER" for s in dockerfile.steps[: step.index] if s.stage in lineage)


def _made(dockerfile: Dockerfile, step: Step) -> Iterator[tuple[str, tuple[int, int, str]]]:
    """Go through the users that the RUNs above make with a number and a home folder."""
    lineage = dockerfile.lineage(step.stage)
    for other in dockerfile.steps[: step.index]:
        for call in other.run.calls if other.run and other.stage in lineage else ():
            if call.program in _MAKERS and call.certain and (found := _maker(call, other)):
                yield found


def _maker(call: Call, step: Step) -> tuple[str, tuple[int, int, str]] | None:
    """Return name, number, group and home of a user that a call makes; only options that are understood."""
    env = {**step.state.sure, **call.variables}
    words = [
        env.get(w.variables[0]) if w.text in {f"${n}" for n in w.variables[:1]} else w.value for w in call.arguments
    ]
    if None in words or not words:
        return None
    numbers, home, has_home = None, None, call.program == "adduser"
    rest = iter([word or "" for word in words[:-1]])
    for word in rest:
        name, equals, value = word.partition("=")
        if name in _MAKERS[call.program][:2]:
            numbers = value if equals else next(rest, "")
        elif name in _MAKERS[call.program][2:]:
            home = value if equals else next(rest, "")
        elif name in {"-s", "--shell", "--gecos", "-c", "--comment"}:
            None if equals else next(rest, "")
        elif not _SWITCHES.fullmatch(word):
            return None
        has_home = (
            has_home or name == "--create-home" or (name.startswith("-") and not name.startswith("--") and "m" in name)
        )
    name = words[-1] or ""
    if numbers is None or not numbers.isdigit() or not has_home:
        return None
    return name, (int(numbers), int(numbers), home or f"/home/{name}")
