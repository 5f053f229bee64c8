"""What the model says of 192 edits is what builders did with them; `tests/builds/test_explain.py` asks them again."""

import pytest

from optimizer.layers.nodes import Fate
from tests.rebuilds import Project, observed, predicted, projects


@pytest.mark.parametrize("project", projects(), ids=lambda project: project.name)
def test_the_steps_that_run_again_are_those_that_did(project: Project) -> None:
    recorded = observed()[project.name]

    for edit, fates, ran in zip(project.edits, predicted(project), recorded, strict=True):
        sure = {name for name, fate in fates.items() if fate is Fate.RUNS}
        doubted = {name for name, fate in fates.items() if fate is Fate.MAY_RUN}
        assert sure <= set(ran) <= sure | doubted, edit


def test_hardly_any_edit_is_left_in_doubt() -> None:
    found = [set(fates.values()) for project in projects() for fates in predicted(project)]

    assert len(found) >= 190
    assert sum(Fate.MAY_RUN in fates for fates in found) <= 4
