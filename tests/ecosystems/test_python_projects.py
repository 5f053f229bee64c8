# ruff: noqa: E501, FBT001 - a row of a table is one line, and pytest fills the parameters in
import json
from collections.abc import Callable, Mapping
from hashlib import sha256

import pytest

from optimizer.ecosystems import Install, Refusal

POETRY = {
    "pyproject.toml": '[tool.poetry]\nname = "x"\n[tool.poetry.dependencies]\npython = "^3.9"\n',
    "poetry.lock": "",
    "x.py": "",
}
APP = POETRY | {"pyproject.toml": '[tool.poetry]\npackage-mode = false\n[tool.poetry.dependencies]\nflask = "*"\n'}
POETRY_FILES = ("pyproject.toml", "poetry.lock")
UV_PROJECT = """\
[project]
name = "x"
version = "0.1.0"
requires-python = ">=3.12"
dependencies = ["flask>=3, <4", "A_b[z]", "c; python_version < '4'"]
[build-system]
requires = ["hatchling"]
"""
UV_LOCK = """\
version = 1
requires-python = ">=3.12"

[[package]]
name = "flask"
version = "3"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "x"
version = "0.1.0"
source = { editable = "." }

[package.metadata]
requires-dist = [
    { name = "a-b", extras = ["z"] },
    { name = "c", marker = "python_full_version < '4'" },
    { name = "flask", specifier = ">=3,<4" },
]

[[package]]
name = "zz"
"""
UV = {"pyproject.toml": UV_PROJECT, "uv.lock": UV_LOCK, "x.py": ""}
UV_FILES = ("pyproject.toml", "uv.lock")
VENV = (".venv",)


def installed_later(manifests: tuple[str, ...], switch: str, text: str, outputs: tuple[str, ...] = VENV) -> Install:
    words = text.split()
    return Install(manifests, outputs, command=" ".join([*words[:2], switch, *words[2:]]), then=text)


@pytest.mark.parametrize(
    "text", ["poetry install", "poetry install --only main -E extra", "poetry sync --no-interaction"]
)
def test_poetry_installs_the_project_later(ask: Callable[..., object], text: str) -> None:
    assert ask("poetry", text, POETRY) == installed_later(POETRY_FILES, "--no-root", text)


@pytest.mark.parametrize(
    ("text", "files", "expected"),
    [
        ("poetry install --no-root", POETRY, Install(POETRY_FILES, VENV)),
        ("python -m poetry install --no-root --no-dev", POETRY, Install(POETRY_FILES, VENV)),
        ("poetry install", APP, Install(POETRY_FILES, VENV)),
        (
            "poetry install",
            APP | {"poetry.toml": "[virtualenvs]\ncreate = false\n"},
            Install((*POETRY_FILES, "poetry.toml")),
        ),
        ("poetry install --no-root", {"pyproject.toml": ""}, Install(("pyproject.toml",), VENV)),
        ("poetry config virtualenvs.create false", POETRY, Install(())),
        ("poetry self add poetry-plugin-export", POETRY, Install(())),
        ("cd sub && poetry install --no-root", POETRY, Install(POETRY_FILES, VENV)),
        (
            "poetry install --no-root --no-directory",
            APP | {"pyproject.toml": APP["pyproject.toml"] + 'l = {path = "l"}\n'},
            Install(POETRY_FILES, VENV),
        ),
        (
            "poetry install",
            APP | {"pyproject.toml": APP["pyproject.toml"] + 'l = {path = "l.whl"}\n', "l.whl": ""},
            Install((*POETRY_FILES, "l.whl"), VENV),
        ),
    ],
)
def test_poetry_reads(ask: Callable[..., object], text: str, files: Mapping[str, str], expected: Install) -> None:
    assert ask("poetry", text, files) == expected


def test_poetry_keeps_assignments_for_the_later_install(ask: Callable[..., object]) -> None:
    answer = ask("poetry", "A=1 poetry install", POETRY, env={"POETRY_VIRTUALENVS_CREATE": "false"})

    assert answer == Install(POETRY_FILES, (), command="poetry install --no-root", then="A=1 poetry install")


