"""The build context: its files, the ignore file, what the manifests say."""

from optimizer.context.ignore import IgnoreFile
from optimizer.context.nodes import Context

__all__ = ["Context", "IgnoreFile"]
