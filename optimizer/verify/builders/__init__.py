"""The builders that dfopt can drive, each through its own command line."""

from collections.abc import Callable

from optimizer.verify.builder import Builder, BuilderError
from optimizer.verify.builders import buildah, docker, podman

_FOUND: dict[str, Callable[[], Builder]] = {"docker": docker.find, "podman": podman.find, "buildah": buildah.find}


def find(name: str | None = None) -> Builder:
    """Return a builder that answers: the first of docker, podman and buildah, or the named one.

    Any other name is that of a builder of buildx, a remote or Kubernetes one for instance, as `docker buildx ls`
    lists them. Raises BuilderError, which says what was tried.
    """
    if name is not None:
        return _FOUND[name]() if name in _FOUND else docker.find(name)
    tried: list[str] = []
    for find_one in _FOUND.values():
        try:
            return find_one()
        except BuilderError as error:
            tried.append(str(error))
    raise BuilderError(f"there is no builder to verify with: {'; '.join(tried)}")
