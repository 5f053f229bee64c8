"""The runtime contract as an independent witness reads it: dockerfile-parse.

dockerfile-parse 2.0.1 takes here-document bodies for instructions, ends an instruction at a blank continuation
line and continues one behind a doubled escape character; `witness_view` neutralises these, line by line.
"""

import io
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from optimizer.syntax import Document, Instruction, parse

_META = frozenset("CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL ONBUILD SHELL STOPSIGNAL USER VOLUME WORKDIR".split())


@dataclass(frozen=True, slots=True)
class Contract:
    """What the image promises to whoever runs it, as far as a Dockerfile tells, stage by stage."""

    base_images: tuple[str, ...]
    cmd: str | None
    env: tuple[tuple[str, str], ...]
    labels: tuple[tuple[str, str], ...]
    instructions: tuple[tuple[int, str, str], ...]  # (stage, keyword, squeezed value) of all that makes no files

    def difference(self, other: "Contract") -> str | None:
        """Name the first part in which two contracts differ."""
        parts = ("base_images", "cmd", "env", "labels", "instructions")
        return next((p.replace("_", " ") for p in parts if getattr(self, p) != getattr(other, p)), None)


@lru_cache(maxsize=64)
def read_contract(source: str) -> Contract:
    """Return the contract of a Dockerfile's text."""
    from dockerfile_parse import DockerfileParser

    class Witness(DockerfileParser):  # type: ignore[misc]
        """The parser, reading the structure once: each of its properties would parse the file anew."""

        structure = cached_property(DockerfileParser.structure.fget)

    text = witness_view(parse(source))
    witness = Witness(fileobj=io.BytesIO(text.encode("utf-8", "surrogatepass")))
    return Contract(
        tuple(witness.parent_images),
        witness.cmd,
        tuple(witness.envs.items()),
        tuple(witness.labels.items()),
        tuple(_instructions(witness.structure)),
    )


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
    blank = re.search(r"\n[ \t\r]*\n", text) is not None
    if not (instruction.heredocs or doubled or blank):
        return str(instruction)
    lines = text.count("\n")
    body = instruction.body.text.replace("\n", " ").rstrip(escape + " \t")
    return f"{instruction.leading}{instruction.keyword} {body}" + "\n#" * max(lines - 1, 0) + "\n" * min(lines, 1)


def _instructions(structure: list[dict[str, object]]) -> list[tuple[int, str, str]]:
    found, stage = [], -1
    for entry in structure:
        keyword, value = str(entry["instruction"]), str(entry["value"])
        if keyword == "FROM":
            stage += 1
        elif keyword in _META:
            found.append((stage, keyword, " ".join(value.split())))
    return found
