"""docs/explanation/effect.md from the records of benchmarks/effect.py: the figures of the study, and nothing built."""

import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple

from optimizer.cli.texts import text_of

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "explanation" / "effect.md"
sys.path.append(str(ROOT / "benchmarks"))

from effect_records import Outcome, Record, Study, load  # noqa: E402 (benchmarks/ is a folder of scripts)

_NAMES = re.compile(r"`[^`]*`|'[^']*'|\"[^\"]*\"|\S*[/@.]\S*\w|\b\d\S*")  # what differs between two of one kind
_FOR_DEVELOPMENT = re.compile(r" is for development$| mounts the sources over ")
_BARE = re.compile(r"[|<>*_`]")


class Reductions(NamedTuple):
    """How much smaller a number of images are."""

    images: int
    mean: float
    median: float
    least: float
    most: float


def page() -> str:
    """Return the page that the records give."""
    return text_of("docs/effect.md.j2", **values(load()))


def values(study: Study) -> dict[str, object]:
    """Return what the template asks for."""
    projects = [record for record in study.projects.values() if record.outcome is not Outcome.NOT_BUILT]
    smaller, cases = _held(projects), _held(study.cases.values())
    development = [record for record in projects if record.outcome is Outcome.DECLINED and for_development(record)]
    return {
        "builder": study.builder,
        "projects": projects,
        "drawn": len(study.projects),
        "smaller": smaller,
        "share": _share(smaller, projects),
        "development": development,
        "share_of_others": _share(smaller, [record for record in projects if record not in development]),
        "reductions": reductions(smaller),
        "counts": Counter(record.outcome.value for record in projects),
        "by": Counter(transform for record in smaller for transform in record.transforms),
        "starts": Counter(map(start, smaller)),
        "failed": [record for record in projects if record.outcome not in {Outcome.SMALLER, Outcome.DECLINED}],
        "declines": declines(record for record in projects if record.outcome is Outcome.DECLINED),
        "families": families(projects),
        "cases": [*study.cases.values()],
        "case_reductions": reductions(cases),
        "codes": sorted({record.code for record in [*projects, *study.cases.values()]}),
        "larger": [
            record.name for record in [*smaller, *cases] if record.before and (record.after or 0) > record.before
        ],
        "bare": bare,
    }


def reductions(records: Sequence[Record]) -> Reductions:
    """Return how much smaller the images are, as shares of the originals; all 0 where there are none."""
    found = [record.reduction for record in records] or [0.0]
    return Reductions(len(records), mean(found), median(found), min(found), max(found))


def declines(records: Iterable[Record]) -> list[tuple[str, str, int, str]]:
    """Return transform, kind of reason, number of Dockerfiles and an example, the most frequent first.

    Two reasons are of one kind where they differ in names and numbers alone.
    """
    counts: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], str] = {}
    for record in records:
        kinds = {(one.transform, _NAMES.sub("…", one.reason)): one.reason for one in record.declines}
        for key, reason in (kinds or {("", "no decline was told"): record.base}).items():
            counts[key] += 1
            examples.setdefault(key, reason)
    return [(*key, count, examples[key]) for key, count in counts.most_common()]


def families(records: Iterable[Record]) -> list[tuple[str, int, int, float]]:
    """Return for each base image the number of Dockerfiles, of converted ones, and these's mean reduction."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(re.split("[:@]", record.base.rpartition("/")[2])[0], []).append(record)
    rows = [(name, len(group), _held(group)) for name, group in groups.items()]
    return [
        (name, count, len(held), reductions(held).mean)
        for name, count, held in sorted(rows, key=lambda row: (-row[1], row[0]))
    ]


def for_development(record: Record) -> bool:
    """Tell whether a Dockerfile was left alone because it is one to develop with, which dfopt means to leave alone."""
    return any(_FOR_DEVELOPMENT.search(one.reason) for one in record.declines)


def start(record: Record) -> str:
    """Return in a word how the containers of both images fared."""
    notes = " ".join(record.start)
    if ": stays up" in notes:
        return "answers" if re.search(r"(?:GET|HEALTHCHECK)\S*(?: :\S+)?: (?:\d{3}|passes)", notes) else "stays up"
    if "exits with 0" in notes:
        return "ends with status 0"
    return "ends with an error" if "exits with" in notes else "other"


def bare(text: str) -> str:
    """Return a text that can stand in a cell of a Markdown table."""
    return _BARE.sub(lambda match: f"\\{match[0]}", " ".join(text.split()))


def _share(part: Sequence[Record], whole: Sequence[Record]) -> float:
    return len(part) / len(whole) if whole else 0.0


def _held(records: Iterable[Record]) -> list[Record]:
    return [record for record in records if record.outcome is Outcome.SMALLER]
