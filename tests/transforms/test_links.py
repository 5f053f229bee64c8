"""Symbolic links in the build context keep the sources where they are."""

import json
from pathlib import Path

import pytest

from optimizer.cli.disk import read_context
from optimizer.engine import Result, optimize

FILES = {
    "package.json": json.dumps({"name": "a", "dependencies": {"x": "1"}, "scripts": {"postinstall": "patch-package"}}),
    "package-lock.json": json.dumps(
        {"name": "a", "lockfileVersion": 3, "packages": {"": {"dependencies": {"x": "1"}}}}
    ),
    "source/a.js": "1\n",
    "real/x.patch": "x\n",
}
IN_THE_FOLDER = "FROM node:22\nWORKDIR /a\nCOPY . .\nRUN npm ci\n"
IN_A_FOLDER_OF_IT = "FROM node:22\nCOPY . /a\nWORKDIR /a/src\nRUN cd .. && npm ci\n"


def run(folder: Path, text: str, links: dict[str, str]) -> Result:
    for path, content in FILES.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(content)
    for path, target in links.items():
        (folder / path).symlink_to(target)
    return optimize(text, read_context(folder, folder / "Dockerfile"))


@pytest.mark.parametrize(
    ("text", "links", "reason"),
    [
        (IN_THE_FOLDER, {"patches": "real"}, "patches is a link to a folder"),
        (IN_THE_FOLDER, {"patches": "/nowhere"}, "patches is a link to a folder"),
        (IN_A_FOLDER_OF_IT, {"src": "source"}, "WORKDIR makes /a/src where the COPY brings a link"),
    ],
)
def test_declines(tmp_path: Path, text: str, links: dict[str, str], reason: str) -> None:
    result = run(tmp_path, text, links)

    assert "COPY package.json" not in result.after
    assert [d for d in result.declined if reason in d.reason], [d.reason for d in result.declined]


@pytest.mark.parametrize("text", [IN_THE_FOLDER, IN_A_FOLDER_OF_IT])
@pytest.mark.parametrize("links", [{}, {"README": "source/a.js"}, {"source/back": ".."}])
def test_other_links_do_not_matter(tmp_path: Path, text: str, links: dict[str, str]) -> None:
    assert "COPY package.json package-lock.json" in run(tmp_path, text, links).after
