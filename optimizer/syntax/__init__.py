"""Text to instructions and back, without loss."""

from optimizer.syntax.expand import expand, variables_in
from optimizer.syntax.nodes import Directive, Document, Flag, Heredoc, Instruction, Joined, Span
from optimizer.syntax.pairs import pairs
from optimizer.syntax.parse import parse
from optimizer.syntax.words import words

__all__ = [
    "Directive",
    "Document",
    "Flag",
    "Heredoc",
    "Instruction",
    "Joined",
    "Span",
    "expand",
    "pairs",
    "parse",
    "variables_in",
    "words",
]
