"""What holds of the code as a whole."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "optimizer"
ORDER = (
    "syntax shell model context images ecosystems layers transforms engine report verify bot cli".split()
)  # imports go from right to left
PURE = set(ORDER) - {"verify", "bot", "cli"}
IMPURE_MODULES = {"os", "subprocess", "socket", "time", "datetime", "urllib", "http", "shutil", "tempfile", "pathlib"}
HEAVY = {"libcst", "jinja2", "tree_sitter", "dockerfile_parse", "rich", "yaml"}

MODULES = sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def layer(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else ""


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path) -> None:
    own = layer(path)
    if not own:
        return
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "optimizer" and len(parts) > 1:
            assert ORDER.index(parts[1]) <= ORDER.index(own), f"{own} imports {name}"


@pytest.mark.parametrize("path", [p for p in MODULES if layer(p) in PURE], ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_the_edges_touch_the_world(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports(path)} & IMPURE_MODULES


def test_starting_loads_nothing_heavy() -> None:
    code = "import sys, optimizer.cli, optimizer.engine; print(*{m.split('.')[0] for m in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert not HEAVY & set(loaded)
