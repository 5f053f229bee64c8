"""Whose home folder a RUN works in, and who has to own a cache mount there."""

from collections.abc import Iterator, Mapping
from posixpath import join

from msgspec import Struct

from optimizer.model import Dockerfile, Step, base_images
from optimizer.shell import Call, resolve
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
# Options of useradd(8), Debian's adduser(8) and busybox's adduser: what they say, by name.
_MAKERS = frozenset({"useradd", "adduser"})
_CHANGERS = frozenset({"deluser", "groupmod", "userdel", "usermod"})
_UNNAMED = lazy_pattern(r"[^\w.-]+")
_LETTERS = lazy_pattern(r"-[A-Za-z]+")
_VALUED = {
    **dict.fromkeys(("-u", "--uid"), "uid"),
    **dict.fromkeys(("-d", "-h", "--home-dir", "--home"), "home"),
    **dict.fromkeys(
        ("-c", "-g", "-s", "-G", "-k", "--comment", "--gecos", "--gid", "--groups", "--group", "--ingroup", "--shell"),
        "told",
    ),
}
_LETTER = {"m": "make", "M": "bare", "H": "bare", **dict.fromkeys("DSlNorU", "plain")}
_LONG = {
    "--create-home": "make",
    "--no-create-home": "bare",
    **dict.fromkeys(("--system", "--disabled-password", "--disabled-login", "--no-log-init", "--user-group"), "plain"),
}


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


def base_slug(dockerfile: Dockerfile, step: Step) -> str:
    """Return the base image in the letters of a mount's id, for caches that must not be shared between bases."""
    return _UNNAMED.sub("-", base_of(dockerfile, step) or "").strip("-")


def _user(dockerfile: Dockerfile, step: Step, base: str) -> tuple[int, int, str] | str:
    user = step.state.user
    if user in {None, "root", "0", "root:root", "0:0"}:
        return 0, 0, "/root"
    name, _, group = (user or "").partition(":")
    if changer := _changer(dockerfile, step):
        return f"{changer} may change the number and the home folder of the user {user}"
    known = {**_USERS.get(base, {}), **dict(_made(dockerfile, step))}
    found = known.get(name) or next((k for k in known.values() if str(k[0]) == name), None)
    if found is None or (group and group not in {name, str(found[1])}):
        return f"number and home folder of the user {user} are not known"
    return found


def _changer(dockerfile: Dockerfile, step: Step) -> str | None:
    """Return a program that changes or removes users above."""
    lineage = dockerfile.lineage(step.stage)
    runs = (s.run for s in dockerfile.steps[: step.index] if s.run and s.stage in lineage)
    return next((call.program for run in runs for call in run.calls if call.program in _CHANGERS), None)


def _made(dockerfile: Dockerfile, step: Step) -> Iterator[tuple[str, tuple[int, int, str]]]:
    """Go through the users that the RUNs above make with a number and a home folder."""
    lineage = dockerfile.lineage(step.stage)
    for other in dockerfile.steps[: step.index]:
        for call in other.run.calls if other.run and other.stage in lineage else ():
            if call.program in _MAKERS and call.certain and (found := _maker(call, other)):
                yield found


def _maker(call: Call, step: Step) -> tuple[str, tuple[int, int, str]] | None:
    """Return name, number, group and home of a user that a call makes, if all of its options are understood."""
    env = {**step.state.sure, **call.variables}
    words = [resolve(word, env) for word in call.arguments]
    if not words or None in words:
        return None
    name, options = words[-1] or "", dict(_options([word or "" for word in words[:-1]]))
    number = options.get("uid", "")
    # adduser of Debian gives system users a home folder only where it is told of one.
    made = "make" in options or (call.program == "adduser" and ("home" in options or "--system" not in words))
    if not number.isdigit() or not made or options.keys() & {"bare", "unknown"}:
        return None
    return name, (int(number), int(number), options.get("home") or f"/home/{name}")


def _options(words: list[str]) -> Iterator[tuple[str, str]]:
    """Go through what options say of a user: uid, home, make (a home folder), bare (none), unknown."""
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        letters = word[1:] if _LETTERS.fullmatch(word) else ""
        if (kind := _VALUED.get(name)) or (letters and (kind := _VALUED.get(f"-{letters[-1]}"))):
            yield kind, value if equals else next(rest, "")
            letters = letters[:-1]
        elif not letters:
            yield _LONG.get(word, "unknown"), word
        for letter in letters:
            yield _LETTER.get(letter, "unknown"), word
