"""Transform ids as users type them."""

from optimizer.transforms import all_transforms


def unknown_id(name: str) -> str | None:
    """Return what is wrong with an id and which ones are near, None where a transform has it."""
    ids = [transform.id for transform in all_transforms()]
    if name in ids:
        return None
    from difflib import get_close_matches

    aliases = {alias.rpartition(":")[2].lower(): t.id for t in all_transforms() for alias in t.aliases}
    near = [aliases[name.lower()]] if name.lower() in aliases else get_close_matches(name, ids, 3, 0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "`dfopt transforms` lists them"
    return f"no transform is called {name!r}; {hint}"