@pytest.mark.parametrize(
    ("text", "more", "because"),
    [
        ("poetry install", 'l = {path = "../l"}\n', "the dependency l is a folder of the project (../l)"),
        ("poetry install", 'l = [{path = "l", develop = true}]\n', "the dependency l is a folder"),
        ("poetry install", '[tool.poetry.group.dev.dependencies]\nl = {path = "l"}\n', "the dependency l is a folder"),
        ("poetry install", '[project]\ndependencies = ["l @ file:///app/l"]\n', "l @ file:///app/l is a path"),
        ("poetry install", "[tool.poetry-dynamic-versioning]\nenable = true\n", "the plugin poetry-dynamic-versioning"),
        ("poetry install", '[tool.poetry.requires-plugins]\nx = "*"\n', "requires plugins of Poetry"),
        ("poetry install", '[project]\nlicense = {file = "L"}\n', "L is not in the build context"),
        ("poetry install", "broken", "pyproject.toml cannot be read"),
        ("poetry install --only-root", "", "installs the project itself"),
        ("poetry install --frobnicate", "", "the option --frobnicate is not known"),
        ("poetry -C other install", "", "outside of the copied files"),
    ],
)
def test_says_why_poetry_needs_the_sources(ask: Callable[..., object], text: str, more: str, because: str) -> None:
    answer = ask(
        "poetry", text.replace("other", "/other"), POETRY | {"pyproject.toml": POETRY["pyproject.toml"] + more}
    )

    assert isinstance(answer, Refusal)
    assert because in answer.reason


def test_poetry_looks_into_the_lock_file_for_folders(ask: Callable[..., object]) -> None:
    lock = '[[package]]\nname = "z"\n\n[package.source]\ntype = "directory"\nurl = "libs/z"\n'

    assert ask("poetry", "poetry install", POETRY | {"poetry.lock": lock}) == Refusal(
        "the dependency directory in poetry.lock is a folder of the project (libs/z)"
    )


@pytest.mark.parametrize("text", ["uv sync", "uv sync --locked --no-dev", "uv sync --frozen --extra x --no-editable"])
def test_uv_installs_the_project_later(ask: Callable[..., object], text: str) -> None:
    assert ask("uv", text, UV) == installed_later(UV_FILES, "--no-install-project", text)


@pytest.mark.parametrize(
    ("text", "files", "expected"),
    [
        ("uv sync --no-install-project", UV, Install(UV_FILES, VENV)),
        ("uv sync --only-group dev", UV, Install(UV_FILES, VENV)),
        ("uv sync", UV | {"pyproject.toml": UV_PROJECT + "[tool.uv]\npackage = false\n"}, Install(UV_FILES, VENV)),
        (
            "uv sync --no-install-project",
            UV | {".python-version": "3.12", "uv.toml": ""},
            Install((*UV_FILES, "uv.toml", ".python-version"), VENV),
        ),
        ("uv venv", UV | {".python-version": "3.12"}, Install((".python-version", "pyproject.toml"), VENV)),
        ("uv venv /opt/venv", {"x.py": ""}, Install(())),
        ("uv python install 3.12", {"x.py": ""}, Install(())),
        ("uv tool install ruff", UV, Install(())),
        ("uv cache prune", UV, Install(())),
        (
            "uv pip install --system -r requirements.txt",
            {"requirements.txt": "flask\n"},
            Install(("requirements.txt",)),
        ),
        (
            "uv pip install -r requirements.txt",
            {"requirements.txt": "-c c.txt\n", "c.txt": ""},
            Install(("requirements.txt", "c.txt"), VENV),
        ),
        ("uv pip sync requirements.txt --system", {"requirements.txt": ""}, Install(("requirements.txt",))),
        ("uv pip install --system -r pyproject.toml", UV, Install(("pyproject.toml",))),
        (
            "uv pip install --system flask",
            {"pyproject.toml": "[tool.uv]\noverride-dependencies = []\n"},
            Install(("pyproject.toml",)),
        ),
        ("uv pip install --system flask 'x[y]'", {"x.py": ""}, Install(())),
        ("uv pip install --python /app/env/bin/python -r r.txt", {"r.txt": ""}, Install(("r.txt",), ("env",))),
        ("uv pip install --target lib -r r.txt", {"r.txt": ""}, Install(("r.txt",), ("lib",))),
    ],
)
def test_uv_reads(ask: Callable[..., object], text: str, files: Mapping[str, str], expected: Install) -> None:
    assert ask("uv", text, files) == expected


