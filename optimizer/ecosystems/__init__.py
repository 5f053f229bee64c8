"""Languages and package managers, one module each; a module whose name starts with an underscore is none."""

from functools import cache, lru_cache
from importlib import import_module
from pkgutil import iter_modules

from optimizer.ecosystems.ecosystem import Ahead, Cache, Ecosystem, Install, Project, Refusal

__all__ = ["Ahead", "Cache", "Ecosystem", "Install", "Project", "Refusal", "all_ecosystems", "ecosystems_for"]


@cache
def all_ecosystems() -> tuple[Ecosystem, ...]:
    """Return the ecosystem of every module of this package (the instance that the module defines), by module name."""
    names = sorted(m.name for m in iter_modules(__path__) if not m.name.startswith("_") and m.name != "ecosystem")
    modules = (import_module(f"{__name__}.{name}") for name in names)
    return tuple(next(v for v in vars(m).values() if _is_ecosystem(v)) for m in modules)


def _is_ecosystem(value: object) -> bool:
    return not isinstance(value, type) and callable(getattr(value, "install", None)) and hasattr(value, "title")


@lru_cache(maxsize=1024)
def ecosystems_for(program: str) -> tuple[Ecosystem, ...]:
    """Return the ecosystems that may know a program; all others answer None to a call of it."""
    name = program.rstrip("0123456789.")
    return tuple(ecosystem for ecosystem in all_ecosystems() if name in ecosystem.programs)
