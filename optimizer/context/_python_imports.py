"""The imports of a Python source."""

import libcst as cst
import libcst.helpers

_LOADERS = frozenset({"__import__", "import_module"})


class Imports(cst.CSTVisitor):
    """Gathers the dotted names of imported modules in `modules`."""

    def __init__(self) -> None:
        super().__init__()
        self.modules: set[str] = set()

    def visit_Import(self, node: cst.Import) -> None:  # noqa: N802 - libcst calls it so
        """Take `import a.b`."""
        self.modules |= {alias.evaluated_name for alias in node.names}

    def visit_ImportFrom(self, node: cst.ImportFrom) -> None:  # noqa: N802
        """Take `from a.b import c`."""
        if node.module is not None and not node.relative:
            self.modules.add(cst.helpers.get_full_name_for_node_or_raise(node.module))

    def visit_Call(self, node: cst.Call) -> None:  # noqa: N802
        """Take `importlib.import_module("a.b")` and `__import__("a")`."""
        function = node.func.attr if isinstance(node.func, cst.Attribute) else node.func
        if not isinstance(function, cst.Name) or function.value not in _LOADERS or not node.args:
            return
        argument = node.args[0].value
        if isinstance(argument, cst.SimpleString) and isinstance(name := argument.evaluated_value, str):
            self.modules |= {name} if name and not name.startswith(".") else set()
