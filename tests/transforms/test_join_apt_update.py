"""Which updates join their install, and which installs say yes."""

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize
from optimizer.shell import parse_script

PLAN = Plan(select=frozenset({"join-apt-update"}))


def run(text: str) -> Result:
    return optimize(text, Context.of({}), PLAN)


def debian(*lines: str) -> str:
    return "\n".join(["FROM debian:12", *lines, ""])


CHANGES = {
    "one after the other": (
        debian("RUN apt-get update", "RUN apt-get install -y curl"),
        debian("RUN apt-get update && apt-get install -y curl"),
    ),
    "with a blank line between": (
        debian("USER root", "", "RUN apt-get update -qq", "", "RUN apt-get install -y curl", "", "CMD x"),
        debian("USER root", "", "RUN apt-get update -qq && apt-get install -y curl", "", "CMD x"),
    ),
    "comments of both stay above": (
        debian("# Lists.", "RUN apt-get update", "# Tools.", "RUN apt-get install -y curl"),
        debian("# Lists.", "# Tools.", "RUN apt-get update && apt-get install -y curl"),
    ),
    "a comment that quotes the command stays whole": (
        debian("# RUN apt-get update", "# by hand", "RUN apt-get update", "RUN apt-get install -y curl"),
        debian("# RUN apt-get update", "# by hand", "RUN apt-get update && apt-get install -y curl"),
    ),
    "a list of packages over many lines": (
        debian("RUN apt-get update", "RUN apt-get install -y \\", "    curl \\", "    git"),
        debian("RUN apt-get update && apt-get install -y \\", "    curl \\", "    git"),
    ),
    "a row with trailing operators": (
        debian("RUN apt-get update", "RUN apt-get install -y curl && \\", "  curl --version"),
        debian("RUN apt-get update && \\", "  apt-get install -y curl && \\", "  curl --version"),
    ),
    "sources that are prepared first": (
        debian("RUN echo deb x > /etc/apt/sources.list && apt-get update", "RUN apt-get install -y curl"),
        debian("RUN echo deb x > /etc/apt/sources.list && apt-get update && apt-get install -y curl"),
    ),
    "an update over several lines with a comment in it": (
        debian(
            "RUN echo deb x > /etc/apt/x.list \\", "    # fresh", "    && apt-get update", "RUN apt-get install -y x"
        ),
        debian(
            "RUN echo deb x > /etc/apt/x.list \\",
            "    # fresh",
            "    && apt-get update \\",
            "    && apt-get install -y x",
        ),
    ),
    "settings that say nothing to the update": (
        debian("RUN apt-get update", "ENV DEBIAN_FRONTEND=noninteractive", "LABEL a=b", "RUN apt-get install -y curl"),
        debian("ENV DEBIAN_FRONTEND=noninteractive", "LABEL a=b", "RUN apt-get update && apt-get install -y curl"),
    ),
    "the same mounts": (
        debian(
            "RUN --mount=type=cache,target=/var/cache/apt apt-get update",
            "RUN --mount=type=cache,target=/var/cache/apt apt-get install -y x",
        ),
        debian("RUN --mount=type=cache,target=/var/cache/apt apt-get update && apt-get install -y x"),
    ),
    "further installs live on": (
        debian("RUN apt-get update", "RUN apt-get install -y a", "RUN apt-get install -y b"),
        debian("RUN apt-get update && apt-get install -y a", "RUN apt-get install -y b"),
    ),
    "an install that asks": (
        debian("RUN apt-get update && apt-get -q install curl"),
        debian("RUN apt-get update && apt-get -q install -y curl"),
    ),
    "two installs that ask": (
        debian("RUN apt-get update", "RUN apt-get install a && apt install b"),
        debian("RUN apt-get update && apt-get install -y a && apt install -y b"),
    ),
    "an option's argument is no verb": (
        debian("RUN apt-get -t install install curl"),
        debian("RUN apt-get -t install install -y curl"),
    ),
    "output that goes to a pipe": (
        debian("RUN apt-get install curl | tee log"),
        debian("RUN apt-get install -y curl | tee log"),
    ),
    "CRLF": (
        "FROM debian:12\r\nRUN apt-get update\r\nRUN apt-get install -y x\r\n",
        "FROM debian:12\r\nRUN apt-get update && apt-get install -y x\r\n",
    ),
    "no newline at the end": (
        "FROM debian:12\nRUN apt-get update\nRUN apt-get install -y x",
        "FROM debian:12\nRUN apt-get update && apt-get install -y x",
    ),
}


