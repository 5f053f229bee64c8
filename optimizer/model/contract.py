"""The runtime contract as an independent witness reads it: dockerfile-parse.

dockerfile-parse 2.0.1 takes here-document bodies for instructions, ends an instruction at a blank continuation
line and continues one behind a doubled escape character; `witness_view` neutralises these, line by line.
"""

import io
import posixpath
import re
from collections.abc import Iterable, Mapping
from functools import cache, cached_property, lru_cache, reduce
from typing import TYPE_CHECKING

from msgspec import Struct

from optimizer.syntax import Document, Instruction, parse
from optimizer.syntax.lazy_pattern import lazy_pattern

if TYPE_CHECKING:
    from dockerfile_parse import DockerfileParser

_META = frozenset("CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL ONBUILD SHELL STOPSIGNAL USER VOLUME WORKDIR".split())
_STARTS = frozenset({"CMD", "ENTRYPOINT"})
_ADDING = frozenset({"ENV", "EXPOSE", "LABEL", "ONBUILD", "VOLUME"})
_OF_BASE = ("CMD", "ENTRYPOINT", "STOPSIGNAL", "USER", "WORKDIR")
_VARIABLE = lazy_pattern(r"\$(?:\{(\w+)\}|(\w+))")
_BLANK_LINE = lazy_pattern(r"\n[ \t\r]*\n")
_NAMES = lazy_pattern(r"(?:^|\s)([A-Za-z_]\w*)=")
_QUOTED = lazy_pattern(r"""'[^']*'|"[^"\\$`]*\"""")
_SHELL_NEEDED = lazy_pattern(r"[\\$`|&;<>()*?\[\]{}~#!\"'\n]|^(?:exec )?\w+=")


class Contract(Struct, frozen=True):
    """What the image promises to whoever runs it, as far as a Dockerfile tells.

    `base_images` are those of all stages, arguments resolved; `settings` are the squeezed values of the instructions
    that make no files, in order, by stage and keyword.
    """

    base_images: tuple[str, ...]
    settings: Mapping[tuple[int, str], tuple[str, ...]]

    def difference(self, other: "Contract") -> str | None:
        """Name the first keyword in which two contracts differ, None where they are the same."""
        if self.base_images != other.base_images:
            return "FROM"
        keys = sorted(self.settings.keys() | other.settings.keys())
        return next((k[1] for k in keys if self.settings.get(k) != other.settings.get(k)), None)

    def based_on(self, other: "Contract", claimed: Mapping[tuple[str, str], int]) -> "Contract":
        """Return this contract with the base images of `other` where the exchange is claimed, so many times at most."""
        if len(self.base_images) != len(other.base_images):
            return self
        left = dict(claimed)
        images = []
        for old, new in zip(self.base_images, other.base_images, strict=True):
            left[old, new] = left.get((old, new), 0) - (old != new)
            images.append(new if left[old, new] >= 0 else old)
        return Contract(tuple(images), self.settings)

    def of_image(self, lineage: Iterable[int]) -> "Contract":
        """Return what the image promises that these stages make, each standing on the one before, as of one stage.

        The base images are not part of it.
        """
        found: dict[str, tuple[str, ...]] = {}
        for stage in sorted(lineage):
            for (index, keyword), values in self.settings.items():
                if index == stage:
                    found[keyword] = (*found.get(keyword, ()), *values)
        if "WORKDIR" in found:
            found["WORKDIR"] = tuple(_absolute(value, found.get("ENV", ())) for value in found["WORKDIR"])
        return Contract((), {(0, keyword): _in_force(keyword, values) for keyword, values in found.items()})

    def with_variables(self, other: "Contract", claimed: frozenset[str]) -> "Contract":
        """Return this contract with the settings that `other` has beyond it, where they are claimed.

        These stand for what the former base image had set: variables of other names, and a working directory.
        """
        settings, key = dict(self.settings), (0, "ENV")
        own, left = settings.get(key, ()), list(settings.get(key, ()))
        for text in other.settings.get(key, ()):
            if left[:1] == [text]:
                left.pop(0)
            elif f"ENV {text}" not in claimed or _names(text) & frozenset().union(*map(_names, own)):
                return self
        if not left and key in other.settings:
            settings[key] = other.settings[key]
            directory = settings.get((0, "WORKDIR"), ())
            settings |= {(0, "WORKDIR"): tuple(_absolute(v, settings[key]) for v in directory)} if directory else {}
        for name in _OF_BASE:
            texts = other.settings.get((0, name), ())
            if (0, name) not in settings and texts and f"{name} {texts[-1]}" in claimed:
                settings[0, name] = texts
        return Contract(self.base_images, settings)

    def in_exec_form(self, other: "Contract") -> "Contract":
        """Return this contract with the exec form of `other` where that starts the same program with the same words."""
        settings = dict(self.settings)
        for key in settings.keys() & other.settings.keys():
            own, others = settings[key], other.settings[key]
            if key[1] in _STARTS and len(own) == len(others):
                settings[key] = tuple(o if _starts_the_same(s, o) else s for s, o in zip(own, others, strict=True))
        return Contract(self.base_images, settings)


