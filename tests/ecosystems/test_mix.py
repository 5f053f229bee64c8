# ruff: noqa: E501 - a row of a table is one line
from collections.abc import Callable, Mapping

import pytest

from optimizer.ecosystems import Cache, Install, Refusal

MIX = """\
defmodule Shop.MixProject do
  use Mix.Project

  def project do
    [
      app: :shop,
      version: "0.1.0",
      start_permanent: Mix.env() == :prod,
      aliases: [setup: ["deps.get"]],
      deps: deps()
    ]
  end

  # File.read!("x") is no more than a comment here
  defp deps do
    [
      {:jason, "~> 1.4"},
      {:plug, ">= 1.0.0", only: [:dev, :test]},
      {:icons, github: "a/icons", tag: "v2.1.1", app: false}
    ]
  end
end
"""
SUM = "0123456789abcdef" * 4
LOCK = f"""\
%{{
  "icons": {{:git, "https://github.com/a/icons.git", "{SUM[:40]}", [tag: "v2.1.1"]}},
  "jason": {{:hex, :jason, "1.4.4", "{SUM}", [:mix], [{{:decimal, "~> 1.0", [hex: :decimal]}}], "hexpm", "{SUM}"}},
  "plug": {{:hex, :plug, "1.16.1", "{SUM}", [:mix], [], "hexpm", "{SUM}"}},
}}
"""
CONFIG = 'import Config\n\nconfig :shop, Shop.Endpoint, cd: Path.expand("../assets", __DIR__)\nimport_config "#{config_env()}.exs"\n'
SHOP = {
    "mix.exs": MIX,
    "mix.lock": LOCK,
    "config/config.exs": CONFIG,
    "config/prod.exs": "import Config\n",
    "config/runtime.exs": 'File.read!("key")\n',
    "lib/shop.ex": "",
}
FILES = ("mix.exs", "mix.lock", "config")
OUTPUTS = ("deps", "_build")
UMBRELLA = {
    "mix.exs": MIX.replace("app: :shop,", 'apps_path: "apps",'), "mix.lock": LOCK,
    "apps/web/mix.exs": MIX.replace("      {:jason", "      {:core, in_umbrella: true},\n      {:jason").replace("app: :shop,", 'app: :web, deps_path: "../../deps",'),
    "apps/core/mix.exs": MIX,
}  # fmt: skip
APPS = ("mix.exs", "mix.lock", "apps/core/mix.exs", "apps/web/mix.exs")


def mix(old: str, new: str) -> dict[str, str]:
    assert old in MIX
    return SHOP | {"mix.exs": MIX.replace(old, new)}


def lock(old: str, new: str) -> dict[str, str]:
    assert old in LOCK
    return SHOP | {"mix.lock": LOCK.replace(old, new)}


@pytest.mark.parametrize(
    ("text", "files", "expected"),
    [
        ("mix deps.get", SHOP, Install(FILES, OUTPUTS)),
        ("mix deps.get --only prod", SHOP, Install(FILES, OUTPUTS)),
        ("mix deps.compile", SHOP, Install(FILES, OUTPUTS)),
        ("mix deps.compile jason", SHOP, Install(FILES, OUTPUTS)),
        ("MIX_ENV=prod mix deps.compile", SHOP, Install(FILES, OUTPUTS)),
        ("mix deps.get", {"mix.exs": MIX}, Install(("mix.exs",), OUTPUTS)),
        ("mix deps.get", mix('"0.1.0"', 'File.read!("VERSION") |> String.trim()') | {"VERSION": "1"}, Install((*FILES[:2], "VERSION", "config"), OUTPUTS)),
        ("mix deps.get", mix('"0.1.0"', '"0.1.0", extras: ["README.md", "CHANGES.md"]'), Install(FILES, OUTPUTS)),
        ("mix deps.get", mix('"0.1.0"', '"0.1.0", compilers: [:phoenix] ++ Mix.compilers()'), Install(FILES, OUTPUTS)),
        ("mix deps.get --check-locked", lock("1.4.4", "1.3.0"), Install(FILES, OUTPUTS)),
        ("mix deps.get", UMBRELLA, Install(APPS, OUTPUTS)),
        ("mix deps.compile --skip-umbrella-children", UMBRELLA, Install(APPS, OUTPUTS)),
        ("mix local.hex --force", {}, Install(())),
        ("mix local.rebar --force", SHOP, Install(())),
        ("mix compile", SHOP, None),
        ("mix release", SHOP, None),
        ("cd /srv && mix deps.get", SHOP, None),
    ],
)  # fmt: skip
def test_dependencies_need_no_sources(
    ask: Callable[..., object], text: str, files: Mapping[str, str], expected: object
) -> None:
    assert ask("mix", text, files) == expected


