"""The build context as a value."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from optimizer.context.ignore import IgnoreFile


@dataclass(frozen=True, slots=True)
class Context:
    """The files that a build may read; paths are relative to its root, with `/`.

    `files` maps every regular file (and symlink) to its size in bytes, whether ignored or not; `ignore` is the
    ignore file in force; `read` gives the contents of a file, None where it is not there or cannot be read;
    `tracked` tells whether version control holds a path (a file, or anything below a folder), None if unknown.
    """

    files: Mapping[str, int]
    ignore: IgnoreFile
    read_bytes: Callable[[str], bytes | None]
    tracked: Callable[[str], bool | None] = field(default=lambda path: None)
    dockerfile: str = "Dockerfile"  # path of the Dockerfile within the context
    ignore_path: str = ".dockerignore"  # where the ignore file in force is, or would be written

    @classmethod
    def of(cls, files: Mapping[str, str | bytes], **changes: object) -> "Context":
        """Make a context of literal contents; `.dockerignore` among them is put in force."""
        raise NotImplementedError

    def exists(self, path: str) -> bool:
        """Tell whether the build sees this file or folder: it is there and not ignored."""
        raise NotImplementedError

    def is_dir(self, path: str) -> bool:
        """Tell whether it is a folder with at least one file that the build sees ("" is the root)."""
        raise NotImplementedError

    def under(self, folder: str) -> Iterable[str]:
        """Return the files below a folder that the build sees, sorted."""
        raise NotImplementedError

    def match(self, pattern: str) -> tuple[str, ...]:
        """Return what a COPY source pattern (Go's filepath.Match) matches, sorted: files and folders."""
        raise NotImplementedError

    def text(self, path: str) -> str | None:
        """Return a visible file as text (UTF-8, lossy), None where the build does not see it."""
        raise NotImplementedError
