"""What the model says of 205 edits is what builders did with them; `tests/builds/test_explain.py` asks them again."""

import pytest

from optimizer.layers.nodes import Fate
from tests.rebuilds import Project, observed, predicted, projects

RECORDED = [
    (project, links) for links in (False, True) for project in projects() if project.name in observed(links=links)
]


@pytest.mark.parametrize(("project", "links"), RECORDED, ids=lambda value: getattr(value, "name", value))
def test_the_steps_that_run_again_are_those_that_did(project: Project, *, links: bool) -> None:
    recorded = observed(links=links)[project.name]

    for edit, fates, ran in zip(project.edits, predicted(project, links=links), recorded, strict=True):
        sure = {name for name, fate in fates.items() if fate is Fate.RUNS}
        doubted = {name for name, fate in fates.items() if fate is Fate.MAY_RUN}
        assert sure <= set(ran) <= sure | doubted, edit


def test_every_project_was_asked() -> None:
    assert set(observed()) == {project.name for project in projects()}
    assert {"copy_flags", "linked_copies"} <= set(observed(links=True))


def test_hardly_any_edit_is_left_in_doubt() -> None:
    found = [set(fates.values()) for project in projects() for fates in predicted(project)]

    assert len(found) >= 205
    assert sum(Fate.MAY_RUN in fates for fates in found) <= 4
