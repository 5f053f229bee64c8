"""Slim images where the version is an argument, and those of Ruby."""

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize

START = 'CMD ["true"]\n'


def run(text: str, files: dict[str, str] | None = None, **given: str) -> Result:
    plan = Plan(select=frozenset({"use-slim-base"}), build_args=given)
    return optimize(text, Context.of(files or {}), plan)


def reason(result: Result) -> str:
    (declined,) = result.declined
    return declined.reason


@pytest.mark.parametrize(
    ("found", "written"),
    [
        ("ARG VERSION=3.12\nFROM python:$VERSION\n", "FROM python:$VERSION-slim\n"),
        ("ARG PYTHON_VERSION=3.11.4\nFROM python:${PYTHON_VERSION} AS a\n", "python:${PYTHON_VERSION}-slim AS a\n"),
        ("ARG NODE_VERSION=20\nFROM docker.io/library/node:${NODE_VERSION}-bookworm\n",
         "FROM docker.io/library/node:${NODE_VERSION}-bookworm-slim\n"),
        ('ARG VERSION="3.12"\nFROM python:${VERSION}-bookworm\n', "FROM python:${VERSION}-slim-bookworm\n"),
    ],
)  # fmt: skip
def test_the_words_go_behind_the_variable(found: str, written: str) -> None:
    result = run(found + START)

    assert written in result.after
    assert result.after.startswith(found.partition("FROM")[0])


@pytest.mark.parametrize(
    "text",
    [
        "ARG TAG=3.12\nFROM python:$TAG\n",
        "ARG VERSION\nFROM python:$VERSION\n",
        "ARG VERSION=3.12-bookworm\nFROM python:$VERSION\n",
        "ARG VERSION=3.12\nARG VERSION=3.11\nFROM python:$VERSION\n",
        "ARG VERSION=3.12\nFROM python:${VERSION:-3.11}\n",
        "ARG IMAGE_VERSION=12\nARG NAME=node\nFROM ${NAME}:${IMAGE_VERSION}\n",
    ],
)
def test_what_may_be_no_version_stays(text: str) -> None:
    result = run(text + START)

    assert result.after == result.before


def test_another_version_on_the_command_line_is_not_foreseen() -> None:
    result = run("ARG VERSION=3.12\nFROM python:$VERSION\n" + START, VERSION="3.11")

    assert result.after == result.before


@pytest.mark.parametrize(
    ("path", "text", "changes"),
    [
        ("docker-compose.yml", "args:\n  VERSION: 3.12-alpine\n", False),
        ("Makefile", "build:\n\tdocker build --build-arg VERSION=$(TAG) .\n", False),
        ("docker-compose.yml", "args:\n  VERSION: '3.11'\n", True),
        ("notes.txt", "VERSION=alpine\n", True),
    ],
)
def test_files_that_give_it_another_value(path: str, text: str, *, changes: bool) -> None:
    result = run("ARG VERSION=3.12\nFROM python:$VERSION\n" + START, {path: text})

    assert (result.after != result.before) is changes
    if not changes:
        assert f"{path} gives VERSION a value that is no version" in reason(result)


def test_ruby_alone_does_with_the_slim_image() -> None:
    result = run('FROM ruby:3.3\nCOPY app.rb .\nCMD ["ruby", "app.rb"]\n', {"app.rb": "puts 1\n"})

    assert result.after.startswith("FROM ruby:3.3-slim\n")


@pytest.mark.parametrize(
    ("steps", "files", "because"),
    [
        ("RUN bundle install\n", {}, "gems may be compiled when line 2 installs them"),
        ("RUN gem install rack\n", {}, "gems may be compiled"),
        ("RUN git clone x\n", {}, "starts git"),
        ("COPY . .\n", {"app.rb": "puts `git log`\n"}, "app.rb may start a program"),
        ("COPY . .\n", {"app.rb": 'system("convert a b")\n'}, "app.rb may start a program"),
        ("COPY . .\n", {"spec/app.rb": "puts `git log`\n"}, None),
    ],
)
def test_what_ruby_may_need_of_the_full_image(steps: str, files: dict[str, str], because: str | None) -> None:
    result = run(f"FROM ruby:3.3\n{steps}" + 'CMD ["ruby", "app.rb"]\n', files)

    if because is None:
        assert result.after != result.before
    else:
        assert because in reason(result)


BUILT = "FROM golang:1.22 AS b\nRUN go build -o /app /src\n"


@pytest.mark.parametrize(
    ("text", "files", "because"),
    [
        (BUILT + 'FROM debian:12\nCOPY --from=b /app /app\nCMD ["/app"]\n', {}, None),
        (BUILT + 'FROM debian:12\nCOPY --from=b /app /app\nENV LANG=de_DE\nCMD ["/app"]\n', {}, "another language"),
        ('FROM debian:12\nCOPY . .\nCMD ["/app"]\n', {"a.sh": "cat /usr/share/man/x\n"}, "a.sh speaks of /usr/share"),
        ('FROM debian:12\nRUN curl x | sh\nCMD ["/app"]\n', {}, "a script that is not known"),
        ('FROM debian:12\nRUN apt-get install -y postgresql\nCMD ["/app"]\n', {}, "may ask for the folders"),
        (BUILT + 'FROM python:3.12\nCOPY --from=b /app /app\nCMD ["/app"]\n', {}, "is not in the build context"),
    ],
)  # fmt: skip
def test_debian_without_manuals_runs_what_another_stage_built(
    text: str, files: dict[str, str], because: str | None
) -> None:
    result = run(text, files)

    if because is None:
        assert "FROM debian:12-slim\n" in result.after
    else:
        assert because in reason(result)
