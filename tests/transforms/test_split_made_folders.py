"""Installs in a folder that a mkdir makes among the sources."""

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, optimize

PLAN = Plan(select=frozenset({"split-manifest-copy"}))
APP = {"conanfile.txt": "[requires]\nfmt/10.2.1\n", "src/main.cpp": "", ".dockerignore": "build\nb\n"}
FIRST = "FROM gcc:13\nWORKDIR /app\n"


def rewritten(text: str, files: dict[str, str]) -> tuple[str, list[str]]:
    result = optimize(f"{FIRST}{text}\n", Context.of(APP | files), PLAN)
    return result.after.removeprefix(FIRST).removesuffix("\n"), [declined.reason for declined in result.declined]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "COPY . .\nRUN mkdir build && cd build && conan install .. && make",
            "COPY conanfile.txt ./\nRUN mkdir build && cd build && conan install ..\nCOPY . .\nRUN cd build && make",
        ),
        (
            "COPY . .\nRUN mkdir -p /app/build\nRUN conan install . -of build\nRUN make",
            "COPY conanfile.txt ./\nRUN mkdir -p /app/build\nRUN conan install . -of build\nCOPY . .\nRUN make",
        ),
    ],
)
def test_the_folder_is_made_above_the_sources(before: str, after: str) -> None:
    assert rewritten(before, {}) == (after, [])


@pytest.mark.parametrize(
    ("text", "files", "because"),
    [
        ("COPY . .\nRUN mkdir -p src && cd src && conan install ..", {}, "mkdir makes /app/src, which the COPY brings"),
        ("COPY . .\nRUN mkdir -p src/b && cd src/b && conan install ../..", {}, "in a folder that may be the COPY's"),
        ("COPY . .\nRUN mkdir -m 700 b && conan install . -of b", {}, "sets the mode of a folder"),
        ("COPY . .\nRUN mkdir --mode=700 b && conan install . -of b", {}, "sets the mode of a folder"),
        ("COPY . .\nRUN cd build && conan install ..", {}, "build is there only when the sources are copied"),
        ("COPY . .\nRUN mkdir build && conan install . -of build", {"build/x": "", ".dockerignore": ""}, "mkdir makes"),
    ],
)
def test_other_folders_stay(text: str, files: dict[str, str], because: str) -> None:
    after, reasons = rewritten(text, files)

    assert after == text
    assert any(because in reason for reason in reasons), reasons
