"""What projects on PyPI need beside Python: wheels, and packages of Debian.

Sources: the simple index of pypi.org, and for the packages the relations of Debian's own builds of these projects.
"""

from collections.abc import Mapping
from functools import lru_cache

from msgspec import Struct, field

from optimizer.images._tables import projects_of_pypi


class NativeProject(Struct, frozen=True):
    """A project with compiled parts, or one whose Python calls programs and libraries.

    `build` are the Debian packages that compiling it takes, `run` those that it loads or starts when it was compiled
    (a list, or one by distribution release); wheels bring their libraries along. `wheels` maps versions of Python
    (`8-12`: 3.8 to 3.12) to the releases that have one; `*` is the newest release that such a Python takes.
    """

    compiled: bool = False
    build: tuple[str, ...] | Mapping[str, tuple[str, ...]] = ()
    run: tuple[str, ...] | Mapping[str, tuple[str, ...]] = ()
    wheels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def native_project(name: str) -> NativeProject | None:
    """Return what is known of a project by its normal name, None where it is not known to have compiled parts."""
    return projects_of_pypi().get(name)


def has_wheel(project: NativeProject, version: str | None, minor: int) -> bool:
    """Tell whether pip finds a wheel for Python 3.`minor`; without a version it takes the newest release."""
    wanted = "*" if version is None else version
    return any(wanted in releases and minor in _minors(key) for key, releases in project.wheels.items())


def packages_to_run(project: NativeProject, release: str) -> tuple[str, ...]:
    """Return the Debian packages that it needs at run time when it was compiled on a distribution release."""
    return project.run.get(release, ()) if isinstance(project.run, Mapping) else project.run


@lru_cache(maxsize=256)
def _minors(key: str) -> frozenset[int]:
    first, dash, last = key.partition("-")
    return frozenset(range(int(first), int(last) + 1)) if dash else frozenset(map(int, key.split(",")))
