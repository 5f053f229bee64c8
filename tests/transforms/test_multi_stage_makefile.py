"""Which commands a plain Makefile has make run, and which Makefiles are not plain."""

import pytest

from optimizer.transforms.stages.makefile import commands_of

PLAIN = """
# How to build.
BINARY = app
LDFLAGS := -ldflags "-X main.version=$(shell git describe)"
OUT ?= bin/$(BINARY)

.PHONY: build clean

build: generate
\t@mkdir -p bin
\tgo build $(LDFLAGS) \\
\t\t-o ${OUT} ./cmd/$(BINARY)

generate:
\t-echo $$HOME > $@

clean:
\trm -rf bin

$(OUT): build
"""


@pytest.mark.parametrize(
    ("goals", "given", "commands"),
    [
        (
            (),
            {},
            (
                "echo $HOME > generate",
                "mkdir -p bin",
                'go build -ldflags "-X main.version=$(git describe)" -o bin/app ./cmd/app',
            ),
        ),
        (("clean",), {}, ("rm -rf bin",)),
        (("generate", "clean"), {}, ("echo $HOME > generate", "rm -rf bin")),
        (
            ("build",),
            {"OUT": "/x"},
            (
                "echo $HOME > generate",
                "mkdir -p bin",
                'go build -ldflags "-X main.version=$(git describe)" -o /x ./cmd/app',
            ),
        ),
    ],
)
def test_commands_for_goals(goals: tuple[str, ...], given: dict[str, str], commands: tuple[str, ...]) -> None:
    assert commands_of(PLAIN, goals, given) == commands


@pytest.mark.parametrize(
    "text",
    [
        "",
        "include other.mk\nall:\n\ttrue\n",
        "ifeq ($(A),b)\nall:\n\ttrue\nendif\n",
        "%.o: %.c\n\tcc -c $<\n",
        "all: $(OBJECTS)\n\tcc -o a $^\n",
        "all:\n\tcc $(wildcard *.c)\n",
        "define X\nendef\n",
        "all:\n\t$(call x,y)\n",
    ],
)
def test_a_makefile_that_is_not_plain_is_not_read(text: str) -> None:
    assert commands_of(text, (), {}) is None


def test_a_goal_without_a_rule() -> None:
    assert commands_of(PLAIN, ("install",), {}) is None
