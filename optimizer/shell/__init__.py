"""Command lines inside RUN, CMD, ENTRYPOINT and scripts; unknown stays unknown."""

from optimizer.shell.nodes import Call, Command, Compound, Kind, Node, Redirect, Script, Word

__all__ = ["Call", "Command", "Compound", "Kind", "Node", "Redirect", "Script", "Word"]
