"""Command lines inside RUN, CMD, ENTRYPOINT and scripts; unknown stays unknown."""

from shlex import quote

from optimizer.shell.calls import SHELLS, calls
from optimizer.shell.nodes import Call, Command, Compound, Kind, Node, Redirect, Script, Word
from optimizer.shell.parse import parse_script
from optimizer.shell.state import state_changes
from optimizer.shell.words import resolve

__all__ = [
    "SHELLS", "Call", "Command", "Compound", "Kind", "Node", "Redirect", "Script", "Word", "calls", "parse_script",
    "quote", "resolve", "state_changes",
]  # fmt: skip
