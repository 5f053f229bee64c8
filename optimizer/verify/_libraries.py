"""The shared libraries that ELF files need, looked for as the dynamic linkers do (ld.so(8), musl's ldso/dynlink.c)."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from posixpath import dirname, join

from msgspec import Struct, field

from optimizer.report.evidence import Check, Difference
from optimizer.verify._python_modules import python_modules
from optimizer.verify.image import Image, Linkage

_DEFAULT = ("/lib64", "/usr/lib64", "/lib", "/usr/lib", "/lib32", "/usr/lib32")
_MUSL = ("/lib", "/usr/local/lib", "/usr/lib")  # without /etc/ld-musl-ARCH.path
_ORIGIN = re.compile(r"\$(?:ORIGIN\b|\{ORIGIN\})")
_SEPARATORS = re.compile(r"[:,\s]+")
_CONF = "/etc/ld.so.conf"

# How a library is found.
_NOWHERE, _ELSEWHERE, _IN_PLACE = range(3)


def library_differences(before: Image, after: Image, packages: str | None = None) -> Iterator[Difference]:
    """Go through the libraries and interpreters that programs of the new image lack and did not in the old one.

    Of many programs that lack the same library, or the same version of its symbols, the first is named. What programs
    open by a name of their own while they run (dlopen) is not among what their headers say. A library that lies where
    nothing looks for it may be loaded before by another program (libjvm.so): that counts as less than one that is
    found, and as more than none.

    `packages` is the transform that left packages out. It answers for Tk, which the slim images of Python lack by
    intent (docker-library/python, Dockerfile-linux.template), unless the program imports tkinter; and for what speaks
    to an X server, which a container does not have.
    """
    was, now = _Libraries.of(before), _Libraries.of(after)
    lacking: dict[str, list[Difference]] = {}
    for path, entry in after.entries.items():
        for name in _needs(entry.linkage) if entry.linkage else ():
            for what, told in _lacking(path, name, was, now):
                lacking.setdefault(what, []).append(told)
    for group in lacking.values():
        first = group[0]
        needless = all(_is_for_tk(one) or _is_for_screen(one) for one in group)
        claimed = packages if packages and needless and not _imports_tk(after) else None
        yield Difference(Check.LIBRARIES, first.subject, first.before, first.after, claimed, len(group) - 1)


def _is_for_tk(difference: Difference) -> bool:
    return "/lib-dynload/_tkinter." in difference.subject


def _is_for_screen(difference: Difference) -> bool:
    """Tell whether a program copies to the clipboard of a screen: the one that `serve` brings along for that."""
    return difference.subject.endswith("/clipboardy/fallbacks/linux/xsel")


def _imports_tk(image: Image) -> bool:
    return any(name.partition(".")[0] == "tkinter" for name in python_modules(image).names)


def _lacking(path: str, name: str, was: "_Libraries", now: "_Libraries") -> Iterator[tuple[str, Difference]]:
    """Go through what of a library a file does not find any more."""
    found, where = now.of_file(path, name)
    known, place = was.of_file(path, name)
    if found == _IN_PLACE:
        lost = now.versions_lacking(path, name, where) - was.versions_lacking(path, name, place)
        for version in sorted(lost):
            subject = f"{version} in {name}"
            yield subject, Difference(Check.LIBRARIES, f"{subject} of {path}", place or "found", None)
    elif found < known:
        yield name, Difference(Check.LIBRARIES, f"{name} of {path}", place or "found", where)


def _needs(linkage: Linkage) -> Iterator[str]:
    if linkage.interpreter:
        yield linkage.interpreter
    yield from linkage.needed


class _Libraries(Struct, frozen=True):
    """Where an image has shared libraries: `folders` that are always looked in, and all places by file name."""

    image: Image
    folders: tuple[str, ...]
    places: dict[str, list[str]]
    known: dict[tuple[str, tuple[str, ...], str], tuple[int, str | None]] = field(default_factory=dict)

    @classmethod
    def of(cls, image: Image) -> "_Libraries":
        places: dict[str, list[str]] = {}
        for path in image.entries:
            if ".so" in (name := path.rpartition("/")[2]):
                places.setdefault(name, []).append(path)
        return cls(image, tuple(dict.fromkeys(_usual_folders(image))), places)

    def of_file(self, path: str, name: str) -> tuple[int, str | None]:
        """Say how a name that a file needs is found, and where; a file that is not there could find it elsewhere."""
        entry = self.image.entries.get(path)
        return self._find(path, entry.linkage, name) if entry and entry.linkage else (_ELSEWHERE, None)

    def versions_lacking(self, path: str, name: str, place: str | None) -> frozenset[str]:
        """Return the symbol versions that a file needs of a library and that the one in this place has not."""
        entry, library = self.image.entries.get(path), self.image.entry(place) if place else None
        defined = library.linkage.defines if library and library.linkage else ()
        if not entry or not entry.linkage or not defined:  # a library without versions is taken as it is
            return frozenset()
        return frozenset(version for one, version in entry.linkage.versions if one == name) - frozenset(defined)

    def _find(self, path: str, linkage: Linkage, name: str) -> tuple[int, str | None]:
        if "/" in name:
            return (_IN_PLACE, name) if self.image.is_file(join("/", name)) else (_NOWHERE, None)
        own = tuple(self._own_folders(path, linkage))
        key = (linkage.machine, own, name)
        if key not in self.known:
            self.known[key] = self._look(linkage.machine, own, name)
        return self.known[key]

    def _look(self, machine: str, own: tuple[str, ...], name: str) -> tuple[int, str | None]:
        for folder in (*own, *self.folders):
            if self._fits(f"{folder}/{name}", machine):
                return _IN_PLACE, f"{folder}/{name}"
        place = next((place for place in self.places.get(name, ()) if self._fits(place, machine)), None)
        return (_ELSEWHERE, place) if place else (_NOWHERE, None)

    def _fits(self, path: str, machine: str) -> bool:
        entry = self.image.entry(path)
        return entry is not None and entry.linkage is not None and entry.linkage.machine == machine

    def _own_folders(self, path: str, linkage: Linkage) -> Iterator[str]:
        """Go through the folders that a file names itself, and those of LD_LIBRARY_PATH in between."""
        origin = dirname(self.image.real(path) or path)
        early = () if linkage.runpath else linkage.rpath  # with a RUNPATH, the older RPATH does not count
        for folder in (*early, *_split(self.image.env.get("LD_LIBRARY_PATH", "")), *linkage.runpath):
            yield _ORIGIN.sub(lambda _: origin, folder).rstrip("/")


def _usual_folders(image: Image) -> Iterator[str]:
    musl = [path for path in image.entries if path.startswith("/etc/ld-musl-") and path.endswith(".path")]
    for path in musl:
        yield from _split(image.text(path) or "")
    yield from _configured(image, _CONF, depth=0)
    yield from _DEFAULT
    yield from () if musl or not _has_musl(image) else _MUSL


def _has_musl(image: Image) -> bool:
    return any(name.startswith("ld-musl-") for name in image.children("/lib"))


def _configured(image: Image, path: str, depth: int) -> Iterator[str]:
    """Go through the folders of /etc/ld.so.conf and the files that it includes, ldconfig(8)."""
    for line in (image.text(path) or "").splitlines():
        words = line.partition("#")[0].split()
        if words[:1] == ["include"] and depth < 3:  # noqa: PLR2004 - a file may include itself
            for pattern in words[1:]:
                folder, _, name = join("/etc", pattern).rpartition("/")
                files = sorted(child for child in image.children(folder) if fnmatchcase(child, name))
                for file in files:
                    yield from _configured(image, f"{folder}/{file}", depth + 1)
        elif words and words[0] != "hwcap":
            yield from _split(line.partition("#")[0])


def _split(text: str) -> list[str]:
    return [folder.rstrip("/") for folder in _SEPARATORS.split(text) if folder]
