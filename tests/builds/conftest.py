"""The builder that the tests build with: without a Docker engine that answers, there is nothing to test."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from optimizer.report.evidence import Difference
from optimizer.verify.builder import BuilderError, BuildRequest
from optimizer.verify.builders.docker import Docker, find
from optimizer.verify.comparison import Store, compare, survey
from tests.builds.pairs import Pair


@pytest.fixture(scope="session")
def docker() -> Docker:
    """Return docker, which the cases are written for; podman and buildah have tests of their own."""
    try:
        return find()
    except BuilderError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def builder(docker: Docker) -> Docker:
    """Return what the cases are built with."""
    return docker


@pytest.fixture(scope="session")
def compared(builder: Docker, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Pair], tuple[Difference, ...]]:
    """Build both files of a pair and compare the images."""
    store = Store()

    def built(context: Path, text: str) -> str:
        dockerfile = tmp_path_factory.mktemp("dockerfile") / "Dockerfile"
        dockerfile.write_text(dedent(text).strip() + "\n")
        return builder.build(BuildRequest(context, dockerfile, limit=300), lambda _: None).image

    def compare_pair(pair: Pair) -> tuple[Difference, ...]:
        context = tmp_path_factory.mktemp("context")
        for name, text in {"here": "", **pair.files}.items():
            (context / name).parent.mkdir(parents=True, exist_ok=True)
            (context / name).write_text(text)
        images = [built(context, text) for text in (pair.before, pair.after)]
        try:
            before, after = survey(builder, images, store)
        finally:
            for image in images:
                builder.remove(image)
        return compare(before, after, pair.claims)

    return compare_pair
