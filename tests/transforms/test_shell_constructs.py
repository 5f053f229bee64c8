"""What every transform makes of every construct of the shell: `fixtures/shell/constructs.toml` says it.

A construct that a transform recognises as its place is either changed or declined with a reason, never passed over.
"""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from optimizer.context import Context
from optimizer.model import read
from optimizer.syntax import parse
from optimizer.transforms import Decline, Rewrite, Subject, all_transforms

TABLE = tomllib.loads((Path(__file__).parents[2] / "fixtures" / "shell" / "constructs.toml").read_text())
CHANGED = "changed"
PACKAGE = '{"name": "a", "version": "1.0.0"}'
LOCK = '{"name": "a", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": {"name": "a", "version": "1.0.0"}}}'
FILES = {"package.json": PACKAGE, "package-lock.json": LOCK, "index.js": "", ".dockerignore": "node_modules\n"}
# For each transform a stage in which it has something to do, and the commands that go into the construct (`@`).
PLACES = {
    "merge-run": ("FROM debian:12\n{shell}RUN {run}\nRUN mkdir /srv/b\n", "mkdir /srv/a"),
    "merge-run, the second": ("FROM debian:12\n{shell}RUN mkdir /srv/b\nRUN {run}\n", "mkdir /srv/a"),
    "clean-package-caches": ("FROM debian:12\n{shell}RUN {run}\n", "apt-get update && apt-get install -y curl"),
    "clean-package-caches, a flag": ("FROM alpine:3.20\n{shell}RUN {run}\n", "apk add curl"),
    "hoist-independent-steps": (
        "FROM debian:12\n{shell}COPY . /srv/app\nRUN {run}\n", "apt-get update && apt-get install -y curl",
    ),
    "split-manifest-copy": ("FROM node:20\n{shell}WORKDIR /srv/app\nCOPY . .\nRUN {run}\n", "npm ci"),
    "join-apt-update": ("FROM debian:12\n{shell}RUN {run}\nRUN apt-get install -y curl\n", "apt-get update"),
    "join-apt-update, the install": (
        "FROM debian:12\n{shell}RUN apt-get update\nRUN {run}\n", "apt-get install -y curl",
    ),
    "remove-downloads": (
        "FROM debian:12\n{shell}RUN {run}\n",
        "curl -fsSL -o /tmp/a.tgz https://example.com/a.tgz && tar -C /opt -xzf /tmp/a.tgz",
    ),
}  # fmt: skip
TRANSFORMS = {transform.id: transform for transform in all_transforms()}


def dockerfile(construct: dict[str, str], place: str) -> str:
    stage, commands = PLACES[place]
    run = construct["run"]
    filled = json.dumps([*run.split(), commands]) if construct.get("form") == "exec" else run.replace("@", commands)
    return stage.format(shell=construct.get("shell", ""), run=filled)


def found(construct: dict[str, str], place: str) -> Iterator[str]:
    subject = Subject(read(parse(dockerfile(construct, place))), Context.of(FILES))
    for finding in TRANSFORMS[place.partition(",")[0]].find(subject):
        match finding:
            case Rewrite():
                yield CHANGED
            case Decline(reason=reason):
                yield reason


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("construct", TABLE.values(), ids=TABLE)
def test_construct(construct: dict[str, str], place: str) -> None:
    expected = construct.get(place, CHANGED)

    outcome = list(found(construct, place))

    assert (CHANGED in outcome) == (expected == CHANGED), outcome
    assert any(expected in reason for reason in outcome) or outcome == [] == [*expected]


def test_the_table_names_no_place_that_is_not_tried() -> None:
    assert {key for construct in TABLE.values() for key in construct} <= {*PLACES, "run", "shell", "form"}
