"""For which versions of Python the releases of a project on PyPI have wheels, from its simple index.

A wheel counts where it runs on 64-bit Linux with glibc (manylinux, x86_64) or everywhere.
"""

import html
import re
import urllib.error
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from download import fetched
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

_LINK = re.compile(r"<a ([^>]*)>([^<]+)</a>")
_REQUIRES = re.compile(r'data-requires-python="([^"]*)"')
_GLIBC = re.compile(r"manylinux\w*_x86_64|any")
_PYTHONS = range(6, 15)  # 3.6 to 3.14


def wheels(names: Iterable[str]) -> dict[str, dict[str, list[str]]]:
    """Return by project what `optimizer.images.pypi` reads: releases by the versions of Python that have a wheel.

    The key is such versions (`8-12`: Python 3.8 to 3.12); the release `*` stands for the newest that a Python takes.
    """
    ordered = list(names)
    with ThreadPoolExecutor(8) as pool:
        found = dict(zip(ordered, pool.map(_of, ordered), strict=True))
    return {name: groups for name, groups in found.items() if groups}


def _of(name: str) -> dict[str, list[str]]:
    try:
        page = fetched(f"https://pypi.org/simple/{name}/").decode()
    except urllib.error.HTTPError:
        return {}
    wheels: dict[Version, set[int]] = {}
    fits: dict[Version, set[int]] = {}
    for attributes, file in _LINK.findall(page):
        for version, minors in _release(file):
            wheels.setdefault(version, set()).update(minors)
            fits.setdefault(version, set()).update(_allowed(attributes))
    newest = {m: max((v for v in fits if m in fits[v] and not v.is_prerelease), default=None) for m in _PYTHONS}
    groups: dict[str, list[str]] = {}
    for version in sorted(wheels):
        groups.setdefault(_key(wheels[version]), []).append(str(version))
    groups.setdefault(_key({m for m, v in newest.items() if v and m in wheels[v]}), []).append("*")
    groups.pop("", None)
    return groups


def _release(file: str) -> Iterator[tuple[Version, set[int]]]:
    """Yield the release that a file belongs to, and the versions of Python for which it is a wheel."""
    try:
        if file.endswith(".whl"):
            _, version, _, tags = parse_wheel_filename(file)
            yield version, {minor for tag in tags for minor in _minors(tag.interpreter, tag.abi, tag.platform)}
        else:
            yield parse_sdist_filename(file)[1], set()
    except (InvalidWheelFilename, InvalidSdistFilename):
        return


def _minors(interpreter: str, abi: str, platform: str) -> Iterator[int]:
    if not _GLIBC.fullmatch(platform):
        return
    if match := re.fullmatch(r"cp3(\d+)", interpreter):
        first = int(match[1])
        yield from range(first, _PYTHONS.stop) if abi == "abi3" else (first,)
    elif interpreter == "py3":
        yield from _PYTHONS


def _allowed(attributes: str) -> Iterator[int]:
    """Yield the versions of Python that a file says it is for."""
    match = _REQUIRES.search(attributes)
    try:
        wanted = SpecifierSet(html.unescape(match[1]) if match else "")
    except InvalidSpecifier:
        wanted = SpecifierSet()
    yield from (minor for minor in _PYTHONS if f"3.{minor}.99" in wanted)


def _key(minors: set[int]) -> str:
    """Return numbers as `8-12` or `7,9`."""
    inside = sorted(minors & set(_PYTHONS))
    if inside and inside == list(range(inside[0], inside[-1] + 1)):
        return f"{inside[0]}-{inside[-1]}"
    return ",".join(map(str, inside))
