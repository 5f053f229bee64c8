"""The rewrites, one module each; a package, or a module whose name starts with an underscore, is none."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from optimizer.transforms._finding import Artifact, Decline, Edit, Finding, Gain, Level, Rewrite
from optimizer.transforms._index import LEVELS
from optimizer.transforms._transform import Example, Subject, Touches, Transform, transform

__all__ = [
    "Artifact", "Decline", "Edit", "Example", "Finding", "Gain", "Level", "Rewrite", "Subject", "Touches",
    "Transform", "all_transforms", "transform",
]  # fmt: skip


@cache
def all_transforms(bound: Level = Level.ASSUMED) -> tuple[Transform, ...]:
    """Return every transform of this package whose rewrites may keep to a level, by id.

    Those that `_index` says need a bolder level are not loaded; a module that it does not know is.
    """
    names = sorted(m.name for m in iter_modules(__path__) if not (m.ispkg or m.name.startswith("_")))
    wanted = (name for name in names if Level[LEVELS.get(name, bound.name)] <= bound)
    modules = (import_module(f"{__name__}.{name}") for name in wanted)
    return tuple(next(v for v in vars(m).values() if isinstance(v, Transform)) for m in modules)
