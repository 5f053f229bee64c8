"""Which JRE belongs to an image with a JDK."""

import pytest

from optimizer.images import variant
from optimizer.images.jres import jdk_of, jre_of, with_size


@pytest.mark.parametrize(
    ("image", "tag", "jre"),
    [
        ("eclipse-temurin", "17-jdk-jammy", "eclipse-temurin:17-jre-jammy"),
        ("openjdk", "11-jdk-slim", "openjdk:11-jre-slim"),
        ("maven", "3-eclipse-temurin-17-focal", "eclipse-temurin:17-jre-focal"),
        ("maven", "3.8.6-eclipse-temurin-17", "eclipse-temurin:17-jre-jammy"),  # what it stood on in 2022
        ("maven", "3.8.4-jdk-8", "openjdk:8-jre-bullseye"),
        ("maven", "3.6-openjdk-11-slim", "openjdk:11-jre-slim-buster"),
        ("gradle", "7.4.2-jdk17", "eclipse-temurin:17-jre-jammy"),
        ("maven", "3.8.5-openjdk-17", None),  # on Oracle Linux, for which there is no JRE
        ("maven", "3-amazoncorretto-17", None),
        ("gradle", "4.10-jdk8", None),
        ("gradle", "8.7.0-jdk-21-and-22", None),
        ("openjdk", "8-jdk-alpine", None),  # its JRE lies within the JDK
        ("eclipse-temurin", "17-jre", None),
    ],
)
def test_the_jre_of_the_release(image: str, tag: str, jre: str | None) -> None:
    full = variant(image, tag)
    assert full is not None
    found = jre_of(full)

    assert (found.name if found else None) == jre


def test_an_image_is_as_large_as_the_jdk_that_it_stands_on() -> None:
    full = variant("maven", "3.9.6-eclipse-temurin-21")
    assert full is not None
    assert full.size is None
    jdk = jdk_of(full)
    assert jdk is not None

    assert with_size(full).size == jdk.size
