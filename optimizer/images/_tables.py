"""The tables of this package, each read when it is first asked for."""

from collections.abc import Mapping
from functools import cache
from pkgutil import get_data
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.json import decode

from optimizer.images.nodes import Facts

if TYPE_CHECKING:
    from optimizer.images.apt import Packages
    from optimizer.images.npm import NativePackage
    from optimizer.images.pypi import NativeProject

_APT = frozenset({"bullseye", "bookworm", "trixie"})  # releases that the mirror still has


class ImageTable(Struct, frozen=True):
    """One official image.

    `versions` maps each version to (index into `sets`, first month, last month or "" while it is built); a set maps
    the suffixes of such a version to the canonical ones. `words` maps tags without a version to (release line,
    canonical suffix, last month or ""). `variants` maps release line and canonical suffix to an index into `facts`,
    `sizes` to compressed bytes.
    """

    sets: tuple[Mapping[str, str], ...]
    versions: Mapping[str, tuple[int, str, str]]
    words: Mapping[str, tuple[str, str, str]]
    facts: tuple[Facts, ...]
    variants: Mapping[str, Mapping[str, int]]
    sizes: Mapping[str, Mapping[str, int]]


class Retired(Struct, frozen=True):
    """An image that left the official set, is leaving it or has another name: since when, and what takes its place."""

    state: str
    last: str = ""
    use: tuple[str, ...] = ()


class Lifecycle(Struct, frozen=True):
    """`ends` maps product and release cycle to the date (YYYY-MM-DD) of its end of life, "" where none is known."""

    as_of: str
    ends: Mapping[str, Mapping[str, str | bool | None]]
    retired: Mapping[str, Retired]


def image_table(image: str) -> ImageTable | None:
    """Return the table of an image named as in FROM (`node`), None where there is none."""
    return _image_table(image) if image in image_names() else None


@cache
def _image_table(image: str) -> ImageTable:
    return decode(_read(image.replace("/", "+")), type=ImageTable)


@cache
def image_names() -> frozenset[str]:
    """Return the images that have a table."""
    return frozenset(decode(_read("_names"), type=list[str]))


@cache
def package_sets() -> Mapping[str, frozenset[str]]:
    """Return what each tier of a release adds (`bookworm/curl`), and a package with what it needs (`bookworm+git`)."""
    return decode(_read("_packages"), type=dict[str, frozenset[str]])


@cache
def packages_of_commands() -> Mapping[str, tuple[str, ...]]:
    """Return the Debian packages that ship each command."""
    return decode(_read("_commands"), type=dict[str, tuple[str, ...]])


@cache
def projects_of_pypi() -> "Mapping[str, NativeProject]":
    """Return the projects of PyPI that need more than Python, by normal name."""
    from optimizer.images.pypi import NativeProject

    return decode(_read("_pypi"), type=dict[str, NativeProject])


@cache
def packages_of_npm() -> "Mapping[str, NativePackage]":
    """Return the packages of npm that need more than Node.js, by name."""
    from optimizer.images.npm import NativePackage

    return decode(_read("_npm"), type=dict[str, NativePackage])


@cache
def packages_of_gems() -> Mapping[str, frozenset[str]]:
    """Return the packages of Debian that gems load or start, by name with `-` for `_`."""
    return decode(_read("_gems"), type=dict[str, frozenset[str]])


@cache
def times_on_disk() -> Mapping[str, Mapping[str, float]]:
    """Return by image and word of a tag ("" the others) how many times its compressed size it takes on the disk."""
    return decode(_read("_disk"), type=dict[str, dict[str, float]])


@cache
def distroless_images() -> Mapping[str, frozenset[str]]:
    """Return the packages of the images of gcr.io/distroless that hold no language (`cc-debian12`)."""
    return decode(_read("_distroless"), type=dict[str, frozenset[str]])


@cache
def installed_sizes() -> Mapping[str, Mapping[str, tuple[int, tuple[str, ...]]]]:
    """Return by registry and name what is installed (kB) and which others come along."""
    return decode(_read("_installed"), type=dict[str, dict[str, tuple[int, tuple[str, ...]]]])


@cache
def lifecycle() -> Lifecycle:
    """Return the dates at which support ends, and the images that are no longer kept."""
    return decode(_read("_lifecycle"), type=Lifecycle)


@cache
def packages_of_release(release: str) -> "Packages | None":
    """Return the packages of a Debian release with what they ask for, None where there is no table of it."""
    from optimizer.images.apt import Packages

    return decode(_read(f"_apt_{release}"), type=Packages) if release in _APT else None


def _read(name: str) -> bytes:
    data = get_data(__package__, f"data/{name}.json")
    if data is None:
        raise FileNotFoundError(f"{name}.json is not in the package")
    return data