@pytest.mark.parametrize(("value", "outputs"), [("/opt/venv", ()), ("/app/env", ("env",)), ("env", ("env",))])
def test_uv_puts_the_environment_elsewhere(ask: Callable[..., object], value: str, outputs: tuple[str, ...]) -> None:
    answer = ask("uv", "uv sync --no-install-project", UV, env={"UV_PROJECT_ENVIRONMENT": value})

    assert answer == Install(UV_FILES, outputs)


def test_uv_takes_every_member_of_a_workspace(ask: Callable[..., object]) -> None:
    workspace = '[tool.uv.workspace]\nmembers = ["packages/*"]\nexclude = ["packages/old"]\n[tool.uv.sources]\na = {workspace = true}\n'
    files = UV | {
        "pyproject.toml": UV_PROJECT + workspace,
        "packages/a/pyproject.toml": UV_PROJECT,
        "packages/old/pyproject.toml": "",
    }

    answer = ask("uv", "uv sync --frozen", files)

    assert answer == installed_later(
        (*UV_FILES, "packages/a/pyproject.toml"), "--no-install-workspace", "uv sync --frozen"
    )
    assert ask("uv", "cd packages/a && uv sync --frozen", files) == Refusal(
        "the install works in a workspace of pyproject.toml"
    )


@pytest.mark.parametrize(
    ("text", "more", "because"),
    [
        (
            "uv sync",
            '[tool.uv.sources]\nq = {path = "../q", editable = true}\n',
            "the dependency q is a folder of the project",
        ),
        ("uv sync", '[tool.uv.sources]\nq = [{path = "q"}]\n', "the dependency q is a folder"),
        ("uv sync", '[[tool.uv.index]]\nurl = "./wheels"\n', "the index ./wheels is a folder"),
        ("uv sync", '[tool.uv]\nfind-links = ["wheels"]\n', "the index wheels is a folder"),
        ("uv sync", '[dependency-groups]\ndev = ["l @ file:///app/l"]\n', "l @ file:///app/l is a path"),
        ("uv sync --config-file uv.toml", "", "--config-file names a place"),
        ("uv sync --frobnicate", "", "the option --frobnicate is not known"),
        ("uv pip install .", "", "uv pip install . builds the project"),
        ("uv pip install -e .", "", "uv pip install -e . builds the project"),
        ("uv pip install -r setup.py", "", "uv builds the project to learn what setup.py requires"),
        (
            "uv pip install -r pyproject.toml",
            '[tool.uv.sources]\nq = {path = "q"}\n',
            "pyproject.toml takes dependencies from folders",
        ),
        ("uv pip sync nope.txt", "", "nope.txt is not in the build context"),
        ("uv tool install .", "", "builds the project"),
    ],
)
def test_says_why_uv_needs_the_sources(ask: Callable[..., object], text: str, more: str, because: str) -> None:
    answer = ask("uv", text, UV | {"pyproject.toml": UV_PROJECT + more})

    assert isinstance(answer, Refusal)
    assert because in answer.reason


@pytest.mark.parametrize(
    ("text", "project", "because"),
    [
        ("uv sync --frozen", {"pyproject.toml": UV_PROJECT}, "uv sync needs uv.lock, which the build does not see"),
        ("uv sync", {"uv.lock": UV_LOCK}, "pyproject.toml is not in the build context"),
        (
            "uv sync",
            UV | {"pyproject.toml": UV_PROJECT.replace('version = "0.1.0"', 'dynamic = ["version"]')},
            "dynamic metadata",
        ),
    ],
)
def test_says_what_uv_lacks(ask: Callable[..., object], text: str, project: Mapping[str, str], because: str) -> None:
    answer = ask("uv", text, project)

    assert isinstance(answer, Refusal)
    assert because in answer.reason


def test_frozen_uv_does_not_care_for_dynamic_metadata(ask: Callable[..., object]) -> None:
    files = UV | {"pyproject.toml": UV_PROJECT.replace('version = "0.1.0"', 'dynamic = ["version"]')}

    assert isinstance(ask("uv", "uv sync --frozen", files), Install)


