"""How near the predicted sizes of images are to those that a builder makes of the cases.

    python benchmarks/predicted_sizes.py [--bases-as-found] [--output FILE] [NAME ...]

Builds every case that says `build = true`, as found and as rewritten, with the docker at hand, and compares what
`optimizer.layers.sizes` says of it with what `docker image inspect` does. With `--bases-as-found` the sizes of the base
images are those at hand, which matters where these are not the official ones.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from optimizer.cli.disk import read_context
from optimizer.engine import Plan, optimize
from optimizer.layers.sizes import predicted
from optimizer.model import Dockerfile, read
from optimizer.report.sizes import size
from optimizer.syntax import parse
from optimizer.transforms import Level

CASES = Path(__file__).parents[1] / "fixtures" / "cases"


class Row(NamedTuple):
    """An image: what was predicted with the official bases and with those at hand, and what was built; in bytes."""

    case: str
    which: str
    official: int | None
    found: int | None
    built: int


def main() -> int:
    """Print the table and the median errors; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bases-as-found", action="store_true", help="judge by the base images at hand")
    parser.add_argument("--output", type=Path, help="also write the rows as JSON")
    parser.add_argument("names", nargs="*", help="cases (default: all that are built)")
    given = parser.parse_args()
    rows = []
    for row in _rows(given.names):
        rows.append(row)
        guess = row.found if given.bases_as_found else row.official
        print(f"{row.case[:58]:58} {row.which:6} {size(guess or 0):>8} {size(row.built):>8} {_error(guess, row.built)}")
    if given.output:
        given.output.write_text(json.dumps([row._asdict() for row in rows], indent=1) + "\n")
    for title, guesses in (("official bases", [r.official for r in rows]), ("bases as found", [r.found for r in rows])):
        errors = [abs(g - r.built) / r.built for g, r in zip(guesses, rows, strict=True) if g is not None and r.built]
        median = f"median error {100 * statistics.median(errors):.1f} %, " if errors else ""
        print(f"{title}: {median}{len(errors)} of {len(rows)} images predicted")
    return 0


def _error(guess: int | None, built: int) -> str:
    return "not known" if guess is None or not built else f"{100 * (guess - built) / built:+.1f} %"


def _rows(names: list[str]) -> Iterator[Row]:
    for file in sorted(CASES.glob("*/case.toml")):
        case = tomllib.loads(file.read_text())
        if case.get("build") and (not names or file.parent.name in names):
            yield from _of_case(file.parent, Level[case.get("level", "equivalent").upper()])


def _of_case(folder: Path, level: Level) -> Iterator[Row]:
    dockerfile = folder / "context" / "Dockerfile"
    context = read_context(folder / "context", dockerfile)
    result = optimize(dockerfile.read_text(), context, Plan(level=level))
    after = context
    for artifact in result.artifacts:
        after = after.overlay(artifact.path, artifact.content)
    for which, text, seen in (("before", result.before, context), ("after", result.after, after)):
        model = read(parse(text))
        built = _built(folder / "context", text)
        if built is None:
            print(f"{folder.name}: {which} does not build", file=sys.stderr)
            continue
        official, found = predicted(model, seen), predicted(model, seen, _bases(model))
        yield Row(folder.name, which, official and official.bytes, found and found.bytes, built)


def _bases(model: Dockerfile) -> dict[str, int]:
    """Return the sizes of the base images at hand."""
    names = {stage.base for stage in model.stages if stage.base and stage.parent is None}
    return {name: found for name in names if (found := _inspected(name)) is not None}


def _built(context: Path, text: str) -> int | None:
    """Build a Dockerfile, and return the size of the image, which is removed again; None where it does not build."""
    with tempfile.TemporaryDirectory() as place:
        file, mark = Path(place, "Dockerfile"), Path(place, "id")
        file.write_text(text)
        words = ("docker", "build", "--quiet", "--file", file, "--iidfile", mark, context)
        if subprocess.run(words, check=False, capture_output=True).returncode:
            return None
        image = mark.read_text()
    found = _inspected(image)
    subprocess.run(("docker", "rmi", "--no-prune", image), check=False, capture_output=True)
    return found


def _inspected(image: str) -> int | None:
    words = ("docker", "image", "inspect", "--format", "{{.Size}}", image)
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    return int(done.stdout) if not done.returncode else None


if __name__ == "__main__":
    sys.exit(main())
