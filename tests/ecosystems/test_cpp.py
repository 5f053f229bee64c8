# ruff: noqa: E501 - a row of a table is one line
from collections.abc import Callable, Mapping

import pytest

from optimizer.ecosystems import Cache, Install, Refusal

APP = {"vcpkg.json": '{"dependencies": ["fmt"]}', "CMakeLists.txt": "project(app)\n", "main.cpp": ""}
TOOLCHAIN = "-DCMAKE_TOOLCHAIN_FILE=/opt/vcpkg/scripts/buildsystems/vcpkg.cmake"
BUILD = "/opt/vcpkg/vcpkg install --x-install-root=/tmp/vcpkg_installed"
PORTS = {"ports/fmt/portfile.cmake": "", "ports/fmt/vcpkg.json": "{}"}


def vcpkg(manifest: str, **files: str) -> dict[str, str]:
    return APP | {"vcpkg.json": manifest} | files


@pytest.mark.parametrize(
    ("text", "files", "manifests", "outputs"),
    [
        ("vcpkg install", APP, ("vcpkg.json",), ("vcpkg_installed",)),
        ("/opt/vcpkg/vcpkg install --triplet x64-linux --clean-after-build", APP, ("vcpkg.json",), ("vcpkg_installed",)),
        ("vcpkg install --x-install-root=/deps", APP, ("vcpkg.json",), ()),
        ("vcpkg install --x-install-root=build/vcpkg_installed", APP, ("vcpkg.json",), ("build/vcpkg_installed",)),
        ("vcpkg install --overlay-ports=ports", APP | PORTS, ("vcpkg.json", "ports"), ("vcpkg_installed",)),
        ("vcpkg install --x-manifest-root=cpp", {f"cpp/{name}": text for name, text in APP.items()}, ("cpp/vcpkg.json",), ("cpp/vcpkg_installed",)),
        ("vcpkg install", vcpkg('{"dependencies": ["fmt"], "vcpkg-configuration": {"overlay-ports": ["./ports"]}}') | PORTS, ("vcpkg.json", "ports"), ("vcpkg_installed",)),
        ("vcpkg install", APP | PORTS | {"vcpkg-configuration.json": '{"registries": [{"kind": "filesystem", "path": "ports"}, {"kind": "git"}]}'}, ("vcpkg.json", "vcpkg-configuration.json", "ports"), ("vcpkg_installed",)),
        ("vcpkg install fmt zlib:x64-linux", APP, (), ()),
        ("VCPKG_ROOT=/v; ${VCPKG_ROOT}/vcpkg install", APP, ("vcpkg.json",), ("vcpkg_installed",)),
    ],
)  # fmt: skip
def test_libraries_need_the_manifest_only(
    ask: Callable[..., object], text: str, files: Mapping[str, str], manifests: tuple[str, ...], outputs: tuple[str, ...]
) -> None:  # fmt: skip
    assert ask("vcpkg", text, files) == Install(manifests, outputs)


@pytest.mark.parametrize(
    ("text", "env", "build"),
    [
        (f"cmake -B build -S . {TOOLCHAIN}", {}, BUILD),
        (f"cmake -Bbuild {TOOLCHAIN} -DCMAKE_BUILD_TYPE=Release", {}, BUILD),
        (f"cd build && cmake .. {TOOLCHAIN}", {}, BUILD),
        ("cmake -B build --toolchain /opt/vcpkg/scripts/buildsystems/vcpkg.cmake", {}, BUILD),
        ("cmake -B build", {"CMAKE_TOOLCHAIN_FILE": "/opt/vcpkg/scripts/buildsystems/vcpkg.cmake"}, BUILD),
        ("cmake -B build -D CMAKE_TOOLCHAIN_FILE=$VCPKG_ROOT/scripts/buildsystems/vcpkg.cmake", {"VCPKG_ROOT": "/opt/vcpkg"}, BUILD.replace("/opt/vcpkg", "$VCPKG_ROOT")),
        (f"cmake -B build {TOOLCHAIN} -DVCPKG_TARGET_TRIPLET=x64-linux-dynamic", {}, f"{BUILD} --triplet=x64-linux-dynamic"),
        (f'cmake -B build {TOOLCHAIN} "-DVCPKG_MANIFEST_FEATURES=tests;tools"', {}, f"{BUILD} --x-feature=tests --x-feature=tools"),
    ],
)  # fmt: skip
def test_libraries_are_built_ahead_of_cmake(
    ask: Callable[..., object], text: str, env: Mapping[str, str], build: str
) -> None:
    answer = ask("vcpkg", text, APP, env=env)

    assert isinstance(answer, Install), answer
    assert answer.ahead is not None
    assert answer.manifests == ("vcpkg.json",)
    assert answer.ahead.commands == (build, "rm -rf /tmp/vcpkg_installed")


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("cmake -B build", APP),
        ("cmake --build build", APP),
        (f"cmake -B build {TOOLCHAIN} -DVCPKG_MANIFEST_MODE=OFF", APP),
        (f"cmake -B build {TOOLCHAIN}", {"CMakeLists.txt": ""}),
        (f"cmake -B build {TOOLCHAIN}", vcpkg("{}")),
        (f"cmake -S /srv -B build {TOOLCHAIN}", APP),
        ("cmake -P script.cmake", APP),
        ("vcpkg integrate install", APP),
        ("vcpkg install", vcpkg('{"name": "app"}')),
    ],
)
def test_others_build_no_libraries(ask: Callable[..., object], text: str, files: Mapping[str, str]) -> None:
    assert ask("vcpkg", text, files) is None