@pytest.mark.parametrize(("before", "after"), CHANGES.values(), ids=CHANGES)
def test_changes(before: str, after: str) -> None:
    assert run(before).after == after
    assert run(after).after == after


UPDATE, INSTALL = "RUN apt-get update", "RUN apt-get install -y x"
STAYS = {
    "a COPY between": (debian(UPDATE, "COPY a /a", INSTALL), "COPY in line 3"),
    "another RUN between": (debian(UPDATE, "RUN mkdir /x", INSTALL), "RUN in line 3"),
    "a proxy between": (debian(UPDATE, "ENV http_proxy=http://x", INSTALL), "ENV in line 3"),
    "an ARG between": (debian(UPDATE, "ARG VERSION", INSTALL), "ARG in line 3"),
    "a USER between": (debian(UPDATE, "USER root", INSTALL), "USER in line 3"),
    "a WORKDIR between": (debian(UPDATE, "WORKDIR /x", INSTALL), "WORKDIR in line 3"),
    "a SHELL between": (debian(UPDATE, 'SHELL ["/bin/bash", "-c"]', INSTALL), "SHELL in line 3"),
    "fresh lists below": (debian(UPDATE, "RUN apt-get update && apt-get install -y x"), "fetches the lists again"),
    "different mounts": (debian(UPDATE, "RUN --mount=type=cache,target=/x apt-get install -y x"), "different options"),
    "an install that is not a plain row": (debian(UPDATE, "RUN apt-get install -y x || true"), "not joined by &&"),
    "an install under set -e": (debian(UPDATE, "RUN set -e; apt-get install -y x"), "not joined by &&"),
    "an update that may fail": (debian("RUN true || apt-get update", INSTALL), "not joined by &&"),
    "a directory that would leak": (debian("RUN cd /x && apt-get update", INSTALL), "changes the shell"),
    "a variable that would leak": (debian("RUN export A=b && apt-get update", INSTALL), "changes the shell"),
    "other work before the update": (debian("RUN make && apt-get update", INSTALL), "other work"),
    "a comment in front of the update": (
        debian("RUN \\\n    # now\n    apt-get update", INSTALL),
        "a comment stands beside",
    ),
    "an install in exec form": (debian(UPDATE, 'RUN ["apt-get", "install", "-y", "x"]'), "exec form"),
    "an install in a here-document": (debian(UPDATE, "RUN <<EOF\napt-get install -y x\nEOF"), "here-document"),
    "a question under a condition": (debian("RUN test -e /x || apt-get install x"), "under a condition"),
    "a question in a nested script": (debian("RUN sh -c 'apt-get install x'"), "within the script"),
    "a question in exec form": (debian('RUN ["apt-get", "install", "x"]'), "exec form"),
    "a question that is answered by a pipe": (debian("RUN yes | apt-get install x"), "may answer"),
    "a question that a group's pipe may answer": (debian("RUN yes | (apt-get install x)"), "may answer"),
}


@pytest.mark.parametrize(("text", "reason"), STAYS.values(), ids=STAYS)
def test_stays(text: str, reason: str) -> None:
    result = run(text)

    assert result.after == text
    assert any(reason in d.reason for d in result.declined), result.declined


@pytest.mark.parametrize(
    "line",
    [
        "RUN apt-get -y install x",
        "RUN apt-get install x -y",
        "RUN apt-get install -qqy x",
        "RUN apt-get install -qq x",
        "RUN apt-get install -q=2 x",
        "RUN apt-get --assume-yes install x",
        "RUN apt-get -o APT::Get::Assume-Yes=true install x",
        "RUN apt-get install -s x",
        "RUN apt-get install $APT_OPTIONS x",
        "RUN apt-get install x < answers",
        "RUN apt-get update",
        "RUN apt-get remove x",
        "RUN echo apt-get install x",
    ],
)
def test_nothing_is_to_be_done_or_said(line: str) -> None:
    result = run(debian(line))

    assert (result.after, result.declined) == (debian(line), ())


def test_what_was_read_before_makes_no_difference() -> None:
    text = debian("RUN apt-get update", "RUN apt-get install -y x")
    first = run(text).after

    parse_script.cache_clear()

    assert run(text).after == first != text
