"""What only full images have, which Python an image holds, which packages of npm compile."""

import pytest

from optimizer.images import variant
from optimizer.images.npm import native_package
from optimizer.images.packages import brought_by, lost_commands
from optimizer.images.pythons import python_minor


@pytest.mark.parametrize(
    ("tag", "minor"), [("3.12", 12), ("3.11.4-bullseye", 11), ("3.9-slim", 9), ("2.7", None), ("2", None)]
)
def test_the_python_of_a_tag(tag: str, minor: int | None) -> None:
    found = variant("python", tag)

    assert found is not None
    assert python_minor(found) == minor


@pytest.mark.parametrize("tag", ["3", None])
def test_a_tag_that_floats_leads_to_the_newest_python(tag: str | None) -> None:
    found, oldest = variant("python", tag), variant("python", "3.13")

    assert found is not None
    assert oldest is not None
    assert (python_minor(found) or 0) >= (python_minor(oldest) or 99)


def test_no_other_image_tells_its_python() -> None:
    found = variant("node", "20")

    assert found is not None
    assert python_minor(found) is None


def test_commands_that_only_the_full_image_has() -> None:
    lost = lost_commands(("python", "3.12"), ("python", "3.12-slim"))

    assert lost is not None
    assert {"git", "curl", "make", "gcc", "cc", "convert", "ps"} <= lost.keys()
    assert not {"sh", "sed", "tar", "bash", "perl"} & lost.keys()
    assert lost["cc"] == {"gcc"}


def test_nothing_is_lost_where_the_packages_are_the_same() -> None:
    assert lost_commands(("debian", "12"), ("debian", "12-slim")) == {}
    assert lost_commands(("nobody", "1"), ("nobody", "1-slim")) is None


def test_a_package_brings_others_along() -> None:
    assert {"git", "perl"} <= brought_by("git", "bookworm")
    assert {"gcc", "make"} <= brought_by("build-essential", "bookworm")
    assert brought_by("nothing-known", "bookworm") == {"nothing-known"}


@pytest.mark.parametrize(
    ("name", "ready"), [("fsevents", True), ("sharp", True), ("bcrypt", False), ("deasync", False)]
)
def test_what_of_npm_comes_ready(name: str, *, ready: bool) -> None:
    found = native_package(name)

    assert found is not None
    assert found.comes_ready is ready


def test_a_plain_package_of_npm_is_not_known() -> None:
    assert native_package("express") is None
