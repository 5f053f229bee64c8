from textwrap import dedent

import pytest

from optimizer.model import BASE_WORKDIR, Dockerfile, read
from optimizer.syntax import parse


def model(text: str, **options: object) -> Dockerfile:
    return read(parse(dedent(text).lstrip()), **options)  # type: ignore[arg-type]


def last_state(text: str, **options: object) -> dict[str, object]:
    state = model(text, **options).steps[-1].state
    return {"workdir": state.workdir, "user": state.user, "env": dict(state.env), "args": dict(state.args)}


@pytest.mark.parametrize(
    ("above", "workdir"),
    [
        ("FROM node:20", "/"),
        ("FROM docker.io/library/python:3.12-slim@sha256:00", "/"),
        ("FROM golang:1.22", "/go"),
        ("FROM php:8", None),
        ("FROM registry.example/node:20", None),
        ("FROM node:20-onbuild", None),
        ("FROM node:20\nWORKDIR app\nWORKDIR ../srv", "/srv"),
        ("FROM golang\nWORKDIR app", "/go/app"),
        ("FROM php\nWORKDIR app", None),
        ("FROM golang\nWORKDIR /app\nWORKDIR sub", "/app/sub"),
        ("FROM node:20\nENV HOME_DIR=/srv\nWORKDIR $HOME_DIR/x", "/srv/x"),
        ("FROM node:20\nARG DIR\nWORKDIR $DIR", None),
        ("FROM node:20\nARG DIR=/a\nWORKDIR ${DIR:-/b}", "/a"),
        ("FROM node:20 AS base\nWORKDIR /app\nFROM base", "/app"),
        ("FROM node:20 AS base\nONBUILD WORKDIR /child\nFROM base", "/child"),
    ],
)
def test_working_directory(above: str, workdir: str | None) -> None:
    assert last_state(f"{above}\nRUN true\n")["workdir"] == workdir


@pytest.mark.parametrize(
    ("above", "env"),
    [
        ("ENV A=1 B=$A", {"A": "1", "B": None}),  # one ENV sees only what stood above it, perhaps in the base image
        ("ENV A=$UNHEARD/x", {"A": None}),
        ("ENV PATH=/app/bin:$PATH", {"PATH": "/app/bin:"}),  # the part of a list that the file names
        ("ENV A=1\nENV B=$A", {"A": "1", "B": "1"}),
        ("ARG A\nENV B=$A", {"B": None}),
        ("ARG A=2\nENV A=3\nENV B=$A", {"A": "3", "B": "3"}),
        ("ENV A one two", {"A": "one two"}),
    ],
)
def test_environment(above: str, env: dict[str, str | None]) -> None:
    assert last_state(f"FROM x\n{above}\nRUN true\n")["env"] == env


def test_global_arguments_reach_a_stage_only_when_declared_again() -> None:
    text = "ARG A=1\nARG B=2\nFROM x:$A\nARG B\nRUN true\n"

    assert model(text).stages[0].base == "x:1"
    assert last_state(text)["args"] == {"B": "2"}
    assert last_state(text, build_args={"B": "9"})["args"] == {"B": "9"}


def test_a_base_with_an_unknown_argument_is_unknown() -> None:
    assert model("ARG V\nFROM x:$V\n").stages[0].base is None
    assert model("FROM --platform=$BUILDPLATFORM x:$TARGETARCH\n").stages[0].base is None


def test_stages_know_what_they_build_on_and_copy_from() -> None:
    dockerfile = model(
        """
        FROM a AS One
        FROM b AS two
        COPY --from=one /x /x
        FROM one
        RUN --mount=type=bind,from=two,target=/t true
        COPY --from=0 /x /x
        COPY --from=alpine /x /x
        """
    )

    assert [(s.name, s.parent) for s in dockerfile.stages] == [("one", None), ("two", None), (None, 0)]
    assert dict(dockerfile.copied_from) == {0: frozenset(), 1: frozenset({0}), 2: frozenset({0, 1})}
    assert dockerfile.shipped == {0, 2}
    assert dockerfile.children(0) == {2}


def test_a_stage_nobody_uses_may_be_a_target_and_counts_as_shipped() -> None:
    dockerfile = model("FROM a AS build\nFROM b AS dev\nFROM c\nCOPY --from=build /x /x\n")

    assert dockerfile.shipped == {1, 2}


