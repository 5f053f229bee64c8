"""The builder that the tests build with: without one that answers, there is nothing to test."""

import pytest

from optimizer.verify import builders
from optimizer.verify.builder import Builder, BuilderError
from optimizer.verify.builders.docker import Docker
from optimizer.verify.builders.docker import find as find_docker


@pytest.fixture(scope="session")
def builder() -> Builder:
    """Return the builder that dfopt finds."""
    try:
        return builders.find()
    except BuilderError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def docker() -> Docker:
    """Return docker."""
    try:
        return find_docker()
    except BuilderError as error:
        pytest.skip(str(error))
