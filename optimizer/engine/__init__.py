"""Fixpoint, order, the gate, the result."""

from optimizer.engine.result import Applied, Declined, GateError, InputError, Result, Status

__all__ = ["Applied", "Declined", "GateError", "InputError", "Result", "Status"]
