# ruff: noqa: E501 - a row of a table is one line
from collections.abc import Callable, Mapping

import pytest

from optimizer.context import Context
from optimizer.ecosystems import Cache

Ask = Callable[..., Cache | None]


@pytest.mark.parametrize(
    ("name", "text", "flag", "after", "target"),
    [
        ("pip", "pip install -r r.txt", "--no-cache-dir", "install", "/root/.cache/pip"),
        ("pip", "python -m pip -q install x", "--no-cache-dir", "install", "/root/.cache/pip"),
        ("pip", "pip install --unknown x", "--no-cache-dir", "install", "/root/.cache/pip"),
        ("pip", "pip --proxy install wheel -r r.txt", "--no-cache-dir", "wheel", "/root/.cache/pip"),
        ("uv", "uv sync --frozen", "--no-cache", "sync", "/root/.cache/uv"),
        ("uv", "uv pip install --system x", "--no-cache", "install", "/root/.cache/uv"),
    ],
)
def test_a_flag_keeps_the_cache_out(cache: Ask, name: str, text: str, flag: str, after: str, target: str) -> None:
    found = cache(name, text)

    assert found is not None
    assert (found.flag, found.after and found.after.value, found.targets, found.off) == (flag, after, (target,), None)


@pytest.mark.parametrize(
    ("name", "text", "cleanup"),
    [
        ("npm", "npm ci", "npm cache clean --force"),
        ("npm", "npm --prefix web install", "npm cache clean --force"),
        ("npm", "npm i -g serve", "npm cache clean --force"),
        ("yarn", "yarn global add serve", "yarn cache clean"),
        ("poetry", "poetry install", "rm -rf ~/.cache/pypoetry/artifacts ~/.cache/pypoetry/cache"),
        ("pipenv", "pipenv sync", "rm -rf ~/.cache/pipenv"),
        ("pip_tools", "pip-sync", "rm -rf ~/.cache/pip"),
        ("pdm", "pdm sync", "pdm cache clear"),
        ("conda", "conda install -y x", "conda clean -afy"),
        ("conda", "/opt/conda/bin/mamba env create -f e.yml", "/opt/conda/bin/mamba clean -afy"),
    ],
)
def test_a_command_removes_the_cache(cache: Ask, name: str, text: str, cleanup: str) -> None:
    found = cache(name, text)

    assert found is not None
    assert (found.cleanup, found.flag, found.off) == ((cleanup,), None, None)


@pytest.mark.parametrize(
    ("name", "text", "env", "because"),
    [
        ("pip", "pip install --no-cache-dir x", {}, "--no-cache-dir already"),
        ("pip", "pip install --no-cache x", {}, "--no-cache-dir already"),
        ("pip", "pip --no-cache-dir install x", {}, "--no-cache-dir already"),
        ("pip", "pip install --cache-dir=/c x", {}, "a cache folder of its own"),
        ("pip", "pip install x", {"PIP_NO_CACHE_DIR": "1"}, "PIP_NO_CACHE_DIR is set already"),
        ("pip", "pip install x", {"PIP_NO_CACHE_DIR": "off"}, "PIP_NO_CACHE_DIR is set already"),
        ("pip", "PIP_NO_CACHE_DIR=1 pip install x", {}, "PIP_NO_CACHE_DIR is set already"),
        ("pip", "pip install x", {"PIP_NO_CACHE_DIR": None}, "PIP_NO_CACHE_DIR is set already"),
        ("uv", "uv sync -n", {}, "--no-cache already"),
        ("uv", "uv sync", {"UV_NO_CACHE": "true"}, "UV_NO_CACHE is set already"),
        ("uv", "uv sync", {"UV_LINK_MODE": "symlink"}, "links into the cache"),
        ("uv", "uv sync --link-mode=symlink", {}, "links into the cache"),
        ("npm", "npm ci --cache /tmp/c", {}, "a cache folder of its own"),
        ("yarn", "yarn install --cache-folder /tmp/c", {}, "a cache folder of its own"),
        ("yarn", "yarn install", {}, "which Yarn runs cannot be told"),
        ("pnpm", "pnpm install", {}, "hard links into pnpm's store"),
        ("bun", "bun install", {}, "hard links into Bun's cache"),
        ("pdm", "pdm install", {"PDM_INSTALL_CACHE": "on"}, "PDM_INSTALL_CACHE"),
        ("poetry", "poetry install", {"POETRY_CACHE_DIR": None}, "the folder of Poetry's cache is not known"),
        ("pipenv", "pipenv install", {"PIPENV_CACHE_DIR": "/c"}, "PIPENV_CACHE_DIR puts the cache elsewhere"),
        ("conda", "conda install x", {"CONDA_ALWAYS_SOFTLINK": "1"}, "links into the package cache"),
    ],
)
def test_says_why_a_cache_is_left(cache: Ask, name: str, text: str, env: Mapping[str, str], because: str) -> None:
    found = cache(name, text, env)

    assert found is not None
    assert because in (found.off or "")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pip", "pip config set a.b c"), ("pip", "pip --version"), ("npm", "npm run install"), ("npm", "npm cache clean"),
        ("yarn", "yarn build"), ("yarn", "yarn --version"), ("uv", "uv run x"), ("uv", "uv pip compile x"),
        ("poetry", "poetry run x"), ("conda", "conda env list"), ("conda", "conda run x"), ("pnpm", "pnpm build"),
    ],
)  # fmt: skip
def test_other_commands_fill_no_cache(cache: Ask, name: str, text: str) -> None:
    assert cache(name, text) is None


