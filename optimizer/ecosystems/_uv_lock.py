"""Whether uv finds its lock file up to date: what it compares beyond the dependencies by name and version.

Source: https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile and uv's `crates/uv-resolver/src/lock`.
"""

from collections.abc import Iterable, Mapping
from posixpath import join

from optimizer.context import Context
from optimizer.context.manifests import table, toml_file
from optimizer.ecosystems._python import normal_name, texts
from optimizer.syntax.lazy_pattern import lazy_pattern

# Settings that the lock file does not hang on.
_FREE = frozenset(
    "package dev-dependencies default-groups managed cache-keys compile-bytecode link-mode python-downloads "
    "python-preference native-tls".split()
)
_REQUIREMENT = lazy_pattern(r"\s*([\w.-]+)\s*(?:\[([\w\s,.-]*)\])?\s*\(?([^;)@\[]*)\)?\s*")
_Wanted = tuple[str, frozenset[str], frozenset[str]]


def why_uncertain(context: Context, root: str, lock: str) -> str | None:
    """Say why it is not certain that the lock file is up to date, None where it is."""
    content = table(toml_file(context, join(root, "pyproject.toml")))
    settings = table(content, "tool", "uv")
    odd = next((name for name in settings if name not in _FREE), None)
    if odd or context.exists(join(root, "uv.toml")):
        return f"whether uv.lock agrees with uv's setting {odd} is not known" if odd else "uv.toml may change the lock"
    if "\n[options]" in lock or "\n[manifest]" in lock:
        return "uv.lock was made with other settings"
    groups = {**table(content, "dependency-groups")}
    if "dev-dependencies" in settings:
        groups["dev"] = [*texts(groups, "dev"), *texts(settings, "dev-dependencies")]
    wanted = {"": texts(table(content, "project"), "dependencies"), **{name: texts(groups, name) for name in groups}}
    if any(isinstance(line, dict) for group in groups.values() if isinstance(group, list) for line in group):
        return "groups that include others are not compared with uv.lock"
    if any(_REQUIREMENT.fullmatch(line) is None for lines in wanted.values() for line in lines):
        return "requirements with markers or addresses are not compared with uv.lock"
    locked = _locked(lock)
    lists = {name: _wanted(lines) for name, lines in wanted.items()}
    if any(found - locked.get(name, set()) for name, found in lists.items()) or locked.keys() - lists.keys():
        return "uv.lock says something else than pyproject.toml"
    return None


def _wanted(lines: Iterable[str]) -> set[_Wanted]:
    found = (_REQUIREMENT.fullmatch(line) for line in lines)
    return {(normal_name(m[1]), _set(m[2] or ""), _set(m[3])) for m in found if m}


def _set(text: str) -> frozenset[str]:
    return frozenset(part.strip().replace(" ", "") for part in text.split(",") if part.strip())


def _locked(lock: str) -> dict[str, set[_Wanted]]:
    """Return what the lock file says of the root package: its requirements under "", those of groups by name."""
    import tomllib

    at = max(lock.find(f'source = {{ {kind} = "." }}') for kind in ("editable", "virtual"))
    begin, end = lock.rfind("[[package]]", 0, max(at, 0)), lock.find("\n[[package]]", at)
    try:
        entry = tomllib.loads(lock[begin : end if end > 0 else None])["package"][0] if at >= 0 else {}
    except (ValueError, KeyError):
        return {}
    metadata = table(entry, "metadata")
    lists = {"": metadata.get("requires-dist"), **table(metadata, "requires-dev")}
    return {name: {_entry(table(line)) for line in lines} for name, lines in lists.items() if isinstance(lines, list)}


def _entry(line: Mapping[str, object]) -> _Wanted:
    return normal_name(str(line.get("name"))), frozenset(texts(line, "extras")), _set(str(line.get("specifier", "")))
