"""Which releases of Elixir run on Debian's slim image, and what keeps the stage."""

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize

FILES = {
    "mix.exs": "defmodule Shop.MixProject do\nend\n",
    "mix.lock": "%{}\n",
    "lib/shop.ex": "defmodule Shop do\nend\n",
}
TEXT = "FROM elixir:1.15\nENV MIX_ENV=prod\nWORKDIR /app\nCOPY . .\n{}\n{}\n"
RELEASE = "RUN mix local.hex --force && mix deps.get && mix release"
START = 'CMD ["/app/_build/prod/rel/shop/bin/shop", "start"]'


def run(text: str, files: dict[str, str] | None = None) -> Result:
    return optimize(text, Context.of({**FILES, **(files or {})}), Plan(select=frozenset({"multi-stage"})))


def runtime(text: str, files: dict[str, str] | None = None) -> list[str]:
    result = run(text, files)
    assert result.applied, result.declined
    return result.after.partition("\nFROM ")[2].splitlines()


@pytest.mark.parametrize(
    ("elixir", "debian", "packages"),
    [
        ("1.15", "debian:bookworm-slim", "ca-certificates libncurses6 libssl3"),
        ("1.18.4", "elixir:1.18.4-slim", "ca-certificates"),  # which moves to the next release with its tag
        ("1.12", "debian:bullseye-slim", "ca-certificates libncurses6"),
    ],
)
def test_the_libraries_of_the_virtual_machine(elixir: str, debian: str, packages: str) -> None:
    found = runtime(TEXT.format(RELEASE, START).replace("1.15", elixir))

    assert found[0] == debian
    assert any(f"--no-install-recommends {packages} \\" in line for line in found)
    assert ("ENV LANG=C.UTF-8" in found) == debian.startswith("debian")


@pytest.mark.parametrize(
    ("build", "start", "files", "copied"),
    [
        (RELEASE, START, {}, ["/app/_build/prod/rel/shop"]),
        (RELEASE, 'CMD ["_build/prod/rel/shop/bin/server"]', {}, ["/app/_build/prod/rel/shop"]),
        ("RUN mix release --path /opt/shop", 'CMD ["/opt/shop/bin/shop", "start"]', {}, ["/opt/shop"]),
        (RELEASE, START, {"priv/seeds.exs": "", "config/runtime.exs": ""}, ["/app/_build/prod/rel/shop"]),
        (RELEASE, START, {"menu.json": "{}"}, ["/app"]),
    ],
)
def test_the_release_is_copied(build: str, start: str, files: dict[str, str], copied: list[str]) -> None:
    found = runtime(TEXT.format(build, start), files)

    assert [line.rpartition(" ")[2] for line in found if line.startswith("COPY --from")] == copied


def test_a_script_that_starts_the_release_comes_along() -> None:
    files = {"run.sh": "#!/bin/sh\nexec /app/_build/prod/rel/shop/bin/shop start\n"}
    found = runtime(
        TEXT.format(f"{RELEASE}\nCOPY run.sh /usr/local/bin/run.sh", 'CMD ["/usr/local/bin/run.sh"]'), files
    )

    assert "COPY --from=build /usr/local/bin/run.sh /usr/local/bin/run.sh" in found


def test_programs_that_the_code_starts_are_installed() -> None:
    files = {"lib/shop.ex": 'defmodule Shop do\n  def log, do: System.cmd("git", ["log"])\nend\n'}

    assert any(" git " in f"{line} " for line in runtime(TEXT.format(RELEASE, START), files))


@pytest.mark.parametrize(
    ("build", "start", "why"),
    [
        (RELEASE, 'CMD ["mix", "phx.server"]', "starts mix, which builds from the sources"),
        (RELEASE, 'CMD ["iex", "-S", "mix"]', "starts iex, which builds from the sources"),
        ("RUN mix compile", START, "what is started is no release that the build makes"),
        ("RUN mix ecto.migrate", START, "what mix ecto.migrate of line 5 makes is not known"),
    ],
)
def test_what_keeps_the_stage(build: str, start: str, why: str) -> None:
    result = run(TEXT.format(build, start))

    assert result.applied == ()
    assert why in result.declined[0].reason


def test_a_second_pass_finds_nothing() -> None:
    once = run(TEXT.format(RELEASE, START)).after

    assert run(once).after == once
