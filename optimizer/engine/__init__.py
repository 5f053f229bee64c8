"""Fixpoint, order, the gate, the result."""

from optimizer.engine.optimize import optimize
from optimizer.engine.plan import Plan
from optimizer.engine.result import Applied, Declined, GateError, InputError, Result, Status

__all__ = ["Applied", "Declined", "GateError", "InputError", "Plan", "Result", "Status", "optimize"]
