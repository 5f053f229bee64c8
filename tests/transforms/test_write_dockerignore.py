"""What is left out of a build, and what stays."""

from textwrap import dedent

import pytest
from msgspec.structs import replace

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize
from optimizer.transforms import Level
from optimizer.transforms._ignore_file import ignore_lines

PLAN = Plan(level=Level.EQUIVALENT, select=frozenset({"write-dockerignore"}))
STATIC = "FROM nginx:1.27\nCOPY . /srv\n"
NPM = 'FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD ["node", "x.js"]\n'
GIT = {".git/HEAD": "ref: refs/heads/main"}
MODULES = {"package.json": "{}", "node_modules/a/index.js": "x"}


def run(text: str, files: dict[str, str], **changes: object) -> Result:
    return optimize(dedent(text).lstrip("\n"), Context.of(files, **changes), PLAN)


def written(result: Result) -> list[str]:
    return result.artifacts[0].content.splitlines() if result.artifacts else []


def reasons(result: Result) -> list[str]:
    return [declined.reason for declined in result.declined]


CHANGES = [
    (
        "a fresh file names what belongs to git and docker, too",
        STATIC,
        GIT | {"Dockerfile": "", "docker-compose.yml": ""},
        [".git", "docker-compose.yml", "Dockerfile", ".dockerignore"],
    ),
    (
        "files that git reads go where no RUN follows",
        STATIC,
        GIT | {".gitignore": "", ".gitattributes": ""},
        [".git", ".gitignore", ".gitattributes", ".dockerignore"],
    ),
    (
        "files that git reads stay where a RUN follows",
        STATIC + "RUN tailwindcss\n",
        GIT | {".gitignore": ""},
        [".git", ".dockerignore"],
    ),
    (
        "an ignore file that is there gets what matters only",
        STATIC,
        GIT | {"Dockerfile": "", ".dockerignore": "a\n"},
        ["a", ".git"],
    ),
    ("a last line without an end gets one", STATIC, GIT | {".dockerignore": "a"}, ["a", ".git"]),
    (
        "caches at any depth",
        STATIC,
        {"a/__pycache__/x.pyc": "x", "a/x.py": "", ".pytest_cache/x": "", ".DS_Store": ""},
        ["**/__pycache__", ".pytest_cache", "**/.DS_Store", ".dockerignore"],
    ),
    (
        "bytecode beside its source",
        STATIC,
        {"a.py": "", "a.pyc": "x"},
        ["**/__pycache__", "**/*.py[co]", ".dockerignore"],
    ),
    ("a virtual environment", STATIC, {"env/pyvenv.cfg": "home = x", "env/bin/python": "x"}, ["env", ".dockerignore"]),
    (
        "python sources say that bytecode will come",
        STATIC,
        GIT | {"a.py": ""},
        [".git", "**/__pycache__", ".dockerignore"],
    ),
    (
        "reports of a coverage run",
        STATIC,
        {"htmlcov/index.html": "x", "coverage/lcov.info": "x", ".coverage": "x"},
        [".coverage", "htmlcov", "coverage", ".dockerignore"],
    ),
    (
        "editor settings come along",
        STATIC,
        GIT | {".vscode/s.json": "", ".idea/x": ""},
        [".git", ".idea", ".vscode", ".dockerignore"],
    ),
    (
        "a folder that is copied whole",
        "FROM scratch\nCOPY web /srv\n",
        {"web/a.py": "", "web/.venv/pyvenv.cfg": ""} | GIT,
        ["web/.venv", "**/__pycache__"],
    ),
    ("modules that are installed behind the COPY", NPM, MODULES, ["node_modules", ".dockerignore"]),
    (
        "modules that will come, next to something else",
        NPM,
        {"package.json": "{}"} | GIT,
        [".git", "node_modules", ".dockerignore"],
    ),
    (
        "modules of a folder",
        "FROM node\nCOPY . /app\nRUN cd /app/web && npm ci\n",
        {"web/package.json": "{}", "web/node_modules/a/b": "x"},
        ["web/node_modules", ".dockerignore"],
    ),
    (
        "modules of workspaces",
        NPM,
        {"package.json": '{"workspaces": ["p/*"]}', "p/a/node_modules/x/y": "", "node_modules/a/b": ""},
        ["**/node_modules", ".dockerignore"],
    ),
    (
        "modules that come from another stage",
        """
     FROM node AS deps
     WORKDIR /app
     COPY package.json ./
     RUN npm ci
     FROM node
     WORKDIR /app
     COPY --from=deps /app/node_modules ./node_modules
     COPY . .
     """,
        MODULES,
        ["node_modules", ".dockerignore"],
    ),
    (
        "git that clones something else",
        STATIC + "RUN git clone x.org/y.git /opt/y && cd /opt/y && git checkout v1\n",
        GIT,
        [".git", ".dockerignore"],
    ),
    (
        "git that is only installed",
        STATIC + "RUN apt-get update && apt-get install -y git\n",
        GIT,
        [".git", ".dockerignore"],
    ),
    (
        "addresses of repositories",
        STATIC,
        GIT
        | {
            "package.json": '{"repository": {"type": "git", "url": "git+https://x.org/y.git"}}',
            "a.py": "URL = 'https://github.com/x/y.git'",
            "setup.cfg": "[flake8]\nexclude = .git",
            "Gemfile": 'git_source(:github) { |repo| "https://github.com/#{repo}.git" }',
        },
        [".git", "**/__pycache__", ".dockerignore"],
    ),
]


