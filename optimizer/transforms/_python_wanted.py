"""Which Python projects an install asks for.

Read are the words of pip, requirement files, lock files, and the metadata of the project itself.
"""

import posixpath
import re
from collections.abc import Iterator

from msgspec import Struct

from optimizer.context import Context
from optimizer.ecosystems._python import normal_name, started
from optimizer.model import Dockerfile, Step
from optimizer.shell import Call, resolve
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._lack import Lack
from optimizer.transforms._python_projects import Wanted, of_lock, of_project, parse_requirement
from optimizer.transforms._scripts import text_of

_PIP = lazy_pattern(r"pip[\d.]*")
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
_FETCHED = lazy_pattern(r"^([\w.-]+)(?:\[.*?\])?\s*@|#(?:.*&)?egg=([\w.-]+)|/([\w.-]+?)(?:\.git)?/?(?:[@#].*)?$")


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
            yield from of_lock(context, *_LOCKED_TOOLS[module])
            yield from (
                w for w in map(parse_requirement, words[words.index("add") + 1 :] if "add" in words else ()) if w
            )
    elif name in _UNREAD:
        yield Lack(f"what {name} installs is not known")
    elif name.startswith("python") and words[:1] and words[0].endswith("setup.py"):
        folder = words[0][: -len("setup.py")].rstrip("/")
        yield from of_project(context, folder)


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
        for line in _CONTINUED.sub(" ", _of_windows(text)).splitlines():
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
            yield from self.local(re.sub(r"\[.*", "", text).removeprefix("file:"))
        else:
            wanted = parse_requirement(text)
            if wanted is not None:
                yield wanted

    def local(self, path: str) -> Iterator[Wanted | Lack]:
        """Go through what a project asks for that lies in the image, by its folder of the context."""
        place = None if path in {".", "./"} else path.removeprefix("./").strip("/")
        at = posixpath.join(self.call.directory or "/", path)
        for name in ("pyproject.toml", "setup.py", "setup.cfg"):
            text = text_of(self.dockerfile, self.context, self.step, name, at)
            same = (p for p in self.context.under("") if posixpath.basename(p) == name and self.context.text(p) == text)
            if text is not None and (found := next(same, None)) is not None:
                yield from of_project(self.context, posixpath.dirname(found))
                return
        if path.startswith("/"):
            yield Lack(f"{path} may be compiled")
        else:
            yield from of_project(self.context, place or "")


def _of_windows(text: str) -> str:
    """Return a text that PowerShell wrote, in UTF-16 with a byte order mark, as pip reads it."""
    return text.replace("\0", "").lstrip("\ufffd\ufeff") if "\0" in text else text
