"""What dfopt asks of a language or package manager. One module of this package is one ecosystem."""

from collections.abc import Callable, Mapping
from posixpath import dirname, join, normpath
from typing import Protocol

from msgspec import Struct, field

from optimizer.context import Context
from optimizer.shell import Call, Word


class Project(Struct, frozen=True):
    """The build context seen from inside the image, through the COPY that brings it in.

    The files of `source` (a context folder, "" for its root) stand at `destination` in the image.
    """

    context: Context
    source: str
    destination: str
    env: Mapping[str, str | None] = field(default_factory=dict)  # ENV and ARG in force

    def locate(self, image_path: str, directory: str) -> str | None:
        """Return the context path of a path in the image (relative ones start at `directory`).

        None where the path is neither `destination` nor below it; "" is the root of the context.
        """
        path = normpath(join(directory, image_path))
        top = normpath(self.destination)
        if path == top:
            return self.source
        below = top.rstrip("/") + "/"
        if not path.startswith(below):
            return None
        return join(self.source, path[len(below) :])

    def holds(self, image_path: str, directory: str = "/") -> bool:
        """Tell whether a place in the image may be one of the project, which several COPYs may have put together.

        Where these are seen as one from the root of the image, only a place beside something that they bring is.
        """
        path = self.locate(image_path, directory)
        if path is None or normpath(self.destination) != "/":
            return path is not None
        parent = dirname(path)
        return self.context.exists(path) or bool(parent and self.context.is_dir(parent))


class Ahead(Struct, frozen=True):
    """What can be done with the manifests alone for a call that stays with the sources.

    `commands` run one after the other in `folder`, a context path. `fills` are the folders of the image where they put
    what they fetch: where a cache mount holds one of these, nothing is gained. `marks` are the first words of commands
    which show that the file does such a thing already. `does` is the work that is saved, for the reason line.
    `stand_ins` are the context paths of sources that must not be there yet: in their place the commands put files of
    their own, for the COPY to replace, or they would build what is only a part.
    """

    commands: tuple[str, ...]
    folder: str
    fills: tuple[str, ...]
    marks: tuple[str, ...]
    does: str
    stand_ins: tuple[str, ...] = ()


class Install(Struct, frozen=True):
    """An install of third-party dependencies that needs only manifests.

    `manifests` are context paths, all present and visible, in the order to copy them (the project file, the lock
    file, the rest); a folder among them (`patches`, `.yarn/releases`) is needed whole. None at all means that the
    call reads nothing of the project and may stand anywhere. `outputs` are the context paths where the install puts
    files beside the manifests (`node_modules`), which a later COPY must not bring; `rewrites` are the manifests that
    the install may itself write (a lock file that is out of date); `command` replaces the words of the call
    (Poetry's `--no-root`), None keeps them; `then` is a command to run in the same directory once the sources are
    there; `ahead` says that the call itself needs the sources, but that other commands can do much of its work first;
    `caches_sources` that it also keeps a cache of what it finds in them, which is missing without them.
    """

    manifests: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    rewrites: tuple[str, ...] = ()
    command: str | None = None
    then: str | None = None
    ahead: Ahead | None = None
    caches_sources: bool = False


class Refusal(Struct, frozen=True):
    """Why a recognised install cannot be separated from the sources: a clause, lower case, no full stop.

    Where something could be fetched ahead, `marks` are as in `Ahead`: with one of them, there is nothing to tell.
    """

    reason: str
    marks: tuple[str, ...] = ()


class Cache(Struct, frozen=True):
    """How to keep a call's download cache out of the layer: a flag, or commands to run behind it.

    `flag` goes behind the word `after` of the call; `cleanup` commands go behind the statement, each once.
    `targets` are the folders that a cache mount would hold, supposing root where HOME is not known; `off` says why
    nothing is to be done, a clause. Where that hangs on the project's files, `decide` gives the answer for a
    context: the same cache without `off`, or with a better reason.
    """

    name: str  # what is cached, for the reason line: "pip's download cache"
    flag: str | None = None
    after: Word | None = None
    cleanup: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    off: str | None = None
    decide: "Callable[[Context], Cache] | None" = None


class Ecosystem(Protocol):
    """The questions an ecosystem answers; each takes a call and says None where the call is not its own."""

    @property
    def id(self) -> str:
        """The name of the module."""

    @property
    def title(self) -> str:
        """The name that people know."""

    @property
    def programs(self) -> frozenset[str]:
        """The programs that it may know, without the version behind their names (`python` for python3.12)."""

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say what an install command reads of the project."""

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:
        """Say what an install command leaves behind for the next download."""

    def cleans(self, call: Call) -> bool:
        """Tell whether the call removes that cache (`npm cache clean`, `rm -rf /root/.npm`)."""
