"""What lies where in an image that is only thought of."""

from posixpath import join, normpath

from msgspec import Struct


class Content(Struct, frozen=True):
    """A file or folder of the image, by its absolute path, and the bytes of it."""

    path: str
    bytes: int


class Stored(Struct, frozen=True):
    """What a command leaves behind: where, what it is, its bytes, and whether that is no guess."""

    path: str
    what: str
    bytes: int
    known: bool = False


def image_path(path: str, workdir: str | None) -> str:
    """Return a path as an absolute, clean one."""
    return normpath(join(workdir or "/", path)).replace("//", "/")


def below(path: str, folder: str) -> bool:
    """Tell whether a path is a folder or lies below it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")
