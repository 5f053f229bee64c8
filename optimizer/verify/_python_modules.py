"""The Python modules that a container's programs import, and where its Python looks for them."""

import re
from collections.abc import Iterator
from posixpath import basename, dirname, join, normpath

from msgspec import Struct, field

from optimizer.context.python_sources import modules_imported
from optimizer.verify._start import Started, started
from optimizer.verify.image import Image

_PYTHON = re.compile(r"(?:python|pypy)\d*(?:\.\d+)?")
_SERVERS = frozenset("gunicorn uvicorn hypercorn daphne granian waitress-serve uwsgi dramatiq arq".split())
_APP = re.compile(r"([A-Za-z_][\w.]*):[\w.()]+")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*")
_OPTIONS_OF_APP = ("-A", "--app")
_LIBRARY = re.compile(r"python\d+(?:\.\d+)?")
_FROM = re.compile(r"^[ \t]*from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n#;]+)", re.MULTILINE)
_NAME = re.compile(r"([A-Za-z_]\w*)(?:[ \t]+as[ \t]+\w+)?")
_MOST_SOURCES = 200  # libcst takes some hundredths of a second for each


class Modules(Struct, frozen=True):
    """The dotted names that are imported, and the folders in which they are looked for."""

    image: Image
    names: frozenset[str] = frozenset()
    folders: tuple[str, ...] = ()

    def parts(self, name: str) -> Iterator[str]:
        """Go through a dotted name and the packages that it lies in, the outermost first."""
        words = name.split(".")
        return (".".join(words[:count]) for count in range(1, len(words) + 1))

    def find(self, name: str) -> str | None:
        """Return where a module is found, None where it is not."""
        inner = name.replace(".", "/")
        return next((place for folder in self.folders if (place := _place(self.image, join(folder, inner)))), None)


def python_modules(image: Image) -> Modules:
    """Return what the programs import that a container starts with Python; nothing where it starts none."""
    names: set[str] = set()
    folders: dict[str, None] = {}
    for one in started(image):
        program = _program(image, one)
        if program is not None:
            places = tuple(dict.fromkeys(map(normpath, (*program.folders, *_site(image, program.interpreter)))))
            folders |= dict.fromkeys(places)
            names |= _Walk(image, program.folders).names_from(program)
    return Modules(image, frozenset(names), tuple(folders))


class _Program(Struct, frozen=True):
    """A Python program: its interpreter, the modules or source that it begins with, its own folders."""

    interpreter: str
    folders: tuple[str, ...]
    modules: tuple[str, ...] = ()
    source: str | None = None


def _program(image: Image, one: Started) -> _Program | None:
    path = one.path(image)
    entry = image.entry(path) if path else None
    if path is None or entry is None:
        return None
    own = tuple(join(one.directory, folder) for folder in image.env.get("PYTHONPATH", "").split(":") if folder)
    if _PYTHON.fullmatch(basename(path)):
        return _of_interpreter(path, one, own)
    name = basename(entry.shebang[0]) if entry.shebang else ""
    if name == "env":
        name = next((word for word in entry.shebang[1:] if not word.startswith("-")), "")
    if not _PYTHON.fullmatch(basename(name)):
        return None
    interpreter = entry.shebang[0] if basename(entry.shebang[0]) == basename(name) else image.program(name)
    folders = (dirname(path), *own, one.directory)
    modules = _applications(image, basename(path), one.words[1:])
    return _Program(interpreter or "/usr/bin/python3", folders, modules, path)


def _of_interpreter(path: str, one: Started, own: tuple[str, ...]) -> _Program:
    words = one.words[1:]
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] not in {"-m", "-c"}:
        at += 2 if words[at] in {"-W", "-X"} else 1
    rest = words[at:]
    if rest[:1] == ("-m",) and rest[1:]:
        name = rest[1]
        found = (name, f"{name}.__main__", *_applications_of(name, rest[2:]))
        return _Program(path, (one.directory, *own), found)
    if rest[:1] == ("-c",) or not rest:
        return _Program(path, (one.directory, *own))
    source = join(one.directory, rest[0])
    return _Program(path, (dirname(source), *own), source=source)


