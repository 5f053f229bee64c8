#!/usr/bin/env python3
"""Measure on real projects how much smaller images get at the default level, by building both.

`--projects DIR` names a folder with `projects.tsv` (repository, commit, Dockerfile, build context; separated by tabs)
and a checkout of each repository in a folder `owner+name`. Each Dockerfile is rewritten as `dfopt rewrite` would.
Where that changes the base or the stages, both are built and compared as `dfopt verify` does it. Where it does not,
the original is built, for a Dockerfile that does not build is not part of the sample. `--cases` does the same with
those of fixtures/cases that say `build = true` and use one of these transforms, each at its own level.

What is found goes to benchmarks/effect.json after every one, and at the end to docs/explanation/effect.md.
Nothing is kept of the projects but facts, and no image.
"""

import argparse
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

from effect_records import DATA, SMALL, Outcome, Record, load, save, sources
from effect_trial import Bench, Work, examined
from msgspec.structs import replace

from optimizer.cli.disk import read_context
from optimizer.engine import Plan, optimize
from optimizer.transforms import Level
from optimizer.verify.builders import find

ROOT = Path(__file__).parents[1]


def main() -> int:
    """Go through the sample, then write the page; one failure does not stop the rest."""
    options = _options()
    bench = Bench(_code(), find(options.builder), options.limit, lambda _: None)
    study = replace(load(options.data), builder=bench.builder.name)
    for found, todo in ((study.projects, _projects(options.projects)), (study.cases, _cases(wanted=options.cases))):
        works = [work for work in todo if not options.only or work.name in options.only]
        for number, work in enumerate(works, 1):
            began = monotonic()
            found[work.name] = examined(work, bench, found.get(work.name) if options.resume else None)
            save(study, options.data)
            print(f"[{number}/{len(works)}] {_told(found[work.name])} ({monotonic() - began:.0f} s)", flush=True)
    if options.data == DATA:
        _write_page()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--projects", type=Path, metavar="DIR", help="build the projects that lie there")
    parser.add_argument("--cases", action="store_true", help="build the cases of fixtures/cases")
    parser.add_argument("--only", action="append", metavar="NAME", help="only this project (owner+name) or case")
    parser.add_argument("--resume", action="store_true", help="build only what is new or rewritten in another way now")
    parser.add_argument("--limit", type=float, default=480.0, help="seconds that a build may take (default 480)")
    parser.add_argument("--builder", help="docker, podman or buildah (default: the one at hand)")
    parser.add_argument("--data", type=Path, default=DATA, help="the records (default: effect.json beside this file)")
    return parser.parse_args()


def _code() -> str:
    command = ["git", "-C", str(ROOT), "rev-parse", "--short=10", "HEAD"]
    return subprocess.check_output(command, text=True).strip()


def _projects(folder: Path | None) -> Iterator[Work]:
    for source in sources(folder) if folder else ():
        name = source.repository.replace("/", "+")
        checkout = (folder or Path()) / name
        if checkout.is_dir():
            yield Work(name, checkout / source.dockerfile, checkout / source.context, source=source)
        else:
            print(f"{name} is not there: check out {source.commit} of {source.repository}", file=sys.stderr)


def _cases(*, wanted: bool) -> Iterator[Work]:
    """Go through the cases that one of the transforms changes and that can be built."""
    for file in sorted((ROOT / "fixtures" / "cases").glob("*/case.toml")) if wanted else ():
        case = tomllib.loads(file.read_text("utf-8"))
        if case.get("build"):
            folder, plan = file.parent / "context", Plan(level=Level[case["level"].upper()])
            if _concerned(folder, plan):
                yield Work(file.parent.name, folder / "Dockerfile", folder, plan)


def _concerned(folder: Path, plan: Plan) -> bool:
    dockerfile = folder / "Dockerfile"
    result = optimize(dockerfile.read_text("utf-8"), read_context(folder, dockerfile), plan)
    return any(applied.transform in SMALL for applied in result.applied)


def _told(record: Record) -> str:
    line = f"{record.name}: {record.outcome}"
    if record.outcome is Outcome.SMALLER and record.before and record.after:
        line += f", {record.before / 1e6:.0f} -> {record.after / 1e6:.0f} MB ({record.reduction:.0%} smaller)"
    return "; ".join([line, *record.against[:1]])


def _write_page() -> None:
    sys.path.insert(0, str(ROOT / "docs"))
    import effect_page

    effect_page.PAGE.write_text(effect_page.page(), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