@pytest.mark.parametrize(("text", "files", "lines"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_changes(text: str, files: dict[str, str], lines: list[str]) -> None:
    result = run(text, files)

    assert written(result) == lines
    assert reasons(result) == []
    assert result.before == result.after


STAYS = [
    ("git in a RUN", STATIC + "RUN cd /srv && git log -1 > version\n", GIT, "line 3 runs git log"),
    ("git in a substitution", STATIC + "RUN make V=$(git -C /srv describe)\n", GIT, "line 3 runs git"),
    ("the folder in a RUN", STATIC + "RUN rm -r /srv/.git\n", GIT, "line 3 names .git"),
    ("the folder in a mount", STATIC + "RUN --mount=type=bind,source=.git,target=/g x\n", GIT, "line 3 names .git"),
    ("a COPY of it", STATIC + "COPY .git /g\n", GIT, "names .git"),
    ("a pattern that takes it", STATIC + "COPY .g* /g/\n", GIT, "line 3 copies it"),
    ("a build tool", STATIC + "RUN python3 -m build .\n", GIT, "line 3 runs python3 -m build, which may ask git"),
    ("a Makefile", STATIC, GIT | {"Makefile": "V := $(shell git rev-parse HEAD)"}, "Makefile names git rev-parse"),
    ("a program", STATIC, GIT | {"src/v.py": "subprocess.run(['git', 'log'])"}, "src/v.py names git"),
    (
        "a script of package.json",
        STATIC,
        GIT | {"package.json": '{"scripts": {"v": "git describe --tags"}}'},
        "git describe",
    ),
    ("a package that hooks into git", STATIC, GIT | {"package.json": '{"devDependencies": {"husky": "9"}}'}, "husky"),
    ("a gemspec", STATIC, GIT | {"x.gemspec": "s.files = `git ls-files`.split"}, "x.gemspec names git ls-files"),
    (
        "a Maven plugin",
        STATIC,
        GIT | {"pom.xml": "<artifactId>git-commit-id-maven-plugin</artifactId>"},
        "git-commit-id",
    ),
    ("build information of Go", STATIC, GIT | {"main.go": "debug.ReadBuildInfo()"}, "main.go names ReadBuildInfo"),
    ("a library", STATIC, GIT | {"requirements.txt": "GitPython==3.1"}, "requirements.txt names GitPython"),
    (
        "a file list by git",
        STATIC + "RUN pip install .\n",
        GIT | {"pyproject.toml": "[build-system]\nbuild-backend='flit_core.api'"},
        "flit_core.api, which asks git",
    ),
    ("another Dockerfile", STATIC, GIT | {"Dockerfile.dev": "FROM x\nCOPY .git /g\n"}, "Dockerfile.dev names it"),
    ("an exception in the ignore file", STATIC, GIT | {".dockerignore": "x\n!.git\n"}, "says !.git"),
    ("a source that is not known", "FROM scratch\nARG D\nCOPY . /a\nCOPY $D /b\n", GIT, "variables that are not known"),
    ("modules that nothing installs", STATIC, MODULES, "nothing in its stage installs it"),
    ("modules of another folder", NPM, MODULES | {"old/node_modules/a/b": ""}, "old/node_modules stays"),
    ("modules that are copied by name", NPM + "COPY node_modules/a /a\n", MODULES, "line 6 copies it"),
    (
        "development packages for a later build",
        "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm ci --omit=dev\nRUN npm run build\n",
        MODULES,
        "development packages",
    ),
    (
        "a virtual environment that is used",
        STATIC + 'CMD ["/srv/venv/bin/python"]\n',
        {"venv/pyvenv.cfg": ""},
        "line 3 names it",
    ),
    (
        "a virtual environment that a script uses",
        STATIC,
        {"venv/pyvenv.cfg": "", "run.sh": ". venv/bin/activate"},
        "run.sh names it",
    ),
    ("an ignore file that is not valid", STATIC, GIT | {".dockerignore": "a[\n"}, "is not valid"),
]


@pytest.mark.parametrize(("text", "files", "because"), [c[1:] for c in STAYS], ids=[c[0] for c in STAYS])
def test_stays(text: str, files: dict[str, str], because: str) -> None:
    result = run(text, files)

    assert written(result) == []
    assert any(because in reason for reason in reasons(result)), reasons(result)


NOTHING = [
    ("single files only", "FROM scratch\nCOPY a b /srv/\n", GIT | {"a": "", "b": ""}),
    ("another folder", "FROM scratch\nCOPY src /srv\n", GIT | {"src/a": ""}),
    ("a stage", "FROM x AS a\nFROM scratch\nCOPY --from=a . /srv\n", GIT),
    ("everything is ignored already", STATIC, GIT | {".dockerignore": ".git\n"}),
    ("only what is allowed comes in", STATIC, GIT | {".dockerignore": "**\n!.git\n"}),
    ("nothing but small things is there", STATIC, {"Dockerfile": "", ".gitignore": "", ".vscode/x": ""}),
    ("what a program may read", STATIC, {".env": "", "README.md": "", "LICENSE": "", "dist/x": "", "tests/x": ""}),
    ("a folder called coverage", STATIC, {"coverage/model.py": ""}),
    ("bytecode without its source", STATIC, {"a.pyc": "x"}),
]


@pytest.mark.parametrize(("text", "files"), [c[1:] for c in NOTHING], ids=[c[0] for c in NOTHING])
def test_says_nothing(text: str, files: dict[str, str]) -> None:
    result = run(text, files)

    assert (written(result), reasons(result)) == ([], [])


def test_what_version_control_holds_stays() -> None:
    result = run(NPM, MODULES, tracked=lambda path: path == "node_modules")

    assert written(result) == []
    assert reasons(result) == ["node_modules stays in the build context, for version control holds it"]


def test_the_dockerfiles_own_ignore_file_is_extended() -> None:
    files = GIT | {"docker/Dockerfile.dockerignore": "a\n", ".dockerignore": ".git\n"}

    result = run(STATIC, files, dockerfile="docker/Dockerfile")

    assert [(a.path, a.content) for a in result.artifacts] == [("docker/Dockerfile.dockerignore", "a\n.git\n")]


def test_line_endings_are_kept() -> None:
    assert run(STATIC, GIT | {".dockerignore": "a\r\nb"}).artifacts[0].content == "a\r\nb\r\n.git\r\n"


def test_the_gain_is_what_is_kept_out() -> None:
    files = GIT | {".git/objects/pack/p": "x" * 2_000_000, "venv/pyvenv.cfg": "", "venv/a/__pycache__/b": "x" * 140_000}

    (applied,) = run(STATIC, files).applied

    assert applied.rewrite.gain.bytes == 2_140_020
    assert "It keeps .git (2.0 MB) and venv (0.1 MB) out of the build context and the image" in applied.rewrite.why
    assert applied.rewrite.title == "Write .dockerignore"


def test_a_stage_that_is_not_shipped_gains_nothing_in_the_image() -> None:
    text = "FROM x AS a\nCOPY . /a\nFROM scratch\nCOPY --from=a /a/x /x\n"

    (applied,) = run(text, GIT).applied

    assert applied.rewrite.gain.bytes == 0
    assert "out of the build context, and" in applied.rewrite.why


def test_a_folder_in_the_image_does_not_bring_what_lies_beside_it() -> None:
    text = "FROM x AS b\nCOPY static /s\nCOPY . /a\nFROM x\nCOPY static /s\nCOPY --from=b /a/x /x\n"

    (applied,) = run(text, GIT | {"static/a.css": ""}).applied

    assert applied.rewrite.gain.bytes == 0
    assert "out of the build context, and changes there no longer invalidate the COPY on line 3" in applied.rewrite.why


def test_a_second_run_has_nothing_to_do() -> None:
    context = Context.of(GIT | {"a.py": "", "Dockerfile": ""})
    first = optimize(STATIC, context, PLAN)
    after = replace(context)
    for artifact in first.artifacts:
        after = after.overlay(artifact.path, artifact.content)

    assert optimize(STATIC, after, PLAN).artifacts == ()


def test_ignore_lines_starts_a_file() -> None:
    artifact = ignore_lines(Context.of({}), ["a", "b"])

    assert (artifact.path, artifact.content) == (".dockerignore", "a\nb\n")
