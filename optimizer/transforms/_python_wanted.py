"""Which Python projects an install asks for.

Read are the words of pip, requirement files, lock files, and the metadata of the project itself.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from optimizer.context import Context
from optimizer.context.manifests import json_file, table, toml_file
from optimizer.ecosystems._python import normal_name, requirement_lists, started
from optimizer.model import Dockerfile, Step
from optimizer.shell import Call, resolve
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._lack import Lack
from optimizer.transforms._scripts import text_of

_PIP = lazy_pattern(r"pip[\d.]*")
_REQUIREMENT = lazy_pattern(
    r"([A-Za-z0-9][\w.-]*)\s*(?:\[([^\]]*)\])?\s*\(?((?:[=<>~!]=?=?[^;,)#]+,?\s*)*)\)?\s*(@[^;]*)?\s*(?:;(.*))?"
)
_CONTINUED = lazy_pattern(r"\\\r?\n")
_VALUED = frozenset(
    "-i --index-url --extra-index-url --trusted-host --timeout --retries --default-timeout --progress-bar -f "
    "--find-links --proxy --cache-dir -t --target --prefix --root --src --python-version --platform --log --cert "
    "-w --wheel-dir -d --dest --upgrade-strategy --root-user-action --use-feature --use-deprecated "
    "--only-binary".split()
)
_LOCKED_TOOLS = {
    "poetry": ("poetry.lock", "pyproject.toml"),
    "uv": ("uv.lock", "pyproject.toml"),
    "pdm": ("pdm.lock", "pyproject.toml"),
    "pipenv": ("Pipfile.lock", "Pipfile"),
}
_UNREAD = frozenset("buildout conda easy_install flit hatch mamba micromamba nox pip-sync pipx pixi rye tox".split())
_BUILDS_FROM = ("setuptools", "poetry", "hatchling", "hatch", "flit", "pdm", "uv_build", "uv-build", "whey", "jupyter")
_OTHER_SYSTEM = lazy_pattern(
    r"(?:sys_platform|platform_system|os_name)\s*==\s*['\"](?:win32|windows|darwin|cygwin|nt)['\"]", re.IGNORECASE
)
_VERSIONED_BY_GIT = lazy_pattern(
    r"setuptools[-_]scm|hatch-vcs|versioneer|\bpbr\b|dunamai|dynamic-versioning|versioningit"
)
_FETCHED = lazy_pattern(r"^([\w.-]+)(?:\[.*?\])?\s*@|#(?:.*&)?egg=([\w.-]+)|/([\w.-]+?)(?:\.git)?/?(?:[@#].*)?$")
_EXTENSIONS = lazy_pattern(r"ext_modules|Extension\(|cythonize|cffi_modules|rust_extensions|CMakeExtension|pybind11")
_LINKS = lazy_pattern(r"librar(?:y|ies)|pkg-?config|include_dirs|link_args|CMakeExtension|rust_extensions")
_PINNED = lazy_pattern(r"={2,3}\s*([^\s,*]+)")
_LOWER = lazy_pattern(r"(?:>=?\s*[^\s,]+\s*)?")


class Wanted(Struct, frozen=True):
    """A project that is installed; `version` is None where the newest is taken, "?" where it cannot be told."""

    name: str
    version: str | None
    extras: frozenset[str] = frozenset()


def wanted_by(dockerfile: Dockerfile, context: Context, step: Step, call: Call) -> Iterator[Wanted | Lack]:
    """Go through the projects that a call installs, with a clause for each thing that cannot be told."""
    start = started(call, _PIP, "pip")
    if call.program == "uv" and [w.value for w in call.arguments[:1]] == ["pip"]:
        words = call.arguments[1:]
    elif start is not None:
        words = start.arguments
    else:
        yield from _of_tool(context, call)
        return
    texts = [word.value if word.value is not None else resolve(word, call.variables) for word in words]
    if not {"install", "wheel", "sync", "download"} & set(texts):
        return
    at = next(i for i, text in enumerate(texts) if text in {"install", "wheel", "sync", "download"}) + 1
    yield from _Reader(dockerfile, context, step, call).words([*texts[at:]], sync="sync" in texts[:at])


def _of_tool(context: Context, call: Call) -> Iterator[Wanted | Lack]:
    words = [word.value or "" for word in call.arguments]
    name = call.program
    module = words[1] if name.startswith("python") and words[:1] == ["-m"] and words[1:] else name
    if module in _LOCKED_TOOLS:
        if {"install", "sync", "add", "run", "update"} & set(words):
            yield from _of_lock(context, *_LOCKED_TOOLS[module])
            yield from (
                w for w in map(parse_requirement, words[words.index("add") + 1 :] if "add" in words else ()) if w
            )
    elif name in _UNREAD:
        yield Lack(f"what {name} installs is not known")
    elif name.startswith("python") and words[:1] and words[0].endswith("setup.py"):
        folder = words[0][: -len("setup.py")].rstrip("/")
        yield from _of_project(context, folder)


class _Reader(Struct, frozen=True):
    """Reads the words of one `pip install`, and the files that they name."""

    dockerfile: Dockerfile
    context: Context
    step: Step
    call: Call

    def words(self, texts: list[str | None], *, sync: bool = False) -> Iterator[Wanted | Lack]:
        """Go through what the words ask for."""
        rest = iter(texts)
        for text in rest:
            if text is None:
                yield Lack(f"what the pip of line {self.step.line} installs is not known")
                return
            name, equals, value = text.partition("=") if text.startswith("--") else (text[:2], text[2:], text[2:])
            if not text.startswith("-"):
                yield from self.file(text) if sync else self.requirement(text)
            elif text in _VALUED:
                next(rest, None)
            elif name in {"--no-binary", "--global-option", "--config-settings", "--group"}:
                yield Lack(f"the option {name} of pip builds or adds what is not known")
            elif name in {"-r", "--requirement", "-c", "--constraint", "--requirements"}:
                file = value if equals else next(rest, None)
                if file is None:
                    yield Lack("which requirement file pip reads is not known")
                else:  # a constraint may hold a project at a release without a wheel, so it is judged as if asked for
                    yield from self.file(file)
            elif name in {"-e", "--editable"}:
                yield from self.requirement((value if equals else next(rest, None)) or "?")

    def file(self, path: str, seen: tuple[str, ...] = ()) -> Iterator[Wanted | Lack]:
        """Go through the lines of a requirement file of the build context."""
        text = text_of(self.dockerfile, self.context, self.step, path, self.call.directory)
        if text is None and self.step.instruction.flags:
            text = self.context.text(path.rsplit("/", 1)[-1])  # mounted
        if text is None or path in seen:
            yield Lack(f"the requirement file {path} is not in the build context")
            return
        for line in _CONTINUED.sub(" ", text).splitlines():
            bare = re.sub(r"(?:^|\s+)#.*$", "", line).strip()
            nested = re.match(r"(?:-[rc]\s*|--(?:requirement|constraint)[\s=]+)(\S+)", bare)
            if nested:
                folder = path.rpartition("/")[0]
                yield from self.file(f"{folder}/{nested[1]}" if folder else nested[1], (*seen, path))
            elif editable := re.match(r"(?:-e\s*|--editable[\s=]+)(\S+)", bare):
                yield from self.requirement(editable[1])
            elif bare.startswith("--no-binary"):
                yield Lack(f"{path} has pip build from sources")
            elif bare and not bare.startswith("-"):
                yield from self.requirement(re.split(r"\s+--?[a-z]", bare, maxsplit=1)[0])

    def requirement(self, text: str) -> Iterator[Wanted | Lack]:
        """Take in a requirement: of the index, of a repository, or a folder."""
        if re.search(r"\b(?:git|hg|svn|bzr)\+", text):
            yield Lack(f"{text[:50]} is fetched from a repository, and may be compiled", built=True)
            if name := _FETCHED.search(text):
                yield Wanted(normal_name(name[1] or name[2] or name[3]), "?")
        elif text.endswith(".whl") or re.match(r".*\.whl[#?]", text):
            return
        elif "://" in text or text.endswith((".tar.gz", ".zip", ".tgz")):
            yield Lack(f"{text[:50]} may be compiled", built=True)
        elif text.startswith((".", "/", "file:")) or text == "?":
            folder = re.sub(r"\[.*", "", text)
            place = (
                ""
                if folder in {".", "./"}
                else folder.removeprefix("./").strip("/")
                if not folder.startswith("/")
                else None
            )
            yield from _of_project(self.context, place) if place is not None else (Lack(f"{text} may be compiled"),)
        else:
            wanted = parse_requirement(text)
            if wanted is not None:
                yield wanted


def parse_requirement(text: str) -> Wanted | Lack | None:
    """Return the project that a requirement names, None for one of another system, a reason where it is not read."""
    match = _REQUIREMENT.fullmatch(text.strip())
    if match is None:
        return Lack(f"the requirement {text[:50]} is not understood")
    name, extras, specifier, address, marker = match.groups()
    if marker and _OTHER_SYSTEM.search(marker) and " or " not in marker:
        return None
    if address and not address.rstrip().endswith(".whl"):
        return Lack(f"{name} is fetched from {address[:40]}, and may be compiled", built=True)
    found = frozenset(extra.strip().lower() for extra in (extras or "").split(",") if extra.strip())
    return Wanted(normal_name(name), _version(specifier), found)


def _version(specifier: str) -> str | None:
    specifier = specifier.strip()
    pinned = _PINNED.fullmatch(specifier)
    if pinned:
        return pinned[1].strip()
    return None if _LOWER.fullmatch(specifier) else "?"


def _of_lock(context: Context, lock: str, manifest: str) -> Iterator[Wanted | Lack]:
    """Go through the projects of every lock file of this name, or of the manifests where there is none."""
    places = [path for path in context.under("") if path == lock or path.endswith(f"/{lock}")]
    for path in places:
        yield from _locked(context, path)
    if places:
        return
    manifests = [path for path in context.under("") if path == manifest or path.endswith(f"/{manifest}")]
    if not manifests:
        yield Lack(f"neither {lock} nor {manifest} is in the build context")
    for path in manifests:
        yield from _of_project(context, path.rpartition("/")[0])


def _locked(context: Context, path: str) -> Iterator[Wanted | Lack]:
    if path.endswith("Pipfile.lock"):
        lock = json_file(context, path)
        for section in ("default", "develop"):
            for name, found in table(lock, section).items():
                entry = table(found)
                version = entry.get("version")
                if "git" in entry:
                    yield Lack(f"{name} is fetched from a repository, and may be compiled", built=True)
                yield Wanted(normal_name(name), version.lstrip("=") if isinstance(version, str) else None)
        return
    packages = table(toml_file(context, path)).get("package")
    if not isinstance(packages, list):
        yield Lack(f"{path} is not understood")
        return
    for each in packages:
        locked = table(each)
        project, number, source = locked.get("name"), locked.get("version"), table(locked, "source")
        if "git" in source or source.get("type") == "git":
            yield Lack(f"{project} is fetched from a repository, and may be compiled", built=True)
        local = {"virtual", "editable", "directory"} & source.keys()
        if isinstance(project, str) and not local:
            yield Wanted(normal_name(project), number if isinstance(number, str) else None)


def _of_project(context: Context, folder: str) -> Iterator[Wanted | Lack]:
    """Go through what a project of the build context asks for, and how it is built itself."""
    prefix = f"{folder}/" if folder else ""
    setup, text = context.text(f"{prefix}setup.py") or "", context.text(f"{prefix}pyproject.toml") or ""
    config = context.text(f"{prefix}setup.cfg") or ""
    pipfile = table(toml_file(context, f"{prefix}Pipfile"), "packages")
    if not (setup or text or config or pipfile):
        yield Lack(f"the project in {folder or '.'} is not in the build context")
        return
    content = table(toml_file(context, f"{prefix}pyproject.toml"))
    yield from _why_built(setup, text, config, content)
    for line in requirement_lists(content):
        if (one := parse_requirement(line)) is not None:
            yield one
    for name, value in (*_poetry(content), *pipfile.items()):
        yield from _of_table(name, value)
    if "install_requires" in f"{setup}{config}":
        yield from _of_setup(setup, config)


def _why_built(setup: str, text: str, config: str, content: dict[str, object]) -> Iterator[Lack]:
    """Go through what building the project itself takes, beyond Python."""
    if _EXTENSIONS.search(setup) or _EXTENSIONS.search(text) or "ext_modules" in config or "ext-modules" in text:
        yield Lack("the project compiles extensions", built=not _LINKS.search(f"{setup}{text}{config}"))
    if any(_VERSIONED_BY_GIT.search(part) for part in (setup, text, config)):
        yield Lack("the version of the project comes from git", built=True)
    backend = str(table(content, "build-system").get("build-backend", "setuptools"))
    if not backend.startswith(_BUILDS_FROM):
        yield Lack(f"the build backend {backend} may compile", built=True)
    dynamic = table(content, "project").get("dynamic")
    if isinstance(dynamic, list) and "dependencies" in dynamic:
        yield Lack("the dependencies of the project are worked out when it is built")


def _poetry(content: dict[str, object]) -> Iterator[tuple[str, object]]:
    poetry = table(content, "tool", "poetry")
    yield from table(poetry, "dependencies").items()
    for group in table(poetry, "group").values():
        yield from table(group, "dependencies").items()


def _of_table(name: str, value: object) -> Iterator[Wanted | Lack]:
    if name == "python":
        return
    entry = table(value)
    if {"git", "path", "url"} & entry.keys():
        yield Lack(f"{name} comes from a repository or a folder, and may be compiled", built=True)
        yield Wanted(normal_name(name), "?")
        return
    version = entry.get("version", value)
    text = version if isinstance(version, str) else ""
    exact = re.fullmatch(r"={0,3}(\d[\w.]*)", text)
    newest = text in {"*", ""} or re.fullmatch(r">=\s*\S+", text)
    yield Wanted(normal_name(name), exact[1] if exact else None if newest else "?")


def _of_setup(setup: str, config: str) -> Iterator[Wanted | Lack]:
    """Go through what setup.py or setup.cfg asks for, where it is a list of texts."""
    listed = re.search(r"install_requires\s*=\s*\[([^\]]*)\]", setup)
    section = re.search(r"^install_requires\s*=\s*\n((?:[ \t]+\S.*\n?)*)", config, re.MULTILINE)
    if listed is None and section is None:
        yield Lack("what setup.py asks for is not known")
        return
    lines = (
        re.findall(r"['\"]([^'\"]+)['\"]", listed[1])
        if listed
        else [line.strip() for line in (section or [""])[1].splitlines()]
    )
    for line in lines:
        if line and not line.startswith("#") and (one := parse_requirement(line)) is not None:
            yield one
