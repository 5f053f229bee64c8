"""Languages and package managers, one module each; a module whose name starts with an underscore is none."""

from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import import_module
from pkgutil import iter_modules

from optimizer.ecosystems._index import PROGRAMS
from optimizer.ecosystems.ecosystem import Ahead, Cache, Ecosystem, Install, Project, Refusal

__all__ = [
    "Ahead",
    "Cache",
    "Ecosystem",
    "Install",
    "Project",
    "Refusal",
    "all_ecosystems",
    "ecosystem_modules",
    "ecosystems_for",
]


@cache
def ecosystem_modules() -> Mapping[str, Ecosystem]:
    """Return the ecosystem that each module of this package defines, by the name of the module."""
    names = sorted(m.name for m in iter_modules(__path__) if not m.name.startswith("_") and m.name != "ecosystem")
    return {name: _defined_in(name) for name in names}


def all_ecosystems() -> tuple[Ecosystem, ...]:
    """Return every ecosystem, by module name."""
    return tuple(ecosystem_modules().values())


@lru_cache(maxsize=1024)
def ecosystems_for(program: str) -> tuple[Ecosystem, ...]:
    """Return the ecosystems that may know a program; all others answer None to a call of it."""
    return tuple(_defined_in(name) for name in PROGRAMS.get(program.rstrip("0123456789."), ()))


@cache
def _defined_in(name: str) -> Ecosystem:
    ecosystem: Ecosystem = next(v for v in vars(import_module(f"{__name__}.{name}")).values() if _is_ecosystem(v))
    return ecosystem


def _is_ecosystem(value: object) -> bool:
    return not isinstance(value, type) and callable(getattr(value, "install", None)) and hasattr(value, "title")