@pytest.mark.parametrize(
    ("text", "files", "env", "because"),
    [
        ("vcpkg install", {"main.cpp": ""}, {}, "the project has no vcpkg.json"),
        ("$VCPKG_ROOT/vcpkg install", APP, {}, "where vcpkg is cannot be told"),
        ("vcpkg install", vcpkg("["), {}, "vcpkg.json is not understood"),
        ("vcpkg install --x-unknown", APP, {}, "--x-unknown is not known"),
        ('vcpkg install --x-install-root="$R"', APP, {}, "the value of --x-install-root is not known"),
        ("./vcpkg/vcpkg install", APP | {"vcpkg/vcpkg": ""}, {}, "among the copied files"),
        ("vcpkg install", APP | PORTS, {"VCPKG_OVERLAY_PORTS": "/app/ports"}, "among the copied files"),
        ("vcpkg install", APP, {"VCPKG_ROOT": None}, "a value that is not known"),
        ("vcpkg install --overlay-ports=ports", APP, {}, "ports is no folder of ports"),
        ("vcpkg install --overlay-ports=ports", APP | {"ports/a/portfile.cmake": "file(COPY ${CURRENT_PORT_DIR}/../../src)"}, {}, "takes files of other folders"),
        ("vcpkg install", APP | {"vcpkg-configuration.json": '{"overlay-ports": ["../ports"]}'}, {}, "outside of the project's folders"),
        ("vcpkg install", APP | {"vcpkg-configuration.json": '{"overlay-triplets": ["/triplets"]}'}, {}, "outside of the project's folders"),
        (f"cmake -B build {TOOLCHAIN}", APP | {"CMakeLists.txt": "set(VCPKG_TARGET_TRIPLET x)\nproject(a)"}, {}, "CMakeLists.txt has settings for vcpkg"),
        (f"cmake -B build {TOOLCHAIN} -DVCPKG_OVERLAY_PORTS=ports", APP | PORTS, {}, "CMake is given VCPKG_OVERLAY_PORTS"),
        (f"cmake -B build {TOOLCHAIN}", APP, {"VCPKG_BINARY_SOURCES": "clear"}, "may not keep what it builds"),
        ("cmake -B build -DCMAKE_TOOLCHAIN_FILE=$R/scripts/buildsystems/vcpkg.cmake", APP, {}, "where vcpkg is cannot be told"),
        ("cmake -B build -DCMAKE_TOOLCHAIN_FILE=vcpkg/scripts/buildsystems/vcpkg.cmake", APP | {"vcpkg/vcpkg": ""}, {}, "among the copied files"),
        (f"sudo -u me cmake -B build {TOOLCHAIN}", APP, {}, "cmake runs as another user"),
        (f"cmake -B build {TOOLCHAIN} -DVCPKG_TARGET_TRIPLET=$T", APP, {}, "the value of VCPKG_TARGET_TRIPLET is not known"),
    ],
)  # fmt: skip
def test_says_why_libraries_need_the_sources(
    ask: Callable[..., object], text: str, files: Mapping[str, str], env: Mapping[str, str | None], because: str
) -> None:
    answer = ask("vcpkg", text, files, env=env)

    assert isinstance(answer, Refusal), answer
    assert because in answer.reason


