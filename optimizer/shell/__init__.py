"""Command lines inside RUN, CMD, ENTRYPOINT and scripts; unknown stays unknown."""

from shlex import quote

from optimizer.shell.nodes import Call, Command, Compound, Kind, Node, Redirect, Script, Word
from optimizer.shell.parse import parse_script
from optimizer.shell.words import resolve

__all__ = [
    "Call", "Command", "Compound", "Kind", "Node", "Redirect", "Script", "Word", "parse_script", "quote", "resolve",
]  # fmt: skip
