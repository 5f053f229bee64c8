"""Go, Rust, C and C++: what runs is a binary, the shared libraries that it is linked to, and the files that it reads."""

from optimizer.model import Step
from optimizer.shell import Call
from optimizer.transforms.stages.nodes import Build, Effect, Runtime


def effect(call: Call, step: Step, build: Build) -> Effect | None:
    """Say what a compiler or build tool leaves behind."""
    return None


def runtime(build: Build) -> Runtime | str | None:
    """Say where the binary that is started comes from, and what it needs."""
    return None
