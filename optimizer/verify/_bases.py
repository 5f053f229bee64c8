"""What another base image brings and leaves out by itself, where a rewrite took one of another family.

Of files only those count that the Dockerfile's own steps put into the image: what else the system's folders hold is
the base image's, and the rewrite says that it is another one.
"""

import json
import re
from collections.abc import Iterable, Iterator
from posixpath import basename, join

from msgspec import Struct
from msgspec.structs import replace

from optimizer.context import Context
from optimizer.engine import Result
from optimizer.model import BASE_WORKDIR, Dockerfile, Step
from optimizer.report.evidence import Check, Difference
from optimizer.syntax import pairs
from optimizer.transforms._copies import below, image_path, read_copy

# The folders of each that are the base image's own: of the first all that lies there, for no RUN is left.
_SYSTEM = ("/bin", "/etc", "/lib", "/lib64", "/run", "/sbin", "/usr", "/var")
_FOLDERS = {
    "distroless-base": (*_SYSTEM, "/boot", "/home", "/media", "/mnt", "/opt", "/root", "/srv", "/lib32", "/libx32"),
    "replace-retired-base": (*_SYSTEM, "/docker-java-home", "/opt/java", "/__cacert_entrypoint.sh"),
}
_OF_PROJECTS = ("/usr/local", "/usr/src", "/var/lib/app", "/var/www", "/var/app")
_OF_JAVA = ("/usr/local/openjdk-",)
_NUMBER_OF_USER = re.compile(r"(?:user|group) \d+ of USER")
_PASSING_ON = ["/__cacert_entrypoint.sh"]  # of Temurin's images: it ends in `exec "$@"`


class Exchange(Struct, frozen=True):
    """The transform that took another base image, what the steps put where, and the variables that the file sets."""

    transform: str
    kept: tuple[str, ...] = ()
    variables: frozenset[str] = frozenset()

    def announces(self, difference: Difference) -> bool:
        """Tell whether a difference is one between the base images."""
        if difference.check is Check.CONFIG:
            return self._is_setting(difference)
        path = difference.subject.rpartition(" ")[2]
        if difference.check is Check.LIBRARIES:
            return difference.after is not None or self.brings(path)
        if difference.check is Check.FILES and _NUMBER_OF_USER.fullmatch(difference.subject):
            return difference.after is not None  # the kernel knows numbers alone, and each family has its own names
        return difference.check is Check.FILES and path.startswith("/") and self.brings(path)

    def _is_setting(self, difference: Difference) -> bool:
        kind, _, name = difference.subject.partition(" ")
        if kind == "Env":
            return name not in self.variables
        passing = json.dumps(_PASSING_ON)
        return kind == "Entrypoint" and difference.before is None and difference.after == passing

    def brings(self, path: str) -> bool:
        """Tell whether what stands under a path of the system is the base image's own."""
        if any(below(path, kept) is not None or below(kept, path) is not None for kept in self.kept):
            return False
        if self.transform != "distroless-base" and any(below(path, folder) is not None for folder in _OF_PROJECTS):
            return path.startswith(_OF_JAVA)
        return any(below(path, folder) is not None for folder in _FOLDERS[self.transform])


def exchange_of(result: Result, dockerfile: Dockerfile, context: Context) -> Exchange | None:
    """Return the exchange that a result made of the target's base image; `dockerfile` is the rewritten one."""
    applied = {one.transform for one in result.applied}
    transform = next((name for name in _FOLDERS if name in applied), None)
    if transform is None:
        return None
    lineage = dockerfile.lineage(dockerfile.target)
    steps = [step for step in dockerfile if step.stage in lineage]
    variables = frozenset(name for step in steps if step.name == "ENV" for name, _ in pairs(step.instruction))
    return Exchange(transform, tuple(dict.fromkeys(path for step in steps for path in _kept(step, context))), variables)


def sorted_out(differences: Iterable[Difference], exchange: Exchange | None) -> Iterator[Difference]:
    """Go through the differences, those between the base images with the transform that announced them."""
    for one in differences:
        claimed = one.claimed_by is None and exchange is not None and exchange.announces(one)
        yield replace(one, claimed_by=exchange.transform) if claimed and exchange else one


def _kept(step: Step, context: Context) -> Iterator[str]:
    """Go through the places where a step puts files of its own."""
    if step.name == "WORKDIR" and (folder := step.instruction.value.text.strip()) not in {"/", ""}:
        yield image_path(folder, step.state.workdir if step.state.workdir != BASE_WORKDIR else "/")
    if step.name not in {"COPY", "ADD"}:
        return
    words = [step.state.word(word) for word in step.instruction.arguments]
    *sources, target = (word for word in words if word is not None) if None not in words and words else ("",)
    destination = image_path(target, step.state.workdir)
    copied = read_copy(step, context) if step.instruction.flag("from") is None else ""
    if not isinstance(copied, str):
        yield from (path for _, path in copied.pairs(context))
    elif target.endswith("/"):
        yield from (join(destination, basename(source.rstrip("/"))) for source in sources)
    else:
        yield destination
