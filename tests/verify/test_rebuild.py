"""The file that is edited to measure a rebuild is one that a developer of the project would edit."""

import pytest

from optimizer.context import Context
from optimizer.verify.rebuild import edited, source_to_edit

COPIES_ALL = "FROM python\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["app.py", "requirements.txt"], "app.py"),
        (["lib/a.py", "lib/b.py", "main.py", "x.js"], "main.py"),
        (["deep/er/b.py", "a.py", "c.py"], "a.py"),
        (["tests/test_a.py", "test_b.py", "conftest.py", "setup.py", "src/one.py"], "src/one.py"),
        (["node_modules/x/index.js", "webpack.config.js", "src/index.ts", "src/types.d.ts"], "src/index.ts"),
        (["config/config.exs", "lib/shop.ex", "mix.exs"], "lib/shop.ex"),
        (["run.sh", "index.html"], "run.sh"),
        (["index.html", "README.md"], "index.html"),
        (["README.md", "data.bin"], "README.md"),
        (["data.bin", "requirements.txt"], None),
    ],
)
def test_the_file_that_is_edited(files: list[str], expected: str | None) -> None:
    assert source_to_edit(COPIES_ALL, Context.of(dict.fromkeys(files, "text\n"))) == expected


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("FROM a\nCOPY lib /lib\n", "lib/b.py"),
        ("FROM a AS unused\nCOPY lib /lib\nFROM a\nCOPY main.py /\n", "main.py"),
        ("FROM a AS build\nCOPY lib /lib\nFROM a\nCOPY --from=build /lib /lib\n", "lib/b.py"),
        ("FROM a\nRUN true\n", None),
    ],
)
def test_only_what_the_build_copies_counts(dockerfile: str, expected: str | None) -> None:
    context = Context.of({"lib/b.py": "b\n", "main.py": "main\n"})

    assert source_to_edit(dockerfile, context) == expected


def test_what_is_ignored_or_untracked_is_not_edited() -> None:
    files = {"app.py": "", "generated.py": "", "main.py": "", ".dockerignore": "app.py\n"}

    assert source_to_edit(COPIES_ALL, Context.of(files, tracked=lambda path: path != "main.py")) == "generated.py"


def test_php_that_ends_as_html_takes_no_comment() -> None:
    assert source_to_edit(COPIES_ALL, Context.of({"index.php": "<?php ?>\n", "lib.php": "<?php\n"})) == "lib.php"


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("a.py", b"x = 1\n", b"x = 1\n# stamp\n"),
        ("a.py", b"x = 1", b"x = 1\n# stamp\n"),
        ("a.go", b"package a\r\n", b"package a\r\n// stamp\r\n"),
        ("a.html", b"", b"<!-- stamp -->\n"),
        ("a.md", b"# A\n", b"# A\nstamp\n"),
    ],
)
def test_an_edit_is_a_comment_at_the_end(path: str, before: bytes, after: bytes) -> None:
    assert edited(path, "stamp")(before) == after
