"""Manifests as plain values; what is read is shared, so nobody may change it."""

from functools import lru_cache

from optimizer.context.nodes import Context


def json_file(context: Context, path: str) -> object | None:
    """Return what a JSON file holds, None where the build does not see it or it is broken."""
    text = context.text(path)
    return None if text is None else _json(text)


def toml_file(context: Context, path: str) -> object | None:
    """Return what a TOML file holds, None where the build does not see it or it is broken."""
    text = context.text(path)
    return None if text is None else _toml(text)


def yaml_file(context: Context, path: str) -> object | None:
    """Return what a YAML file of one document holds, None where the build does not see it or it is broken."""
    text = context.text(path)
    return None if text is None else _yaml(text)


def table(value: object, *keys: str) -> dict[str, object]:
    """Return the mapping found by going down `keys`, empty where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


@lru_cache(maxsize=32)
def _json(text: str) -> object | None:
    import json

    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found


@lru_cache(maxsize=32)
def _toml(text: str) -> object | None:
    import tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return None


@lru_cache(maxsize=32)
def _yaml(text: str) -> object | None:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        found: object = yaml.load(text, Loader=loader)  # noqa: S506 - both are safe loaders
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return found
