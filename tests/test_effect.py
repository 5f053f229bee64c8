"""The study of the effect: what is built, what counts, and what the page says of it."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from effect_page import bare, declines, reductions, start, values
from effect_records import Decline, Outcome, Record, Source, Study, load, save, sources
from effect_trial import Bench, Work, examined

from optimizer.report import LayerSize
from optimizer.verify.builder import BuildFailed, BuildRequest

SOURCE = Source("owner/name", "0123456789abcdef")


def record(name: str, outcome: Outcome = Outcome.SMALLER, **more: Any) -> Record:
    sizes = {"before": 1000, "after": 400} if outcome is Outcome.SMALLER else {}
    return Record(name, outcome, "c0ffee", **{"source": SOURCE, "base": "python:3.12", **sizes, **more})


def study(*records: Record) -> Study:
    return Study("docker", {one.name: one for one in records})


class Builder:
    """A builder that builds every Dockerfile, or none; it knows what it was asked for."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.requests: list[BuildRequest] = []
        self.removed: list[str] = []

    def build(self, request: BuildRequest, _told: object) -> Any:
        self.requests.append(request)
        if self.fails:
            raise BuildFailed("step 3 ended with 1", "")
        return SimpleNamespace(image="sha256:1")

    def history(self, _image: str) -> tuple[LayerSize, ...]:
        return LayerSize("FROM", 700), LayerSize("RUN", 50)

    def remove(self, image: str) -> None:
        self.removed.append(image)


def project(folder: Path, files: Mapping[str, str]) -> Work:
    for name, text in files.items():
        (folder / name).write_text(text)
    return Work("owner+name", folder / "Dockerfile", folder, source=SOURCE)


ALONE = {"Dockerfile": "FROM example.org/own\nCOPY app.py /\nCMD python /app.py\n", "app.py": ""}


def test_what_is_left_alone_is_built_to_see_that_it_builds(tmp_path: Path) -> None:
    builder: Any = Builder()

    found = examined(project(tmp_path, ALONE), Bench("c0ffee", builder, 9, print))

    assert (found.outcome, found.before, found.after) == (Outcome.DECLINED, 750, None)
    assert [request.limit for request in builder.requests] == [9]
    assert builder.removed == ["sha256:1"]


def test_what_does_not_build_is_no_part_of_the_sample(tmp_path: Path) -> None:
    builder: Any = Builder(fails=True)

    found = examined(project(tmp_path, ALONE), Bench("c0ffee", builder, 9, print))

    assert (found.outcome, found.against) == (Outcome.NOT_BUILT, ("step 3 ended with 1",))
    assert values(study(found, record("b")))["share"] == 1.0


def test_what_cannot_be_read_stops_that_one_alone(tmp_path: Path) -> None:
    builder: Any = Builder()

    found = examined(project(tmp_path, {"Dockerfile": "RUN echo\n"}), Bench("c0ffee", builder, 9, print))

    assert found.outcome is Outcome.STOPPED
    assert "InputError" in found.against[0]
    assert builder.requests == []


@pytest.mark.parametrize(
    ("outcome", "again"), [(Outcome.DECLINED, False), (Outcome.NOT_JUDGED, True), (Outcome.BROKEN, True)]
)
def test_only_what_is_settled_is_not_built_again(tmp_path: Path, outcome: Outcome, *, again: bool) -> None:
    builder: Any = Builder()
    work = project(tmp_path, ALONE)
    bench = Bench("c0ffee", builder, 9, print)
    first = examined(work, bench)
    known = Record(work.name, outcome, "0ld", first.rewrite, before=7)

    found = examined(work, bench, known)

    assert (len(builder.requests), found.before) == ((2, 750) if again else (1, 7))
    assert found.code == "c0ffee"


def test_another_rewrite_is_built_again(tmp_path: Path) -> None:
    builder: Any = Builder()
    known = Record("owner+name", Outcome.DECLINED, "0ld", "another", before=7)

    assert examined(project(tmp_path, ALONE), Bench("c0ffee", builder, 9, print), known).before == 750


def test_figures_count_what_holds_alone() -> None:
    figures = values(
        study(
            record("a"),
            record("b", after=800),
            record("c", Outcome.BROKEN, before=1000, after=None),
            record("d", Outcome.DIFFERS, before=1000, after=10),
            record("e", Outcome.DECLINED, before=1000),
            record("f", Outcome.NOT_BUILT),
        )
    )

    assert figures["share"] == 2 / 5
    assert figures["reductions"] == (2, pytest.approx(0.4), pytest.approx(0.4), pytest.approx(0.2), pytest.approx(0.6))
    assert figures["counts"] == {"smaller": 2, "broken": 1, "differs": 1, "declined": 1}
    assert [one.name for one in figures["failed"]] == ["c", "d"]  # type: ignore[attr-defined]
    assert figures["larger"] == []


@pytest.mark.parametrize(
    ("reason", "share"),
    [
        ("nodemon of line 9 is for development", 1.0),
        ("compose.yml mounts the sources over /app", 1.0),
        ("wrapt 1.10.11 may be compiled", 0.5),
    ],
)
def test_files_to_develop_with_are_counted_apart(reason: str, share: float) -> None:
    figures = values(study(record("a"), record("b", Outcome.DECLINED, declines=(Decline("multi-stage", reason),))))

    assert (figures["share"], figures["share_of_others"]) == (0.5, share)


def test_an_image_that_grew_is_named() -> None:
    assert values(study(record("a", after=1001)))["larger"] == ["a"]


def test_no_records_give_no_figures() -> None:
    assert reductions([]) == (0, 0.0, 0.0, 0.0, 0.0)
    assert values(Study())["share"] == 0.0


def test_reasons_of_one_kind_are_counted_together() -> None:
    told = (Decline("multi-stage", "wrapt 1.10.11 may be compiled"), Decline("use-slim-base", "the tag is an argument"))
    other = (Decline("multi-stage", "wrapt 1.2 may be compiled"),)

    rows = declines([record("a", Outcome.DECLINED, declines=told), record("b", Outcome.DECLINED, declines=other)])

    assert [(name, count) for name, _, count, _ in rows] == [("multi-stage", 2), ("use-slim-base", 1)]
    assert rows[0][3] == "wrapt 1.10.11 may be compiled"


@pytest.mark.parametrize(
    ("notes", "word"),
    [
        (("default command: stays up", "GET :8000/: 404"), "answers"),
        (("default command: stays up", "GET :8000/: no answer"), "stays up"),
        (("default command: exits with 0",), "ends with status 0"),
        (("default command: exits with 1",), "ends with an error"),
        (("default command: the original stays up and then exits",), "other"),
    ],
)
def test_how_containers_fared_is_a_word(notes: tuple[str, ...], word: str) -> None:
    assert start(record("a", start=notes)) == word


def test_texts_cannot_break_a_table() -> None:
    assert bare("a | b\n*c*") == r"a \| b \*c\*"


def test_records_survive_the_file(tmp_path: Path) -> None:
    path = tmp_path / "effect.json"
    kept = study(record("b", start=("stays up",)), record("a", declines=(Decline("multi-stage", "no"),)))

    save(kept, path)

    assert load(path) == kept
    assert list(load(path).projects) == ["a", "b"]
    assert load(tmp_path / "other.json") == Study()


def test_the_sample_is_read_with_its_paths(tmp_path: Path) -> None:
    (tmp_path / "projects.tsv").write_text("# repository\na/b\t12\n\nc/d\t34\tweb/Dockerfile\tweb\n")

    assert sources(tmp_path) == [Source("a/b", "12"), Source("c/d", "34", "web/Dockerfile", "web")]
