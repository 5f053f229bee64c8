"""The builder that the tests build with: without a Docker engine that answers, there is nothing to test."""

import pytest

from optimizer.verify.builder import BuilderError
from optimizer.verify.builders.docker import Docker, find


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
