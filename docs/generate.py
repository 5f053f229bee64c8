"""Write the pages that code knows best; with `--check` only tell whether they are as they would be written.

Run it from anywhere: `python docs/generate.py [--check]`.
"""

import json
import sys
from contextlib import chdir
from pathlib import Path

import ecosystem_pages
import effect_page
from typer.testing import CliRunner

from optimizer.cli.app import app
from optimizer.cli.texts import text_of
from optimizer.ecosystems import ecosystem_modules
from optimizer.transforms import all_transforms

ROOT = Path(__file__).parents[1]
COMMANDS = ("rewrite", "diff", "explain", "verify", "pr", "transforms", "init")
EXAMPLE = "fixtures/cases/npm_ci_runs_before_the_sources_are_copied/context"


def pages() -> dict[Path, str]:
    """Return every generated file with its text."""
    transforms = all_transforms()
    configuration = text_of("config/dfopt.toml.j2", transforms=transforms)
    reference = ROOT / "docs" / "reference"
    return {
        ROOT / "optimizer" / "ecosystems" / "_index.py": programs(),
        ROOT / "optimizer" / "transforms" / "_index.py": levels(),
        reference / "transforms.md": text_of("docs/transforms.md.j2", transforms=transforms, page=""),
        reference / "ecosystems.md": text_of(
            "docs/ecosystems.md.j2", pages=ecosystem_pages.pages(), shared=ecosystem_pages.shared_refusals()
        ),
        reference / "cli.md": text_of("docs/cli.md.j2", pages=helps()),
        effect_page.PAGE: effect_page.page(),
        reference / "configuration.md": text_of("docs/configuration.md.j2", configuration=configuration),
        ROOT / "README.md": readme(
            command=f"```sh\npip install . && dfopt diff {EXAMPLE}\n```\n",
            example=f"```diff\n{example()}```\n",
            transforms=text_of("docs/table.md.j2", transforms=transforms, page="docs/reference/transforms.md"),
        ),
    }


def programs() -> str:
    """Return the module that says which ecosystem knows which program."""
    modules = ecosystem_modules()
    programs = sorted({program for ecosystem in modules.values() for program in ecosystem.programs})
    known = {p: [name for name, ecosystem in modules.items() if p in ecosystem.programs] for p in programs}
    rows = "".join(f"    {json.dumps(p)}: {_tuple(names)},\n" for p, names in known.items())
    return (
        '"""Which modules know which program, so that only these are loaded. Written by docs/generate.py."""\n\n'
        f"PROGRAMS: dict[str, tuple[str, ...]] = {{\n{rows}}}\n"
    )


def levels() -> str:
    """Return the module that says which transform has which level."""
    rows = "".join(f"    {json.dumps(t.id.replace('-', '_'))}: {json.dumps(t.level.name)},\n" for t in all_transforms())
    return (
        '"""The level of each transform, so that only those in bounds are loaded. Written by docs/generate.py."""\n\n'
        f"LEVELS: dict[str, str] = {{\n{rows}}}\n"
    )


def _tuple(names: list[str]) -> str:
    return f"({', '.join(map(json.dumps, names))}{',' * (len(names) == 1)})"


def example() -> str:
    """Return what `dfopt diff` says of the example."""
    with chdir(ROOT):
        return CliRunner(env={"NO_COLOR": "1"}).invoke(app, ["diff", EXAMPLE], prog_name="dfopt").stdout


def helps() -> dict[str, str]:
    """Return what `--help` says, by command."""
    run = CliRunner(env={"COLUMNS": "100", "NO_COLOR": "1"})
    names: dict[str, list[str]] = {"dfopt": [], **{f"dfopt {name}": [name] for name in COMMANDS}}
    return {name: run.invoke(app, [*command, "--help"], prog_name="dfopt").stdout for name, command in names.items()}


def readme(**parts: str) -> str:
    """Return the README with its generated parts renewed; each stands between two comments that name it."""
    text = (ROOT / "README.md").read_text("utf-8")
    for name, part in parts.items():
        first, last = f"<!-- {name}: written by docs/generate.py -->\n", f"<!-- /{name} -->"
        head, _, rest = text.partition(first)
        text = head + first + part + last + rest.partition(last)[2]
    return text


def main() -> int:
    """Write, or compare; return the exit code."""
    found = pages()
    stale = [path for path, text in found.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in stale:
        if "--check" in sys.argv[1:]:
            print(f"{path.relative_to(ROOT)} is stale: run `python docs/generate.py`")  # noqa: T201 (a script)
        else:
            path.write_text(found[path], "utf-8")
    return int("--check" in sys.argv[1:] and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
