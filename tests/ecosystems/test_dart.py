# ruff: noqa: E501 - a row of a table is one line
from collections.abc import Callable, Mapping

import pytest

from optimizer.ecosystems import Cache, Install, Refusal

PUBSPEC = "name: server\nenvironment:\n  sdk: ^3.6.0\ndependencies:\n  shelf: ^1.4.0\n"
SERVER = {"pubspec.yaml": PUBSPEC, "pubspec.lock": "packages: {}\n", "bin/server.dart": ""}
FILES = ("pubspec.yaml", "pubspec.lock")
MEMBER = "name: a\nresolution: workspace\ndependencies:\n  args: ^2.0.0\n"
WORKSPACE = {
    "pubspec.yaml": "name: _\nworkspace:\n  - pkgs/a\n  - tools/*\n",
    "pubspec.lock": "",
    "pkgs/a/pubspec.yaml": MEMBER,
    "tools/b/pubspec.yaml": MEMBER,
    "tools/README.md": "",
}
MEMBERS = ("pubspec.yaml", "pubspec.lock", "pkgs/a/pubspec.yaml", "tools/b/pubspec.yaml")


def server(more: str, **files: str) -> dict[str, str]:
    return SERVER | {"pubspec.yaml": PUBSPEC + more} | files


def path(folder: str) -> str:
    return f"  model:\n    path: {folder}\n"


@pytest.mark.parametrize(
    ("text", "files", "manifests", "ahead"),
    [
        ("dart pub get", SERVER, FILES, "dart pub get"),
        ("flutter pub get", SERVER, FILES, "flutter pub get"),
        ("pub get", SERVER, FILES, "pub get"),
        ("dart pub get --enforce-lockfile", SERVER, FILES, "dart pub get --enforce-lockfile"),
        ("PUB_CACHE=/c dart pub get", SERVER, FILES, "PUB_CACHE=/c dart pub get"),
        ("flutter build web --release", SERVER, FILES, "flutter pub get"),
        ("flutter clean", SERVER, FILES, "flutter pub get"),
        ("flutter packages get", SERVER, FILES, "flutter packages get"),
        ("dart pub get", {"pubspec.yaml": PUBSPEC}, FILES[:1], "dart pub get"),
        ("dart pub get", SERVER | {"pubspec_overrides.yaml": "dependency_overrides:\n  x: ^1.0.0\n"}, (*FILES, "pubspec_overrides.yaml"), "dart pub get"),
        ("dart pub get", server(path("packages/model")) | {"packages/model/pubspec.yaml": "name: model\n"}, (*FILES, "packages/model/pubspec.yaml"), "dart pub get"),
        ("dart pub get", WORKSPACE, MEMBERS, "dart pub get"),
        ("cd pkgs/a && dart pub get", WORKSPACE, MEMBERS, "dart pub get"),
    ],
)  # fmt: skip
def test_packages_are_downloaded_without_the_sources(
    ask: Callable[..., object], text: str, files: Mapping[str, str], manifests: tuple[str, ...], ahead: str
) -> None:
    answer = ask("dart", text, files)

    assert isinstance(answer, Install), answer
    assert answer.manifests == manifests
    assert answer.ahead is not None
    assert answer.ahead.commands == (ahead,)


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("dart pub get --offline", SERVER),
        ("dart compile exe bin/server.dart", SERVER),
        ("dart run", SERVER),
        ("flutter create .", SERVER),
        ("flutter build web --no-pub", SERVER),
        ("cd /srv && dart pub get", SERVER),
        ("dart pub get", {"pubspec.yaml": "name: a\ndependencies:\n  flutter:\n    sdk: flutter\n"}),
        ("dart", SERVER),
    ],
)
def test_others_download_nothing(ask: Callable[..., object], text: str, files: Mapping[str, str]) -> None:
    assert ask("dart", text, files) is None


@pytest.mark.parametrize("text", ["dart pub global activate melos", "flutter --version", "flutter config --enable-web"])
def test_tools_read_nothing(ask: Callable[..., object], text: str) -> None:
    assert ask("dart", text, SERVER) == Install(())


@pytest.mark.parametrize(
    ("text", "files", "env", "because"),
    [
        ("dart pub get", {"bin/a.dart": ""}, {}, "the project has no pubspec.yaml"),
        ("dart pub upgrade", SERVER, {}, "pub upgrade changes which packages are used"),
        ("dart pub add http", SERVER, {}, "pub add changes"),
        ("dart pub get http", SERVER, {}, "knows no names of packages"),
        ("dart pub get -C bin", SERVER, {}, "told of another folder"),
        ("dart pub get --precompile", SERVER, {}, "--precompile is not known"),
        ("dart pub get $FLAGS", SERVER, {}, "not known before the command runs"),
        ("sudo dart pub get", SERVER, {}, "runs within another command"),
        ("dart pub global activate --source path .", SERVER, {}, "may be the project"),
        ("dart pub get", SERVER, {"PUB_CACHE": None}, "PUB_CACHE is not known"),
        ("dart pub get", server(path("../model")), {}, "lies outside of the build context"),
        ("dart pub get", server(path("/model")), {}, "lies outside of the build context"),
        ("dart pub get", server(path("model")), {}, "model/pubspec.yaml is not in the build context"),
        ("dart pub get", server("  m:\n    git: ../m\n"), {}, "a repository in the folder ../m"),
        ("dart pub get", SERVER | {"pubspec.yaml": "- a\n"}, {}, "pubspec.yaml is not understood"),
        ("dart pub get", SERVER | {"pubspec_overrides.yaml": "- a\n"}, {}, "pubspec_overrides.yaml is not understood"),
        ("dart pub get", {"pubspec.yaml": MEMBER}, {}, "the workspace's own pubspec.yaml is not among"),
        ("dart pub get", {"pubspec.yaml": "name: _\nworkspace: [../a]\n"}, {}, "lies outside of the build context"),
        ("flutter pub get", server("flutter:\n  generate: true\n"), {}, "generated from other files"),
        ("flutter pub get", server("flutter:\n  module:\n    androidX: true\n"), {}, "is a module"),
    ],
)  # fmt: skip
def test_says_why_packages_need_the_sources(
    ask: Callable[..., object], text: str, files: Mapping[str, str], env: Mapping[str, str], because: str
) -> None:
    answer = ask("dart", text, files, env=env)

    assert isinstance(answer, Refusal), answer
    assert because in answer.reason


def test_keeps_the_cache_of_pub(cache: Callable[..., Cache | None], cleans: Callable[[str, str], bool]) -> None:
    found = cache("dart", "dart pub get")

    assert found is not None
    assert found.targets == ("/root/.pub-cache",)
    assert "leave it behind" in (found.off or "")
    assert cache("dart", "dart compile exe a.dart") is None
    assert cleans("dart", "dart pub cache clean")
    assert cleans("dart", "rm -rf /root/.pub-cache")
    assert not cleans("dart", "rm -rf build")
