"""The examples of the ecosystems as docs/reference/ecosystems.md shows them: what is said is what the code answers."""

import ast
import inspect
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from optimizer.context import Context
from optimizer.ecosystems import Cache, Ecosystem, Install, Project, Refusal, ecosystem_modules
from optimizer.shell import Call, parse_script
from optimizer.shell.calls import calls

EXAMPLES = Path(__file__).parents[1] / "fixtures" / "ecosystems"
SHARED = {"_arguments", "_files"}  # what they refuse is said of every ecosystem, and told once


class Row(NamedTuple):
    """A command, the project that it runs in, and what is done with it: Markdown without a bar."""

    command: str
    project: str
    answer: str


class Page(NamedTuple):
    """One ecosystem."""

    title: str
    anchor: str
    programs: str
    about: str
    installs: tuple[Row, ...]
    caches: tuple[Row, ...]
    refusals: tuple[str, ...]


def pages() -> list[Page]:
    """Return every ecosystem with its examples, by title."""
    found = [_page(name, ecosystem) for name, ecosystem in ecosystem_modules().items()]
    return sorted(found, key=lambda page: page.title.lower())


def shared_refusals() -> list[str]:
    """Return the reasons that any ecosystem may give."""
    return sorted({text for name in SHARED for text in _reasons(sys.modules[f"optimizer.ecosystems.{name}"])})


def _page(name: str, ecosystem: Ecosystem) -> Page:
    path = EXAMPLES / f"{name}.toml"
    examples = tomllib.loads(path.read_text("utf-8")) if path.exists() else {}
    module = sys.modules[f"optimizer.ecosystems.{name}"]
    reasons = {text for part in _parts(module) for text in _reasons(part)}
    return Page(
        ecosystem.title,
        re.sub(r"[^\w -]", "", ecosystem.title.lower()).replace(" ", "-"),
        ", ".join(f"`{program}`" for program in sorted(ecosystem.programs)),
        (inspect.getdoc(module) or "").partition("\n\n")[2],
        tuple(_install(ecosystem, row, examples.get("projects", {})) for row in examples.get("installs", ())),
        tuple(_cache(ecosystem, row, examples.get("projects", {})) for row in examples.get("caches", ())),
        tuple(sorted(reasons)),
    )


def _install(ecosystem: Ecosystem, row: Mapping[str, Any], projects: Mapping[str, Mapping[str, str]]) -> Row:
    files = projects[row["project"]] if "project" in row else {}
    answer = ecosystem.install(_call(row["command"]), Project(Context.of(files), "", "/app"))
    return Row(_code(row["command"]), _list(files), _told(answer))


def _call(command: str) -> Call:
    return calls(parse_script(command), "/app", {})[-1]


def _told(answer: Install | Refusal | None) -> str:
    if answer is None:
        return "not an install"
    if isinstance(answer, Refusal):
        return f"left alone: {_escaped(answer.reason)}"
    if answer.ahead:
        return f"copies {_list(answer.manifests)}, runs {_list(answer.ahead.commands)} ahead"
    if not answer.manifests:
        return "reads nothing of the project: may stand above the sources"
    changed = f", runs {_code(answer.command)}" if answer.command else ""
    return f"copies {_list(answer.manifests)}{changed}" + (f", later {_code(answer.then)}" if answer.then else "")


def _cache(ecosystem: Ecosystem, row: Mapping[str, Any], projects: Mapping[str, Mapping[str, str]]) -> Row:
    cache = ecosystem.cache(_call(row["command"]), {})
    if cache and cache.decide and "project" in row:
        cache = cache.decide(Context.of(projects[row["project"]]))
    return Row(_code(row["command"]), _list(cache.targets if cache else ()), _kept(cache))


def _kept(cache: Cache | None) -> str:
    if cache is None:
        return "leaves none"
    if cache.off:
        return f"left alone: {_escaped(cache.off)}"
    return f"gets {_code(cache.flag)}" if cache.flag else f"is followed by {_list(cache.cleanup)}"


def _list(items: object) -> str:
    texts = [_code(item) for item in items] if isinstance(items, tuple | list | Mapping) else []
    return ", ".join([*texts[:-2], " and ".join(texts[-2:])]) or "-"


def _code(text: str) -> str:
    return f"`{_escaped(text)}`"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _parts(module: ModuleType) -> Iterator[ModuleType]:
    """Yield a module and the private ones of its package that it is made of."""
    seen, left = {module.__name__}, [module]
    while left:
        part = left.pop()
        yield part
        names = {getattr(value, "__module__", None) or "" for value in vars(part).values()}
        new = {n for n in names if n.startswith("optimizer.ecosystems._") and n.split(".")[-1] not in SHARED} - seen
        seen |= new
        left.extend(sys.modules[name] for name in sorted(new))


def _reasons(module: ModuleType) -> Iterator[str]:
    """Yield the reasons that a module's refusals give, with `…` for what is filled in."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"Refused", "Refusal"}:
            text = _text(node.args[0]) if node.args else ""
            if re.search(r"[a-z]{3}", text):
                yield text


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(v.value if isinstance(v, ast.Constant) else "…" for v in node.values if v)  # type: ignore[misc]
    return ""
