"""The build context: its files, the ignore file, what the manifests say."""

from optimizer.context.ignore import IgnoreFile
from optimizer.context.nodes import IGNORE_FILE, Context
from optimizer.context.tree import ListedTree, Tree
from optimizer.context.wildcards import go_match

__all__ = ["IGNORE_FILE", "Context", "IgnoreFile", "ListedTree", "Tree", "go_match"]