@pytest.mark.parametrize(
    ("text", "change", "stale"),
    [
        ("uv sync", ("", ""), False),
        ("uv sync", ("0.1.0", "0.2.0"), True),
        ("uv sync", ("flask>=3, <4", "flask>=3, <5"), True),
        ("uv sync", ('"A_b[z]", ', ""), True),
        ("uv sync", (">=3.12", ">=3.11"), True),
        ("uv sync --locked", ("0.1.0", "0.2.0"), False),
    ],
)
def test_uv_may_write_the_lock_file(
    ask: Callable[..., object], text: str, change: tuple[str, str], stale: bool
) -> None:
    answer = ask("uv", text, UV | {"pyproject.toml": UV_PROJECT.replace(*change)})

    assert isinstance(answer, Install)
    assert answer.rewrites == (("uv.lock",) if stale else ())


PDM_PROJECT = '[project]\nname = "x"\ndependencies = ["flask"]\nrequires-python = ">=3.9"\n'
PDM_DATA = {
    "sources": [],
    "dependencies": ["flask"],
    "dev-dependencies": {},
    "optional-dependencies": {},
    "requires-python": ">=3.9",
}
PDM_HASH = sha256(json.dumps(PDM_DATA | {"resolution": {}}, sort_keys=True).encode()).hexdigest()
PDM = {"pyproject.toml": PDM_PROJECT, "pdm.lock": f'[metadata]\ncontent_hash = "sha256:{PDM_HASH}"\n'}
PDM_FILES = ("pyproject.toml", "pdm.lock")
PDM_OUT = (".venv", "__pypackages__")


@pytest.mark.parametrize(
    ("text", "files", "expected"),
    [
        ("pdm install", PDM, installed_later(PDM_FILES, "--no-self", "pdm install", PDM_OUT)),
        ("pdm sync --prod --no-editable", PDM, installed_later(PDM_FILES, "--no-self", "pdm sync --prod --no-editable", PDM_OUT)),
        ("pdm sync --no-self", PDM, Install(PDM_FILES, PDM_OUT)),
        ("pdm sync", PDM | {"pyproject.toml": PDM_PROJECT + "[tool.pdm]\ndistribution = false\n"}, Install(PDM_FILES, PDM_OUT)),
        ("pdm install --no-self", PDM | {"pdm.toml": ""}, Install((*PDM_FILES, "pdm.toml"), PDM_OUT)),
        ("pdm install --no-self", PDM | {"pdm.lock": ""}, Install(PDM_FILES, PDM_OUT, ("pdm.lock",))),
        ("pdm install --no-self --frozen-lockfile", PDM | {"pdm.lock": ""}, Install(PDM_FILES, PDM_OUT)),
        ("pdm config check_update false", PDM, Install(())),
        ("pdm sync", {"pyproject.toml": PDM_PROJECT}, Refusal("pdm needs pdm.lock, which the build does not see")),
        ("pdm sync", PDM | {"pyproject.toml": PDM_PROJECT + "[tool.pdm.scripts]\npost_install = 'x'\n"}, Refusal("the script post_install may read the sources")),
        ("pdm sync", PDM | {"pyproject.toml": PDM_PROJECT + "[tool.pdm.dev-dependencies]\nd = ['-e file:///${PROJECT_ROOT}/d']\n"},
         Refusal("the dependency -e file:///${PROJECT_ROOT}/d is a path of the project")),
        ("pdm install -g", PDM, Refusal("pdm installs another project than the one that is copied")),
    ],
)  # fmt: skip
def test_pdm(ask: Callable[..., object], text: str, files: Mapping[str, str], expected: object) -> None:
    assert ask("pdm", text, files) == expected


