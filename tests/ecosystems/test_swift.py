# ruff: noqa: E501 - a row of a table is one line
from collections.abc import Callable, Mapping

import pytest

from optimizer.ecosystems import Cache, Install, Refusal

VAPOR = '.package(url: "https://github.com/vapor/vapor.git", from: "4.89.0")'


def manifest(*dependencies: str, extra: str = "", targets: str = "") -> str:
    listed = ",\n        ".join(dependencies)
    return (
        f"// swift-tools-version:5.9\nimport PackageDescription\n{extra}\n\nlet package = Package(\n"
        f'    name: "App",\n    dependencies: [\n        // .package(path: "../old")\n        {listed}\n    ],\n'
        f'    targets: [.executableTarget(name: "App"){targets}]\n)\n'
    )


def resolved(version: str = "4.92.1", url: str = "https://github.com/vapor/vapor.git") -> str:
    return f'{{"pins": [{{"location": "{url}", "state": {{"version": "{version}"}}}}], "version": 2}}'


APP = {"Package.swift": manifest(VAPOR), "Package.resolved": resolved(), "Sources/App/main.swift": ""}
FILES = ("Package.swift", "Package.resolved")
CORE = APP | {
    "Package.swift": manifest('.package(name: "Core", path: "Core")', VAPOR),
    "Core/Package.swift": manifest('.package(path: "../Base")'),
    "Base/Package.swift": manifest(),
}


@pytest.mark.parametrize(
    ("files", "manifests"),
    [
        (APP, FILES),
        ({"Package.swift": manifest(VAPOR)}, FILES[:1]),
        (APP | {"Package@swift-5.10.swift": manifest(VAPOR)}, (*FILES, "Package@swift-5.10.swift")),
        (APP | {".swiftpm/configuration/mirrors.json": "{}"}, (*FILES, ".swiftpm/configuration/mirrors.json")),
        (CORE, (*FILES, "Core/Package.swift", "Base/Package.swift")),
        (APP | {"Package.resolved": '{"object": {"pins": [{"repositoryURL": "https://github.com/Vapor/vapor", "state": {"version": "4.89.0"}}]}, "version": 1}'}, FILES),
        (APP | {"Package.swift": manifest(VAPOR.replace('from: "', 'exact: "').replace("4.89.0", "4.92.1"))}, FILES),
        (APP | {"Package.swift": manifest(VAPOR, extra='import Foundation\nlet on = ProcessInfo.processInfo.environment["X"]')}, FILES),
    ],
)  # fmt: skip
def test_a_resolution_needs_the_manifests_only(
    ask: Callable[..., object], files: Mapping[str, str], manifests: tuple[str, ...]
) -> None:
    assert ask("swift", "swift package resolve", files) == Install(manifests, (".build",))


@pytest.mark.parametrize(
    "pins",
    [resolved("4.88.0"), resolved("5.0.0"), resolved(""), resolved(url="https://github.com/a/b"), "{}", "["],
)
def test_a_resolution_that_may_write_its_pins_runs_again_behind_the_sources(
    ask: Callable[..., object], pins: str
) -> None:
    answer = ask("swift", "swift package resolve --skip-update", APP | {"Package.resolved": pins})

    assert isinstance(answer, Install)
    assert answer.ahead is not None
    assert answer.ahead.commands == ("swift package resolve --skip-update",)


@pytest.mark.parametrize(
    ("text", "ahead", "outputs"),
    [
        ("swift build -c release --static-swift-stdlib -Xswiftc -g", "swift package resolve", (".build",)),
        ("swift build --skip-update --package-path .", "swift package resolve --skip-update --package-path .", (".build",)),
        ("swift build --scratch-path /tmp/b", "swift package resolve --scratch-path /tmp/b", ()),
        ("swift build --build-path out", "swift package resolve --build-path out", ("out",)),
        ("swift test --parallel", "swift package resolve", (".build",)),
        ("swift package clean", "swift package resolve", (".build",)),
        ("HOME=/h swift build", "HOME=/h swift package resolve", (".build",)),
    ],
)  # fmt: skip
def test_a_build_has_its_packages_fetched_ahead(
    ask: Callable[..., object], text: str, ahead: str, outputs: tuple[str, ...]
) -> None:
    answer = ask("swift", text, APP)

    assert isinstance(answer, Install), answer
    assert answer.ahead is not None
    assert (answer.ahead.commands, answer.outputs) == ((ahead,), outputs)


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("swift build", {"Package.swift": manifest()}),
        ("swift package describe", APP),
        ("swiftc main.swift", APP),
        ("swift main.swift", APP),
        ("cd /srv && swift build", APP),
    ],
)
def test_others_fetch_nothing(ask: Callable[..., object], text: str, files: Mapping[str, str]) -> None:
    assert ask("swift", text, files) is None


@pytest.mark.parametrize(
    ("text", "files", "because"),
    [
        ("swift build", {"main.swift": ""}, "the project has no Package.swift"),
        ("swift package update", APP, "changes Package.resolved"),
        ("swift package resolve vapor", APP, "of one package"),
        ("swift build --experimental-x", APP, "--experimental-x is not known"),
        ("swift build --scratch-path $B", APP, "the word $B is not known"),
        ('swift build --scratch-path "$B"', APP, "the value of --scratch-path is not known"),
        ("sudo swift build", APP, "runs within another command"),
        ("swift build", APP | {"Package.swift": manifest(VAPOR, extra="import Helper")}, "what Helper reads is not known"),
        ("swift build", APP | {"Package.swift": manifest(VAPOR, extra='let v = try! String(contentsOfFile: "V")')}, "may read other files (contentsOf)"),
        ("swift build", APP | {"Package.swift": manifest(VAPOR, extra="let g = Context.gitInformation")}, "Context.gitInformation"),
        ("swift build", APP | {"Package.swift": manifest(VAPOR, extra="let f = FileManager.default")}, "FileManager"),
        ("swift build", APP | {"Package.swift": manifest(VAPOR, targets=', .binaryTarget(name: "B", path: "b.zip")')}, "a binary target that lies in the project"),
        ("swift build", APP | {"Package.swift": manifest(VAPOR, '.package(path: "../core")')}, "lies outside of the build context"),
        ("swift build", APP | {"Package.swift": manifest(VAPOR, '.package(path: "Core")')}, "Core/Package.swift is not in the build context"),
        ("swift build", APP | {"Package.swift": manifest(VAPOR, ".package(path: folder)")}, "works out where a package lies"),
        ("swift build", APP | {".dockerignore": "Package.swift\n"}, "the project has no Package.swift"),
    ],
)  # fmt: skip
def test_says_why_packages_need_the_sources(
    ask: Callable[..., object], text: str, files: Mapping[str, str], because: str
) -> None:
    answer = ask("swift", text, files)

    assert isinstance(answer, Refusal), answer
    assert because in answer.reason


def test_keeps_the_repositories(cache: Callable[..., Cache | None], cleans: Callable[[str, str], bool]) -> None:
    found = cache("swift", "swift build -c release")

    assert found is not None
    assert found.targets == ("/root/.cache/org.swift.swiftpm", "/root/.swiftpm/cache")
    assert "leave both behind" in (found.off or "")
    assert cache("swift", "swift package describe") is None
    assert cleans("swift", "swift package purge-cache")
    assert not cleans("swift", "rm -rf .build")
