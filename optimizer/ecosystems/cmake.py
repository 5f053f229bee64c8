"""CMake: nothing of a configure step can be done without the sources, which is said where it downloads.

Sources: https://cmake.org/cmake/help/latest/module/FetchContent.html, …/module/ExternalProject.html and
https://github.com/cpm-cmake/CPM.cmake.
"""

import re
from collections.abc import Mapping
from posixpath import basename

from msgspec import Struct

from optimizer.context import Context
from optimizer.ecosystems._arguments import variables_of
from optimizer.ecosystems._cmake import configured
from optimizer.ecosystems.ecosystem import Cache, Install, Project, Refusal
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern

_MOST_FILES = 200
_DOWNLOADS = lazy_pattern(
    r"^[ \t]*(FetchContent_Declare|FetchContent_MakeAvailable|ExternalProject_Add|CPM(?:Add|Find)Package)\s*\(",
    re.MULTILINE | re.IGNORECASE,
)


class CMake(Struct, frozen=True):
    """The configure step of CMake."""

    id: str = "cmake"
    title: str = "CMake"
    programs: frozenset[str] = frozenset({"cmake"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say why what the step downloads cannot be had without the sources; None where it downloads nothing."""
        step = configured(call, project, variables_of(call, project.env))
        if step is None:
            return None
        found = project.context.once(("cmake downloads", step.source), lambda seen: _download(seen, step.source))
        if found is None:
            return None
        path, command = found
        return Refusal(f"cmake downloads what {path} names ({command}) while it reads the sources")

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:  # noqa: ARG002 - nothing is cached
        """None: what is downloaded lies in the build folder."""
        return None

    def cleans(self, call: Call) -> bool:  # noqa: ARG002
        """Never, as there is no cache."""
        return False


ECOSYSTEM = CMake()


def _download(context: Context, folder: str) -> tuple[str, str] | None:
    """Return the first file of CMake's that downloads, and the command that does."""
    files = [f for f in context.under(folder) if basename(f) == "CMakeLists.txt" or f.endswith(".cmake")]
    for path in sorted(files, key=lambda file: (file.count("/"), file))[:_MOST_FILES]:
        if match := _DOWNLOADS.search(context.text(path) or ""):
            return path, match[1]
    return None