@pytest.mark.parametrize(
    ("run", "form", "programs"),
    [
        ("RUN npm ci", "shell", ["npm"]),
        ('RUN ["npm", "ci", "$HOME"]', "exec", ["npm"]),
        ("RUN <<EOF\nnpm ci\nnode x\nEOF", "heredoc", ["npm", "node"]),
        ("RUN <<EOF\n#!/usr/bin/env python\nprint(1)\nEOF", "heredoc", []),
        ("RUN <<EOF\n#!/bin/bash -e\nnpm ci\nEOF", "heredoc", ["npm"]),
        ("RUN python <<EOF\nprint(1)\nEOF", "stdin", ["python"]),
        ("RUN bash -e <<EOF\nnpm ci\nEOF", "stdin", ["npm"]),
        ("RUN bash <<'EOF'\nnpm $X\nEOF", "stdin", ["npm"]),
        ("RUN bash <<EOF\nnpm $X\nEOF", "stdin", []),
        ("RUN bash x.sh <<EOF\nnpm ci\nEOF", "stdin", []),
        ("RUN cat <<EOF > /x && npm ci\n$(date)\nEOF", "stdin", ["cat", "npm", "date"]),
        ("RUN <<EOF cat > /x\nnpm ci\nEOF", "stdin", []),
        ("RUN <<'EOF'\nnpm ci\nEOF", "heredoc", ["npm"]),
        ("RUN <<-EOF && npm ci\nx\nEOF", "stdin", []),
        ("RUN npm ci # all of it", "shell", ["npm"]),
    ],
)
def test_what_a_run_starts(run: str, form: str, programs: list[str]) -> None:
    found = model(f"FROM x\n{run}\n").steps[-1].run

    assert found is not None
    assert (found.form, [call.program for call in found.calls]) == (form, programs)
    assert found.editable == (form == "shell")


@pytest.mark.parametrize(
    "above", ["FROM mcr.microsoft.com/windows/servercore:ltsc2022", 'FROM x\nSHELL ["pwsh", "-c"]']
)
def test_a_foreign_shell_is_not_read(above: str) -> None:
    run = model(f"{above}\nRUN dir\n").steps[-1].run

    assert run is not None
    assert not run.editable
    assert run.why_not_editable.startswith("the shell is ")


def test_an_unknown_directory_is_no_real_path() -> None:
    run = model("FROM private/image\nRUN npm ci\n").steps[-1].run

    assert run is not None
    assert run.calls[0].directory == BASE_WORKDIR
    assert not BASE_WORKDIR.startswith("/")


@pytest.mark.parametrize(
    ("base", "word", "expanded"),
    [
        ("golang:1.24", "$GOPATH/src/app", "/go/src/app"),
        ("golang:1.24\nENV GOPATH=/gopath", "$GOPATH/src", "/gopath/src"),
        ("golang:1.24 AS one\nFROM one", "$GOPATH", "/go"),
        ("own/image", "${PHP_INI_DIR}/php.ini", None),
        ("own/image", "${APP:-/app}", None),
        ("own/image\nARG APP", "$APP", None),
        ("own/image\nARG APP=/app", "$APP/bin", "/app/bin"),
        ("own/image", "/plain", "/plain"),
    ],
)
def test_a_word_with_a_variable_of_the_base_image_is_not_known(base: str, word: str, expanded: str | None) -> None:
    assert model(f"FROM {base}\nRUN true\n").steps[-1].state.word(word) == expanded


@pytest.mark.parametrize(("base", "workdir"), [("golang:1.24", "/go/src/app"), ("node:22", None), ("own/image", None)])
def test_a_workdir_with_a_variable_of_the_base_image(base: str, workdir: str | None) -> None:
    assert model(f"FROM {base}\nWORKDIR $GOPATH/src/app\nRUN true\n").steps[-1].state.workdir == workdir


@pytest.mark.parametrize(
    ("above", "sure"),
    [
        ("ARG A=1", {"A": None}),
        ("ARG A=1\nENV B=$A C=2", {"A": None, "B": None, "C": "2"}),
        ("ENV A=3\nARG A=1", {"A": "3"}),
        ("ARG GIVEN=1", {"GIVEN": "9"}),
    ],
)
def test_a_run_is_sure_only_of_what_no_build_argument_changes(above: str, sure: dict[str, str | None]) -> None:
    steps = model(f"FROM x\n{above}\nRUN true\n", build_args={"GIVEN": "9"}).steps

    assert dict(steps[-1].state.sure) == sure


@pytest.mark.parametrize(
    ("run", "problem"),
    [
        ("RUN a # b", None),
        ("RUN a; \\\n\nEXPOSE 80", "the RUN swallows the EXPOSE behind it"),
        ("RUN a && echo '; EXPOSE 80'", None),
        ("RUN a && \\\n  # a line of its own\n  b # c", None),
        ("RUN a # b \\\n && c", "a comment swallows the rest of the RUN"),
        ("RUN # a \\\n b", "a comment swallows the rest of the RUN"),
        ("RUN # a", "a comment swallows the rest of the RUN"),
        ("RUN bash <<EOF\n$X\nEOF", "a here-document feeds a shell"),
        ("RUN <<EOF\n#!/usr/bin/env perl\nEOF", "the here-document names its own interpreter"),
        ('SHELL ["cmd", "/C"]\nRUN a', "the shell is cmd"),
        ('SHELL ["cmd", "/C"]\nRUN <<EOF\n#!/bin/sh\na\nEOF', None),
    ],
)
def test_what_is_not_understood_of_a_run(run: str, problem: str | None) -> None:
    found = model(f"FROM x\n{run}\n").steps[-1].run

    assert found is not None
    assert found.script.problem == problem


@pytest.mark.parametrize(
    ("above", "user"),
    [("", None), ("USER app", "app"), ("ARG U\nUSER $U", "$U"), ("USER ${U}:x", "${U}:x"), ("ARG U=a\nUSER $U", "a")],
)
def test_a_user_that_is_not_known_is_not_that_of_the_image(above: str, user: str | None) -> None:
    assert model(f"FROM x\n{above}\nRUN true\n").steps[-1].state.user == user
