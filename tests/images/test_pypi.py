import pytest

from optimizer.images.pypi import has_wheel, native_project, packages_to_run


@pytest.mark.parametrize(
    ("name", "version", "minor", "there"),
    [
        ("numpy", None, 12, True),
        ("numpy", "1.24.4", 11, True),
        ("numpy", "1.24.4", 12, False),
        ("psycopg2", None, 11, False),
        ("psycopg2-binary", "2.9.9", 12, True),
        ("psycopg2-binary", "2.9.5", 12, False),
        ("lxml", "4.9.3", 11, True),
        ("mysqlclient", "2.2.0", 11, False),
        ("numpy", "0.0.1", 11, False),
    ],
)
def test_whether_pip_finds_a_wheel(name: str, version: str | None, minor: int, there: bool) -> None:  # noqa: FBT001 (a row)
    project = native_project(name)
    assert project

    assert has_wheel(project, version, minor) is there


def test_a_project_of_plain_python_is_not_listed() -> None:
    assert native_project("flask") is None


@pytest.mark.parametrize(
    ("name", "packages"), [("psycopg2", ("libpq5",)), ("gitpython", ("git",)), ("pdf2image", ("poppler-utils",))]
)
def test_what_a_project_loads_and_starts(name: str, packages: tuple[str, ...]) -> None:
    project = native_project(name)
    assert project

    assert packages_to_run(project, "bookworm") == packages