PIPFILE = '[[source]]\nname = "pypi"\nurl = "https://pypi.org/simple"\n[packages]\nflask = "*"\n[requires]\npython_version = "3.9"\n'
PIPFILE_DATA = {
    "_meta": {"requires": {"python_version": "3.9"}, "sources": [{"name": "pypi", "url": "https://pypi.org/simple"}]},
    "default": {"flask": "*"},
    "develop": {},
}
PIPFILE_HASH = sha256(json.dumps(PIPFILE_DATA, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
PIPENV = {"Pipfile": PIPFILE, "Pipfile.lock": json.dumps({"_meta": {"hash": {"sha256": PIPFILE_HASH}}})}
OLD_PIPENV = PIPENV | {"Pipfile.lock": json.dumps({"_meta": {"hash": {"sha256": "0"}}})}
PIPENV_FILES = ("Pipfile", "Pipfile.lock")


@pytest.mark.parametrize(
    ("text", "files", "expected"),
    [
        ("pipenv install --system --deploy", PIPENV, Install(PIPENV_FILES)),
        ("python -m pipenv sync --dev", PIPENV, Install(PIPENV_FILES)),
        ("pipenv install", PIPENV, Install(PIPENV_FILES)),
        ("pipenv install", OLD_PIPENV, Install(PIPENV_FILES, (), ("Pipfile.lock",))),
        ("pipenv install --ignore-pipfile", OLD_PIPENV, Install(PIPENV_FILES)),
        ("pipenv install", {"Pipfile": PIPFILE}, Install(("Pipfile",))),
        ("pipenv install", PIPENV | {".venv/x": ""}, Install(PIPENV_FILES, VENV)),
        (
            "pipenv install --deploy",
            {"Pipfile": PIPFILE},
            Refusal("pipenv needs Pipfile.lock, which the build does not see"),
        ),
        ("pipenv install flask", PIPENV, Refusal("pipenv install flask changes the Pipfile")),
        ("pipenv install -e .", PIPENV, Refusal("pipenv install . changes the Pipfile")),
        (
            "pipenv install -r requirements.txt",
            PIPENV,
            Refusal("pipenv takes its packages from another file than the Pipfile beside it"),
        ),
        (
            "pipenv sync",
            PIPENV | {"Pipfile": PIPFILE + "[dev-packages]\nme = {path = '.', editable = true}\n"},
            Refusal("the dependency me is a folder of the project (.)"),
        ),
        ("pipenv sync", {"x": ""}, Refusal("Pipfile is not in the build context")),
    ],
)
def test_pipenv(ask: Callable[..., object], text: str, files: Mapping[str, str], expected: object) -> None:
    assert ask("pipenv", text, files) == expected


def test_pipenv_in_the_project(ask: Callable[..., object]) -> None:
    assert ask("pipenv", "pipenv sync", PIPENV, env={"PIPENV_VENV_IN_PROJECT": "1"}) == Install(PIPENV_FILES, VENV)


ENVIRONMENT = (
    "name: x\nchannels: [conda-forge]\ndependencies:\n  - python=3.9\n  - pip:\n    - flask\n    - -r more.txt\n"
)
CONDA = {
    "environment.yml": ENVIRONMENT,
    "more.txt": "django\n",
    "specs.txt": "numpy\n",
    "plain.yaml": "dependencies: [python]\n",
    "local.yml": ENVIRONMENT.replace("-r more.txt", "-e ."),
    "channel.yml": "channels: [./own]\ndependencies: []\n",
    "env/deep.yml": "dependencies: [{pip: [-r ../more.txt]}]\n",
    "broken.yml": "a: [",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("conda env create -f environment.yml", Install(("environment.yml", "more.txt"))),
        ("mamba env update -n base --file environment.yml", Install(("environment.yml", "more.txt"))),
        ("micromamba install -y -n base -f plain.yaml", Install(("plain.yaml",))),
        ("conda env create", Install(("environment.yml", "more.txt"))),
        ("conda env create -f env/deep.yml", Install(("env/deep.yml", "more.txt"))),
        ("conda env create -p ./envs -f plain.yaml", Install(("plain.yaml",), ("envs",))),
        ("conda install -y --file specs.txt", Install(("specs.txt",))),
        ("conda install -y -c conda-forge numpy=1.2", Install(())),
        ("conda clean -afy", Install(())),
        ("conda env create -f local.yml", Refusal("the editable install of . reads its sources (local.yml)")),
        ("conda env create -f channel.yml", Refusal("the channel ./own is a folder")),
        ("conda env create -f broken.yml", Refusal("broken.yml cannot be read")),
        ("conda env create -f none.yml", Refusal("none.yml is not in the build context")),
        ("conda install ./x.conda", Refusal("conda installs ./x.conda from the project")),
        ("conda env create -f /tmp/e.yml", Refusal("/tmp/e.yml is outside of the copied files")),
    ],
)
def test_conda(ask: Callable[..., object], text: str, expected: object) -> None:
    assert ask("conda", text, CONDA) == expected
