"""Why a stage on a retired image of Java cannot do with Eclipse Temurin on Ubuntu."""

import posixpath
import re
from collections.abc import Iterator
from functools import cache

from optimizer.context import Context
from optimizer.ecosystems._system import invocation
from optimizer.ecosystems.apt import ECOSYSTEM as APT
from optimizer.images import Variant
from optimizer.images._tables import package_sets, packages_of_commands
from optimizer.images.apt import is_known
from optimizer.images.packages import brought_by
from optimizer.model import Dockerfile, Step
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._runtime_needs import Need, Unknown, installed, needs_of

_MODEL = "bookworm"  # the release of Debian whose base is nearest to that of Ubuntu 22.04
_IN_UBUNTU = ("bzip2", "procps")
_SINCE = ("bullseye", "bookworm")  # what both have is in the Ubuntu between them
_NOT_IN_UBUNTU = lazy_pattern(
    r"chromium.*|firefox.*|thunderbird.*|openjdk-.*|default-j(?:re|dk).*|linux-.*|debian-.*|lxd"
)
_OLD_PLACES = lazy_pattern(r"/usr/local/openjdk-\d+|/docker-java-home|/usr/lib/jvm|/usr/java\b|/opt/openjdk-?\d*")
_OLD_SYSTEM = lazy_pattern(r"/etc/(?:apt|yum|alpine)[\w./-]*|\bdebian\b|\b(?:stretch|buster|bullseye|bookworm|sid)\b")
_OTHER_MANAGERS = frozenset({"apk", "dnf", "microdnf", "rpm", "yum"})
_JRE = frozenset({"java", "jfr", "jrunscript", "keytool", "rmiregistry"})
_JDK = _JRE | frozenset(
    "jar jarsigner javac javadoc javap jcmd jconsole jdb jdeprscan jdeps jhsdb jimage jinfo jlink jmap jmod jpackage "
    "jps jshell jstack jstat jstatd jwebserver serialver".split()
)
_BASH_ONLY = lazy_pattern(r"\[\[|<<<|&>|(?:^|[;&|]\s*)(?:source|function|shopt|declare)\s|\$\{\w+(?:[/^,]|:\d)|\$'")
_ADDED = frozenset("[ adduser addgroup deluser delgroup awk break continue sh which nproc".split())
_SYSTEM = frozenset({"/bin", "/sbin", "/usr/bin", "/usr/sbin"})


def why_not(
    dockerfile: Dockerfile, context: Context, stages: frozenset[int], old: Variant, new: Variant
) -> Iterator[str]:
    """Go through the reasons, in the order in which they are best told."""
    yield from _why_places(dockerfile, context, new)
    steps = [step for step in dockerfile if step.stage in stages]
    oracle = not _on_debian(old)
    for step in steps:
        yield from _why_packages(step, new)
        if oracle and (found := _BASH_ONLY.search(step.instruction.body.text)) and step.instruction.json is None:
            yield f"{found[0].strip()} of line {step.line} is for bash, which is not /bin/sh of {new.name}"
    known = _commands() | (_JRE if "jre" in new.words else _JDK)
    for need in needs_of(dockerfile, context, stages):
        if isinstance(need, Unknown):
            yield need.reason
        elif not _is_there(dockerfile, need, known):
            yield f"{need.place} starts {need.name}, which {new.name} may lack"


def _on_debian(old: Variant) -> bool:
    return not any(word.startswith(("oracle", "alpine")) for word in old.words)


def _is_there(dockerfile: Dockerfile, need: Need, known: frozenset[str]) -> bool:
    """Tell whether a program comes with the new image, with a package that is installed, or with the project."""
    folder = posixpath.dirname(need.program)
    if (folder and folder not in _SYSTEM) or need.name.endswith(".sh") or need.name in known:
        return True
    owners = set(packages_of_commands().get(need.name, ())) | {need.name}
    return bool(owners & installed(dockerfile, need.stage, _MODEL, need.index))


@cache
def _commands() -> frozenset[str]:
    """Return the commands of Ubuntu's base and of what Temurin's images install."""
    packages = set(package_sets()[f"{_MODEL}/base"]) | {"ca-certificates", *_IN_UBUNTU}
    for name in ("curl", "wget", "gnupg", "fontconfig", "locales", "tzdata", "p11-kit", "adduser"):
        packages |= brought_by(name, _MODEL)
    return frozenset(command for command, owners in packages_of_commands().items() if packages & set(owners)) | _ADDED


def _why_places(dockerfile: Dockerfile, context: Context, new: Variant) -> Iterator[str]:
    for step in dockerfile:
        if step.name in {"LABEL", "MAINTAINER"}:
            continue
        text = step.instruction.body.text
        if found := _OLD_PLACES.search(text):
            yield f"line {step.line} names {found[0]}, where {new.name} has nothing"
        if (found := _OLD_SYSTEM.search(text)) and step.name == "RUN":
            yield f"line {step.line} speaks of {found[0]}, and {new.name} stands on another distribution"
    for path in context.under(""):
        if path.endswith((".sh", ".bash")) and (found := _OLD_PLACES.search(context.text(path) or "")):
            yield f"{path} names {found[0]}, where {new.name} has nothing"


def _why_packages(step: Step, new: Variant) -> Iterator[str]:
    """Go through the installs that may not find on Ubuntu what they ask for."""
    for call in step.run.calls if step.run else ():
        if call.program in _OTHER_MANAGERS:
            yield f"line {step.line} installs with {call.program}, and {new.name} has apt"
        elif APT.installs(call):
            yield from (f"whether Ubuntu has the package {name} (line {step.line}) is not known" for name in _odd(call))


def _odd(call: Call) -> Iterator[str]:
    for word in invocation(call, APT.grammar).operands:
        name = re.split(r"[:/=]", word.value or "")[0]
        plain = word.value == name and not _NOT_IN_UBUNTU.fullmatch(name)
        if not plain or not all(is_known(name, release) for release in _SINCE):
            yield word.value or word.text
