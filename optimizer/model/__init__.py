"""The typed view of a Dockerfile."""

from optimizer.model.mounts import Mount, mounts
from optimizer.model.nodes import Dockerfile, Run, Stage, State, Step
from optimizer.model.read import read
from optimizer.model.run import BASE_WORKDIR

__all__ = ["BASE_WORKDIR", "Dockerfile", "Mount", "Run", "Stage", "State", "Step", "mounts", "read"]
