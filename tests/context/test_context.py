"""The build context as a value."""

import pytest

from optimizer.context import Context
from optimizer.context.manifests import json_file, table, toml_file, yaml_file

FILES = {
    "Dockerfile": "FROM scratch\n",
    ".dockerignore": "secret\nout\n!out/keep\n*.log\n",
    "package.json": "{}",
    "src/main.py": "print()",
    "src/lib/a.py": "",
    "src/lib/b.js": "",
    "secret/key": "x",
    "out/keep": "y",
    "out/drop": "z",
    "a.log": "l",
}


def context() -> Context:
    return Context.of(FILES)


@pytest.mark.parametrize("path", ["package.json", "/package.json", "./src", "src/", "../package.json", "", ".", "out"])
def test_exists(path: str) -> None:
    assert context().exists(path)


@pytest.mark.parametrize("path", ["secret", "secret/key", "a.log", "out/drop", "nothing", "src/main", "package.json/x"])
def test_does_not_exist(path: str) -> None:
    assert not context().exists(path)


def test_folders_and_files_are_told_apart() -> None:
    seen = context()

    assert seen.is_dir("src/lib")
    assert not seen.is_dir("src/main.py")
    assert not seen.is_dir("secret")
    assert seen.is_file("src/main.py")
    assert not seen.is_file("src")
    assert Context.of({}).is_dir("") is False


def test_under_gives_what_the_build_sees() -> None:
    assert context().under("src/") == ("src/lib/a.py", "src/lib/b.js", "src/main.py")
    assert "out/keep" in context().under("")
    assert "out/drop" not in context().under("")
    assert context().under("secret") == ()


MATCHED = [
    (".", ("",)),
    ("/", ("",)),
    ("src", ("src",)),
    ("*.json", ("package.json",)),
    ("/*.json", ("package.json",)),
    ("src/*", ("src/lib", "src/main.py")),
    ("src/lib/*.[jt]s", ("src/lib/b.js",)),
    ("*/lib/?.py", ("src/lib/a.py",)),
    ("../src/main.py", ("src/main.py",)),
    ("*.log", ()),
    ("secret", ()),
    ("secre*", ()),
    ("ou*", ("out",)),
    ("package*.yaml", ()),
    ("[^x]rc", ("src",)),
    ("*", (".dockerignore", "Dockerfile", "out", "package.json", "src")),
]


@pytest.mark.parametrize(("pattern", "found"), MATCHED)
def test_match(pattern: str, found: tuple[str, ...]) -> None:
    assert context().match(pattern) == found


def test_text_drops_the_byte_order_mark_and_replaces_what_is_not_utf8() -> None:
    seen = Context.of({"a": b"\xef\xbb\xbf{}", "b": b"\xff!", ".dockerignore": "c", "c": "x"})

    assert seen.text("a") == "{}"
    assert seen.text("./b") == "\ufffd!"
    assert seen.text("c") is None
    assert seen.text("d") is None


def test_the_dockerfiles_own_ignore_file_replaces_the_other() -> None:
    files = {".dockerignore": "a", "docker/Dockerfile.dockerignore": "b", "a": "", "b": ""}
    seen = Context.of(files, dockerfile="docker/Dockerfile")

    assert seen.ignore_path == "docker/Dockerfile.dockerignore"
    assert seen.exists("a")
    assert not seen.exists("b")
    assert Context.of(files).ignore_path == ".dockerignore"


def test_an_overlay_puts_a_new_ignore_file_in_force() -> None:
    before = Context.of({"a": "", "b/c": ""})
    after = before.overlay(".dockerignore", "b\n")

    assert after.under("") == (".dockerignore", "a")
    assert after.text(".dockerignore") == "b\n"
    assert after.ignore_path == ".dockerignore"
    assert before.exists("b/c")
    assert not before.exists(".dockerignore")


def test_an_overlay_of_another_file_keeps_the_rules() -> None:
    after = context().overlay("deep/new/file", "text").overlay("package.json", '{"a": 1}')

    assert after.under("deep") == ("deep/new/file",)
    assert after.files["package.json"] == 8
    assert json_file(after, "package.json") == {"a": 1}
    assert not after.exists("secret")
    assert sorted(after.files) == sorted([*FILES, "deep/new/file"])


def test_a_general_ignore_file_stays_out_of_force_beside_a_specific_one() -> None:
    seen = Context.of({"Dockerfile.dockerignore": "a", "a": "", "b": ""}).overlay(".dockerignore", "b")

    assert not seen.exists("a")
    assert seen.exists("b")


def test_size_counts_what_the_build_sees() -> None:
    assert context().size("out") == 1
    assert context().size("src/main.py") == 7
    assert context().size("secret") == 0


def test_manifests_are_values_and_none_where_broken() -> None:
    seen = Context.of(
        {
            "a.json": '{"x": {"y": 1}}',
            "b.json": "{",
            "c.toml": "[t]\nk = 1",
            "d.toml": "[",
            "e.yaml": "a: [1]",
            "f.yaml": "a: [",
        }
    )

    assert json_file(seen, "a.json") == {"x": {"y": 1}}
    assert json_file(seen, "b.json") is None
    assert json_file(seen, "gone.json") is None
    assert toml_file(seen, "c.toml") == {"t": {"k": 1}}
    assert toml_file(seen, "d.toml") is None
    assert yaml_file(seen, "e.yaml") == {"a": [1]}
    assert yaml_file(seen, "f.yaml") is None
    assert table(json_file(seen, "a.json"), "x") == {"y": 1}
    assert table(json_file(seen, "a.json"), "x", "y") == {}