def _applications(image: Image, name: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the modules that a server is told to load, by its arguments or the environment."""
    told = [image.env[variable] for variable in ("DJANGO_SETTINGS_MODULE", "FLASK_APP") if image.env.get(variable)]
    if name == "flask" and not told:
        told = ["app", "wsgi"]
    clean = (text.removesuffix(".py").partition(":")[0] for text in told)
    return (*filter(_DOTTED.fullmatch, clean), *_applications_of(name, words))


def _applications_of(name: str, words: tuple[str, ...]) -> tuple[str, ...]:
    found = [match[1] for word in words if (match := _APP.fullmatch(word))]
    for at, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option in _OPTIONS_OF_APP:
            found.append((value if equals else "".join(words[at + 1 : at + 2])).partition(":")[0])
    if name in _SERVERS and not found and words and _DOTTED.fullmatch(words[-1]):
        found.append(words[-1])
    if name in {"streamlit", "fastapi"} and words and words[-1].endswith(".py"):
        found.append(words[-1].removesuffix(".py").replace("/", "."))
    return tuple(filter(_DOTTED.fullmatch, found))


def _site(image: Image, interpreter: str) -> Iterator[str]:
    """Go through the folders of the standard library and of installed packages, those of `.pth` files among them."""
    prefixes = [dirname(dirname(path)) for path in (interpreter, image.real(interpreter) or interpreter)]
    homes = [image.env.get("HOME", "/root"), "/root", *(f"/home/{name}" for name in image.children("/home"))]
    user = [f"{home}/.local" for home in dict.fromkeys(homes)]
    for prefix in dict.fromkeys([*prefixes, *(["/usr/local"] if "/usr" in prefixes else ()), *user]):
        for library in (f"{prefix}/lib", f"{prefix}/lib64"):
            for name in image.children(library) if image.is_folder(library) else ():
                if _LIBRARY.fullmatch(name):
                    yield from (f"{library}/{name}", f"{library}/{name}/lib-dynload")
                    yield from _packages(image, f"{library}/{name}")


def _packages(image: Image, library: str) -> Iterator[str]:
    for folder in (f"{library}/site-packages", f"{library}/dist-packages"):
        if not image.is_folder(folder):
            continue
        yield folder
        for name in image.children(folder):
            for line in (image.text(f"{folder}/{name}") or "").splitlines() if name.endswith(".pth") else ():
                if line and not line.startswith(("import ", "import\t", "#")):
                    yield join(folder, line.strip())


def _place(image: Image, base: str) -> str | None:
    """Return the file or folder of a module, given its path without an ending."""
    for path in (f"{base}/__init__.py", f"{base}.py"):
        if image.is_file(path):
            return path
    if image.is_folder(base):
        return base
    folder, _, name = base.rpartition("/")
    built = (
        child for child in image.children(folder) if child.startswith(f"{name}.") and child.endswith((".so", ".pyc"))
    )
    return next((f"{folder}/{child}" for child in built), None)


class _Walk(Struct):
    """A walk through the sources of a project, from one file to those that it imports."""

    image: Image
    folders: tuple[str, ...]
    seen: set[str] = field(default_factory=set)

    def names_from(self, program: _Program) -> frozenset[str]:
        """Return all that is imported on the way."""
        found = set(program.modules) - {f"{name}.__main__" for name in program.modules}
        pending = [*self._sources(program.modules), *filter(None, (program.source,))]
        while pending and len(self.seen) < _MOST_SOURCES:
            path = pending.pop()
            text = None if path in self.seen else self.image.text(path)
            self.seen.add(path)
            if text is not None:
                names = modules_imported(text)
                found |= names
                pending += [*self._sources(names), *self._parts(path, text)]
        return frozenset(found)

    def _sources(self, names: Iterator[str] | tuple[str, ...] | frozenset[str]) -> Iterator[str]:
        """Go through the project's files of modules and of the packages that they lie in."""
        for name in sorted(names):
            words = name.split(".")
            for folder in self.folders:
                for count in range(1, len(words) + 1):
                    yield from self._files(join(folder, *words[:count]))

    def _parts(self, path: str, text: str) -> Iterator[str]:
        """Go through the files that `from … import` names: relative modules, and modules of a package."""
        for dots, module, names in _FROM.findall(text):
            folders = (normpath(join(dirname(path), "../" * (len(dots) - 1))),) if dots else self.folders
            inner = module.replace(".", "/")
            for folder in folders:
                base = join(folder, inner) if inner else folder
                yield from self._files(base)
                for name in _NAME.findall(names):
                    yield from self._files(join(base, name))

    def _files(self, base: str) -> Iterator[str]:
        return (path for path in (f"{base}.py", f"{base}/__init__.py") if self.image.text(path) is not None)
