"""What programs look for while they run and no header tells: libraries by name, certificates, time zones, locales."""

import re
from collections.abc import Callable, Iterator

from optimizer.report.evidence import Check, Difference
from optimizer.verify._opened import CERTIFICATES
from optimizer.verify._packages import listed_paths
from optimizer.verify.image import Image

_ROOTS = "root certificates"
_ZONES = "/usr/share/zoneinfo"
_LOCALES = "/usr/lib/locale"
# Python's own search for libraries tries itself with some, and looks into that of Android.
_TRIES = re.compile(r".*/python\d[\d.]*/(?:(?:ctypes|test)/.*|platform\.py)")
# Compiled modules that are published for systems of all kinds: a library that is no dependency of theirs they bring
# along under another name, or try and do without (matplotlib asks libX11 whether there is a display).
_PUBLISHED = re.compile(r".*/(?:site-packages|node_modules)/.*\.(?:node|so)[\d.]*")
_LANGUAGES = ("LC_ALL", "LC_CTYPE", "LANG")
_BUILT_IN = re.compile(r"(?:C|POSIX)(?:\..*)?")
# Variables whose value is a path, or several, that a program opens.
_PLACES = (
    "SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE NODE_EXTRA_CA_CERTS GIT_SSL_CAINFO AWS_CA_BUNDLE"
    " GRPC_DEFAULT_SSL_ROOTS_FILE_PATH JAVA_HOME PYTHONHOME PYTHONPATH VIRTUAL_ENV NODE_PATH GEM_HOME LD_PRELOAD"
).split()


def surrounding_differences(before: Image, after: Image, packages: str | None = None) -> Iterator[Difference]:
    """Go through what was there to be found and is not any more.

    `packages` is the transform that may have left packages out, and with them what few programs ask for: that goes
    under its name, if nothing in the image is seen to ask.
    """
    yield from _variables(before, after)
    yield from (needed := tuple(_opened(before, after, packages)))
    asked = {one.before for one in needed}
    for what, path in ((_ROOTS, CERTIFICATES), ("time zones", _ZONES), ("locales", _LOCALES)):
        if packages and path not in asked and before.real(path) and not after.real(path):
            yield Difference(Check.FILES, f"{what} in {path}", "there", None, packages)


def _opened(before: Image, after: Image, packages: str | None) -> Iterator[Difference]:
    """Go through what programs open by a name of their own, those that packages bring excepted; one a name."""
    had, has = _finder(before), _finder(after)
    brought: frozenset[str] | None = None
    lacking: dict[str, list[str]] = {}
    for path, names in after.opened.items():
        lost = [] if _TRIES.fullmatch(path) else [name for name in names if had(name) and not has(name)]
        if lost:
            brought = frozenset(listed_paths(after)) if brought is None else brought
        for name in lost:
            if path not in (brought or ()):
                lacking.setdefault(name, []).append(path)
    for name, paths in sorted(lacking.items()):
        check, what = (Check.FILES, _ROOTS) if name == CERTIFICATES else (Check.LIBRARIES, name)
        optional = check is Check.LIBRARIES and all(map(_PUBLISHED.fullmatch, paths))
        yield Difference(
            check, f"{what} of {paths[0]}", had(name), None, packages if optional else None, count=len(paths) - 1
        )


def _finder(image: Image) -> Callable[[str], str | None]:
    """Return what finds a library by its file's name, or as `find_library` takes it, and another file by its path."""
    places: dict[str, str] = {}
    for path in image.entries:
        name = path.rpartition("/")[2]
        if name.startswith("lib") and ".so" in name:
            places.setdefault(name, path)
            places.setdefault(name.partition(".so")[0], path)

    def find(name: str) -> str | None:
        if name.startswith("/"):
            return name if image.real(name) else None
        return places.get(name if ".so" in name else f"lib{name}")

    return find


def _variables(before: Image, after: Image) -> Iterator[Difference]:
    """Go through the variables whose value is no longer the name of something."""
    env = after.env
    for name in _PLACES:
        for place in re.split(r"[:\s]", env.get(name, "")):
            if place.startswith("/") and place != "/" and before.real(place) and not after.real(place):
                yield Difference(Check.FILES, f"path of Env {name}", place, None)
    zone = f"{_ZONES}/{env.get('TZ', '').removeprefix(':')}"
    if before.is_file(zone) and not after.is_file(zone):
        yield Difference(Check.FILES, "time zone of Env TZ", zone, None)
    for name in _LANGUAGES:
        if (locale := env.get(name, "")) and not _BUILT_IN.fullmatch(locale):
            known, still = _locale(before, locale), _locale(after, locale)
            if known and not still:
                yield Difference(Check.FILES, f"locale {locale} of Env {name}", known, None)


def _locale(image: Image, name: str) -> str | None:
    """Return where a locale is defined: in a folder of its own, or in the archive of many (localedef(1))."""
    language, _, encoding = name.partition("@")[0].partition(".")
    folders = (f"{language}.{encoding}", f"{language}.{encoding.lower().replace('-', '')}", language, "locale-archive")
    return next((path for folder in folders if image.real(path := f"{_LOCALES}/{folder}")), None)
