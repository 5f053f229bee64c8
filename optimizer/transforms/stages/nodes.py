"""The values of `multi-stage`: what a build makes, and what of it a container needs."""

from collections.abc import Collection, Mapping
from typing import Protocol

from msgspec import Struct

from optimizer.images import Variant
from optimizer.model import Stage, Step
from optimizer.shell import Call
from optimizer.transforms._runtime_needs import Need
from optimizer.transforms._transform import Subject


class Effect(Struct, frozen=True):
    """What a call of a RUN leaves in the image.

    All paths are absolute, `/` at the end marks a folder with all that lies in it. `makes` are those that a container
    may read or start; each has to be copied, or to lie in a folder that is. `leaves` are those that nothing reads once
    the build is over (caches, objects of a compiler), patterns as in `Rewrite.leaves_out`. `packages` are Debian
    packages by name. `removes` are paths that are gone with all below them, patterns where it is not certain which.
    With `again`, the call is done in the runtime stage as well, unless all that it makes is copied: users, groups,
    folders, owners, settings of the system. `unknown` is a clause for the decline: what the call makes cannot be told.
    """

    makes: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    removes: tuple[str, ...] = ()
    again: bool = False
    unknown: str | None = None


NOTHING = Effect()  # a call that only looks, talks, or clears what another one left behind


class Work(Struct, frozen=True):
    """A RUN with the effect of each of its calls; or a COPY from another image, whose effect has no call."""

    step: Step
    effects: tuple[tuple[Call | None, Effect], ...]


class Build(Struct, frozen=True):
    """A stage on a full image, which is to be split into one that builds and one that runs.

    `release` is the code name of its Debian release. `copied` maps image paths to the context files that COPY and ADD
    bring there, the last one winning; `folders` are the destinations of those that bring whole folders. `needs` are
    the programs that CMD, ENTRYPOINT and HEALTHCHECK start, with those of the scripts that these run; `start` are the
    words of ENTRYPOINT and CMD as one command, `()` where a shell form is more than that. `workdir` and `env` are those
    that the container starts with. `made` are the paths that RUNs and COPYs from other images make and that are there
    at the end (`/` at the end: a folder), `perhaps` those that may be there. `works` and what follows it are empty
    while effects are asked for.
    """

    subject: Subject
    stage: Stage
    full: Variant
    release: str
    workdir: str
    env: Mapping[str, str | None]
    copied: Mapping[str, str]
    folders: tuple[str, ...]
    needs: tuple[Need, ...]
    start: tuple[str, ...]
    there: Collection[str] = frozenset()  # folders that the steps so far are known to have made
    works: tuple[Work, ...] = ()
    made: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
    packages: frozenset[str] = frozenset()  # of Debian, which the Dockerfile installs, by name


class Runtime(Struct, frozen=True):
    """What the runtime stage is made of.

    `base` is a tag that `optimizer.images.variant` knows: same libc, same release of Debian, same minor version of the
    language. `copies` are the paths taken from the build stage to the same place, each of them certain to be there;
    `/` at the end marks a folder. `packages` are installed beyond those of the Dockerfile, `build_only` are those of
    the Dockerfile that this language needs for its build alone (compilers and -dev packages are known without it).
    `leaves_out` are image paths that a container does not need, as in `Rewrite.leaves_out`: sources of a compiled
    language, what the full image has beyond Debian's packages (`/usr/local/go`). `variables` are those that the full
    image sets, the small one does not and the program may read: name and value, in order. `left_variables` are names
    of those that the full image sets and only its build tools read. `why` is a sentence for the reader of the diff.
    """

    base: Variant
    copies: tuple[str, ...]
    why: str
    packages: tuple[str, ...] = ()
    build_only: frozenset[str] = frozenset()
    leaves_out: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    left_variables: frozenset[str] = frozenset()
    behind: tuple[str, ...] = ()  # commands to run once the files are there
    clears: tuple[str, ...] = ()  # folders of the small image to empty before the copy, so that no two releases mix


class Language(Protocol):
    """The functions of a language's module; `languages.py` says which images it is asked about."""

    def effect(self, call: Call, step: Step, build: Build) -> Effect | None:
        """Say what a call of the language's own tools leaves behind, None where the call is another's.

        It is asked before the rules that hold for every image (`effects.py`: apt, users, cp, curl, tar, ...). What lies
        outside of `makes` and `leaves` is taken not to be there, so name all of it, or give `Effect(unknown=...)`.
        `build.works` is still empty; `step.state` has directory, user and variables.
        """

    def runtime(self, build: Build) -> Runtime | str | None:
        """Say what the runtime stage is made of, a clause why there is none, None where the build is another's.

        The core proves the rest: that every path of `Build.made` and every file of `Build.copied` is in `copies` or is
        left out, that each program which starts is there, and that the image gets smaller.
        """
