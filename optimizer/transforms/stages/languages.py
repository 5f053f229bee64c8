"""Which languages are asked about a base image, each a module that is loaded when it is."""

from importlib import import_module
from typing import cast

from optimizer.transforms.stages.nodes import Language

# A module stands here once it is there: "python": ("python",), or several, asked in turn.
_MODULES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("buildpack-deps", "debian", "gcc"), ("c",)),
    **dict.fromkeys(("adoptopenjdk", "eclipse-temurin", "gradle", "maven", "openjdk"), ("java",)),
    "elixir": ("elixir",),
    "golang": ("go",),
    "node": ("node", "python"),
    "python": ("python", "node"),
    "mcr.microsoft.com/dotnet/sdk": ("dotnet",),
    "php": ("php", "node"),
    "ruby": ("ruby",),
    "rust": ("rust",),
}
# Images for all kinds of use, which concern a language only where one of its programs is started.
_COMPILING = frozenset("c++ cc clang clang++ cmake g++ gcc gfortran gmake make meson ninja".split())
_PLAIN = {"buildpack-deps": _COMPILING, "debian": _COMPILING}


def is_for_building(image: str, started: frozenset[str]) -> bool:
    """Tell whether a stage on an image builds a program, by the programs that its steps start."""
    return image in _MODULES and (image not in _PLAIN or not _PLAIN[image].isdisjoint(started))


def languages_for(image: str) -> tuple[Language, ...]:
    """Return the languages that may be built on an image, by its repository (`golang`); none where it is not known."""
    return tuple(_loaded(name) for name in _MODULES.get(image, ()))


def _loaded(name: str) -> Language:
    return cast("Language", import_module(f"{__package__}.{name}"))
