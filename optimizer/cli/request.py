"""What the user asked for, and what becomes of it for one Dockerfile with its configuration."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from optimizer.cli.arguments import Format, LevelName
from optimizer.cli.configuration import Configuration
from optimizer.engine import Plan
from optimizer.transforms import Level


class Request(NamedTuple):
    """The options of a run; None where the configuration or a default decides."""

    paths: tuple[str, ...] = (".",)
    context: Path | None = None
    level: LevelName | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    target: str | None = None
    build_args: tuple[str, ...] = ()
    config: Path | None = None
    format: Format = Format.TEXT
    output: Path | None = None
    jobs: int | None = None
    quiet: bool = False
    verbose: bool = False

    @classmethod
    def of(  # noqa: PLR0913 (the options that the commands share)
        cls,
        paths: Sequence[str] | None,
        *,
        select: Sequence[str] | None,
        ignore: Sequence[str] | None,
        build_arg: Sequence[str] | None,
        context: Path | None,
        level: LevelName | None,
        target: str | None,
        config: Path | None,
        format_: Format = Format.TEXT,
        output: Path | None = None,
        jobs: int | None = None,
        quiet: bool = False,
        verbose: bool = False,
    ) -> "Request":
        """Return the request of a command line as typer gives it: None is a list without anything in it."""
        return cls(
            paths=tuple(paths or ["."]),
            context=context,
            level=level,
            select=tuple(select or ()),
            ignore=tuple(ignore or ()),
            target=target,
            build_args=tuple(build_arg or ()),
            config=config,
            format=format_,
            output=output,
            jobs=jobs,
            quiet=quiet,
            verbose=verbose,
        )

    def plan(self, configuration: Configuration) -> Plan:
        """Put the options above the configuration: they replace its values; `ignore` and build arguments add up.

        A level on the command line is the highest for every transform, whatever the configuration allows it.
        """
        asked = Level[self.level.name] if self.level else None
        level = asked if asked is not None else configuration.level
        return Plan(
            level=level if level is not None else Level.EQUIVALENT,
            select=frozenset(self.select) if self.select else configuration.select,
            ignore=configuration.ignore | frozenset(self.ignore),
            levels={id_: own if asked is None else min(own, asked) for id_, own in configuration.levels.items()},
            options=configuration.options,
            target=self.target if self.target is not None else configuration.target,
            build_args={**configuration.build_args, **_build_args(self.build_args)},
        )


def _build_args(values: tuple[str, ...]) -> dict[str, str]:
    """Read `K=V`; a bare `K` takes its value from the environment, as docker does."""
    pairs = (value.partition("=") for value in values)
    read = ((name, value if sign else os.environ.get(name)) for name, sign, value in pairs)
    return {name: value for name, value in read if value is not None}
