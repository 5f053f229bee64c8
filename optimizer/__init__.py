"""dfopt reads a Dockerfile with its build context and rewrites it the way a senior engineer would."""

__version__ = "0.1.0"
