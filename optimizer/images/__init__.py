"""What is known of base images: tags, variants, package and command sets, sizes, end of life.

The tables in `data/` are written by `facts/refresh.py` from the sources that each module names.
"""

from optimizer.images.nodes import Facts, Variant
from optimizer.images.packages import packages, suite
from optimizer.images.tags import sibling, variant

__all__ = ["Facts", "Variant", "packages", "sibling", "suite", "variant"]
