"""Keep out of the build what is no part of the program.

A COPY of a whole folder takes all that lies in it: the repository's history, modules installed on the developer's
machine, caches of test runners. They make the image larger, and each change in them makes the builder run the COPY and
all below it again. Only what is there is named, only what nothing reads, and never what a program may ask for at run
time: `.env`, documentation, tests and build output stay.
"""

from collections.abc import Iterator, Sequence

from optimizer.context import Context
from optimizer.model import Dockerfile, Step
from optimizer.transforms._finding import Decline, Finding, Gain, Level, Rewrite
from optimizer.transforms._ignorable import Build
from optimizer.transforms._ignore_file import ignore_lines
from optimizer.transforms._node_modules import within
from optimizer.transforms._transform import Example, Subject, Touches, transform
from optimizer.transforms._unneeded import Unneeded

_WORTH_SAYING = 100_000
_MOST_NAMED = 4
_ORDER = {".git": 0, ".github": 1, ".gitignore": 2, ".gitattributes": 3, "node_modules": 4}
_STATIC = """
    FROM nginx:1.27
    COPY . /usr/share/nginx/html
    """
_NODE = """
    FROM node:22
    WORKDIR /app
    COPY package.json ./
    RUN npm install
    COPY . .
    CMD ["node", "server.js"]
    """


@transform(
    level=Level.EQUIVALENT,
    touches=frozenset({Touches.CONTEXT}),
    gain="size, cache hits",
    examples=(
        Example(
            "the repository and what belongs to it",
            context={"Dockerfile": "", ".git/HEAD": "", ".github/workflows/ci.yml": "", "index.html": ""},
            before=_STATIC,
            after=_STATIC,
            artifacts={".dockerignore": ".git\n.github\nDockerfile\n.dockerignore\n"},
        ),
        Example(
            "modules that the image installs itself, in a file that has only the repository",
            context={"package.json": "{}", "node_modules/a/index.js": "", "server.js": "", ".dockerignore": ".git"},
            before=_NODE,
            after=_NODE,
            artifacts={".dockerignore": ".git\nnode_modules\n"},
        ),
        Example(
            "a version that is taken from the repository",
            context={".git/HEAD": "", "pyproject.toml": '[build-system]\nrequires = ["setuptools-scm"]\n'},
            before="""
                FROM python:3.13
                WORKDIR /app
                COPY . .
                RUN pip install .
                """,
            because="pyproject.toml names setuptools-scm",
        ),
        Example(
            "a command that reads the repository",
            context={".git/HEAD": "", "main.go": ""},
            before="""
                FROM golang:1.24
                WORKDIR /src
                COPY . .
                RUN go build -ldflags "-X main.version=$(git describe)" .
                """,
            because="line 4 runs git describe",
        ),
        Example(
            "modules that come from the developer's machine only",
            context={"package.json": "{}", "node_modules/a/index.js": "", "server.js": ""},
            before="""
                FROM node:22
                COPY . /app
                CMD ["node", "/app/server.js"]
                """,
            because="nothing in its stage installs it",
        ),
        Example(
            "an ignore file that lets only some files in",
            context={"src/main.py": "", ".git/HEAD": "", ".dockerignore": "*\n!src\n"},
            before="""
                FROM python:3.13
                COPY . /app
                """,
        ),
    ),
)
def write_dockerignore(subject: Subject) -> Iterator[Finding]:
    """Name what lies in the copied folders and is certainly not needed."""
    context = subject.context
    if context.ignore.problem:
        yield Decline(1, context.ignore.problem)
        return
    build = Build.of(subject.dockerfile, context)
    if isinstance(build, Decline):
        yield build
        return
    if not build.broad or context.ignore.ignores("a-name-that-nobody-uses"):
        return
    found = build.findings()
    yield from (one for one in found if isinstance(one, Decline))
    chosen = _chosen(context, [one for one in found if isinstance(one, Unneeded)])
    if any(one.settles and one.paths for one in chosen):
        yield _rewrite(subject.dockerfile, context, build, chosen)


def _chosen(context: Context, found: Sequence[Unneeded]) -> list[Unneeded]:
    """Return what the ignore file lacks, in the order to write it."""
    lacking = [one for one in found if one.paths or not context.ignore.ignores(one.line.removeprefix("**/"))]
    return sorted(
        {one.line: one for one in lacking}.values(), key=lambda one: _ORDER.get(one.name, 5 + (not one.settles))
    )


def _rewrite(dockerfile: Dockerfile, context: Context, build: Build, chosen: Sequence[Unneeded]) -> Rewrite:
    steps = _bringing(build, chosen)
    artifact = ignore_lines(context, [one.line for one in chosen])
    shipped = any(step.stage in dockerfile.shipped for step in steps)
    sizes = _sizes(context, chosen)
    image = " and the image" if shipped else ""
    return Rewrite(
        line=steps[0].line,
        title=f"{'Write' if build.is_fresh else 'Extend'} {context.ignore_path}",
        why=f"It keeps {_named(sizes)} out of the build context{image}, and changes there no longer invalidate "
        f"the {steps[0].name} on line {steps[0].line}.",
        edits=(),
        artifacts=(artifact,),
        gain=Gain(bytes=sum(sizes.values()) if shipped else 0),
    )


def _bringing(build: Build, chosen: Sequence[Unneeded]) -> list[Step]:
    """Return the COPYs that bring what settles the change."""
    paths = [path for one in chosen if one.settles for path in one.paths]
    return [step for step, folder in build.broad if any(within(path, folder) for path in paths)]


def _sizes(context: Context, chosen: Sequence[Unneeded]) -> dict[str, int]:
    """Return the bytes of what matters, each counted once, by name."""
    sizes: dict[str, int] = {}
    seen: set[str] = set()
    for one in chosen:
        for path in one.paths:
            parts = path.split("/")
            if one.settles and seen.isdisjoint("/".join(parts[:depth]) for depth in range(1, len(parts) + 1)):
                seen.add(path)
                sizes[one.line] = sizes.get(one.line, 0) + context.size(path)
    return sizes


def _named(sizes: dict[str, int]) -> str:
    largest = sorted(sizes, key=lambda line: -sizes[line])
    named = [f"{line} ({_megabytes(sizes[line])})" if sizes[line] >= _WORTH_SAYING else line for line in largest]
    if len(named) > _MOST_NAMED:
        named = [*named[: _MOST_NAMED - 1], f"{len(named) - _MOST_NAMED + 1} more"]
    return " and ".join(filter(None, [", ".join(named[:-1]), named[-1]]))


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size < 1e7 else f"{size / 1e6:.0f} MB"  # noqa: PLR2004 - two digits are enough
