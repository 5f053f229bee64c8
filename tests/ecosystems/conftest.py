from collections.abc import Callable, Mapping

import pytest

from optimizer.context import Context
from optimizer.ecosystems import Cache, Ecosystem, Install, Project, Refusal, all_ecosystems
from optimizer.shell import Call, parse_script
from optimizer.shell.calls import calls

Answer = Install | Refusal | None
Env = Mapping[str, str | None]


def last_call(text: str, directory: str | None = "/app") -> Call:
    return calls(parse_script(text), directory, {})[-1]


def ecosystem(name: str) -> Ecosystem:
    return next(e for e in all_ecosystems() if e.id == name)


@pytest.fixture
def ask() -> Callable[..., Answer]:
    """Ask an ecosystem what the last call of a script reads of the project at /app."""

    def answer(
        name: str,
        text: str,
        files: Mapping[str, str | bytes],
        *,
        env: Env | None = None,
        source: str = "",
        directory: str | None = "/app",
    ) -> Answer:
        project = Project(Context.of(files), source, "/app", env or {})
        return ecosystem(name).install(last_call(text, directory), project)

    return answer


@pytest.fixture
def cache() -> Callable[..., Cache | None]:
    def answer(name: str, text: str, env: Env | None = None) -> Cache | None:
        return ecosystem(name).cache(last_call(text), env or {})

    return answer


@pytest.fixture
def cleans() -> Callable[[str, str], bool]:
    return lambda name, text: ecosystem(name).cleans(last_call(text))
