from collections.abc import Callable

import pytest

from optimizer.context import Context
from optimizer.ecosystems import Install, Project, Refusal, all_ecosystems
from optimizer.shell import parse_script
from optimizer.shell.calls import calls

FILES = {
    "requirements.txt": "flask==2\n",
    "c.txt": "six<2\n",
    "nested.txt": "-r req/base.txt\n--constraint=c.txt\n",
    "req/base.txt": "-rmore.txt\nrequests[security]>=2 ; python_version < '3' \\\n  --hash=sha256:abc\n",
    "req/more.txt": "# comment\n\ndjango # trailing\n--index-url https://example.org/${TOKEN}\n",
    "vcs.txt": "-e git+https://example.org/a.git@v1#egg=a_pkg\ngit+ssh://git@example.org/b.git\nc @ https://example.org/c.zip\n",
    "wheel.txt": "./wheels/x-1-py3-none-any.whl\nlocal.tar.gz\n",
    "wheels/x-1-py3-none-any.whl": "",
    "local.tar.gz": "",
    "links.txt": "--no-index\n-f wheels\nx\n",
    "utf16.txt": "flask\r\n-r c.txt\r\n".encode("utf-16"),
    "loop.txt": "-r loop.txt\nflask\n",
    "bad/editable.txt": "-e .\n",
    "bad/local.txt": "./lib\n",
    "bad/file.txt": "lib @ file:///app/lib\n",
    "bad/missing.txt": "-r nope.txt\n",
    "bad/option.txt": "--frobnicate\n",
    "bad/variable.txt": "-r ${WHICH}.txt\n",
    "bad/hidden.txt": "-r ../hidden.txt\n",
    "bad/outside.txt": "-r ../../x.txt\n",
    "bad/strange.txt": "a b c\n",
    "bad/wheel.txt": "./wheels/y.whl\n",
    "hidden.txt": "",
    "lib/setup.py": "",
    ".dockerignore": "hidden.txt\n",
    "pyproject.toml": "[dependency-groups]\ndev = ['pytest']\n",
}
BASE = ("nested.txt", "req/base.txt", "req/more.txt", "c.txt")


@pytest.mark.parametrize(
    ("text", "manifests", "outputs"),
    [
        ("pip install -r requirements.txt", ("requirements.txt",), ()),
        ("pip3.11 install -qr requirements.txt", ("requirements.txt",), ()),
        ("pip install -rrequirements.txt -cc.txt", ("requirements.txt", "c.txt"), ()),
        ("pip install --requirement=requirements.txt --no-cache-dir", ("requirements.txt",), ()),
        ("python3 -u -m pip install -r requirements.txt", ("requirements.txt",), ()),
        ("pip --no-cache-dir install -r /app/requirements.txt", ("requirements.txt",), ()),
        ("F=requirements.txt; pip install -r $F", ("requirements.txt",), ()),
        ("cd req && pip install -r base.txt", ("req/base.txt", "req/more.txt"), ()),
        ("pip install -r nested.txt", BASE, ()),
        ("pip install -r loop.txt", ("loop.txt",), ()),
        ("pip install -r utf16.txt", ("utf16.txt", "c.txt"), ()),
        ("pip install -r vcs.txt", ("vcs.txt",), ("src/a_pkg",)),
        ("pip install -r wheel.txt", ("wheel.txt", "wheels/x-1-py3-none-any.whl", "local.tar.gz"), ()),
        ("pip install -r links.txt", ("links.txt", "wheels"), ()),
        ("pip install ./wheels/x-1-py3-none-any.whl", ("wheels/x-1-py3-none-any.whl",), ()),
        ("pip install -r https://example.org/r.txt", (), ()),
        ("pip install --group dev", ("pyproject.toml",), ()),
        ("pip install -t lib2 -r c.txt", ("c.txt",), ("lib2",)),
        ("pip install -t /opt/lib -r c.txt", ("c.txt",), ()),
        ("pip wheel -w wheelhouse -r c.txt", ("c.txt",), ("wheelhouse",)),
        ("pip install --index-url https://$TOKEN@example.org -r c.txt", ("c.txt",), ()),
        ("venv/bin/pip install -r c.txt", ("c.txt",), ("venv",)),
        ("./venv/bin/python -m pip install -r c.txt", ("c.txt",), ("venv",)),
    ],
)
def test_names_the_files_that_an_install_reads(
    ask: Callable[..., object], text: str, manifests: tuple[str, ...], outputs: tuple[str, ...]
) -> None:
    assert ask("pip", text, FILES) == Install(manifests, outputs)


