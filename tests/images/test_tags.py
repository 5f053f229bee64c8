import pytest

from optimizer.images import sibling, variant


@pytest.mark.parametrize(
    ("image", "tag", "canonical"),
    [
        ("python", "3.11", "trixie"),
        ("python", "3.11.7", "bookworm"),
        ("python", "3.11.7-slim", "slim-bookworm"),
        ("python", "2.7", "buster"),
        ("python", None, "trixie"),
        ("node", "18", "bookworm"),
        ("node", "lts", "bookworm"),
        ("openjdk", "11", "jdk-bullseye"),
        ("eclipse-temurin", "17-jdk-jammy", "jdk-jammy"),
        ("maven", "3-eclipse-temurin-17", "eclipse-temurin-17-noble"),
        ("debian", "bookworm-slim", "bookworm-slim"),
    ],
)
def test_a_tag_leads_to_a_distribution_release(image: str, tag: str | None, canonical: str) -> None:
    found = variant(image, tag)

    assert found
    assert found.canonical == canonical


@pytest.mark.parametrize(
    ("image", "tag"), [("python", "3.99"), ("python", "3.11-slims"), ("node", "18-slim-bookworm"), ("company/app", "1")]
)
def test_a_tag_that_never_was_is_not_known(image: str, tag: str) -> None:
    assert variant(image, tag) is None


@pytest.mark.parametrize(
    ("name", "small"),
    [
        ("python:3.11", "python:3.11-slim"),
        ("python:3.11-bookworm", "python:3.11-slim-bookworm"),
        ("python:latest", "python:slim"),
        ("node:lts", "node:lts-slim"),
        ("node:20-bookworm", "node:20-bookworm-slim"),
        ("debian:bookworm", "debian:bookworm-slim"),
        ("openjdk:11-jdk", "openjdk:11-jdk-slim"),
    ],
)
def test_the_slim_sibling_keeps_version_and_release(name: str, small: str) -> None:
    full = variant(*name.split(":"))
    assert full

    found = sibling(full, add="slim")

    assert found
    assert found.name == small


def test_a_runtime_takes_the_place_of_a_development_kit() -> None:
    full = variant("eclipse-temurin", "17-jdk-jammy")
    assert full

    found = sibling(full, add="jre", remove="jdk")

    assert found
    assert found.tag == "17-jre-jammy"


@pytest.mark.parametrize("name", ["golang:1.22", "php:8.2", "ubuntu:22.04", "openjdk:17", "python:3.11-slim"])
def test_there_is_no_slim_sibling(name: str) -> None:
    full = variant(*name.split(":"))
    assert full

    found = sibling(full, add="slim")

    assert found is None or found.name == name


def test_a_tag_that_is_no_longer_built_says_since_when() -> None:
    old, new = variant("python", "3.7"), variant("python", "3.13")
    assert old
    assert new

    assert (old.last, new.last) == ("2023-09", None)


def test_the_size_is_in_bytes() -> None:
    full, small = variant("python", "3.11-bookworm"), variant("python", "3.11-slim-bookworm")
    assert full
    assert small
    assert full.size
    assert small.size

    assert 300e6 < full.size < 450e6
    assert 40e6 < small.size < 60e6
