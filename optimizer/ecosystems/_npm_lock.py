"""Whether npm's lock file holds all that its packages need: `npm ci` stops where it does not.

Source: https://docs.npmjs.com/cli/v10/configuring-npm/package-lock-json.
"""

from collections.abc import Iterator, Mapping

from optimizer.context.manifests import table

_MODULES = "node_modules/"


def why_incomplete(lock: Mapping[str, object], *, peers: bool) -> str | None:
    """Say which package the lock file lacks, None where it is whole; `peers` tells whether peers are installed too."""
    packages = table(lock, "packages")
    for path, value in packages.items():
        entry = table(value)
        if entry.get("link") or entry.get("optional"):
            continue
        missing = next((n for n in _wanted(path, entry, peers=peers) if not _is_there(packages, path, n)), None)
        if missing:
            return f"{missing}, which {path.rpartition(_MODULES)[2] or 'package.json'} needs, is not in the lock file"
    return None


def _wanted(path: str, entry: Mapping[str, object], *, peers: bool) -> Iterator[str]:
    yield from table(entry, "dependencies")
    if _MODULES not in path:
        yield from table(entry, "devDependencies")
    spared = {name for name, meta in table(entry, "peerDependenciesMeta").items() if table(meta).get("optional")}
    yield from (name for name in table(entry, "peerDependencies") if peers and name not in spared)


def _is_there(packages: Mapping[str, object], path: str, name: str) -> bool:
    """Tell whether Node.js finds a package from a folder: in its own node_modules, or in those above."""
    while True:
        if f"{path}/{_MODULES}{name}".lstrip("/") in packages:
            return True
        if not path:
            return False
        path = path[: max(path.rfind(_MODULES), 0)].rstrip("/")