@pytest.mark.parametrize(
    "text",
    [
        "pip install flask",
        "pip install --upgrade pip setuptools",
        "pip install 'uvicorn[standard]>=0.2' requests==2.0",
        "pip install uvicorn[standard]",
        "pip install poetry==$POETRY_VERSION",
        'pip install "poetry==${POETRY_VERSION}"',
        "pip install git+https://example.org/x.git",
        "pip cache purge",
        "pip config set global.index-url https://example.org",
        "pip --version",
        "cd $UNKNOWN && pip install flask",
    ],
)
def test_packages_by_name_need_nothing_of_the_project(ask: Callable[..., object], text: str) -> None:
    assert ask("pip", text, FILES) == Install(())


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("pip install .", "pip install . builds the project from its sources"),
        ("pip install .[dev]", "builds the project from its sources"),
        ("pip install '.[dev]'", "builds the project from its sources"),
        ("pip install -e .", "pip install -e . builds the project from its sources"),
        ("pip install -e .[dev]", "builds the project from its sources"),
        ("pip install ./lib", "pip install ./lib builds the project"),
        ("pip install /app", "builds the project"),
        ("pip install /opt/lib", "builds the project"),
        ("pip install -r requirements.txt .", "pip install . builds"),
        ("pip install -r bad/editable.txt", "the editable install of . reads its sources (editable.txt)"),
        ("pip install -r bad/local.txt", "./lib is built from its sources"),
        ("pip install -r bad/file.txt", "/app/lib is built from its sources"),
        ("pip install -r bad/missing.txt", "bad/nope.txt is not in the build context"),
        ("pip install -r bad/option.txt", "the option --frobnicate is not known"),
        ("pip install -r bad/variable.txt", "named by a variable"),
        ("pip install -r bad/hidden.txt", "hidden.txt is kept out of the build by .dockerignore"),
        ("pip install -r bad/outside.txt", "outside of the build context"),
        ("pip install -r bad/strange.txt", "the requirement a b c is not understood"),
        ("pip install -r bad/wheel.txt", "wheels/y.whl is not in the build context"),
        ("pip install -r requirements-$WHICH.txt", "the value of -r is not known"),
        ("pip install -r $WHICH", "the word $WHICH is not known"),
        ("pip install $PACKAGES", "the word $PACKAGES is not known"),
        ("pip install $(cat requirements.txt)", "is not known before the command runs"),
        ("pip install -r *.txt", "the word *.txt is not known"),
        ("pip install -r /tmp/requirements.txt", "/tmp/requirements.txt is outside of the copied files"),
        ("pip install --frobnicate -r c.txt", "the option --frobnicate is not known"),
        ("pip install -f nowhere -r c.txt", "the folder nowhere of --find-links"),
        ("pip install -t . -r c.txt", "the folder of the sources"),
        ("pip wheel -r c.txt", "puts its files among the sources"),
        ("cd $UNKNOWN && pip install -r c.txt", "the directory of the install is not known"),
        ("lib/bin/pip install -r c.txt", "come from the build context"),
    ],
)
def test_says_why_an_install_needs_the_sources(ask: Callable[..., object], text: str, because: str) -> None:
    answer = ask("pip", text, {**FILES, "lib/bin/pip": ""})

    assert isinstance(answer, Refusal)
    assert because in answer.reason


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"PIP_CONSTRAINT": "c.txt"}, Install(("requirements.txt", "c.txt"))),
        ({"PIP_REQUIREMENT": "/app/c.txt"}, Install(("requirements.txt", "c.txt"))),
        ({"PIP_CONFIG_FILE": "/etc/pip.conf"}, Install(("requirements.txt",))),
        ({"VIRTUAL_ENV": "/app/.venv"}, Install(("requirements.txt",), (".venv",))),
        ({"VIRTUAL_ENV": "/opt/venv"}, Install(("requirements.txt",))),
        ({"PATH": "/app/env/bin:/usr/bin"}, Install(("requirements.txt",), ("env",))),
        ({"PIP_CONFIG_FILE": "/app/pip.conf"}, Refusal("PIP_CONFIG_FILE names a file of the project")),
        ({"PIP_CONSTRAINT": None}, Refusal("the value of PIP_CONSTRAINT is not known")),
        ({"PIP_TARGET": "lib"}, Install(("requirements.txt",), ("lib",))),
        ({"PIP_EDITABLE": "."}, Refusal("PIP_EDITABLE names a project to build")),
    ],
)
def test_follows_the_environment(ask: Callable[..., object], env: dict[str, str | None], expected: object) -> None:
    assert ask("pip", "pip install -r requirements.txt", FILES, env=env) == expected