@pytest.mark.parametrize(
    ("path", "text", "command"),
    [
        ("CMakeLists.txt", "include(FetchContent)\nFetchContent_Declare(fmt\n  URL x)", "FetchContent_Declare"),
        ("CMakeLists.txt", "ExternalProject_Add(fmt URL x)", "ExternalProject_Add"),
        ("cmake/deps.cmake", '  CPMAddPackage("gh:fmtlib/fmt#10.2.1")', "CPMAddPackage"),
    ],
)
def test_cmake_downloads_while_it_reads_the_sources(
    ask: Callable[..., object], path: str, text: str, command: str
) -> None:
    answer = ask("cmake", "cmake -B build", {"CMakeLists.txt": "", "main.cpp": "", path: text})

    assert answer == Refusal(f"cmake downloads what {path} names ({command}) while it reads the sources")
    assert ask("cmake", "cmake --build build", {path: text, "CMakeLists.txt": text}) is None


def test_cmake_without_downloads_has_nothing_to_say(
    ask: Callable[..., object], cache: Callable[..., Cache | None], cleans: Callable[[str, str], bool]
) -> None:
    assert ask("cmake", "cmake -B build", {"CMakeLists.txt": "# FetchContent_Declare(fmt)\nproject(a)"}) is None
    assert cache("cmake", "cmake -B build") is None
    assert not cleans("cmake", "rm -rf build")


WRAPPED = {
    "meson.build": "project('app', 'c')\n",
    "subprojects/zlib.wrap": "[wrap-file]\ndirectory = zlib-1.3\nsource_url = https://example.com/z.tgz\n",
    "subprojects/fmt.wrap": "[wrap-git]\nurl = https://example.com/fmt.git\nrevision = 1\npatch_directory = fmt\n",
    "subprojects/packagefiles/fmt/meson.build": "",
    "main.c": "",
    ".dockerignore": "subprojects/zlib-1.3\nsubprojects/fmt\n",
}


def test_subprojects_need_the_wrap_files_only(ask: Callable[..., object]) -> None:
    assert ask("meson", "meson subprojects download", WRAPPED) == Install(
        ("meson.build", "subprojects/fmt.wrap", "subprojects/zlib.wrap", "subprojects/packagefiles"),
        ("subprojects/fmt", "subprojects/zlib-1.3"),
    )


@pytest.mark.parametrize(
    ("text", "files", "because"),
    [
        ("meson subprojects download", {"main.c": ""}, "meson.build is not in the build context"),
        ("meson subprojects download", WRAPPED | {"meson.build": "project('a', subproject_dir: 'deps')"}, "another folder of subprojects"),
        ("meson subprojects download --x", WRAPPED, "--x is not known"),
        ("meson subprojects download", WRAPPED | {".dockerignore": "subprojects/zlib-1.3\nsubprojects/fmt\nsubprojects/packagefiles\n"}, "the patches of a subproject"),
        ("meson subprojects download", WRAPPED | {"subprojects/zlib.wrap": "[wrap-redirect]\nfilename = fmt/subprojects/zlib.wrap\ndirectory = zlib-1.3\n"}, "stands for one of a subproject's"),
        ("meson setup build", WRAPPED, "meson downloads what fmt.wrap names only where the sources need it"),
        ("meson build", WRAPPED, "only where the sources need it"),
    ],
)  # fmt: skip
def test_says_why_subprojects_need_the_sources(
    ask: Callable[..., object], text: str, files: Mapping[str, str], because: str
) -> None:
    answer = ask("meson", text, files)

    assert isinstance(answer, Refusal), answer
    assert because in answer.reason


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("meson setup build", {"meson.build": "", "main.c": ""}),
        (
            "meson setup build",
            {"meson.build": "", "subprojects/a.wrap": "[wrap-git]\n", "subprojects/a/meson.build": ""},
        ),
        ("meson compile -C build", WRAPPED),
        ("meson --version", WRAPPED),
        ("cd /srv && meson setup build", WRAPPED),
    ],
)
def test_others_download_no_subprojects(ask: Callable[..., object], text: str, files: Mapping[str, str]) -> None:
    assert ask("meson", text, files) is None


def test_keeps_the_archives_of_libraries(
    cache: Callable[..., Cache | None], cleans: Callable[[str, str], bool]
) -> None:
    found = cache("vcpkg", "vcpkg install")

    assert found is not None
    assert found.targets == ("/root/.cache/vcpkg/archives",)
    assert "leave them behind" in (found.off or "")
    assert cache("vcpkg", "cmake -B build") is None
    assert cleans("vcpkg", "rm -rf ~/.cache/vcpkg")
    assert not cleans("vcpkg", "rm -rf build")
    assert cache("meson", "meson setup build") is None
    assert not cleans("meson", "rm -rf build")
