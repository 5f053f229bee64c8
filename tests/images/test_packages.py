import pytest

from optimizer.images import Variant, packages, suite, variant
from optimizer.images.packages import lost_commands


def known(name: str) -> Variant:
    found = variant(*name.split(":"))
    assert found
    return found


@pytest.mark.parametrize(
    ("name", "release"),
    [
        ("python:3.11.7", "bookworm"),
        ("node:18", "bookworm"),
        ("debian:bookworm-slim", "bookworm"),
        ("ubuntu:22.04", None),
    ],
)
def test_the_release_is_that_of_the_base(name: str, release: str | None) -> None:
    assert suite(known(name)) == release


def test_a_full_image_has_what_the_tiers_below_it_have() -> None:
    full, small = packages(known("python:3.11-bookworm")), packages(known("python:3.11-slim-bookworm"))
    assert full
    assert small

    assert {"git", "curl", "gcc", "libpq-dev", "bash"} <= full
    assert "bash" in small
    assert not {"git", "curl", "gcc"} & small


@pytest.mark.parametrize(
    ("command", "lost"),
    [("git", True), ("curl", True), ("gcc", True), ("bash", False), ("useradd", False), ("pip", False), ("ps", True)],
)
def test_what_the_slim_image_lacks(command: str, lost: bool) -> None:  # noqa: FBT001 (a row of the table)
    commands = lost_commands(("python", "3.11-bookworm"), ("python", "3.11-slim-bookworm"))

    assert commands
    assert (command in commands) is lost


def test_what_another_distribution_lacks_is_not_known() -> None:
    assert packages(known("ubuntu:22.04")) is None
    assert lost_commands(("ubuntu", "22.04"), ("ubuntu", "24.04")) is None
