"""The typed view of a Dockerfile."""

from optimizer.model.nodes import Dockerfile, Run, Stage, State, Step

__all__ = ["Dockerfile", "Run", "Stage", "State", "Step"]