def test_a_variable_that_a_build_may_set_names_no_file(ask: Callable[..., object]) -> None:
    files = {"dev.txt": "", "prod.txt": ""}

    assert ask("pip", 'pip install -r "$WHICH.txt"', files, env={"WHICH": "dev"}) == Install(("dev.txt",))
    assert ask("pip", 'WHICH=dev; pip install -r "$WHICH.txt"', files, env={"WHICH": None}) == Refusal(
        "the value of -r is not known before the command runs"
    )


def test_works_where_the_base_image_sets_the_directory() -> None:
    call = calls(parse_script("pip install -r r.txt && npm ci"), "<base>", {})
    project = Project(Context.of({"r.txt": "", "package.json": "{}", "package-lock.json": "{}"}), "", "<base>")

    answers = [e.install(one, project) for one in call for e in all_ecosystems()]

    assert [a.manifests for a in answers if isinstance(a, Install)] == [
        ("r.txt",),
        ("package.json", "package-lock.json"),
    ]


def test_maps_the_folder_that_is_copied(ask: Callable[..., object]) -> None:
    files = {"api/requirements.txt": "-c deep/c.txt\n", "api/deep/c.txt": ""}

    answer = ask("pip", "pip install -r requirements.txt", files, source="api")

    assert answer == Install(("api/requirements.txt", "api/deep/c.txt"))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"requirements.txt": "flask\n"}, Install(("requirements.txt",))),
        (
            {"requirements.txt": "", "pyproject.toml": "[tool.pip-tools]\nx = 1\n"},
            Install(("requirements.txt", "pyproject.toml")),
        ),
        ({"requirements.txt": "-e .\n"}, Refusal("the editable install of . reads its sources (requirements.txt)")),
        ({}, Refusal("requirements.txt is not in the build context")),
    ],
)
def test_pip_sync_reads_requirements_txt(ask: Callable[..., object], files: dict[str, str], expected: object) -> None:
    assert ask("pip_tools", "pip-sync", files) == expected


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("python setup.py install", "setup.py install builds the project from its sources"),
        ("python3 -B ./setup.py develop --user", "setup.py develop builds"),
        ("python /app/setup.py build_ext --inplace", "setup.py build_ext builds"),
        ("./setup.py install", "setup.py install builds"),
        ("python -m build", "build builds the project"),
    ],
)
def test_builds_of_the_project_are_refused(ask: Callable[..., object], text: str, because: str) -> None:
    answer = ask("setuptools", text, FILES)

    assert isinstance(answer, Refusal)
    assert because in answer.reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("python -m venv .venv", Install((), (".venv",))),
        ("virtualenv -p python3 /app/env", Install((), ("env",))),
        ("python3 -m venv --copies /opt/venv", Install(())),
        ("python -m venv .", Refusal("the environment is made in the folder of the sources")),
        ('python -m venv "$VIRTUAL_ENV"', Refusal("the folder of the environment is not known")),
    ],
)
def test_a_new_environment_is_an_output(ask: Callable[..., object], text: str, expected: object) -> None:
    assert ask("virtualenv", text, FILES) == expected
