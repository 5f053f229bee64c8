"""Text to instructions and back, without loss."""

from optimizer.syntax.nodes import Directive, Document, Flag, Heredoc, Instruction, Joined, Span

__all__ = ["Directive", "Document", "Flag", "Heredoc", "Instruction", "Joined", "Span"]