def _in_force(keyword: str, values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the values of a keyword that count for the image: of some the last one, of others all."""
    if keyword == "WORKDIR":
        return (posixpath.normpath(reduce(_joined, values)),)
    return values if keyword in _ADDING else values[-1:]


def _absolute(value: str, variables: tuple[str, ...]) -> str:
    """Return a working directory with the variables in it replaced, where one ENV alone sets each."""
    return _VARIABLE.sub(lambda match: _set_once(match[1] or match[2], variables) or match[0], value)


def _set_once(name: str, variables: tuple[str, ...]) -> str | None:
    settings = [text for text in variables if name in _names(text)]
    found = re.search(rf"(?:^|\s){name}[= ]\s*[\"']?([^\s\"'$]+)", settings[0]) if len(settings) == 1 else None
    return found[1] if found else None


def _joined(folder: str, path: str) -> str:
    """Return where a WORKDIR leads; a variable in front is taken for the whole way there."""
    return path if path.startswith(("/", "$")) else posixpath.join(folder, path)


def _names(text: str) -> frozenset[str]:
    """Return the names that an ENV sets, in either form."""
    first = text.split(maxsplit=1)[0]
    return frozenset(_NAMES.findall(text) if "=" in first else (first,))


def _starts_the_same(shell_form: str, exec_form: str) -> bool:
    """Tell whether a list in JSON holds just the words that a shell would make of a text, without need of a shell."""
    import json
    import shlex

    if _SHELL_NEEDED.search(_QUOTED.sub("", shell_form)):
        return False
    try:
        words, listed = shlex.split(shell_form), json.loads(exec_form)
    except ValueError:
        return False
    return bool(listed) and listed == (words[1:] if words[0] == "exec" else words)


@lru_cache(maxsize=64)
def read_contract(source: str) -> Contract:
    """Return the contract of a Dockerfile's text."""
    text = witness_view(parse(source))
    witness = _witness()(fileobj=io.BytesIO(text.encode("utf-8", "surrogatepass")))
    return Contract(_base_images(witness), _settings(witness.structure))


def _base_images(witness: "DockerfileParser") -> tuple[str, ...]:
    """Return the base images; none where an ARG above the first FROM has no form that the witness reads."""
    try:
        return tuple(witness.parent_images)
    except ValueError:
        return ()


@cache
def _witness() -> "type[DockerfileParser]":
    """Return dockerfile-parse's parser, reading the structure once: each of its properties would parse anew."""
    from dockerfile_parse import DockerfileParser

    class Witness(DockerfileParser):  # type: ignore[misc]
        """The parser, with its structure kept."""

        structure = cached_property(DockerfileParser.structure.fget)

    return Witness


def witness_view(document: Document) -> str:
    """Return the document's text, as many lines long, without what dockerfile-parse misreads."""
    return document.source[: _start(document)] + "".join(_neutral(i, document.escape) for i in document) + "\n"


def _start(document: Document) -> int:
    if not document.instructions:
        return 0
    first = document.instructions[0]
    return first.start - len(first.leading)


def _neutral(instruction: Instruction, escape: str) -> str:
    text = instruction.text
    doubled = escape * 2 in text
    blank = _BLANK_LINE.search(text) is not None
    if not (instruction.heredocs or doubled or blank):
        return str(instruction)
    lines = text.count("\n")
    body = instruction.body.text.replace("\n", " ").rstrip(escape + " \t")
    return f"{instruction.leading}{instruction.keyword} {body}" + "\n#" * max(lines - 1, 0) + "\n" * min(lines, 1)


def _settings(structure: list[dict[str, object]]) -> Mapping[tuple[int, str], tuple[str, ...]]:
    found: dict[tuple[int, str], tuple[str, ...]] = {}
    stage = -1
    for entry in structure:
        keyword = str(entry["instruction"])
        if keyword == "FROM":
            stage += 1
        elif keyword in _META:
            key = (stage, keyword)
            found[key] = (*found.get(key, ()), " ".join(str(entry["value"]).split()))
    return found
