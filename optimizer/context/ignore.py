"""`.dockerignore`: which files of the folder the build never sees."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IgnoreFile:
    """The ignore rules in force."""

    text: str

    def ignores(self, path: str) -> bool:
        """Tell whether a file (or a folder and all in it) is kept out of the build."""
        raise NotImplementedError