@pytest.mark.parametrize(
    ("text", "files", "env", "because"),
    [
        ("mix deps.get", {"lib/shop.ex": ""}, {}, "mix.exs is not in the build context"),
        ("mix deps.get", mix('">= 1.0.0"', 'path: "plug"'), {}, "mix.exs names a place (path)"),
        ("mix deps.get", mix("app: :shop", 'lockfile: "a.lock"'), {}, "mix.exs names a place (lockfile)"),
        ("mix deps.get", mix('github: "a/icons"', 'git: "../icons"'), {}, "comes from a folder"),
        ("mix deps.get", mix('"0.1.0"', 'System.cmd("git", [])'), {}, "what System.cmd reads is not known"),
        ("mix deps.get", mix('"0.1.0"', 'hd(~w("a", b)) <> System.cmd("git", [])'), {}, "what System.cmd reads is not known"),
        ("mix deps.get", mix('"0.1.0"', ":os.cmd('git')"), {}, "what :os.cmd reads is not known"),
        ("mix deps.get", mix('"0.1.0"', 'File.read!("VERSION")'), {}, "VERSION is not in the build context"),
        ("mix deps.get", mix("use Mix.Project", "use Mix.Project\n  import Shop.Helper"), {}, "what import brings"),
        ("mix deps.get", mix("setup:", '"deps.get":'), {}, "mix.exs has an alias"),
        ("mix local.hex", mix("setup:", '"local.hex":'), {}, "mix.exs has an alias"),
        ("mix deps.compile", SHOP | {"config/prod.exs": 'File.read!("a")'}, {}, "config/prod.exs is a program"),
        ("mix deps.compile", SHOP | {"config/prod.exs": 'import_config "../apps/a.exs"'}, {}, "imports configuration from elsewhere"),
        ("mix deps.compile", UMBRELLA, {}, "compiles the applications of the umbrella too"),
        ("mix deps.get", UMBRELLA | {"apps/core/mix.exs": MIX.replace('">= 1.0.0"', 'path: "x"')}, {}, "a dependency of apps/core/mix.exs is a folder"),
        ("mix deps.get", mix("{:jason, ", "{:json, "), {}, "mix.lock may not have the json"),
        ("mix deps.get", lock("1.4.4", "1.3.9"), {}, "mix.lock may not have the jason"),
        ("mix deps.get", lock("1.4.4", "2.0.0"), {}, "mix.lock may not have the jason"),
        ("mix deps.get", mix("~> 1.4", "~> 1.4 or ~> 2.0"), {}, "mix.lock may not have the jason"),
        ("mix deps.get", lock("v2.1.1", "v2.0.0"), {}, "mix.lock may not have the icons"),
        ("mix deps.get", lock(f'"hexpm", "{SUM}"', '"hexpm"'), {}, "an entry that is not understood"),
        ("mix deps.get", mix("app: false}\n    ]", "app: false}\n    ] ++ more()"), {}, "are not written out"),
        ("mix deps.get $FLAGS", SHOP, {}, "not known before the command runs"),
        ("mix deps.get jason", SHOP, {}, "knows no names of dependencies"),
        ("mix local.rebar rebar3 ./rebar3", SHOP, {}, "may take a file of the project"),
        ("mix deps.get", SHOP, {"MIX_DEPS_PATH": "/deps"}, "MIX_DEPS_PATH may name a place"),
    ],
)  # fmt: skip
def test_says_why_dependencies_need_the_sources(
    ask: Callable[..., object], text: str, files: Mapping[str, str], env: Mapping[str, str], because: str
) -> None:
    answer = ask("mix", text, files, env=env)

    assert isinstance(answer, Refusal)
    assert because in answer.reason


def test_keeps_the_packages(cache: Callable[..., Cache | None], cleans: Callable[[str, str], bool]) -> None:
    found = cache("mix", "mix deps.get")

    assert found is not None
    assert found.targets == ("/root/.hex/packages",)
    assert "leave it in a build stage" in (found.off or "")
    assert cleans("mix", "rm -rf ~/.hex")
    assert not cleans("mix", "rm -rf deps")
    assert cache("mix", "mix compile") is None
