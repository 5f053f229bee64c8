"""The configuration: `dfopt.toml`, or `[tool.dfopt]` in `pyproject.toml`; the nearest parent wins."""

import os
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct, field

from optimizer.transforms import Level

NAMES = ("dfopt.toml", "pyproject.toml")
_HOME = Path(os.path.expanduser("~"))  # noqa: PTH111 (Path.home() raises for a user without a home)


class ConfigurationError(Exception):
    """A configuration that cannot be used; the text names the file and the key."""


class Configuration(Struct, frozen=True):
    """What a configuration file says; `folder` is where it lies, for `exclude` is relative to it."""

    folder: Path | None = None
    level: Level | None = None
    select: frozenset[str] | None = None
    ignore: frozenset[str] = frozenset()
    target: str | None = None
    build_args: Mapping[str, str] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    levels: Mapping[str, Level] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def excludes(self, path: Path) -> bool:
        """Tell whether a file that a search found is to be left out: a glob matches it or a folder above it."""
        if not self.exclude or self.folder is None:
            return False
        from fnmatch import fnmatchcase

        relative = path.resolve().relative_to(self.folder.resolve())
        above = [str(p.as_posix()) for p in (relative, *relative.parents)]
        return any(fnmatchcase(part, glob.rstrip("/")) for glob in self.exclude for part in above)


@lru_cache(maxsize=4096)
def nearest_configuration(folder: Path) -> Configuration:
    """Return the configuration for a folder (absolute); raises ConfigurationError.

    The search ends at the root of the repository or the user's home.
    """
    for name in NAMES:
        if (found := read_configuration(folder / name)) is not None:
            return found
    # Path.exists raises where a folder cannot be entered.
    if os.path.exists(folder / ".git") or folder in {folder.parent, _HOME}:  # noqa: PTH110
        return Configuration()
    return nearest_configuration(folder.parent)


def read_configuration(path: Path) -> Configuration | None:
    """Read a configuration file; None where there is none, or a pyproject.toml says nothing of dfopt."""
    try:
        text = path.read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if not os.path.lexists(path):  # a folder that cannot be entered: reading the Dockerfile tells
            return None
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not UTF-8 text") from error
    if path.name == "pyproject.toml" and not _may_concern_us(text):
        return None
    table = _table(path, text)
    return None if table is None else _Reader(path, table).configuration()


def _may_concern_us(pyproject: str) -> bool:
    """Tell whether a file can hold a table `tool.dfopt`; to load the TOML reader for each project would cost 10 ms."""
    if "dfopt" not in pyproject:
        return False
    return re.search(r"^[^\n#]*(\btool\b\W+dfopt\b|\bdfopt\b\W*([.]|=\s*\{))", pyproject, re.MULTILINE) is not None


@lru_cache(maxsize=1)
def named_configuration(path: Path) -> Configuration:
    """Read the file that `--config` names; raises ConfigurationError where it says nothing of dfopt."""
    found = read_configuration(path)
    if found is None:
        raise ConfigurationError(f"{path}: " + ("no [tool.dfopt] in it" if path.exists() else "no such file"))
    return found


def _table(path: Path, text: str) -> dict[str, object] | None:
    """Return the part of a TOML file that is ours."""
    import tomllib

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: not valid TOML: {error}") from error
    if path.name != "pyproject.toml":
        return table
    tool = table.get("tool")
    ours = tool.get("dfopt") if isinstance(tool, dict) else None
    if ours is not None and not isinstance(ours, dict):
        raise ConfigurationError(f"{path}: tool.dfopt: must be a table")
    return ours


class _Reader(NamedTuple):
    """Takes a table apart; every problem names the file and the key."""

    path: Path
    table: Mapping[str, object]

    def configuration(self) -> Configuration:
        keys = ("level", "select", "ignore", "target", "build-args", "exclude", "transforms")
        self.known(self.table, keys, "")
        levels, options, disabled = self.transforms()
        return Configuration(
            folder=self.path.parent,
            level=self.level(self.table.get("level"), "level"),
            select=frozenset(self.ids("select")) if "select" in self.table else None,
            ignore=frozenset(self.ids("ignore")) | disabled,
            target=self.string(self.table.get("target"), "target"),
            build_args=self.build_args(),
            exclude=tuple(self.strings(self.table.get("exclude", []), "exclude")),
            levels=levels,
            options=options,
        )

    def fail(self, key: str, problem: str) -> ConfigurationError:
        return ConfigurationError(f"{self.path}: {key}: {problem}")

    def known(self, table: Mapping[str, object], keys: tuple[str, ...], prefix: str) -> None:
        for key in table:
            if key not in keys:
                raise self.fail(prefix + key, f"unknown key; there are {', '.join(keys)}")

    def level(self, value: object, key: str) -> Level | None:
        if value is None:
            return None
        named = {str(level): level for level in Level}
        if not isinstance(value, str) or value not in named:
            raise self.fail(key, f"must be one of {', '.join(named)}")
        return named[value]

    def string(self, value: object, key: str) -> str | None:
        if value is not None and not isinstance(value, str):
            raise self.fail(key, "must be a string")
        return value

    def strings(self, value: object, key: str) -> Iterator[str]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.fail(key, "must be a list of strings")
        yield from value

    def ids(self, key: str) -> Iterator[str]:
        for name in self.strings(self.table.get(key, []), key):
            self.known_id(name, key)
            yield name

    def known_id(self, name: str, key: str) -> None:
        from optimizer.cli.catalogue import unknown_id

        if problem := unknown_id(name):
            raise self.fail(key, problem)

    def build_args(self) -> dict[str, str]:
        table = self.mapping(self.table.get("build-args", {}), "build-args")
        return {name: self.string(value, f"build-args.{name}") or "" for name, value in table.items()}

    def mapping(self, value: object, key: str) -> Mapping[str, object]:
        if not isinstance(value, dict):
            raise self.fail(key, "must be a table")
        return value

    def transforms(self) -> tuple[dict[str, Level], dict[str, dict[str, object]], frozenset[str]]:
        """Return the levels, the options, and what is disabled, by transform."""
        levels: dict[str, Level] = {}
        options: dict[str, dict[str, object]] = {}
        disabled = set[str]()
        for name, value in self.mapping(self.table.get("transforms", {}), "transforms").items():
            key = f"transforms.{name}"
            self.known_id(name, key)
            table = dict(self.mapping(value, key))
            if (level := self.level(table.pop("level", None), f"{key}.level")) is not None:
                levels[name] = level
            if not self.flag(table.pop("enabled", True), f"{key}.enabled"):
                disabled.add(name)
            if table:
                options[name] = self.options(name, table)
        return levels, options, frozenset(disabled)

    def flag(self, value: object, key: str) -> bool:
        if not isinstance(value, bool):
            raise self.fail(key, "must be true or false")
        return value

    def options(self, name: str, table: dict[str, object]) -> dict[str, object]:
        from optimizer.transforms import all_transforms

        known = next(transform.options for transform in all_transforms() if transform.id == name)
        self.known(table, ("level", "enabled", *known), f"transforms.{name}.")
        return table
