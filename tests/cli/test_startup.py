"""A run loads only what it needs: start-up is a feature."""

import subprocess
import sys

import pytest

NEVER = {"rich", "jinja2", "libcst", "yaml", "pydantic", "asyncio", "multiprocessing", "tomllib"}


def loaded(*arguments: str) -> set[str]:
    """Run the command line and return the packages that are loaded at its end."""
    program = (
        "import sys, atexit; from optimizer.cli import main;"
        "atexit.register(lambda: print(*{m.partition('.')[0] for m in sys.modules}, file=sys.stderr)); main()"
    )
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("arguments", [["diff"], ["rewrite", "--check"], ["--help"], ["diff", "--format", "patch"]])
@pytest.mark.usefixtures("project")
def test_what_a_run_does_not_load(arguments: list[str]) -> None:
    assert not loaded(*arguments) & NEVER


def test_the_version_loads_nothing() -> None:
    assert not loaded("--version") & {*NEVER, "typer", "dataclasses", "re"}
