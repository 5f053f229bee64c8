"""Which retired images give way, and what keeps one."""

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, optimize
from optimizer.images import variant
from optimizer.images.lifecycle import end_of_support, java_version, successor
from optimizer.model import read
from optimizer.syntax import parse
from optimizer.transforms import Decline, Finding, Level, Rewrite, Subject
from optimizer.transforms.replace_retired_base import replace_retired_base


def findings(text: str, **files: str) -> list[Finding]:
    context = Context.of({name.replace("__", "/").replace("_", "."): content for name, content in files.items()})
    return list(replace_retired_base.find(Subject(read(parse(text)), context)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("openjdk:17", "eclipse-temurin:17-jdk-jammy"),
        ("openjdk:11-jre-slim", "eclipse-temurin:11-jre-jammy"),
        ("openjdk:17-alpine", "eclipse-temurin:17-jdk-alpine"),
        ("openjdk:11.0.16-jdk", "eclipse-temurin:11.0.16_8-jdk-jammy"),
        ("openjdk:8u342-jdk", "eclipse-temurin:8u342-b07-jdk-jammy"),
        ("java:latest", "eclipse-temurin:8-jdk-jammy"),
        ("java:openjdk-8-jre", "eclipse-temurin:8-jre-jammy"),
        ("adoptopenjdk:11-jre-hotspot", "eclipse-temurin:11-jre-jammy"),
        ("java:7", None),
        ("java:openjdk-8u111", None),
        ("openjdk:8u111", None),
        ("openjdk:latest", None),
        ("adoptopenjdk:8-jdk-openj9", None),
        ("centos:7", None),
        ("python:2.7", None),
    ],
)
def test_the_successor_has_the_same_java(old: str, new: str | None) -> None:
    known = variant(*old.split(":"))
    assert known
    found = successor(known)

    assert (found and found.name) == new
    assert found is None or java_version(found) == java_version(known)


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("node:carbon", "2019-12-31"),
        ("debian:buster", "2024-06-30"),
        ("python:3.8.1", "2024-10-07"),
        ("golang:1.17", "2022-08-02"),
        ("python:3.12", None),
        ("openjdk:17", None),
    ],
)
def test_the_end_of_support(name: str, day: str | None) -> None:
    known = variant(*name.split(":"))
    assert known

    assert end_of_support(known) == day


def test_a_jdk_gives_way() -> None:
    (found,) = findings('FROM openjdk:11 AS app\nRUN apt-get update && apt-get install -y vim\nCMD ["java"]\n')

    assert isinstance(found, Rewrite)
    assert found.added == ("FROM eclipse-temurin:11-jdk-jammy AS app",)
    assert found.removed == ("FROM openjdk:11 AS app",)
    assert found.assumption
    assert found.gain.bytes > 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("FROM openjdk:11\nRUN git clone x\n", "starts git"),
        ("FROM openjdk:11-jre-slim\n", "larger"),
        ("FROM openjdk:17-alpine\n", "larger is not known"),
        ("FROM openjdk:17\nRUN microdnf install x\n", "installs with microdnf"),
        ("FROM openjdk:17\nRUN [[ -d /x ]] || mkdir /x\n", "is for bash"),
        ("FROM openjdk:11\nENV H=/usr/local/openjdk-11\n", "has nothing"),
        ("FROM openjdk:11\nRUN sed -i s/http/https/ /etc/apt/sources.list\n", "another distribution"),
        ("FROM openjdk:11\nRUN apt-get install -y vim=8.2\n", "the package vim=8.2"),
        ("FROM openjdk:11\nRUN apt-get install -y chromium\n", "the package chromium"),
        ("FROM openjdk:11\nRUN apt-get install -y nobody-has-this\n", "the package nobody-has-this"),
        ("FROM openjdk:11\nRUN curl https://example.com/x | sh\n", "script that is not known"),
        ("FROM openjdk:18\n", "support of Java 18 ended on 2022-09-30"),
        ("FROM openjdk@sha256:0123\n", "by its digest"),
        ("ARG V=11\nFROM openjdk:$V\n", "is an argument"),
        ("FROM centos:7\n", "rockylinux/rockylinux or almalinux may take its place"),
        ("FROM node:12\n", "support of node 12 ended on 2022-04-30"),
        ("FROM --platform=linux/s390x openjdk:11\n", "is one for linux/s390x"),
    ],
)
def test_what_keeps_the_image(text: str, reason: str) -> None:
    (found,) = findings(text)

    assert isinstance(found, Decline)
    assert reason in found.reason


def test_a_script_that_names_the_old_place_keeps_the_image() -> None:
    text = 'FROM openjdk:11\nCOPY run.sh /run.sh\nCMD ["sh", "/run.sh"]\n'
    (found,) = findings(text, run_sh="#!/bin/sh\nexec /usr/local/openjdk-11/bin/java -version\n")

    assert isinstance(found, Decline)
    assert "run.sh names /usr/local/openjdk-11" in found.reason


def test_the_successor_may_be_exchanged_again() -> None:
    text = 'FROM openjdk:17-jdk-slim\nCOPY app.jar .\nCMD ["java", "-jar", "app.jar"]\n'
    context = Context.of({"app.jar": "-", "src/main/java/App.java": "class App {}\n", "pom.xml": "<project/>\n"})
    plan = Plan(Level.ASSUMED, frozenset({"replace-retired-base", "use-slim-base"}))
    result = optimize(text, context, plan)

    assert [one.transform for one in result.applied] == ["replace-retired-base", "use-slim-base"]
    assert result.after.startswith("FROM eclipse-temurin:17-jre-jammy\n")


@pytest.mark.parametrize("text", ["FROM python:3.12\n", "FROM eclipse-temurin:17\n", "FROM example.com/openjdk:8\n"])
def test_nothing_is_said_of_images_that_are_kept_up(text: str) -> None:
    assert findings(text) == []
