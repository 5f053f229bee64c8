"""What a configure step of CMake is told: where the sources are, and which variables are set.

Sources: https://cmake.org/cmake/help/latest/manual/cmake.1.html and
https://cmake.org/cmake/help/latest/variable/CMAKE_TOOLCHAIN_FILE.html.
"""

import re
from collections.abc import Iterator, Mapping
from posixpath import join

from msgspec import Struct

from optimizer.ecosystems.ecosystem import Project
from optimizer.shell import Call, Word, resolve
from optimizer.syntax.lazy_pattern import lazy_pattern

_OTHER_MODES = frozenset(
    "--build --install -E -P --open --find-package --version --help --workflow --preset --list-presets".split()
)
_WITH_VALUE = frozenset({"-B", "-G", "-A", "-T", "-C", "-U", "--install-prefix", "-S", "-H", "--toolchain"})
_DEFINED = lazy_pattern(r"-D(\w+)(?::\w+)?=(.*)", re.DOTALL)
_SOURCE, _TOOLCHAIN = "-S", "CMAKE_TOOLCHAIN_FILE"
_NAMES = {"-H": _SOURCE, "--toolchain": _TOOLCHAIN}


class Setting(Struct, frozen=True):
    """A variable's value, as written and, where that can be told, as CMake gets it."""

    text: str
    value: str | None


class Configuration(Struct, frozen=True):
    """A configure step: the context folder of its CMakeLists.txt, and the variables that it sets."""

    source: str
    settings: Mapping[str, Setting]


def configured(call: Call, project: Project, variables: Mapping[str, str | None]) -> Configuration | None:
    """Read a call of cmake, None where it is not certain to configure something among the copied files."""
    if call.directory is None or any(word.text.split("=")[0] in _OTHER_MODES for word in call.arguments):
        return None
    settings = dict(_options(call.arguments, variables))
    place = settings.pop(_SOURCE, Setting(".", "."))
    source = None if place.value is None else project.locate(place.value, call.directory)
    if source is None or not project.context.is_file(join(source, "CMakeLists.txt")):
        return None
    if (toolchain := variables.get(_TOOLCHAIN)) is not None:
        settings.setdefault(_TOOLCHAIN, Setting(toolchain, toolchain))
    return Configuration(source, settings)


def _options(words: tuple[Word, ...], variables: Mapping[str, str | None]) -> Iterator[tuple[str, Setting]]:
    """Go through what is set, with `-S` for the sources, as which a bare path counts too."""
    rest = iter(words)
    for word in rest:
        text = word.text if word.value is None else word.value
        following = next(rest, word) if text == "-D" or text in _WITH_VALUE else word
        value = resolve(following, variables)
        if text == "-D":
            text, value = f"-D{following.text}", None if value is None else f"-D{value}"
        if defined := _DEFINED.fullmatch(text):
            yield defined[1], Setting(defined[2].strip("\"'"), None if value is None else value.partition("=")[2])
        elif text in _WITH_VALUE:
            yield _NAMES.get(text, text), Setting(following.text, value)
        elif text.startswith("--toolchain="):
            yield _TOOLCHAIN, Setting(text.partition("=")[2], None if value is None else value.partition("=")[2])
        elif text[:2] in {"-S", "-H"}:
            yield _SOURCE, Setting(text[2:], None if value is None else value[2:])
        elif not text.startswith("-"):
            yield _SOURCE, Setting(text, value)