@pytest.mark.parametrize(
    ("env", "cleanup", "target"),
    [
        ({"POETRY_CACHE_DIR": "/c/"}, "rm -rf /c/artifacts /c/cache", "/c"),
        ({"XDG_CACHE_HOME": "/x"}, "rm -rf /x/pypoetry/artifacts /x/pypoetry/cache", "/x/pypoetry"),
        (
            {"HOME": "/home/me"},
            "rm -rf ~/.cache/pypoetry/artifacts ~/.cache/pypoetry/cache",
            "/home/me/.cache/pypoetry",
        ),
    ],
)
def test_poetry_keeps_its_environments(cache: Ask, env: Mapping[str, str], cleanup: str, target: str) -> None:
    found = cache("poetry", "poetry install", env)

    assert found is not None
    assert (found.cleanup, found.targets) == ((cleanup,), (target,))


YARN_1 = "# yarn lockfile v1\n"


@pytest.mark.parametrize(
    ("files", "off"),
    [
        ({"yarn.lock": YARN_1, "package.json": "{}"}, None),
        ({"yarn.lock": YARN_1, "package.json": '{"packageManager": "yarn@1.22.22"}'}, None),
        ({"a/yarn.lock": YARN_1, "node_modules/x/yarn.lock": ""}, None),
        ({"yarn.lock": YARN_1, "package.json": '{"packageManager": "yarn@4.0.0"}'}, "Yarn 2 and later"),
        ({"yarn.lock": "__metadata:\n"}, "Yarn 2 and later"),
        ({"yarn.lock": YARN_1, ".yarnrc.yml": ""}, "Yarn 2 and later"),
        ({"yarn.lock": YARN_1, "b/.pnp.cjs": ""}, "Yarn 2 and later"),
        ({"package.json": "{}"}, "no yarn.lock shows which Yarn runs"),
    ],
)
def test_the_project_tells_which_yarn_runs(cache: Ask, files: Mapping[str, str], off: str | None) -> None:
    found = cache("yarn", "yarn install")
    assert found is not None
    assert found.decide is not None

    decided = found.decide(Context.of(files))

    assert decided.cleanup == ("yarn cache clean",)
    assert (decided.off is None) if off is None else (decided.off is not None and off in decided.off)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pip", "pip cache purge"), ("pip", "rm -rf ~/.cache/pip"), ("pip", "rm -fr /root/.cache/*"),
        ("pip", "rm -r $HOME/.cache"), ("npm", "npm cache clean --force"), ("npm", "rm -rf /root/.npm"),
        ("npm", "rm -rf ~/.npm/_cacache"), ("yarn", "yarn cache clean"), ("yarn", "rm -rf /usr/local/share/.cache/*"),
        ("poetry", "poetry cache clear --all PyPI"), ("poetry", 'rm -rf "$POETRY_HOME/pypoetry/cache"'),
        ("uv", "uv cache clean"), ("conda", "conda clean --all -y"), ("conda", "mamba clean -afy"),
        ("pdm", "pdm cache clear"), ("pnpm", "pnpm store prune"), ("bun", "bun pm cache rm"),
    ],
)  # fmt: skip
def test_knows_what_removes_a_cache(cleans: Callable[[str, str], bool], name: str, text: str) -> None:
    assert cleans(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pip", "pip cache list"), ("pip", "rm ~/.cache/pip"), ("pip", "rm -rf ~/.cache/npm"), ("npm", "npm cache verify"),
        ("npm", "rm -rf node_modules"), ("yarn", "yarn cache list"), ("uv", "uv cache prune"), ("conda", "conda list"),
    ],
)  # fmt: skip
def test_knows_what_does_not(cleans: Callable[[str, str], bool], name: str, text: str) -> None:
    assert not cleans(name, text)
