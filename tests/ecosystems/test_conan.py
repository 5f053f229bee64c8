# ruff: noqa: E501 - a row of a table is one line
from collections.abc import Callable, Mapping

import pytest

from optimizer.ecosystems import Cache, Install, Refusal

TEXT = "[requires]\nfmt/10.2.1  # for logs\n\n[generators]\nCMakeDeps\nCMakeToolchain\n"
APP = {"conanfile.txt": TEXT, "CMakeLists.txt": "project(app)\n", "main.cpp": ""}
FILES = ("conanfile.txt", "CMakeLists.txt")
PYTHON = """\
import os
from conan import ConanFile
from conan.tools.cmake import CMake, CMakeToolchain, CMakeDeps, cmake_layout
from conan.tools.files import copy


class App(ConanFile):
    settings = "os", "compiler", "build_type", "arch"
    options = {"shared": [True, False]}

    def requirements(self):
        self.requires("fmt/10.2.1")
        if self.settings.os == "Linux":
            self.requires("libuv/1.48.0", force=True)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        tc = CMakeToolchain(self)
        tc.variables["X"] = str(self.options.get_safe("shared"))
        tc.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
"""


def recipe(old: str = "", new: str = "", **more: str) -> dict[str, str]:
    assert old in PYTHON
    return {"conanfile.py": PYTHON.replace(old, new), "CMakeLists.txt": "", "main.cpp": ""} | more


def text(old: str, new: str) -> dict[str, str]:
    assert old in TEXT
    return APP | {"conanfile.txt": TEXT.replace(old, new)}


@pytest.mark.parametrize(
    ("command", "files", "manifests", "outputs"),
    [
        ("conan install . --output-folder=build --build=missing", APP, FILES, ("build",)),
        ("conan install . -of build --build missing -s build_type=Release", APP, FILES, ("build",)),
        ("conan install . -of=build -pr:b=default", APP, FILES, ("build",)),
        ("conan install . -if build -b missing", APP, FILES, ("build",)),
        ("conan install /app/conanfile.txt -of /tmp/b", APP, FILES, ()),
        ("conan install .", APP, FILES, ()),
        ("conan install .", APP | {"conan_toolchain.cmake": "", "fmt-config.cmake": "", "x.cmake": ""}, FILES, ("conan_toolchain.cmake", "fmt-config.cmake")),
        ("cd build && conan install ..", APP, FILES, ("build",)),
        ("conan install . --build=missing", text("[requires]", "[layout]\ncmake_layout\n\n[requires]"), FILES, ("build",)),
        ("conan install .", text("CMakeToolchain\n", ""), FILES[:1], ()),
        ("conan install . -pr profiles/linux", APP | {"profiles/linux": "[settings]\nos=Linux\n"}, (*FILES, "profiles/linux"), ()),
        ("conan install . --lockfile=ci/conan.lock", APP | {"ci/conan.lock": "{}"}, (*FILES, "ci/conan.lock"), ()),
        ("conan install .", APP | {"conan.lock": "{}", ".conanrc": ""}, (*FILES, "conan.lock", ".conanrc"), ()),
        ("conan install . --build=missing", recipe(), ("conanfile.py", "CMakeLists.txt"), ("build",)),
        ("conan install .", recipe("cmake_layout(self)", 'cmake_layout(self, build_folder="out")'), ("conanfile.py", "CMakeLists.txt"), ("out",)),
        ("conan install .", recipe(**{"conandata.yml": "x: 1\n"}), ("conanfile.py", "conandata.yml", "CMakeLists.txt"), ("build",)),
        ("conan install cpp", {"cpp/conanfile.txt": "[requires]\nfmt/10.2.1\n", "main.cpp": ""}, ("cpp/conanfile.txt",), ()),
        ("conan export recipes/fmt", {"recipes/fmt/conanfile.py": PYTHON, "recipes/fmt/fix.patch": "", "main.cpp": ""}, ("recipes/fmt",), ()),
        ("conan config install ci/conan", {"ci/conan/profiles/x": "", "main.cpp": ""}, ("ci/conan",), ()),
        ("conan config install https://example.com/c.git", APP, (), ()),
        ("conan profile detect --force", APP, (), ()),
        ("conan remote add ours https://example.com/conan", APP, (), ()),
        ("conan --version", APP, (), ()),
        ("conan install --requires=fmt/10.2.1", APP, (), ()),
    ],
)  # fmt: skip
def test_packages_need_the_conanfile_only(
    ask: Callable[..., object], command: str, files: Mapping[str, str], manifests: tuple[str, ...], outputs: tuple[str, ...]
) -> None:  # fmt: skip
    assert ask("conan", command, files) == Install(manifests, outputs)


