"""Requirement files, read as pip reads them: the files of the project that they lead to.

Sources: https://pip.pypa.io/en/stable/reference/requirements-file-format/ and pip's own `_internal/req/req_file.py`
(relative `-r`, `-c` and `--find-links` start at the file that names them, other paths at the working directory).
"""

import codecs
import re
from collections.abc import Iterable, Iterator
from posixpath import basename, dirname

from msgspec import Struct, field

from optimizer.ecosystems._files import beside, missing, unique
from optimizer.ecosystems.ecosystem import Project, Refusal
from optimizer.syntax.lazy_pattern import lazy_pattern

ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tlz", ".tar.lz",
            ".tar.lzma")  # fmt: skip
NAMED = lazy_pattern(r"[A-Za-z0-9](?:[\w.-]*\w)?\s*(?:\[[^\]]*\])?\s*(?:$|[=<>~!;@(])", re.ASCII)

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
         (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
_COMMENT = lazy_pattern(r"(?:^|\s+)#.*$")
_CONTINUED = lazy_pattern(r"\\\r?\n")
_OPTION = lazy_pattern(r"(--[a-z-]+|-[a-zA-Z])(?:\s*=\s*|\s*)(.*)", re.DOTALL)
_HARMLESS = frozenset({
    "-i", "--index-url", "--extra-index-url", "--no-index", "--pre", "--prefer-binary", "--trusted-host",
    "--use-feature", "--require-hashes", "--no-binary", "--only-binary", "--process-dependency-links", "--pypi-url",
    "--all-releases", "--only-final",
})  # fmt: skip
_VCS = lazy_pattern(r"(?:git|hg|svn|bzr)\+(?!file:)[a-z+]*:|git\+git@", re.IGNORECASE)
_REMOTE = lazy_pattern(r"(?:https?|ftp|s3|gs)://", re.IGNORECASE)
_URL_BEHIND_NAME = lazy_pattern(r"[\w.\[\],-]+\s*@\s*(.+)", re.DOTALL)
_EGG = lazy_pattern(r"egg=([\w.-]+)")


class Requirements(Struct):
    """The requirement files that an install reads, with what they lead to: it grows as files are read."""

    project: Project
    directory: str  # the image folder that relative paths start at
    files: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)

    def read(self, image_path: str, directory: str | None = None) -> Refusal | None:
        """Take in a requirement file and all that it names; say what cannot be copied for it."""
        if _REMOTE.match(image_path):
            return None
        path = self.project.locate(image_path.removeprefix("file://"), directory or self.directory)
        if path is None:
            return Refusal(f"{image_path} is outside of the copied files")
        return self._file(path)

    def line(self, line: str, at: str | None = None) -> Refusal | None:
        """Take in one requirement or option; `at` is the context folder of the file that it stands in."""
        if line.startswith("-"):
            return self._option(line, at)
        return self._requirement(re.split(r"\s+--?[a-z]", line, maxsplit=1)[0].strip(), line)

    def lines(self, lines: Iterable[str], at: str | None = None) -> Refusal | None:
        """Take in several."""
        return next((found for line in lines if (found := self.line(line, at))), None)

    def local(self, path: str) -> Refusal | None:
        """Take in a path that is installed or searched for archives; only archives and folders of them will do."""
        if not path.lower().endswith(ARCHIVES):
            return Refusal(f"the local project {path} is built from its sources")
        place = self.project.locate(path, self.directory)
        if place is None:
            return Refusal(f"{path} is outside of the copied files")
        if not self.project.context.is_file(place):
            return missing(self.project.context, place)
        self.files.append(place)
        return None

    def links(self, value: str, at: str | None = None) -> Refusal | None:
        """Take in what `--find-links` names: an address or a folder of archives."""
        if _REMOTE.match(value):
            return None
        context = self.project.context
        path = value.removeprefix("file://")
        place = beside(at, path) if at is not None and not path.startswith("/") else None
        if place is None or not context.exists(place):
            place = self.project.locate(path, self.directory)
        if not place or not context.is_dir(place):
            return Refusal(f"the folder {value} of --find-links is not in the copied files")
        self.files.append(place)
        return None

    @property
    def manifests(self) -> tuple[str, ...]:
        """The files found, each once."""
        return unique(self.files)

    def _file(self, path: str) -> Refusal | None:
        if path in self.files:
            return None
        if not self.project.context.is_file(path):
            return missing(self.project.context, path)
        text = _decoded(self.project.context.read_bytes(path) or b"")
        if text is None:
            return Refusal(f"the encoding of {path} is not known")
        self.files.append(path)
        refusal = self.lines(_logical_lines(text), dirname(path))
        return refusal and Refusal(
            f"{refusal.reason} ({basename(path)})" if path not in refusal.reason else refusal.reason
        )

    def _option(self, line: str, at: str | None) -> Refusal | None:
        match = _OPTION.fullmatch(line)
        name, value = (match[1], match[2].strip().strip("\"'")) if match else (line, "")
        if name in {"-r", "--requirement", "-c", "--constraint"}:
            return self._nested(value, at)
        if name in {"-e", "--editable"}:
            return self._editable(value)
        if name in {"-f", "--find-links"}:
            return self.links(value, at)
        return None if name in _HARMLESS else Refusal(f"the option {name} is not known")

    def _nested(self, value: str, at: str | None) -> Refusal | None:
        if _REMOTE.match(value):
            return None
        if "${" in value:
            return Refusal(f"the requirement file {value} is named by a variable")
        if at is None or value.startswith(("/", "file:")):
            return self.read(value)
        place = beside(at, value)
        return Refusal(f"{value} is outside of the build context") if place is None else self._file(place)

    def _editable(self, value: str) -> Refusal | None:
        """Take in an editable repository: it is checked out below `src` of the environment or else the directory."""
        if not _VCS.match(value) and not _VCS.search(value.partition("@")[2]):
            return Refusal(f"the editable install of {value} reads its sources")
        egg = _EGG.search(value)
        place = self.project.locate(f"src/{egg[1]}" if egg else "src", self.directory)
        self.outputs += [place] if place else []
        return None

    def _requirement(self, text: str, line: str) -> Refusal | None:
        behind_name = _URL_BEHIND_NAME.fullmatch(text)
        text = behind_name[1] if behind_name else text
        if _VCS.match(text) or _REMOTE.match(text):
            return None
        text = text.split(";", 1)[0].strip()
        if text.startswith("file:"):
            return self._local("/" + text[5:].lstrip("/") if text.startswith("file:/") else text[5:])
        bare = text.split("[", 1)[0]
        if "/" in bare or bare.startswith(".") or bare.lower().endswith(ARCHIVES):
            return self._local(text)
        return None if NAMED.match(text) else Refusal(f"the requirement {line[:60]} is not understood")

    def _local(self, path: str) -> Refusal | None:
        if "${" in path:
            return Refusal(f"the path {path} is named by a variable")
        return self.local(path.split("#", 1)[0])


def _decoded(data: bytes) -> str | None:
    """Decode a file as pip's `auto_decode` does; the encoding of comments in other character sets does not matter."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            try:
                return data.decode(encoding).removeprefix("\ufeff")
            except UnicodeDecodeError:
                return None
    return None if b"\0" in data else data.decode("utf-8", "replace")


def _logical_lines(text: str) -> Iterator[str]:
    """Go through the lines, joined where a backslash ends them, without comments and blanks."""
    for line in _CONTINUED.sub(" ", text).splitlines():
        if bare := _COMMENT.sub("", line).strip():
            yield bare
