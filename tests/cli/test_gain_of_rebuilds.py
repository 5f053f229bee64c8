"""What a rewrite made for later builds is worth is told where it is reported."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran

Dfopt = Callable[..., Ran]
CASES = Path(__file__).parents[2] / "fixtures" / "cases"


@pytest.mark.usefixtures("folder")
def test_split_copies_tell_what_runs_again(dfopt: Dfopt) -> None:
    text = dfopt("diff", CASES / "npm_ci_runs_before_the_sources_are_copied" / "context").text

    assert "\nan edit of src/app.js makes 0 of 1 RUNs run again instead of 1 of 1\n" in text


def test_steps_that_moved_tell_it_too(folder: Path, dfopt: Dfopt) -> None:
    (folder / "app.py").write_text("print(1)\n")
    (folder / "Dockerfile").write_text(
        "FROM python:3.12-slim\nCOPY app.py /app.py\n"
        "RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*\n"
        'CMD ["python", "/app.py"]\n'
    )

    assert "an edit of app.py makes 0 of 1 RUNs run again instead of 1 of 1" in dfopt("diff").text


@pytest.mark.usefixtures("project")
def test_other_rewrites_do_not(dfopt: Dfopt) -> None:
    text = dfopt("diff").text

    assert "copy-over-add" in text
    assert "an edit of" not in text