@pytest.mark.parametrize(
    ("command", "files"),
    [
        ("conan install .", APP | {"conanfile.txt": "[generators]\nCMakeDeps\n"}),
        ("conan install zlib/1.3@", {"main.cpp": ""}),
        ("conan remote add local ./recipes", {"recipes/x": ""}),
        ("cd /srv && conan install .", APP),
        ("conan inspect .", APP),
    ],
)
def test_others_install_nothing(ask: Callable[..., object], command: str, files: Mapping[str, str]) -> None:
    answer = ask("conan", command, files)

    assert answer is None or isinstance(answer, Refusal)


@pytest.mark.parametrize(
    ("command", "files", "env", "because"),
    [
        ("conan install .", {"main.cpp": ""}, {}, "conanfile.txt is not in the build context"),
        ("conan install .", APP | {"conanfile.py": PYTHON}, {}, "the project has two conanfiles"),
        ("conan install . --lockfile-out=x.lock", APP, {}, "writes a lock file"),
        ("conan install . --deployer=full_deploy", APP, {}, "--deployer=full_deploy is not known"),
        ("conan install . -pr profiles/linux", APP, {}, "profiles/linux is not among the copied files"),
        ("conan install . -pr profiles/linux", APP | {"profiles/linux": "include(base)\n"}, {}, "is made of others"),
        ("conan install . -pr linux", APP | {"linux": "", ".dockerignore": "linux\n"}, {}, "linux is kept out of the build"),
        ("conan install . -of $OUT", APP, {}, "the word $OUT is not known"),
        ('conan install . -of "$OUT"', APP, {}, "the folder for what conan install generates is not known"),
        ("conan install .", text("[generators]", "[imports]\nbin, *.so -> lib\n[generators]"), {}, "copies files of packages into the project"),
        ("conan install .", text("[generators]", "[layout]\nvs_layout\n[generators]"), {}, "has a layout that is not known (vs_layout)"),
        ("conan install .", APP | {"CMakeUserPresets.json": "{}"}, {}, "has presets written beside the sources"),
        ("conan install .", APP | {"conanws.yml": ""}, {}, "the project is a workspace"),
        ("conan install .", APP, {"CONAN_HOME": "/app/.conan"}, "CONAN_HOME may name a place in the project"),
        ("conan install .", recipe("import os", "import helpers"), {}, "conanfile.py is a program that uses helpers"),
        ("conan install .", recipe('"X"', 'open("x").read()'), {}, "what read reads is not known"),
        ("conan install .", recipe("import os", "import os\nos.system('x')"), {}, "what system reads is not known"),
        ("conan install .", recipe("cmake_layout(self)", "cmake_layout(self, src_folder='src')"), {}, "has a layout of its own"),
        ("conan install .", recipe("cmake_layout(self)", "self.folders.build = 'b'"), {}, "has a layout of its own"),
        ("conan install .", recipe("cmake_layout(self)", "cmake_layout(self, generator='Ninja')"), {}, "has a layout of its own"),
        ("conan install .", recipe("settings =", "python_requires = 'base/1.0'\n    settings ="), {}, "may read other files (python_requires)"),
        ("conan install .", recipe("class", "clas"), {}, "conanfile.py is not understood"),
        ("conan build .", APP, {}, "conan build builds the project from its sources"),
        ("conan create .", APP, {}, "conan create builds the project from its sources"),
        ("conan export .", recipe(), {}, "takes the project's own sources"),
        ("conan export recipes/fmt", {"recipes/fmt/conanfile.py": PYTHON + '    exports_sources = "../src/*"\n'}, {}, "exports files of other folders"),
    ],
)  # fmt: skip
def test_says_why_packages_need_the_sources(
    ask: Callable[..., object], command: str, files: Mapping[str, str], env: Mapping[str, str], because: str
) -> None:
    answer = ask("conan", command, files, env=env)

    assert isinstance(answer, Refusal), answer
    assert because in answer.reason


def test_keeps_the_packages(cache: Callable[..., Cache | None], cleans: Callable[[str, str], bool]) -> None:
    found = cache("conan", "conan install .")

    assert found is not None
    assert found.targets == ("/root/.conan2", "/root/.conan")
    assert "leave it behind" in (found.off or "")
    assert cache("conan", "conan profile detect") is None
    assert cleans("conan", "conan cache clean '*'")
    assert cleans("conan", "rm -rf ~/.conan2")
    assert not cleans("conan", "rm -rf build")
