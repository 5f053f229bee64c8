"""A builder runs again what the model says, and makes the layers that it names."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from optimizer.cli.app import app
from optimizer.layers.keys import makes_layer
from optimizer.layers.nodes import Builder, Fate
from optimizer.model import read
from optimizer.report.explain_image import built_image
from optimizer.syntax import parse
from optimizer.verify.builders.docker import Docker
from tests.rebuilds import Asked, Edit, Project, Words, predicted, projects

MODERN = [project for project in projects() if project.builder is Builder.BUILDKIT]
AGREEMENT = 0.99


@pytest.fixture(scope="module")
def asked(docker: Docker) -> Iterator[Asked]:
    """A builder with the images that the projects start from."""
    if not docker.call("image", "inspect", "busybox:1").ok:
        pytest.skip("busybox:1 is not here, and the projects start from it")
    with Asked() as asked:
        yield asked


def test_what_runs_again_is_what_the_model_says(asked: Asked) -> None:
    ran = asked.each(projects())
    links = asked.links
    wrong = {project.name: _wrong(project, ran[project.name], links=links) for project in projects()}
    pairs = sum(len(project.edits) for project in projects())
    # A builder that others use too may lose its cache between two builds: what differs is asked once more.
    again = asked.renewed().each([project for project in projects() if wrong[project.name]])
    wrong |= {p.name: _wrong(p, again[p.name], links=links) for p in projects() if p.name in again}

    assert pairs >= 150
    assert sum(map(len, wrong.values())) <= pairs * (1 - AGREEMENT), wrong


def _wrong(project: Project, ran: list[Words], *, links: bool) -> list[tuple[Edit, object, Words]]:
    """Return the edits of which the model says something else than the builder did."""
    found = []
    for edit, fates, names in zip(project.edits, predicted(project, links=links), ran, strict=True):
        sure = {name for name, fate in fates.items() if fate is Fate.RUNS}
        doubted = {name for name, fate in fates.items() if fate is Fate.MAY_RUN}
        if not sure <= set(names) <= sure | doubted:
            found.append((edit, fates, names))
    return found


@pytest.mark.parametrize("project", MODERN, ids=lambda project: project.name)
def test_the_layers_are_those_of_the_engine(project: Project, asked: Asked, docker: Docker, tmp_path: Path) -> None:
    identity = tmp_path / "id"
    with project.written(asked.mark) as root:
        subprocess.run(["docker", "build", f"--iidfile={identity}", root], check=True, capture_output=True)
        dockerfile = read(parse((root / "Dockerfile").read_text()))
    image = identity.read_text()
    try:
        rows = built_image("image", docker.history(image), dockerfile)
        layers = json.loads(docker.sure("image", "inspect", "--format={{json .RootFS.Layers}}", image))
    finally:
        docker.call("image", "rm", image)
    steps = {step.index + 1: step for step in dockerfile.steps}
    own = [(row.layer, steps[row.number]) for row in rows.rows if row.number is not None]
    base = 0 if dockerfile.stages[dockerfile.target].base == "scratch" else 2  # busybox's, and the mark above it

    assert rows.missing == ()
    assert len(own) == len(dockerfile.stages[dockerfile.target].body)
    assert len(layers) - base == sum(makes_layer(step) for _, step in own)
    assert all(not layer.size for layer, step in own if not makes_layer(step))


def test_a_built_image_is_shown_beside_its_dockerfile(asked: Asked, docker: Docker, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a" * 4000)
    (tmp_path / "Dockerfile").write_text(
        f"FROM {asked.mark}:first\nCOPY a.txt /\nENV A=1\nRUN echo b > /b\nWORKDIR /\n"
    )
    name = f"{asked.mark}-shown"
    subprocess.run(["docker", "build", "--tag", name, tmp_path], check=True, capture_output=True)
    try:
        done = CliRunner().invoke(app, ["explain", "--format", "json", "--image", name, str(tmp_path)])
    finally:
        docker.call("image", "rm", name)
    image = json.loads(done.stdout)["files"][0]["image"]
    shown = [(row["step"], row["bytes"], row["layer"]) for row in image["rows"]]

    assert image["missing"] == []
    assert shown[-4:] == [(2, 4000, True), (3, 0, False), (4, 2, True), (5, 0, False)]
    assert {step for step, _, _ in shown[:-4]} == {None}
